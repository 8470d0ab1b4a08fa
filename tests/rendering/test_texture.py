"""The texture gives back its own pixels, before and after painting."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.rendering.texture import Texture, look_up_mask

HEIGHT, WIDTH = 37, 52


def pixels(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def centres() -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return np.stack([x, y], -1)


def test_pixel_centres_give_the_pixels_exactly():
    np.testing.assert_array_equal(Texture(pixels()).look_up(Texture.lookup_position(centres())), pixels())


def test_between_two_pixels_lies_a_mixture_and_beyond_the_border_its_colour():
    ramp = np.repeat(np.arange(WIDTH, dtype=np.uint8)[None, :, None] * 4, HEIGHT, 0).repeat(3, 2)
    at = np.array([[[10.75, 20.5], [-30, 20.5], [500, 20.5]]])
    np.testing.assert_allclose(
        Texture(ramp).look_up(Texture.lookup_position(at))[0, :, 0], [41, 0, 4 * (WIDTH - 1)], atol=1
    )


BOXES = (
    (slice(10, 20), slice(15, 40)),
    (slice(0, 5), slice(0, 6)),
    (slice(30, HEIGHT), slice(45, WIDTH)),
    (slice(0, HEIGHT), slice(0, WIDTH)),
)


@pytest.mark.parametrize("box", BOXES)
def test_refresh_shows_what_was_painted_and_nothing_else(box):
    texture, painted = Texture(pixels()), pixels()
    painted[box] = 255 - painted[box]
    texture.pixels[box] = painted[box]
    texture.refresh(box)
    np.testing.assert_array_equal(texture.look_up(Texture.lookup_position(centres())), painted)
    within = centres()[box][:-1, :-1] + 0.5  # half-way between painted pixels: as if it had always been so
    at = Texture.lookup_position(within)
    np.testing.assert_array_equal(texture.look_up(at), Texture(painted).look_up(at))


def test_the_picture_given_is_not_painted_on():
    own = pixels()
    Texture(own).pixels[:] = 0
    np.testing.assert_array_equal(own, pixels())


def test_masks_are_looked_up_at_the_same_places():
    mask = pixels()[..., 0].astype(np.float32) / 255
    np.testing.assert_allclose(look_up_mask(mask, Texture.lookup_position(centres())), mask, atol=1e-6)
