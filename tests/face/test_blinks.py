"""Lids: closure calibrated to the person, and single blinks found in it."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.core.types import Performance
from vultus.face.blinks import blink_events, blink_numbers, blink_rows, blinks_of, lid_closure

FPS = 25.0


def eyes(openness: np.ndarray) -> np.ndarray:
    return np.repeat(np.float32(openness)[:, None], 2, axis=1)


def closure(openness: np.ndarray) -> np.ndarray:
    return lid_closure(eyes(openness), np.ones(len(openness), bool), FPS)[:, 0]


def test_closure_is_calibrated_to_the_person():
    droopy = np.full(100, 0.6)
    droopy[50:53] = 0.0
    shut = closure(droopy)
    np.testing.assert_allclose(shut[:48], 0)
    np.testing.assert_allclose(shut[50:53], 1)


def test_squinting_and_noise_close_nothing():
    squinting = np.ones(100)
    squinting[40:60] = 0.95
    assert closure(squinting).max() == 0


def test_a_smile_or_a_look_down_that_lasts_is_no_blink_but_a_blink_in_it_is():
    openness = np.ones(150)
    openness[50:100] = 0.5
    openness[74:77] = 0.0
    shut = closure(openness)
    assert shut[52:70].max() < 0.3
    assert shut[74:77].min() > 0.9


def test_eyes_that_stay_shut_are_shut():
    openness = np.ones(200)
    openness[60:140] = 0.02
    assert closure(openness)[60:140].min() > 0.9


def test_blinks_have_their_frames_and_depth():
    au45 = np.zeros(60)
    au45[10:15] = (2, 5, 5, 3, 1.5)
    au45[30:33] = (1, 3, 1)
    au45[45:47] = (1.5, 1.8)
    full, partial = blink_events(au45, np.ones(60, bool))
    assert (full.start, full.apex, full.end, full.depth, full.full) == (10, 11, 14, 1.0, True)
    assert (partial.start, partial.apex, partial.end, partial.full) == (30, 31, 32, False)
    np.testing.assert_array_equal(np.flatnonzero(blink_numbers([full, partial], 60) == 2), [30, 31, 32])
    np.testing.assert_allclose(blink_rows([full, partial]), [[10, 11, 14, 1], [30, 31, 32, 0.6]], atol=1e-6)
    assert blink_rows([]).shape == (0, 4)


def test_a_double_blink_is_two_and_a_wavering_one_is_one():
    double = np.array([0, 5, 5, 2, 5, 5, 0.0])
    wavering = np.array([0, 5, 5, 4.2, 5, 5, 0.0])
    valid = np.ones(7, bool)
    assert [(b.start, b.end) for b in blink_events(double, valid)] == [(1, 3), (3, 5)]
    assert [(b.start, b.end) for b in blink_events(wavering, valid)] == [(1, 5)]


def test_blinks_cut_off_by_the_ends_count_and_hidden_ones_do_not():
    au45 = np.array([5, 5, 1, 0, 0, 5, 0, 0, 4, 5.0])
    valid = np.arange(10) != 5
    found = blink_events(au45, valid)
    assert [(b.start, b.end) for b in found] == [(0, 1), (8, 9)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 5), max_size=60))
def test_blinks_come_in_order_within_the_video(au45):
    values = np.array(au45)
    blinks = blink_events(values, np.ones(len(values), bool))
    assert all(0 <= b.start <= b.apex <= b.end < len(values) for b in blinks)
    assert all(a.apex < b.apex and a.end <= b.start for a, b in itertools.pairwise(blinks))
    assert all(b.depth == values[b.apex] / 5 for b in blinks)


def test_a_performance_without_au45_has_no_blinks():
    assert blinks_of(Performance.neutral(5, FPS)) == []
