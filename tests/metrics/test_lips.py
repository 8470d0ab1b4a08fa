"""Measures of lips against values by hand."""

from __future__ import annotations

import numpy as np

from vultus.metrics.lips import bootstrap_interval, closures, correlation, on_grid

TIME_S = np.arange(500) / 50


def test_correlation_by_hand() -> None:
    assert abs(correlation(np.array([1.0, 2, 3]), np.array([1.0, 2, 4])) - 0.98198) < 1e-4
    assert correlation(np.ones(5), np.arange(5.0)) == 0


def test_frames_come_onto_the_grid_at_their_times() -> None:
    """25 frames a second, the first at .1 s: a ramp stays a ramp."""
    frames = np.arange(100)[:, None] / 25 + 0.1
    grid = on_grid(frames, 25, 150, 0.1)
    np.testing.assert_allclose(grid[20:140, 0], TIME_S[20:140], atol=1e-9)


def test_the_same_mouth_makes_every_closure_and_a_shifted_one_only_by_chance() -> None:
    mouth = 1 + np.sin(2 * np.pi * TIME_S)
    same = closures(mouth, mouth)
    assert same.recall == 1 and same.count == 10 and 0.2 < same.chance < 0.4
    assert closures(np.roll(mouth, 25), mouth).recall < 0.2


def test_closures_of_unseen_frames_do_not_count() -> None:
    mouth = 1 + np.sin(2 * np.pi * TIME_S)
    assert closures(mouth, mouth, TIME_S < 5).count == 5


def test_the_bootstrap_interval_holds_the_mean_and_leaves_out_nan() -> None:
    values = np.array([0.4, 0.5, 0.6, np.nan, 0.5])
    low, high = bootstrap_interval(values)
    assert 0.4 <= low < 0.5 < high <= 0.6
