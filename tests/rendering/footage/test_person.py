"""A person's own mouth: it meets at rest, never crosses, opens as asked, and habits stay in their shot."""

from __future__ import annotations

import numpy as np
import pytest

from tests.film import OPEN, SECOND, SHUT, THIRD, Film, speech
from vultus.core.bases import ARKIT52, index_of
from vultus.face.head import embedded_head
from vultus.rendering.footage.person import MOOD, Mouth, lip_gap, moods, openings, slow, with_gap


@pytest.fixture(scope="module")
def mouth(film: Film) -> Mouth:
    return Mouth(embedded_head(), film.track)


def gaps(mouth: Mouth, expression: np.ndarray) -> np.ndarray:
    """Gaps (T, 9) beyond those of shut lips."""
    resting = np.repeat(mouth.rest[None], len(expression), 0)
    none = np.zeros((len(expression), 116, 2), np.float32)
    return lip_gap(mouth.departures(expression, resting, none)) - mouth.shut


def test_openings_are_what_the_pictures_show(film):
    seen = openings(film.track).mean(1)
    wide = film.jaw >= 0.3
    assert seen[SHUT].max() < 0.25 < 0.65 < seen[OPEN].min() and seen[wide].min() > 0.8
    assert np.corrcoef(seen, film.jaw)[0, 1] > 0.95


def test_a_mouth_at_rest_is_shut_and_a_jaw_opens_it(mouth):
    np.testing.assert_allclose(gaps(mouth, mouth.rest[None]), 0, atol=1e-4)
    asked = speech(np.linspace(0, 0.35, 8)).expression + mouth.rest
    opened = gaps(mouth, asked).mean(1)
    assert (np.diff(opened) > 0).all() and opened[-1] > 0.6


def test_lips_never_cross_and_never_open_without_end(mouth):
    rng = np.random.default_rng(1)
    wild = rng.uniform(0, 1, (200, len(ARKIT52))).astype(np.float32) * (rng.random((200, len(ARKIT52))) < 0.2)
    found = gaps(mouth, wild)
    assert found.min() > -1e-4
    assert gaps(mouth, speech([0.6, 1.0]).expression + mouth.rest).mean(1).max() <= 1.12 * 1.0 + 0.05


def test_pressed_lips_do_not_cross(mouth):
    pressed = mouth.rest[None].copy()
    for name in ("mouthClose", "mouthPressLeft", "mouthPressRight", "mouthRollLower", "mouthRollUpper"):
        pressed[:, index_of(name)] = 1
    np.testing.assert_allclose(gaps(mouth, pressed), 0, atol=1e-4)


def test_a_smile_opens_lips_that_speak_and_leaves_shut_ones_shut(mouth):
    none = np.zeros((2, 116, 2), np.float32)
    smiling = mouth.rest.copy()
    smiling[[index_of(f"mouth{shape}{side}") for shape in ("UpperUp", "LowerDown") for side in ("Left", "Right")]] = 0.5
    jaw = speech([0.0, 0.15]).expression
    plain, smiled = (
        (lip_gap(mouth.departures(look + jaw, np.stack([look] * 2), none)) - mouth.shut).mean(1)
        for look in (mouth.rest, smiling)
    )
    assert plain[0] == pytest.approx(0, abs=1e-4) and smiled[0] == pytest.approx(0, abs=1e-4)
    assert smiled[1] > plain[1] + 0.05


def test_who_speaks_with_parted_lips_goes_on_doing_so(film):
    speaking = Mouth(embedded_head(), film.track.take(np.arange(8, OPEN.stop)))
    usual = openings(film.track)[8 : OPEN.stop].mean(1)
    asked = speech(np.tile([0.0, 0.06, 0.1], 20)).expression + speaking.rest
    opened = gaps(speaking, asked).mean(1)
    np.testing.assert_allclose(opened[::3], 0, atol=1e-4)  # where the voice shuts them they shut
    plain = speaking._free(asked)
    plain = (lip_gap(plain) - lip_gap(speaking._free(speaking.rest[None]))).mean(1)
    assert (opened[1::3] > plain[1::3] + 0.05).all() and opened[1] < opened[2]
    assert opened[opened > 0.06].mean() <= usual[usual > 0.06].mean() + 0.05


def test_who_opens_the_mouth_little_is_not_made_to(film):
    shy = Mouth(embedded_head(), film.track.take(np.arange(0, 12)))
    asked = speech(np.tile([0.0, 0.2, 0.3], 20)).expression + shy.rest
    plain = (lip_gap(shy._free(asked)) - lip_gap(shy._free(shy.rest[None]))).mean(1)
    assert (gaps(shy, asked).mean(1) <= plain + 1e-4).all()


def test_an_offset_moves_the_mouth_but_not_its_opening(mouth):
    asked = speech([0.2]).expression + mouth.rest
    still, shift = np.zeros((1, 116, 2), np.float32), np.zeros((1, 116, 2), np.float32)
    shift[:, :80] = (0.3, -0.2)
    resting = mouth.rest[None]
    first, second = (mouth.departures(asked, resting, offset) for offset in (still, shift))
    np.testing.assert_allclose(lip_gap(first), lip_gap(second), atol=1e-5)
    np.testing.assert_allclose((second - first)[:, :80].mean(1), [[0.3, -0.2]], atol=1e-5)


def test_each_lip_goes_half_of_the_way_as_a_whole():
    points = np.zeros((1, 116, 2), np.float32)
    wanted = np.full((1, 9), 0.4)
    moved = with_gap(points, wanted)
    np.testing.assert_allclose(lip_gap(moved), wanted, atol=1e-6)
    for line in range(4):
        rows = moved[0, 20 * line : 20 * line + 20, 1]
        assert rows[0] == rows[10] == 0  # corners stay
        np.testing.assert_allclose(rows[1:10], -0.2)
        np.testing.assert_allclose(rows[11:], 0.2)
    assert not moved[0, 80:].any() and not points.any()


def test_habits_and_moods_do_not_leak_over_a_cut(film, mouth):
    shots = film.track.shot[:, None].astype(float)
    np.testing.assert_allclose(slow(shots, film.track, 0.5), shots, atol=1e-9)
    assert len(np.unique(film.track.shot)) == 3 and film.track.shot[SECOND] != film.track.shot[SECOND - 1]
    assert film.track.shot[THIRD] != film.track.shot[THIRD - 1]
    found = moods(film.track, mouth)
    np.testing.assert_array_equal(found[:, ~MOOD], np.repeat(mouth.rest[None, ~MOOD], len(found), 0))
