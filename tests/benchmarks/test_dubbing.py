"""What the dubbing benchmark measures, on pictures and points whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmarks.dubbing_measures import Comparison, at_equal, lip_speed, mouth_box, outside_face, residual
from benchmarks.dubbing_sheets import BLIND_PAIRS, CONSECUTIVE, Sheet, liveliest, write_blind
from vultus.face.points import LIPS, OVAL

SIDE_PX = 240


def face(gap: float = 0.0, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    """Points (478, 3): an oval of 50 x 60 px, eyes 60 px apart, lips 40 px wide whose halves are `gap` px apart."""
    points = np.zeros((478, 3), np.float32)
    points[:, :2] = (120, 120)
    angle = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    points[list(OVAL), :2] += np.stack([50 * np.sin(angle), -60 * np.cos(angle)], -1)
    points[[33, 263], :2] = [[90, 105], [150, 105]]
    around = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    for start in (0, 20):  # the outer and the inner line, from the right corner along the lower lip
        down = np.sin(around)
        points[list(LIPS[start : start + 20]), 0] = 120 - 20 * np.cos(around)
        points[list(LIPS[start : start + 20]), 1] = 145 + (8 if start == 0 else 0) * down + gap / 2 * np.sign(down)
    points[:, :2] += shift
    return points


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)


def test_outside_the_face_is_what_no_reach_reaches():
    outline = face()[list(OVAL), :2]
    far, near = (outside_face([outline], (SIDE_PX, SIDE_PX), reach) for reach in (1.6, 1.0))
    assert near[120, 120 + 54] == 0 and near[120, 120 + 60] == 1  # a cell and two pixels of room
    assert not far[120, 120 + 80] and far[120, 120 + 90] and far[0, 0]
    assert (far <= near).all()
    both = outside_face([outline, outline + (30, 0)], (SIDE_PX, SIDE_PX), 1.0)
    assert both.sum() < near.sum() and not both[120, 120 + 75]


def test_lips_are_as_fast_as_they_go_beside_the_nose():
    assert lip_speed(face(), face(shift=(5, 3))) == pytest.approx(0, abs=1e-3)
    moved = face()
    moved[list(LIPS), 1] += 6
    assert lip_speed(face(), moved) == pytest.approx(10, abs=0.01)  # 6 px of 60


def test_motion_leaves_no_residual_and_change_does():
    from scipy.ndimage import gaussian_filter

    picture = gaussian_filter(noise().astype(float), (2, 2, 0))
    picture = np.clip(128 + 6 * (picture - picture.mean()), 0, 255).astype(np.uint8)[:96, :96]
    shifted = np.roll(picture, 2, 1)
    inside = (slice(8, -8), slice(8, -8))
    other = picture[::-1]
    assert (
        residual(picture[inside], shifted[inside]) < 0.35 * np.abs(picture[inside] - shifted[inside].astype(int)).mean()
    )
    assert residual(picture[inside], other[inside]) > 3 * residual(picture[inside], shifted[inside])
    assert np.isnan(residual(picture[:4, :4], picture[:4, :4]))


def test_equal_bins_weigh_equally():
    rng = np.random.default_rng(0)
    slow, fast = rng.random(300), rng.random(200) ** 0.5
    assert at_equal((slow, fast), (1 + slow, 1.3 * (1 + fast))) == pytest.approx(1.3, abs=0.03)
    assert (1.3 * (1 + fast)).mean() / (1 + slow).mean() > 1.4  # what it would be without
    assert np.isnan(at_equal((np.zeros(9), np.ones(9)), (np.full(9, np.nan), np.ones(9))))


def test_a_copy_is_the_original():
    found = Comparison(25.0)
    gaps = 6 + 5 * np.sin(np.arange(40) / 3)
    for t, gap in enumerate(gaps):
        found.add((noise(t), noise(t)), (face(gap), face(gap)))
    assert found.changed_outside == 0 and found.same_size and not any(found.touched)
    assert found.sharpness() == pytest.approx((1, 1)) and found.flicker() == pytest.approx((1, 1))
    assert found.distance() == 0 and 0.5 < found.apart(np.ones(40, bool))[0] == found.apart(np.ones(40, bool))[1]
    assert found.apart(gaps < 2) == (0, 0)
    asked = np.stack([gaps, 40 + 0 * gaps], 1) / 60
    aperture_r, width_r, gain, made = found.followed(asked, np.ones(40, bool))
    assert aperture_r > 0.999 and width_r == 0 and gain == pytest.approx(1, abs=0.02) and made.recall == 1


def test_a_pixel_far_away_and_a_blurred_mouth_are_noticed():
    import cv2

    found = Comparison(25.0)
    for t in range(6):
        changed = cv2.GaussianBlur(noise(t), (9, 9), 3)
        keep = noise(t)
        box = mouth_box(face(10))
        keep[box] = changed[box]
        keep[2, 2] ^= 255
        found.add((noise(t), keep), (face(10), face(10)))
    assert found.changed_outside == 6 and found.sharpness()[0] < 0.1
    missing = np.full((478, 3), np.nan)
    found.add((noise(9), noise(9)), (face(10), missing))
    assert np.isfinite(found.distance()) and np.isfinite(found.sharpness()[0])


def test_the_liveliest_moment_is_shown_and_the_key_tells_left_from_right(tmp_path):
    aperture = np.zeros(60)
    aperture[30:36] = [0.1, 0, 0.2, 0, 0.1, 0]
    shown = liveliest(aperture)
    assert len(shown) == CONSECUTIVE and set(range(30, 36)) <= set(shown)
    assert liveliest(aperture[:5]) == range(5)
    sheet = Sheet(tmp_path / "someone.png", shown)
    for t in range(60):
        sheet.add(
            t, (np.full((SIDE_PX, SIDE_PX, 3), 40, np.uint8), np.full((SIDE_PX, SIDE_PX, 3), 200, np.uint8)), face()
        )
    sheet.write_mouths()
    sheet.write_heads()
    write_blind(tmp_path)
    mouths = np.asarray(Image.open(tmp_path / "someone.png"))
    assert mouths[5, 5, 0] == 40 and mouths[mouths.shape[0] // 4 + 5, 5, 0] == 200
    blind, key = np.asarray(Image.open(tmp_path / "blind.png")), (tmp_path / "blind-key.txt").read_text().splitlines()
    assert len(key) == 1 + BLIND_PAIRS
    for line in key[1:]:
        row, column, *_, side, name = line.split()
        x, y = (int(column) - 1) * (blind.shape[1] // 3) + 20, (int(row) - 1) * (blind.shape[0] // 2) + 20
        assert (blind[y, x, 0] == 200) == (side == "left") and name.startswith("someone")
