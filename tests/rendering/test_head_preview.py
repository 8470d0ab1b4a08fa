"""The head as a preview: it shows what the curves say, from ARKit weights and from MetaHuman controls alike."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.bases import index_of
from vultus.core.errors import InputError
from vultus.core.types import Performance
from vultus.face.rig_map import controls_of
from vultus.rendering.head_preview import HeadPreview
from vultus.rendering.raster import resolve_texture

SIZE = 192
STILL = np.zeros(3)
AHEAD = np.zeros(2)


@pytest.fixture(scope="module")
def preview() -> HeadPreview:
    return HeadPreview(30, SIZE)


def weights(**values: float) -> np.ndarray:
    row = np.zeros(52, np.float32)
    for name, value in values.items():
        row[index_of(name)] = value
    return row


def shot(preview: HeadPreview, row: np.ndarray, turn: tuple[float, float, float] = (0, 0, 0)) -> np.ndarray:
    return preview.frame(row, np.array(turn), STILL, AHEAD).astype(int)


def changed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Rows and columns (n, 2), as shares of the picture, that differ."""
    return np.argwhere(np.abs(one - other).max(2) > 12) / SIZE


def test_a_face_stands_in_the_middle_and_is_nearly_symmetric(preview: HeadPreview) -> None:
    picture = shot(preview, weights())
    assert picture.shape == (SIZE, SIZE, 3)
    skin = picture[..., 0] > picture[..., 2] + 20
    rows, columns = np.nonzero(skin)
    assert 0.3 < skin.mean() < 0.7
    assert abs(columns.mean() / SIZE - 0.5) < 0.01 and rows.min() > 0
    brightest = picture.max(2)
    assert brightest.max() > 150


@pytest.mark.parametrize(
    ("names", "top", "bottom"),
    [(("jawOpen",), 0.45, 0.9), (("eyeBlinkLeft", "eyeBlinkRight"), 0.2, 0.42), (("browInnerUp",), 0.15, 0.52)],
)
def test_a_weight_moves_its_part_of_the_face(
    preview: HeadPreview, names: tuple[str, ...], top: float, bottom: float
) -> None:
    where = changed(shot(preview, weights()), shot(preview, weights(**dict.fromkeys(names, 0.9))))
    assert len(where) > 60
    assert top < np.quantile(where[:, 0], 0.05) and np.quantile(where[:, 0], 0.95) < bottom


def test_brows_come_down_far_enough_to_be_seen(preview: HeadPreview) -> None:
    """By a pixel or more of 192: as far as the head model draws them it is a third of one."""

    def brows_row(row: np.ndarray) -> float:
        rows, _ = np.nonzero(shot(preview, row)[40:75, 50:142].sum(2) < 260)
        return float(rows.mean())

    assert brows_row(weights(browDownLeft=0.9, browDownRight=0.9)) > brows_row(weights()) + 1


def test_left_is_the_subjects_left(preview: HeadPreview) -> None:
    where = changed(shot(preview, weights()), shot(preview, weights(eyeBlinkLeft=1.0)))
    assert (where[:, 1] > 0.5).mean() > 0.95  # in the picture to the right


def test_the_head_turns_and_the_eyes_follow_the_gaze(preview: HeadPreview) -> None:
    straight, turned = shot(preview, weights()), shot(preview, weights(), (20, 0, 0))
    assert len(changed(straight, turned)) > 1000
    dark = [
        np.argwhere(preview.frame(weights(), STILL, STILL, np.array([x, 0.0])).max(2)[55:75, 50:140] < 50)[:, 1].mean()
        for x in (-18.0, 18.0)
    ]
    assert dark[1] - dark[0] > 1.5  # pupils move towards image right


def test_controls_show_as_the_weights_they_stand_for(preview: HeadPreview) -> None:
    rows = np.stack([weights(jawOpen=0.4, mouthSmileLeft=0.6), weights(browDownLeft=0.8)])
    valid = np.ones(2, bool)
    by_weights = Performance(fps=30, valid=valid, expression=rows, gaze=np.zeros((2, 2), np.float32))
    by_controls = Performance(fps=30, valid=valid, controls=controls_of(rows, np.zeros((2, 2))))
    frames = [list(preview.play([performance], 2)) for performance in (by_weights, by_controls)]
    assert len(frames[0]) == 2
    for one, other in zip(*frames, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 3
    with pytest.raises(InputError, match="neither ARKit weights nor controls"):
        list(preview.play([Performance(fps=30, valid=valid, au45=np.zeros(2, np.float32))]))


def test_texture_is_looked_up_and_shrunk_as_by_hand() -> None:
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 255, (20, 30, 3), dtype=np.uint8)
    flow = np.stack([rng.uniform(1, 28, (8, 6)), rng.uniform(1, 18, (8, 6))], 2).astype(np.float32)
    shade, label = rng.uniform(0.2, 1, (8, 6)).astype(np.float32), np.ones((8, 6), np.uint8)
    label[0, :] = 0
    label[2:4, 2:4] = 0
    back, image = np.array([10, 20, 30], np.float32), np.zeros((4, 3, 3), np.uint8)
    resolve_texture(texture, flow, shade, label, back, image)
    x, y = np.floor(flow[..., 0]).astype(int), np.floor(flow[..., 1]).astype(int)
    u, v = (flow[..., 0] - x)[..., None], (flow[..., 1] - y)[..., None]
    above = texture[y, x] * (1 - u) + texture[y, x + 1] * u
    below = texture[y + 1, x] * (1 - u) + texture[y + 1, x + 1] * u
    full = np.where(label[..., None] > 0, shade[..., None] * (above * (1 - v) + below * v), back)
    wanted = full.reshape(4, 2, 3, 2, 3).mean((1, 3))
    assert (image[1, 1] == back).all()
    far = np.ones((4, 3), bool)
    for i in range(4):
        for j in range(3):
            block = flow[2 * i : 2 * i + 2, 2 * j : 2 * j + 2][label[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] > 0]
            far[i, j] = len(block) == 0 or np.ptp(block, axis=0).max() >= 3
    np.testing.assert_allclose(image[far], wanted[far], atol=0.6)
    assert far.sum() >= 8
