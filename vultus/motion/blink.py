"""Blinks: when they come and how the lids move.

Rate, after EmoFace, section 3.2: the interval to the next blink is 60 s over a rate drawn from a
log-normal distribution of blinks per minute, as the paper turned intervals into rates to fit it. The paper excluded
rates above 100 before fitting, so it is the distribution *cut at 100* that has its ln mean and sd.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from vultus.core.controls import Blink
from vultus.core.types import Performance
from vultus.motion.noise import frame_times

LN_MEAN, LN_SD = 3.518, 0.532
"""Natural logarithm of blinks per minute in speaking people (EmoFace, figure 5)."""
MAX_RATE = 100.0
"""Blinks per minute above which EmoFace excluded a value."""

SHORTEST_S, LONGEST_S = 0.1, 0.4
FULL = 5.0
"""AU45 intensity of closed lids."""


class LidMotion(Protocol):
    """Anything that moves the lids: `frames(n)` continues with n frames of closure (n, 2), left and right, 0-1."""

    def frames(self, count: int) -> np.ndarray: ...


@dataclass(frozen=True)
class BlinkEvent:
    """One blink. Lids start down at `start_s`, are at `depth` (0-1) for a moment, and are open after `duration_s`."""

    start_s: float
    duration_s: float = 0.22
    depth: float = 1.0
    right_lag_s: float = 0.0
    right_depth: float = 1.0

    CLOSING, HELD = 0.26, 0.18
    LEAST_HELD_S = 0.04  # one frame at 25 fps, so that no blink falls between two frames

    def closure(self, time_s: np.ndarray, *, right: bool) -> np.ndarray:
        """Closure 0-1 of one lid at times (n,): a fast smooth fall, a short hold, a slower smooth rise."""
        held_s = max(self.HELD * self.duration_s, self.LEAST_HELD_S)
        closing_s = self.CLOSING * self.duration_s
        opening_s = self.duration_s - held_s - closing_s
        since_s = time_s - self.start_s - (self.right_lag_s if right else 0.0)
        down = np.clip(since_s / closing_s, 0, 1)
        up = np.clip((since_s - closing_s - held_s) / opening_s, 0, 1)
        shape = _smooth(down) * (1 - _smooth(up))
        return shape * self.depth * (self.right_depth if right else 1.0)

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_s + abs(self.right_lag_s)


class BlinkTrack(ABC):
    """Lid closure of a run of blink events, frame by frame; events come in order of time."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._frame = 0
        self._current: list[BlinkEvent] = []

    def frames(self, count: int) -> np.ndarray:
        """The next `count` frames: (count, 2) float32 closure 0-1 of the left and right lids."""
        time_s = frame_times(self._frame, count, self._fps)
        self._frame += count
        closure = np.zeros((count, 2))
        if count == 0:
            return closure.astype(np.float32)
        self._current += self._events_until(time_s[-1])
        for event in self._current:
            near = slice(*np.searchsorted(time_s, (event.start_s, event.end_s + 1e-9)))
            for side in (0, 1):
                lid = event.closure(time_s[near], right=side == 1)
                closure[near, side] = np.maximum(closure[near, side], lid)
        self._current = [event for event in self._current if event.end_s > time_s[-1]]
        return closure.astype(np.float32)

    @abstractmethod
    def _events_until(self, time_s: float) -> list[BlinkEvent]:
        """The events that begin up to a time and have not been given out yet, in order."""


class NaturalBlinks(BlinkTrack):
    """Random blinks of a speaking person.

    `rate` sets the mean number of blinks a minute (0: none) by stretching every interval alike; None keeps the
    published distribution, about 30 a minute. Some blinks are partial, a few come double: a second, quick one, which
    by the paper's exclusion of rates above 100 a minute counts as part of the first.
    """

    PARTIAL_SHARE, DOUBLE_SHARE = 0.08, 0.04

    def __init__(self, fps: float, seed: int, rate: float | None = None) -> None:
        super().__init__(fps)
        self._rng = np.random.default_rng([seed, 0xB11])
        self._stretch = 1.0 if rate is None else np.inf if rate == 0 else published_rate() / rate
        self._next_s = self._interval_s() * self._rng.uniform(0.3, 1.0)

    def _interval_s(self) -> float:
        return 60 / float(draw_rates(1, self._rng)[0]) * self._stretch

    def _events_until(self, time_s: float) -> list[BlinkEvent]:
        events: list[BlinkEvent] = []
        while self._next_s <= time_s:
            interval_s = self._interval_s()
            events += self._blink(self._next_s, interval_s)
            self._next_s += interval_s
        return events

    def _blink(self, start_s: float, interval_s: float) -> list[BlinkEvent]:
        rng = self._rng
        duration_s = float(np.clip(0.22 * np.exp(0.25 * rng.standard_normal()), 0.12, LONGEST_S))
        duration_s = max(SHORTEST_S, min(duration_s, 0.8 * interval_s))
        partial, double = rng.random(2) < (self.PARTIAL_SHARE, self.DOUBLE_SHARE)
        depth = rng.uniform(0.55, 0.8) if partial else 1.0
        lag_s, right_depth = rng.uniform(-0.006, 0.006), rng.uniform(0.97, 1.0)
        first = BlinkEvent(start_s, duration_s, depth, lag_s, right_depth)
        if double and interval_s > 4 * duration_s:
            return [first, BlinkEvent(start_s + 1.05 * duration_s, 0.9 * duration_s, depth, lag_s, right_depth)]
        return [first]


class TimedBlinks(BlinkTrack):
    """Full blinks at given times in seconds: each time is the middle of the moment of closed lids."""

    def __init__(self, fps: float, times_s: Sequence[float]) -> None:
        super().__init__(fps)
        blink = BlinkEvent(0.0)
        middle_s = blink.CLOSING * blink.duration_s + max(blink.HELD * blink.duration_s, blink.LEAST_HELD_S) / 2
        self._waiting = [BlinkEvent(time_s - middle_s) for time_s in sorted(times_s)]

    def _events_until(self, time_s: float) -> list[BlinkEvent]:
        due = [event for event in self._waiting if event.start_s <= time_s]
        self._waiting = self._waiting[len(due) :]
        return due


class TrackedBlinks:
    """Lid closure of a tracked video: its AU45, or its eyeBlink weights where it has no AU45.

    Past the video's end it runs backwards and forwards again, so that the lids never jump.
    """

    def __init__(self, fps: float, performance: Performance) -> None:
        source = performance.resampled(fps)
        if source.au45 is not None:
            closure = np.repeat(source.au45[:, None] / FULL, 2, axis=1)
        elif source.expression is not None and source.basis == "arkit52":
            closure = source.expression[:, 8:10]
        else:
            raise ValueError("a performance that gives blinks needs au45 or an arkit52 expression")
        self._closure = np.clip(closure, 0, 1).astype(np.float32)
        self._frame = 0

    def frames(self, count: int) -> np.ndarray:
        """The next `count` frames: (count, 2) float32 closure 0-1."""
        at = to_and_fro(np.arange(self._frame, self._frame + count), len(self._closure))
        self._frame += count
        return self._closure[at]


def lid_motion(blink: Blink, fps: float, seed: int, rate: float | None, tracked: Performance | None) -> LidMotion:
    """The lids a user asked for. `tracked` is the performance of a blink video, which the caller has tracked."""
    if blink.kind == "video":
        if tracked is None:
            raise ValueError("blinks from a video need its tracked performance")
        return TrackedBlinks(fps, tracked)
    if blink.kind == "natural":
        return NaturalBlinks(fps, seed, rate)
    return TimedBlinks(fps, blink.times_s)


def to_and_fro(frame: np.ndarray, length: int) -> np.ndarray:
    """Indices into a clip of `length` frames that is played forwards, backwards, forwards, ... without end."""
    if length == 1:
        return np.zeros_like(frame)
    phase = frame % (2 * length - 2)
    return np.where(phase < length, phase, 2 * length - 2 - phase)


def draw_rates(count: int, rng: np.random.Generator) -> np.ndarray:
    """Blinks per minute (count,) from the published distribution; those above `MAX_RATE` are drawn again."""
    mean, sd = parent_of_cut()
    rates = np.empty(count)
    for i in range(count):  # one at a time, so that the same seed gives the same blinks however many are asked for
        rate = np.inf
        while rate > MAX_RATE:
            rate = np.exp(mean + sd * rng.standard_normal())
        rates[i] = rate
    return rates


@cache
def parent_of_cut() -> tuple[float, float]:
    """Mean and sd of the normal distribution that has `LN_MEAN` and `LN_SD` once cut at ln `MAX_RATE`."""
    mean, sd = LN_MEAN, LN_SD
    for _ in range(100):  # a fixed point of the moments of a truncated normal distribution
        bound = (math.log(MAX_RATE) - mean) / sd
        below = 0.5 * (1 + math.erf(bound / math.sqrt(2)))
        pull = math.exp(-0.5 * bound**2) / math.sqrt(2 * math.pi) / below
        mean, sd = LN_MEAN + sd * pull, LN_SD / math.sqrt(1 - bound * pull - pull**2)
    return mean, sd


@cache
def published_rate() -> float:
    """Blinks a minute in the long run under the published distribution: 60 s over the mean interval."""
    mean, sd = parent_of_cut()
    bound = (np.log(MAX_RATE) - mean) / sd
    z = np.linspace(-8, bound, 20_001)
    density = np.exp(-0.5 * z**2)
    return float(density.sum() / (density * np.exp(-(mean + sd * z))).sum())


def _smooth(x: np.ndarray) -> np.ndarray:
    return x * x * (3 - 2 * x)
