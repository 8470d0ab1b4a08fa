"""Blinks from EAR: windows, the machine that ships, the threshold, and what counts as a blink."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.face.ear_blinks import (
    ASSET,
    WINDOW,
    at_ear_rate,
    embedded_svm,
    features,
    intervals,
    relative,
    runs,
    shut_by_threshold,
    windows,
)


def blinking(open_ear: float, shut_ear: float, starts: tuple[int, ...], frames: int = 120) -> np.ndarray:
    ear = np.full(frames, open_ear)
    for start in starts:
        ear[start : start + 5] = np.interp([0, 1, 2, 3, 4], [0, 2, 4], [open_ear, shut_ear, open_ear])
        ear[start + 1 : start + 4] = shut_ear
    return ear


def test_a_window_is_the_frame_and_three_on_either_side():
    rows = windows(np.arange(10.0))
    assert rows.shape == (10, WINDOW)
    np.testing.assert_array_equal(rows[5], [2, 3, 4, 5, 6, 7, 8])
    np.testing.assert_array_equal(rows[0], [0, 0, 0, 0, 1, 2, 3])


def test_windows_are_measured_by_their_widest_frame_but_never_by_a_shut_eye():
    np.testing.assert_allclose(relative(np.array([[0.1, 0.4, 0.2]])), [[0.25, 1, 0.5]])
    np.testing.assert_allclose(relative(np.array([[0.05, 0.1, 0.05]])), [[0.25, 0.5, 0.25]])


def test_features_are_the_middle_and_the_others_in_order():
    row = features(np.array([[0.4, 0.3, 0.2, 0.1, 0.5, 0.25, 0.5]]))
    np.testing.assert_allclose(row, [[0.2, 0.4, 0.5, 0.6, 0.8, 1, 1]])


@pytest.mark.parametrize("open_ear", [0.24, 0.32, 0.44])
def test_the_machine_finds_blinks_of_narrow_and_wide_eyes(open_ear):
    ear = blinking(open_ear, 0.3 * open_ear, (20, 60, 90)) + 0.005 * np.sin(np.arange(120))
    found = runs(embedded_svm().shut(ear))
    assert len(found) == 3
    assert all(first <= start + 2 <= last for (first, last), start in zip(found, (20, 60, 90), strict=True))


def test_a_narrow_eye_that_squints_is_shut_to_a_threshold_and_open_to_the_machine():
    squint = 0.25 - 0.06 * np.exp(-(((np.arange(120) - 60) / 25) ** 2))
    assert shut_by_threshold(squint).any()
    assert not embedded_svm().shut(squint).any()


def test_the_asset_says_what_it_learned_from_and_how_well_it_does():
    card = json.loads((resources.files("vultus.assets") / ASSET).read_text("utf-8"))
    assert card["window_frames"] == WINDOW == len(card["weights"])
    assert card["results"]["balanced_accuracy_svm_5_blocks"] >= 0.93 and card["training_data"]


def test_one_frame_is_no_blink():
    shut = np.array([0, 1, 0, 1, 1, 0, 1, 1, 1], bool)
    np.testing.assert_array_equal(runs(shut), [[3, 4], [6, 8]])
    np.testing.assert_array_equal(intervals(runs(shut)), [3])
    assert runs(np.zeros(5, bool)).shape == (0, 2)


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 4))
def test_runs_are_exactly_the_long_stretches(frames, least):
    shut = np.array(frames)
    covered = np.zeros(len(shut), bool)
    for first, last in runs(shut, least):
        assert shut[first : last + 1].all() and last - first + 1 >= least
        assert (first == 0 or not shut[first - 1]) and (last == len(shut) - 1 or not shut[last + 1])
        covered[first : last + 1] = True
    left = shut & ~covered
    assert len(runs(left, least)) == 0


def test_other_rates_are_brought_to_thirty_frames_a_second():
    ramp = (np.arange(50) + 0.5) / 25
    there = at_ear_rate(ramp, 25)
    assert len(there) == 60
    np.testing.assert_allclose(there[5:55], (np.arange(5, 55) + 0.5) / 30, atol=1e-9)
