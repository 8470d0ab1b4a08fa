"""Where the picture lies, where the stage lies on it, and that a fit follows both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.core.types import Fit, Portrait
from vultus.face.head import project
from vultus.rendering.canvas import FULL_LONGEST_SIDE, lay_canvas


def picture_with_face(height: int, width: int, low: tuple[float, float], side: float, alpha: bool = False) -> Portrait:
    """Noise, with landmarks that fill a square; nothing else of the fit matters here."""
    rng = np.random.default_rng(0)
    landmarks = rng.uniform(0, side, (478, 3)) + [*low, 0]
    landmarks[:2, :2] = [low, (low[0] + side, low[1] + side)]
    fit = Fit(
        np.eye(3), np.array([0, 0, 90.0]), 900.0, np.array([width / 2, height / 2]), np.zeros(60), np.zeros(52),
        landmarks, np.zeros(2), 1.0,
    )  # fmt: skip
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    return Portrait(image, fit, image[..., 0].copy() if alpha else None)


@st.composite
def portraits(draw) -> Portrait:
    height, width = draw(st.integers(33, 400)), draw(st.integers(33, 400))
    side = draw(st.floats(20, min(height, width)))
    low = (draw(st.floats(0, width - side)), draw(st.floats(0, height - side)))
    return picture_with_face(height, width, low, side, draw(st.booleans()))


@settings(max_examples=60, deadline=None)
@given(portraits(), st.sampled_from(["full", "face"]), st.none() | st.integers(64, 301))
def test_sizes_stage_and_margin_hold_together(portrait, crop, size):
    canvas = lay_canvas(portrait, crop, size)
    height, width = canvas.picture.shape[:2]
    if crop == "face":
        assert (height, width) == (size or 512,) * 2
        assert canvas.stage == (0, 0, width, height)
    elif size:
        assert max(height, width) == size
    else:
        assert (height, width) == portrait.image.shape[:2]
    x, y, w, h = canvas.stage
    assert x >= 0 and x + w <= width and y >= 0 and y + h <= height and w > 0 and h > 0
    m = canvas.margin_px
    assert canvas.texture.shape == (h + 2 * m, w + 2 * m, 3) and canvas.inside.shape == canvas.texture.shape[:2]
    np.testing.assert_array_equal(canvas.texture[m : m + h, m : m + w], canvas.picture[y : y + h, x : x + w])
    assert canvas.inside[m : m + h, m : m + w].all()
    assert canvas.picture.flags.c_contiguous and canvas.texture.flags.c_contiguous
    assert (canvas.alpha is None) == (portrait.alpha is None)
    if canvas.alpha is not None:
        assert canvas.alpha.shape == (height, width)


@settings(max_examples=30, deadline=None)
@given(portraits(), st.sampled_from(["full", "face"]), st.none() | st.integers(64, 301))
def test_a_fit_in_texture_pixels_projects_to_the_scaled_places(portrait, crop, size):
    canvas = lay_canvas(portrait, crop, size)
    moved = canvas.to_texture(portrait.fit)
    points = np.random.default_rng(1).uniform(-8, 8, (20, 3))
    seen, in_texture = (
        project(points, f.rotation, f.translation, f.focal_px, f.center_px) for f in (portrait.fit, moved)
    )
    np.testing.assert_allclose(in_texture[:, :2], seen[:, :2] * canvas.scale - canvas.texture_origin, atol=1e-6)
    np.testing.assert_allclose(in_texture[:, 2], seen[:, 2])
    expected = portrait.fit.landmarks[:, :2] * canvas.scale - canvas.texture_origin
    np.testing.assert_allclose(moved.landmarks[:, :2], expected)
    low, high = moved.landmarks[:, :2].min(0), moved.landmarks[:, :2].max(0)
    assert (low >= -1).all() and (high <= np.array(canvas.texture.shape[1::-1]) + 1).all()


def test_laying_changes_nothing_of_the_portrait():
    portrait = picture_with_face(90, 80, (20, 20), 40)
    image, landmarks = portrait.image.copy(), portrait.fit.landmarks.copy()
    canvas = lay_canvas(portrait, "full")
    canvas.to_texture(portrait.fit)
    canvas.texture[:] = 0
    np.testing.assert_array_equal(portrait.fit.landmarks, landmarks)
    np.testing.assert_array_equal(portrait.image, image)


def test_beyond_the_pictures_end_the_texture_is_mirrored():
    portrait = picture_with_face(60, 60, (2, 2), 56)
    canvas = lay_canvas(portrait, "full")
    m = canvas.margin_px
    assert canvas.stage == (0, 0, 60, 60) and m > 3
    expected = np.pad(portrait.image, ((m, m), (m, m), (0, 0)), mode="symmetric")
    np.testing.assert_array_equal(canvas.texture, expected)
    assert canvas.inside.sum() == 60 * 60


@pytest.mark.parametrize("crop", ["full", "face"])
def test_large_pictures_are_shown_smaller_unless_asked(crop):
    portrait = picture_with_face(1000, 2600, (900, 300), 400)
    assert max(lay_canvas(portrait, "full").picture.shape) == FULL_LONGEST_SIDE
    assert max(lay_canvas(portrait, crop, 600).picture.shape) == 600


def test_a_face_crop_holds_the_face_and_stays_in_the_picture():
    for low in ((0, 0), (150, 0), (0, 150), (150, 150), (70, 80)):
        portrait = picture_with_face(200, 200, low, 50)
        canvas = lay_canvas(portrait, "face", 115)
        assert canvas.scale == pytest.approx(1.0)
        x, y = canvas.origin
        assert x <= low[0] and y <= low[1] and x + 115 >= low[0] + 50 and y + 115 >= low[1] + 50
        np.testing.assert_array_equal(canvas.picture, portrait.image[y : y + 115, x : x + 115])


def test_the_real_fit_lands_on_the_real_face(portrait):
    for size in (None, 101, 300):
        canvas = lay_canvas(portrait, "face", size)
        fit = canvas.to_texture(portrait.fit)
        x, y = fit.landmarks[4, :2].astype(int)  # the nose's tip, at which the picture shows skin
        original = portrait.image[tuple(portrait.fit.landmarks[4, [1, 0]].astype(int))]
        assert np.abs(canvas.texture[y, x].astype(int) - original).max() < 40


def test_scale_of_landmarks_is_that_of_the_camera(portrait):
    canvas = lay_canvas(replace(portrait, image=portrait.image[:411, :333]), "full", 200)
    assert canvas.to_texture(portrait.fit).focal_px == pytest.approx(portrait.fit.focal_px * 200 / 411)
