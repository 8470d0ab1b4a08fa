"""One eye as a puppet: nothing asked is nothing changed, lids meet without a jump, irises go where they are sent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vultus.core.bases import index_of
from vultus.core.types import Fit, Portrait
from vultus.rendering.canvas import lay_canvas
from vultus.rendering.eye_layers import build_layers
from vultus.rendering.eyes import LOWER, UPPER, Eye, EyeState

UNITS_PX = 20.0
IRIS = np.array([[0.5, 0.0], [0.65, 0.0], [0.35, 0.0], [0.5, 0.15], [0.5, -0.15]])
"""Middle and rim, in an eye's own coordinates."""
GREEN, RED = (0.0, 255.0, 0.0), (255.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def scene(portrait: Portrait) -> tuple[np.ndarray, Fit]:
    """Texture and fit of the astronaut at 512 pixels."""
    canvas = lay_canvas(portrait, "face", 512)
    return canvas.texture, canvas.to_texture(portrait.fit)


def at_rest(eye: Eye, closure: float | None = None, gaze_deg: tuple[float, float] = (0.0, 0.0)) -> EyeState:
    """The picture's own state, but for what is given."""
    own = eye.closed_in_picture
    return EyeState(own if closure is None else closure, eye.wide_in_picture, eye.squint_in_picture, gaze_deg)


def closures(eye: Eye) -> np.ndarray:
    return np.linspace(eye.closed_in_picture, 1, 11)


def painted_toy(scene, which: int, state) -> np.ndarray:
    """An eye whose white is green and whose iris is red on a black face, painted: (h, w, 3) float."""
    texture, fit = scene
    eye = Eye(texture, fit, which, UNITS_PX)
    for layer, colour in (
        (eye.layers.white, GREEN),
        (eye.layers.iris, RED),
        (eye.patch.picture, 0),
        (eye.layers.clean, 0),
        (eye.layers.residual, 0),
    ):
        layer[:] = colour
    canvas = np.zeros_like(texture)
    eye.paint(canvas, state(eye))
    return canvas[eye.box].astype(float)


@pytest.mark.parametrize("which", [0, 1])
def test_nothing_asked_is_the_picture_to_the_bit(scene, which):
    texture, fit = scene
    eye = Eye(texture, fit, which, UNITS_PX)
    painted = texture.copy()
    eye.paint(painted, at_rest(eye))
    np.testing.assert_array_equal(painted, texture)


@pytest.mark.parametrize("blink", [0.0, 0.3, 0.6, 0.9])
def test_a_pictures_own_blink_is_no_change_however_it_was_fitted(scene, blink):
    texture, fit = scene
    expression = fit.expression.copy()
    expression[[index_of("eyeBlinkLeft"), index_of("eyeBlinkRight")]] = blink
    eye = Eye(texture, replace(fit, expression=expression), 0, UNITS_PX)
    painted = texture.copy()
    eye.paint(painted, at_rest(eye, blink))
    np.testing.assert_array_equal(painted, texture)


@pytest.mark.parametrize("which", [0, 1])
def test_only_the_eyes_box_is_painted(scene, which):
    texture, fit = scene
    eye = Eye(texture, fit, which, UNITS_PX)
    painted = texture.copy()
    eye.paint(painted, at_rest(eye, 1.0, (20, 10)))
    changed = (painted != texture).any(-1)
    assert changed[eye.box].any()
    changed[eye.box] = False
    assert not changed.any()


@pytest.mark.parametrize("which", [0, 1])
def test_the_gap_falls_monotonically_and_the_lids_meet(scene, which):
    eye = Eye(*scene, which, UNITS_PX)
    gaps = []
    for closure in closures(eye):
        upper, lower, _ = eye.rims(at_rest(eye, closure))
        assert (lower - upper > -1e-6).all()
        gaps.append((lower - upper).max())
    assert (np.diff(gaps) < 0).all() and gaps[-1] < 1e-6
    np.testing.assert_allclose(gaps[0], (eye.lower - eye.upper).max())


@pytest.mark.parametrize("which", [0, 1])
def test_eyeball_pixels_vanish_one_after_the_other(scene, which):
    seen = [painted_toy(scene, which, lambda eye, i=i: at_rest(eye, closures(eye)[i])).sum() / 255 for i in range(11)]
    assert seen[0] > 100
    assert (np.diff(seen) < 0).all() and seen[-1] == 0


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    ("axis", "gaze_deg", "sign"), [(1, (12, 0), 1), (1, (-12, 0), -1), (0, (0, 9), -1), (0, (0, -9), 1)]
)
def test_the_iris_goes_where_it_is_sent(scene, which, axis, gaze_deg, sign):
    def centre(gaze_deg):
        red = painted_toy(scene, which, lambda eye: at_rest(eye, gaze_deg=gaze_deg))[..., 0]
        return np.array([(red.sum(1 - k) * np.arange(red.shape[k])).sum() / red.sum() for k in (0, 1)])

    moved = centre(gaze_deg) - centre((0, 0))
    assert moved[axis] * sign > 1.0
    assert abs(moved[1 - axis]) < abs(moved[axis])


def test_widening_opens_and_squinting_narrows(scene):
    eye = Eye(*scene, 0, UNITS_PX)

    def gap(**change: float) -> float:
        upper, lower, _ = eye.rims(replace(at_rest(eye), **change))
        return float((lower - upper).max())

    assert gap(wide=1.0) > gap() > gap(squint=1.0) > 0
    assert gap(closure=1.0, wide=1.0, squint=1.0, gaze_deg=(0, 15)) < 1e-6  # a shut eye is shut whatever else is asked


def test_the_lid_follows_the_gaze(scene):
    eye = Eye(*scene, 0, UNITS_PX)
    level = [eye.rims(at_rest(eye, gaze_deg=(0, up)))[0].mean() for up in (-12, 0, 12)]
    assert level[0] > level[1] > level[2]  # y points down


def test_painting_does_not_remember(scene):
    texture, fit = scene
    eye, states = Eye(texture, fit, 0, UNITS_PX), []
    states = [at_rest(eye, 0.5), at_rest(eye, 1.0, (20, 5)), at_rest(eye, 0.5)]
    frames = []
    painted = texture.copy()
    for state in states:
        eye.paint(painted, state)
        frames.append(painted.copy())
    np.testing.assert_array_equal(frames[0], frames[2])
    assert (frames[0] != frames[1]).any()


@pytest.mark.parametrize("which", [0, 1])
def test_an_eye_shut_in_the_picture_is_left_alone(scene, which):
    texture, fit = scene
    landmarks = fit.landmarks.copy()
    landmarks[list(UPPER[which])] = landmarks[list(LOWER[which])]
    eye = Eye(texture, replace(fit, landmarks=landmarks), which, UNITS_PX)
    assert eye.shut
    painted = texture.copy()
    eye.paint(painted, EyeState(1.0, 1.0, 1.0, (20, 10)))
    np.testing.assert_array_equal(painted, texture)
    assert not eye.window(fit.landmarks[:, :2]).any()


def test_the_window_is_whole_at_the_eye_and_nothing_far_from_it(scene):
    texture, fit = scene
    eye = Eye(texture, fit, 0, UNITS_PX)
    assert eye.window(fit.landmarks[[468], :2])[0] == 1
    assert not eye.window(fit.landmarks[[1, 152, 473, 10], :2]).any()


@pytest.mark.parametrize("size", [64, 97])
def test_tiny_eyes_are_painted_too(portrait, size):
    canvas = lay_canvas(portrait, "full", size)
    eye = Eye(canvas.texture, canvas.to_texture(portrait.fit), 1, UNITS_PX * size / 512)
    painted = canvas.texture.copy()
    for closure in closures(eye):
        eye.paint(painted, at_rest(eye, closure, (5, 5)))
    eye.paint(painted, at_rest(eye))
    np.testing.assert_array_equal(painted, canvas.texture)


@pytest.mark.parametrize("which", [0, 1])
def test_a_lid_is_made_of_skin_not_of_lashes_and_crease(scene, which):
    patch = Eye(*scene, which, UNITS_PX).patch
    upper, lower = patch.at_columns(patch.upper), patch.at_columns(patch.lower)
    above = upper - patch.local[..., 1]
    dark = (above > -0.02) & (above < 0.17)  # reaches beyond where lashes are looked for
    assert ((above > 0.14) & dark).any()
    picture = np.where(dark[..., None], 40, 180) * np.ones(3, np.float32)
    lid = build_layers(replace(patch, picture=picture.astype(np.float32)), IRIS).clean
    within = (patch.local[..., 0] > 0.2) & (patch.local[..., 0] < 0.8) & (above < 0.1) & (patch.local[..., 1] < lower)
    assert lid[within].mean() > 165
