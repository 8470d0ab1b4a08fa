"""Smooth random motion as a function of time: seeded, without drift, the same however it is asked for."""

from __future__ import annotations

import numpy as np


class SmoothNoise:
    """Sums of sinusoids with a falling spectrum: `at(t_s)` gives (n, channels) of zero mean and unit variance.

    Frequencies lie evenly (with jitter) on a logarithmic scale between `low_hz` and `high_hz`; amplitude falls as
    f ** -`slope`. A sum of sinusoids cannot drift and has no state, so neither chunks nor length change it.
    """

    PARTIALS = 9

    def __init__(self, channels: int, low_hz: float, high_hz: float, slope: float, rng: np.random.Generator) -> None:
        steps = np.linspace(0, 1, self.PARTIALS) + rng.uniform(-0.04, 0.04, (channels, self.PARTIALS))
        self._hz = low_hz * (high_hz / low_hz) ** np.clip(steps, 0, 1)
        amplitude = self._hz**-slope
        self._amplitude = amplitude * np.sqrt(2 / np.square(amplitude).sum(1, keepdims=True))
        self._phase = rng.uniform(0, 2 * np.pi, (channels, self.PARTIALS))

    def at(self, time_s: np.ndarray) -> np.ndarray:
        """(n, channels) float64 at times (n,) in seconds."""
        angle = 2 * np.pi * np.asarray(time_s)[:, None, None] * self._hz + self._phase
        return (self._amplitude * np.sin(angle)).sum(-1)


def frame_times(first: int, count: int, fps: float) -> np.ndarray:
    """Middle times in seconds of frames `first` to `first + count`: what a frame shows is the face at this moment."""
    return (np.arange(first, first + count) + 0.5) / fps


def soft_limit(value: np.ndarray, free: float, limit: float) -> np.ndarray:
    """`value` unchanged within +-`free`, bent smoothly beyond it so that it never passes +-`limit`."""
    beyond = np.maximum(np.abs(value) - free, 0)
    room = limit - free
    return np.sign(value) * (np.minimum(np.abs(value), free) + room * np.tanh(beyond / room))
