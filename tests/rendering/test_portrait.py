"""The whole renderer: the picture itself when nothing is asked, and what is asked when it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vultus.animate import open_portrait
from vultus.core.bases import ARKIT52, index_of
from vultus.core.method import Look
from vultus.core.pose import degrees_from_matrix
from vultus.core.types import Fit, Portrait
from vultus.face.fit import fit_face
from vultus.face.head import embedded_head, project
from vultus.face.landmarks import select_face
from vultus.face.points import lip_opening
from vultus.methods.portrait.model import PhotoRenderer
from vultus.rendering.portrait import PortraitRenderer
from vultus.rendering.warp import fitted_vertices

SHARED = Path(__file__).parents[3] / "shared" / "data" / "real" / "portraits"
HUMANS = (
    "art_0", "art_10", "art_16", "art_18", "art_5", "full_body_1", "happy", "people_0",
    "s0", "s10", "s12", "s3", "s5", "s9",
)  # fmt: skip
STILL = (np.zeros(3), np.zeros(3), np.zeros(2))
MAX_DIFFERENCE = 0.3
"""Grey levels by which the face may differ on average from the photo at its own look."""


def renderer_of(portrait: Portrait, crop: str = "full", size: int | None = None) -> PortraitRenderer:
    return PhotoRenderer(portrait, Look(crop=crop, size=size)).renderer


@pytest.fixture(scope="module")
def full(portrait: Portrait) -> PortraitRenderer:
    return renderer_of(portrait)


@pytest.fixture(scope="module")
def close(portrait: Portrait) -> PortraitRenderer:
    return renderer_of(portrait, "face", 384)


def posed(renderer: PortraitRenderer, *rotation_deg: float, **weights: float) -> np.ndarray:
    """A frame under yaw, pitch, roll, with weights of shapes (sides alike) replaced."""
    expression = renderer.rest_expression.copy()
    for name, weight in weights.items():
        for side in ("", "Left", "Right"):
            if name + side in ARKIT52:
                expression[index_of(name + side)] = weight
    return renderer.frame(expression, np.array([*rotation_deg, 0, 0, 0][:3], float), np.zeros(3), np.zeros(2))


def face_difference(renderer: PortraitRenderer) -> float:
    """Mean absolute difference between photo and frame at the photo's own look, in the landmarks' box."""
    frame = renderer.frame(renderer.rest_expression, *STILL)
    x, y = renderer.canvas.stage[:2]
    marks = renderer.fit.landmarks[:468, :2] - renderer.canvas.margin_px + [x, y]
    (x0, y0), (x1, y1) = np.maximum(np.floor(marks.min(0)).astype(int), 0), np.ceil(marks.max(0)).astype(int)
    box = np.s_[y0:y1, x0:x1]
    return float(np.abs(frame[box].astype(float) - renderer.canvas.picture[box]).mean())


def test_the_astronaut_at_her_own_look_is_the_photo(full, close):
    assert face_difference(full) <= MAX_DIFFERENCE
    assert face_difference(close) <= MAX_DIFFERENCE


@pytest.mark.parametrize("name", HUMANS)
def test_shared_portraits_at_their_own_look_are_the_photo(name):
    found = list(SHARED.glob(f"{name}.*"))
    if not found:
        pytest.skip(f"the shared portrait {name} is not beside this checkout")
    assert face_difference(renderer_of(open_portrait(found[0]))) <= MAX_DIFFERENCE


def test_a_frame_is_a_whole_picture_of_its_own(full):
    frame = full.frame(full.rest_expression, *STILL)
    assert frame.shape == full.canvas.picture.shape and frame.dtype == np.uint8
    before = full.canvas.picture.copy()
    frame[:] = 0
    np.testing.assert_array_equal(full.canvas.picture, before)
    assert full.frame(full.rest_expression, *STILL).any()


def test_outside_the_stage_nothing_changes(full):
    x, y, width, height = full.canvas.stage
    changed = (posed(full, 15, -10, 8, jawOpen=0.7) != full.canvas.picture).any(-1)
    assert changed[y : y + height, x : x + width].mean() > 0.1
    changed[y : y + height, x : x + width] = False
    assert not changed.any()


@pytest.mark.parametrize("side", ["left", "right", "bottom"])
def test_the_stages_border_inside_the_picture_shows_no_step(full, side):
    """The room stays where it is, so that no seam shows where the stage ends."""
    x, y, width, height = full.canvas.stage
    frame = posed(full, 12, 4, 3).astype(float)
    line = {
        "left": np.s_[y : y + height, x],
        "right": np.s_[y : y + height, x + width - 1],
        "bottom": np.s_[y + height - 1, x : x + width],
    }[side]
    assert np.abs(frame[line] - full.canvas.picture[line]).mean() < 3


@pytest.mark.parametrize(
    "rotation", [(20, 0, 0), (-20, 0, 0), (0, 20, 0), (0, -20, 0), (0, 0, 20), (0, 0, -20), (20, -20, 20)]
)
def test_turning_far_keeps_the_picture_whole(close, rotation):
    stage, flow = close._draw(
        np.full(52, 0.4, np.float32), np.array(rotation, float), np.zeros(3), np.array([28.0, -18])
    )
    assert stage.dtype == np.uint8 and stage.shape[:2] == close.canvas.stage[:1:-1]
    assert np.isfinite(flow).all()
    low, high = flow.reshape(-1, 2).min(0) / 2, flow.reshape(-1, 2).max(0) / 2
    slack = close.canvas.margin_px
    assert (low > -slack).all() and (high < np.array(close.canvas.texture.shape[1::-1]) + slack).all()
    assert abs(stage.mean() - close.canvas.picture.mean()) < 15


def tracked(frame: np.ndarray) -> Fit:
    return fit_face(select_face(frame), embedded_head())


@pytest.mark.parametrize("rotation", [(12, 0, 0), (-12, 0, 0), (0, 10, 0), (0, -10, 0), (0, 0, 12), (0, 0, -12)])
def test_a_tracker_sees_the_turn_that_was_asked(close, rotation):
    still, turned = tracked(posed(close)), tracked(posed(close, *rotation))
    seen = degrees_from_matrix(turned.rotation) - degrees_from_matrix(still.rotation)
    np.testing.assert_allclose(seen, rotation, atol=3.5)


def test_the_nose_moves_with_yaw_and_pitch(close):
    nose = lambda *r: select_face(posed(close, *r))[4, :2]  # noqa: E731
    still = nose()
    assert nose(10)[0] > still[0] + 5 and nose(-10)[0] < still[0] - 5
    assert nose(0, 8)[1] < still[1] - 4 and nose(0, -8)[1] > still[1] + 4


def test_translation_moves_the_face_along_the_pictures_axes(close):
    def middle(*shift: float) -> np.ndarray:
        frame = close.frame(close.rest_expression, np.zeros(3), np.array(shift, float), np.zeros(2))
        return select_face(frame)[:468, :2].mean(0)

    still, per_unit = middle(0, 0, 0), close._pixels_per_unit(embedded_head())
    np.testing.assert_allclose(middle(1, 0, 0) - still, [per_unit, 0], atol=0.35 * per_unit)
    np.testing.assert_allclose(middle(0, 1, 0) - still, [0, -per_unit], atol=0.35 * per_unit)


def test_the_mouth_opens_and_closes(close):
    gap = lambda **w: lip_opening(select_face(posed(close, **w)))  # noqa: E731
    shut = {"mouthSmile": 0.0, "mouthUpperUp": 0.0, "mouthLowerDown": 0.0, "mouthStretch": 0.0}
    assert gap(jawOpen=0.6, **shut) > gap(jawOpen=0.3, **shut) > gap(jawOpen=0.0, **shut)


def test_lids_close_under_a_trackers_eye(close):
    openness = lambda **w: np.ptp(select_face(posed(close, **w))[[159, 145], 1]) / 384  # noqa: E731
    assert openness(eyeBlink=1.0) < 0.45 * openness()


def test_gaze_is_seen_by_a_tracker(close):
    def look(*gaze_deg: float) -> np.ndarray:
        frame = close.frame(close.rest_expression, np.zeros(3), np.zeros(3), np.array(gaze_deg, float))
        return np.asarray(tracked(frame).gaze_deg)

    still = look(0, 0)
    assert look(12, 0)[0] > still[0] + 4 and look(-12, 0)[0] < still[0] - 4


@pytest.mark.parametrize(
    "make",
    [
        posed,
        lambda r, *a, **w: r.frame_and_matte(
            np.full(52, 0.3, np.float32), np.array([*a, 0, 0], float), np.zeros(3), np.zeros(2)
        )[1],
    ],
)
def test_frames_do_not_depend_on_those_before(portrait, make: Callable):
    renderer = renderer_of(portrait, "face", 200)
    first = make(renderer, 9, jawOpen=0.5, eyeBlink=0.7)
    other = make(renderer, -12, eyeBlink=0.1, mouthSmile=0.8, tongueOut=1.0)
    again = make(renderer, 9, jawOpen=0.5, eyeBlink=0.7)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    fresh = make(renderer_of(portrait, "face", 200), 9, jawOpen=0.5, eyeBlink=0.7)
    np.testing.assert_array_equal(first, fresh)


def test_wild_commands_are_bounded(close):
    wild = close.frame(np.full(52, 9.0), np.zeros(3), np.zeros(3), np.array([900.0, -900]))
    np.testing.assert_array_equal(wild, close.frame(np.ones(52), np.zeros(3), np.zeros(3), np.array([28.0, -18])))


@pytest.mark.parametrize("crop", ["full", "face"])
@pytest.mark.parametrize("size", [64, 65, 111])
def test_tiny_and_odd_sizes(portrait, crop, size):
    renderer = renderer_of(portrait, crop, size)
    frame = posed(renderer, 10, 5, -5, jawOpen=0.8, eyeBlink=0.5)
    assert max(frame.shape[:2]) == size and (frame != renderer.canvas.picture).any()


def test_a_face_that_fills_the_picture(portrait):
    x0, y0 = portrait.fit.landmarks[:468, :2].min(0).astype(int)
    x1, y1 = portrait.fit.landmarks[:468, :2].max(0).astype(int)
    tight = open_portrait(np.ascontiguousarray(portrait.image[y0 - 4 : y1 + 4, x0 - 4 : x1 + 4]))
    renderer = renderer_of(tight, "full", 200)
    assert posed(renderer, 18, -12, 15, jawOpen=1.0).shape == renderer.canvas.picture.shape


def test_the_matte_goes_with_the_head(close):
    still = close.frame_and_matte(close.rest_expression, *STILL)[1]
    right = close.frame_and_matte(close.rest_expression, np.array([0, 0, 15.0]), np.zeros(3), np.zeros(2))[1]
    assert still.min() >= 0 and still.max() <= 1 and still[192, 192] > 0.9
    columns = np.arange(still.shape[1])
    upper = np.s_[: still.shape[0] // 3]
    middle = lambda m: (m[upper] * columns).sum() / m[upper].sum()  # noqa: E731
    assert middle(right) > middle(still) + 2  # roll tilts the crown towards image right


def test_fitted_vertices_land_on_the_landmarks(full):
    head, fit = embedded_head(), full.fit
    points = head.landmarks478(fitted_vertices(head, fit))
    seen = project(points, fit.rotation, fit.translation, fit.focal_px, fit.center_px)[:, :2]
    miss = np.linalg.norm(seen - fit.landmarks[:468, :2], axis=1)
    assert np.median(miss) < 0.5 and np.percentile(miss, 90) < 2.0


def test_the_surface_at_its_own_expression_is_where_it_was_seen(full):
    surface, fit = full.surface, full.fit
    skin = np.unique(surface.skin)  # teeth are seated elsewhere on purpose
    moved = surface.moved(surface.expression)
    np.testing.assert_allclose(moved, surface.rest)
    seen = project(moved, fit.rotation, fit.translation, fit.focal_px, fit.center_px)[skin, :2]
    np.testing.assert_allclose(seen, surface.seen[skin], atol=0.02)
