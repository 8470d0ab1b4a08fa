"""Blinks: the published statistics, the shape of a blink, and the same blinks for every way of asking."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.controls import Blink
from vultus.core.types import Performance
from vultus.motion.blink import (
    LN_MEAN,
    LN_SD,
    LONGEST_S,
    MAX_RATE,
    SHORTEST_S,
    BlinkEvent,
    NaturalBlinks,
    TimedBlinks,
    TrackedBlinks,
    lid_motion,
    published_rate,
    to_and_fro,
)


def onsets_s(closure: np.ndarray, fps: float) -> np.ndarray:
    """Times at which the lids pass .3 on their way down."""
    return np.flatnonzero((closure[1:] >= 0.3) & (closure[:-1] < 0.3)) / fps


def simulated(hours: float, fps: float, seed: int, rate: float | None = None) -> np.ndarray:
    blinks = NaturalBlinks(fps, seed, rate)
    return np.concatenate([blinks.frames(round(fps * 360)) for _ in range(round(10 * hours))]).mean(1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ten_hours_have_the_published_log_normal_rate(seed: int) -> None:
    """Blinks per minute are 60 s over each interval between onsets, values above 100 excluded (EmoFace 3.2)."""
    rates = 60 / np.diff(onsets_s(simulated(10, 25, seed), 25))
    logs = np.log(rates[rates <= MAX_RATE])
    assert logs.mean() == pytest.approx(LN_MEAN, rel=0.02)
    assert logs.std() == pytest.approx(LN_SD, rel=0.02)


@pytest.mark.parametrize("rate", [5, 15, 40])
def test_blink_rate_sets_the_mean(rate: float) -> None:
    events = onsets_s(simulated(5, 25, 0, rate), 25)
    single = 1 + (np.diff(events) > 60 / MAX_RATE * min(1, published_rate() / rate)).sum()  # a double blink is one
    assert single / 300 == pytest.approx(rate, rel=0.05)


def test_rate_zero_and_none_never_blink() -> None:
    assert not simulated(0.5, 25, 0, 0).any()
    assert not lid_motion(Blink("none"), 25, 0, None, None).frames(5000).any()


def test_chunks_make_no_difference_and_seeds_do() -> None:
    whole, parts = NaturalBlinks(30, 5), NaturalBlinks(30, 5)
    sizes = [1, 0, 7, 250, 1, 1, 600, 641]
    np.testing.assert_array_equal(whole.frames(sum(sizes)), np.concatenate([parts.frames(n) for n in sizes]))
    assert not np.array_equal(NaturalBlinks(30, 5).frames(500), NaturalBlinks(30, 6).frames(500))


def test_frame_rate_does_not_change_when_blinks_happen() -> None:
    at_25, at_60 = (onsets_s(NaturalBlinks(fps, 3).frames(fps * 120).mean(1), fps) for fps in (25, 60))
    assert len(at_25) == len(at_60)
    assert np.abs(at_25 - at_60).max() < 0.05


@pytest.mark.parametrize("duration_s", [SHORTEST_S, 0.22, LONGEST_S])
def test_a_blink_closes_fast_and_opens_slower(duration_s: float) -> None:
    time_s = np.linspace(0, 0.5, 5001)
    lid = BlinkEvent(0.0, duration_s).closure(time_s, right=False)
    moving = time_s[(lid > 0.01)]
    assert lid.max() == 1
    assert moving[-1] - moving[0] == pytest.approx(duration_s, rel=0.1)
    assert (lid > 0.99).sum() * 1e-4 >= 0.04  # a frame at 25 fps sees it shut
    closing_s, opening_s = time_s[lid > 0.99][0], time_s[lid > 0.01][-1] - time_s[lid > 0.99][-1]
    assert closing_s < opening_s


def test_durations_depths_and_asymmetry_of_natural_blinks() -> None:
    blinks = NaturalBlinks(25, 0)
    events = blinks._events_until(20_000.0)
    durations = np.array([event.duration_s for event in events])
    depths = np.array([event.depth for event in events])
    assert durations.min() >= SHORTEST_S and durations.max() <= LONGEST_S
    assert durations.std() > 0.03
    assert 0.05 < (depths < 1).mean() < 0.12
    assert 0.01 < np.mean(np.diff([event.start_s for event in events]) < 0.6) < 0.08
    both = NaturalBlinks(60, 0).frames(60 * 300)
    assert 0 < np.abs(both[:, 0] - both[:, 1]).max() < 0.25


def test_timed_blinks_are_shut_at_their_times() -> None:
    lids = TimedBlinks(100, [2.5, 1.0]).frames(400)[:, 0]
    shut_s = (np.flatnonzero(lids > 0.999) + 0.5) / 100
    first, second = shut_s[shut_s < 2], shut_s[shut_s > 2]
    assert first.mean() == pytest.approx(1.0, abs=0.01)
    assert second.mean() == pytest.approx(2.5, abs=0.01)
    assert not lids[:80].any()


def test_tracked_blinks_follow_au45_and_then_run_back() -> None:
    au45 = np.array([0, 0, 2.5, 5, 1, 0], np.float32)
    source = Performance(fps=25, valid=np.ones(6, bool), au45=au45)
    lids = TrackedBlinks(25, source).frames(11)
    np.testing.assert_allclose(lids[:, 0], np.array([0, 0, 2.5, 5, 1, 0, 1, 5, 2.5, 0, 0]) / 5)
    np.testing.assert_array_equal(to_and_fro(np.arange(4), 1), 0)
    with pytest.raises(ValueError, match="au45"):
        TrackedBlinks(25, Performance(fps=25, valid=np.ones(6, bool)))
    with pytest.raises(ValueError, match="tracked"):
        lid_motion(Blink("video"), 25, 0, None, None)
