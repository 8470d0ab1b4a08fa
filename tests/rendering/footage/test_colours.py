"""Light on a patch: brought to that of the frame, evenly or across, and never by more than a limit."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.rendering.footage.colours import STRONGEST, light_gain, lit

SHAPE = (60, 80)
COVER = np.full(SHAPE, 0.5, np.float32)


def skin(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(90, 160, (*SHAPE, 3))


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.2])
def test_a_darker_or_brighter_patch_comes_to_the_frame(factor):
    frame = skin()
    patch = np.round((frame + 8) * factor - 8).astype(np.uint8)
    found = lit(patch.astype(np.float32), light_gain(patch, frame.astype(np.uint8), COVER))
    np.testing.assert_allclose(found, frame, atol=2.5)
    assert found.dtype == np.float32


def test_light_that_falls_off_to_one_side_is_followed():
    frame, across = skin(), np.linspace(0.85, 1.15, SHAPE[1])[None, :, None]
    patch = (frame * across).astype(np.uint8)
    found = lit(patch.astype(np.float32), light_gain(patch, frame.astype(np.uint8), COVER))
    error = np.abs(found - frame).mean((0, 2))
    assert error.max() < 4 < np.abs(patch - frame).mean((0, 2)).max()


def test_each_colour_has_its_own_gain():
    frame = skin()
    patch = (frame * [0.9, 1.0, 1.1]).astype(np.uint8)
    gain = light_gain(patch, frame.astype(np.uint8), COVER)
    assert gain[0, 0] > 0.06 and abs(gain[1, 0]) < 0.02 and gain[2, 0] < -0.06


def test_night_is_not_made_day():
    dark, bright = np.full((*SHAPE, 3), 20, np.uint8), np.full((*SHAPE, 3), 220, np.uint8)
    np.testing.assert_allclose(light_gain(dark, bright, COVER)[:, 0], STRONGEST, atol=1e-6)


def test_lips_and_teeth_are_not_compared():
    frame = skin().astype(np.uint8)
    patch, cover = frame.copy(), COVER.copy()
    patch[20:40, 20:60], cover[20:40, 20:60] = 255, 1.0
    np.testing.assert_allclose(light_gain(patch, frame, cover), 0, atol=1e-9)
    np.testing.assert_array_equal(light_gain(patch, frame, np.ones(SHAPE, np.float32)), np.zeros((3, 3)))


def test_brightness_stays_in_range():
    white = np.full((*SHAPE, 3), 255, np.float32)
    gain = np.zeros((3, 3))
    gain[:, 0] = STRONGEST
    assert lit(white, gain).max() == 255 and lit(0 * white, -gain).min() == 0
