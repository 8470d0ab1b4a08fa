"""Gaze: fixations and fast saccades, 40 % of them back to the viewer, and the user's timeline."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.controls import parse_gazes
from vultus.motion.gaze import RADIUS_DEG, RETURN_SHARE, GazeTrack


def fixations(seconds: int) -> np.ndarray:
    """(k, 2) the directions that are held, in order; one for every saccade."""
    gaze, _ = GazeTrack(parse_gazes("natural"), 100, 0).frames(100 * seconds)
    still = np.r_[False, (np.abs(np.diff(gaze, axis=0)).max(1) < 1e-6)]
    starts = np.flatnonzero(still[1:] & ~still[:-1]) + 1
    return gaze[starts]


def test_forty_percent_of_moves_return_to_the_centre() -> None:
    """A return while already at the centre moves nothing, so of the visible moves from aside 40 % return."""
    held = fixations(3600)
    aside = np.hypot(*held.T) > 1e-3
    assert (~aside[1:])[aside[:-1]].mean() == pytest.approx(RETURN_SHARE, abs=0.04)


def test_directions_stay_in_range_and_eyes_mostly_rest() -> None:
    gaze, free = GazeTrack(parse_gazes("natural"), 100, 1).frames(60_000)
    radius = np.hypot(*gaze.T)
    assert 0.6 * RADIUS_DEG[1] < radius.max() <= RADIUS_DEG[1] + 1e-5
    speed = np.hypot(*np.diff(gaze, axis=0).T) * 100
    assert (speed < 1e-3).mean() > 0.9
    assert speed.max() > 80  # degrees a second: saccades are fast
    assert (free == 1).all()


def test_chunks_make_no_difference_and_seeds_do() -> None:
    timeline = parse_gazes("0:natural 4:10,-5 6:still")
    whole, parts = GazeTrack(timeline, 25, 2), GazeTrack(timeline, 25, 2)
    sizes = [3, 0, 50, 1, 146]
    np.testing.assert_array_equal(whole.frames(200)[0], np.concatenate([parts.frames(n)[0] for n in sizes]))
    assert not np.array_equal(GazeTrack(timeline, 25, 3).frames(90)[0], GazeTrack(timeline, 25, 2).frames(90)[0])


def test_the_timeline_is_obeyed() -> None:
    gaze, free = GazeTrack(parse_gazes("0:still 1:10,-5 2:still"), 25, 0).frames(75)
    np.testing.assert_allclose(gaze[:23], 0)
    np.testing.assert_allclose(gaze[27:48], [[10, -5]] * 21)
    np.testing.assert_allclose(gaze[53:], 0)
    assert free[30] == 1 and free[0] == 0 and free[-1] == 0
