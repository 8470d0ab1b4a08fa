"""A mouth drawn from a patch: where it was it is itself, elsewhere it follows its points, beyond them is nothing."""

from __future__ import annotations

import numpy as np
import pytest

from tests.film import OPEN, SHUT, SIDE_PX, Film
from vultus.face.head import embedded_head
from vultus.rendering.footage.gallery import cut_patches
from vultus.rendering.footage.lips_layer import draw_patch
from vultus.rendering.footage.patch import PATCH_POINTS, Patch
from vultus.rendering.footage.person import Mouth

FRAME = OPEN.start + 2


@pytest.fixture(scope="module")
def patches(film: Film) -> dict[int, Patch]:
    return dict(cut_patches(film.video.frames(), film.track, Mouth(embedded_head(), film.track)))


def drawn(film: Film, patch: Patch, shift: tuple[int, int] = (0, 0)) -> tuple[np.ndarray, np.ndarray]:
    """The patch at frame FRAME's mouth, moved by a shift, in a box as large as the frame."""
    points = film.track.points[FRAME, list(PATCH_POINTS)] + np.float32(shift)
    box = (slice(0, SIDE_PX), slice(0, SIDE_PX))
    return draw_patch(patch, points, film.track.departure[FRAME], box)


def test_in_its_own_place_a_mouth_is_itself(film, patches):
    pixels, cover = drawn(film, patches[FRAME])
    shown, skin = cover > 0, (cover > 0) & (cover < 0.6)
    assert shown.sum() > 300 and skin.sum() > 200
    apart = np.abs(pixels.astype(int) - film.images[FRAME])
    assert apart[skin].mean() < 0.5 and apart[shown].mean() < 6


def test_it_covers_its_ring_and_nothing_else(film, patches):
    _, cover = drawn(film, patches[FRAME])
    ring = film.track.points[FRAME, list(PATCH_POINTS)]
    low, high = ring.min(0), ring.max(0)
    assert cover.min() >= 0 and cover.max() == 1
    y, x = np.nonzero(cover)
    assert low[0] - 1 <= x.min() and x.max() <= high[0] + 1 and low[1] - 1 <= y.min() and y.max() <= high[1] + 1
    lips = ring[80:].mean(0).astype(int)
    assert cover[lips[1], lips[0]] == 1


def test_it_goes_where_its_points_go(film, patches):
    pixels, cover = drawn(film, patches[FRAME])
    moved, moved_cover = drawn(film, patches[FRAME], (7, -4))
    np.testing.assert_allclose(np.roll(cover, (-4, 7), (0, 1)), moved_cover, atol=1e-4)
    shown = moved_cover > 0.9
    assert np.abs(np.roll(pixels, (-4, 7), (0, 1))[shown].astype(int) - moved[shown]).mean() < 0.5


def test_a_shut_mouth_stretched_open_and_an_open_one_squeezed_shut_hold_together(film, patches):
    for number in (SHUT.start, FRAME):
        pixels, cover = drawn(film, patches[number])
        assert np.isfinite(cover).all() and pixels[cover > 0.5].min() >= 0
        skin = (cover > 0.05) & (cover < 0.5)
        assert np.abs(pixels[skin].astype(int) - film.images[FRAME][skin]).mean() < 12
