"""The paper's blinks and gaze on rig curves: statistics, shape, and the same for every way of asking."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from vultus.motion.blink import LN_MEAN, LN_SD, MAX_RATE, draw_rates, parent_of_cut, published_rate
from vultus.motion.rig_eyes import (
    BLINK_COLUMNS,
    BLINK_FRAMES,
    CYCLE_FRAMES,
    EYE_COLUMNS,
    RADIUS,
    RAMP_FRAMES,
    RETURN_SHARE,
    RigBlinks,
    RigGaze,
    blink_curve,
)


def test_ten_thousand_intervals_follow_the_published_distribution() -> None:
    """Rates 60 s over the interval, log-normal cut at 100 a minute: Kolmogorov-Smirnov against the cut distribution.

    The paper drops rates above 100 before it fits, so ln mean and sd are those of what is left.
    """
    blinks = RigBlinks(60, 0)
    rates = 60 / np.array([blinks.interval_s() for _ in range(10_000)])
    assert rates.max() <= MAX_RATE
    mean, sd = parent_of_cut()
    cut = stats.truncnorm(-np.inf, (np.log(MAX_RATE) - mean) / sd, mean, sd)
    assert stats.kstest(np.log(rates), cut.cdf).pvalue > 0.05
    assert np.log(rates).mean() == pytest.approx(LN_MEAN, abs=0.015)
    assert np.log(rates).std() == pytest.approx(LN_SD, abs=0.015)
    assert stats.kstest(np.log(rates), stats.norm(mean + 0.05, sd).cdf).pvalue < 1e-3  # the test can fail


def test_rates_do_not_depend_on_how_many_are_asked_for() -> None:
    one, many = np.random.default_rng(3), np.random.default_rng(3)
    np.testing.assert_array_equal([draw_rates(1, one)[0] for _ in range(50)], draw_rates(50, many))


def test_a_blink_takes_thirteen_frames_and_shuts_the_eye() -> None:
    curve = blink_curve()
    assert len(curve) == BLINK_FRAMES == 13
    assert curve.min() == 0 and (curve == 0).sum() == 1 and curve[0] < 1 and curve[-1] < 1
    factors = RigBlinks(60, 1).factors(60 * 120)
    moving = factors < 1
    starts = np.flatnonzero(moving[1:] & ~moving[:-1]) + 1
    for start in starts[:-1]:
        np.testing.assert_allclose(factors[start : start + 13], curve, atol=1e-12)
        assert not moving[start + 13]


def test_the_eyes_own_values_are_multiplied() -> None:
    """A squinting lid starts from where it is, and every lid shuts fully."""
    controls = np.zeros((60 * 30, 174), np.float32)
    controls[:, BLINK_COLUMNS[0]], controls[:, BLINK_COLUMNS[1]] = 0.3, -0.5
    factors = RigBlinks(60, 2).factors(len(controls))
    RigBlinks(60, 2).apply(controls)
    np.testing.assert_allclose(controls[:, BLINK_COLUMNS[0]], 1 - 0.7 * factors, atol=1e-6)
    np.testing.assert_allclose(controls[:, BLINK_COLUMNS[1]], 1 - 1.5 * factors, atol=1e-6)
    assert controls[:, BLINK_COLUMNS].max() == pytest.approx(1)
    assert not np.delete(controls, BLINK_COLUMNS, axis=1).any()


@pytest.mark.parametrize(("rate", "mean"), [(None, published_rate()), (10, 10), (45, 45), (0, 0)])
def test_the_rate_can_be_set(rate: float | None, mean: float) -> None:
    factors = RigBlinks(60, 0, rate).factors(60 * 3600)
    blinks = ((factors[1:] < 1) & (factors[:-1] == 1)).sum()
    assert blinks / 60 == pytest.approx(mean, rel=0.05)


@pytest.mark.parametrize("fps", [25, 30, 60])
def test_chunks_make_no_difference_and_seeds_do(fps: float) -> None:
    sizes = [1, 0, 7, 250, 1, 600, 1, 940]
    for made in (lambda seed: RigBlinks(fps, seed).factors, lambda seed: RigGaze(fps, seed).frames):
        parts = made(5)
        np.testing.assert_array_equal(made(5)(sum(sizes)), np.concatenate([parts(n) for n in sizes]))
        assert not np.array_equal(made(5)(900), made(6)(900))


def test_forty_percent_of_gaze_targets_are_the_centre() -> None:
    gaze = RigGaze(60, 0)
    targets = np.array([gaze.target() for _ in range(10_000)])
    centre = (targets == 0).all(1)
    assert centre.mean() == pytest.approx(RETURN_SHARE, abs=0.02)
    radius, angle = np.hypot(*targets[~centre].T), np.arctan2(*targets[~centre].T)
    assert stats.kstest(radius, stats.uniform(RADIUS[0], RADIUS[1] - RADIUS[0]).cdf).pvalue > 0.01
    assert stats.kstest(angle, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01


def test_gaze_moves_in_linear_ramps_every_15_to_45_frames() -> None:
    gaze = RigGaze(60, 3).frames(60 * 600)
    step = np.diff(gaze, axis=0)
    moving = np.abs(step).max(1) > 1e-9
    starts = np.flatnonzero(moving[1:] & ~moving[:-1]) + 1
    assert np.diff(starts).min() >= CYCLE_FRAMES[0]
    for start in starts[:200]:
        np.testing.assert_allclose(step[start : start + RAMP_FRAMES], np.tile(step[start], (RAMP_FRAMES, 1)), atol=1e-9)
        assert not moving[start + RAMP_FRAMES]
    assert np.hypot(*gaze.T).max() <= RADIUS[1]


def test_gaze_is_set_on_the_central_eye_control_only() -> None:
    controls = np.full((300, 174), 0.5, np.float32)
    RigGaze(60, 0).apply(controls)
    assert (controls[:, EYE_COLUMNS] != 0.5).all()
    assert (np.delete(controls, EYE_COLUMNS, axis=1) == 0.5).all()
