"""A person's own mouths: which are kept, and which is shown when."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.film import FACELESS, Film
from vultus.face.head import embedded_head
from vultus.rendering.footage.gallery import MOST_PATCHES, SWITCH_COST, Gallery, choose_frames, cut_patches
from vultus.rendering.footage.patch import LIP_COLUMNS, PATCH_POINTS, Patch
from vultus.rendering.footage.person import Mouth, openings

HELD = np.zeros(3, np.float32)
ONE_SHOT = np.zeros(12, int)


def lips(gap: float, across: float = 0.0) -> np.ndarray:
    """Departures whose opening is `gap` to the stub below, all lip points shifted across."""
    departure = np.zeros((116, 2), np.float32)
    departure[LIP_COLUMNS, 0] = across
    departure[100, 1] = gap
    return departure


def gallery_of(*mouths: tuple[np.ndarray, np.ndarray]) -> Gallery:
    """Patches with these departures and turns; a mouth's opening is the number that `lips` hid in it."""
    stub = SimpleNamespace(opening=lambda departure: np.repeat(departure[:, 100, 1, None], 9, 1))
    patches = [Patch(np.zeros((4, 4, 3), np.uint8), np.zeros((100, 2)), d, np.eye(2), turn) for d, turn in mouths]
    return Gallery(patches, stub)


@pytest.fixture(scope="module")
def mouth(film: Film) -> Mouth:
    return Mouth(embedded_head(), film.track)


def test_frames_without_a_face_are_no_mouths(film):
    chosen = choose_frames(film.track)
    assert FACELESS not in chosen and len(chosen) > 20
    assert (np.diff(chosen) > 0).all() and len(chosen) <= MOST_PATCHES


def test_a_long_film_keeps_its_most_different_mouths(film):
    order = np.tile(np.r_[: len(film.track)], 12)
    chosen = order[choose_frames(film.track.take(order))]
    assert len(chosen) <= MOST_PATCHES
    opened = film.jaw[chosen]
    assert opened.max() > 0.25 and opened.min() == 0


def test_patches_are_the_frames_own_pixels(film, mouth):
    for number, patch in cut_patches(film.video.frames(), film.track, mouth):
        points = film.track.points[number, list(PATCH_POINTS)]
        shift = np.round((points - patch.points).mean(0)).astype(int)
        height, width = patch.pixels.shape[:2]
        there = film.images[number][shift[1] : shift[1] + height, shift[0] : shift[0] + width]
        np.testing.assert_array_equal(patch.pixels, there)
        assert (patch.points >= 0).all() and (patch.points <= [width, height]).all()


def test_whoever_opens_the_mouth_is_given_none_and_who_does_not_some(film, mouth):
    assert len(cut_patches(film.video.frames(), film.track, mouth)) == len(choose_frames(film.track))
    order = np.arange(10)
    shut = film.track.take(order)
    own = Mouth(embedded_head(), shut)
    found = cut_patches(film.images[:10], shut, own)
    opened = own.opening(np.stack([patch.departure for _, patch in found])).mean(1)
    assert len(found) >= len(choose_frames(shut)) + 5
    assert np.sort(opened)[-5:].min() > 0.2


def test_its_own_mouths_are_found_again(film, mouth):
    found = cut_patches(film.video.frames(), film.track, mouth)
    gallery = Gallery([patch for _, patch in found], mouth)
    assert film.track.performance.rotation is not None
    chosen = gallery.choose(film.track.departure, film.track.performance.rotation, film.track.shot)
    opened = mouth.opening(np.stack([gallery.patches[k].departure for k in chosen])).mean(1)
    np.testing.assert_allclose(opened, mouth.opening(film.track.departure).mean(1), atol=0.15)


def test_the_mouth_most_alike_is_shown():
    gallery = gallery_of((lips(0.5, -0.3), HELD), (lips(0.5, 0.1), HELD), (lips(0.5, 0.9), HELD))
    assert gallery.choose(lips(0.5, 0.2)[None], HELD[None], ONE_SHOT[:1]).tolist() == [1]


def test_a_head_turned_alike_counts():
    turns = [np.float32([yaw, 0, 0]) for yaw in (-20, 5, 30)]
    gallery = gallery_of(*((lips(0.5), turn) for turn in turns))
    assert gallery.choose(np.stack([lips(0.5)] * 2), np.float32([[-18, 0, 0], [-18, 0, 0]]), ONE_SHOT[:2]).tolist() == [
        0,
        0,
    ]


def test_rather_too_open_than_too_shut():
    gallery = gallery_of((lips(0.16), HELD), (lips(0.64), HELD))  # roots .4 and .8
    assert gallery.choose(lips(0.36)[None], HELD[None], ONE_SHOT[:1]).tolist() == [1]  # root .6, as far from both


def test_no_new_patch_for_a_trifle_but_for_another_mouth():
    gallery = gallery_of((lips(0.4, 0.0), HELD), (lips(0.4, SWITCH_COST / 4), HELD), (lips(0.4, 1.0), HELD))
    wavering = np.stack([lips(0.4, SWITCH_COST / 4 * (k % 2)) for k in range(12)])
    assert len(set(gallery.choose(wavering, np.zeros((12, 3)), ONE_SHOT).tolist())) == 1
    moving = np.stack([lips(0.4, across) for across in (0, 0, 0, 1, 1, 1)])
    assert gallery.choose(moving, np.zeros((6, 3)), ONE_SHOT[:6]).tolist()[-3:] == [2, 2, 2]
    assert len(gallery.choose(np.zeros((0, 116, 2)), np.zeros((0, 3)), ONE_SHOT[:0])) == 0


def test_a_cut_costs_no_change():
    gallery = gallery_of((lips(0.4, 0.0), HELD), (lips(0.4, SWITCH_COST / 4), HELD))
    mouths = np.stack([lips(0.4, 0.0)] * 2 + [lips(0.4, SWITCH_COST / 4)])
    assert gallery.choose(mouths, np.zeros((3, 3)), ONE_SHOT[:3]).tolist() == [0, 0, 0]
    assert gallery.choose(mouths, np.zeros((3, 3)), np.array([0, 0, 1])).tolist() == [0, 0, 1]


def test_who_listens_for_long_keeps_mouths_that_speak(film):
    speaking = np.arange(FACELESS)
    still = film.track.take(np.concatenate([np.full(500, 3), speaking]))
    opened = openings(still).mean(1)
    assert opened[choose_frames(still)].max() > 0.5 * opened.max()
