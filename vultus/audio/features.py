"""What the speech encoder hears: log-mel bands at 100 Hz and their running normalisation, as samples arrive."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.signal import lfilter

from vultus.core.types import SAMPLE_RATE

BANDS = 80
HOP, WINDOW, FFT = 160, 400, 512
"""Samples. Frame i looks at the samples before 160 (i + 1): it is there as soon as they are."""
FRAME_RATE_HZ = SAMPLE_RATE // HOP
LOW_HZ, HIGH_HZ = 60.0, 7600.0
PRE_EMPHASIS = 0.97
POWER_FLOOR = 1e-6

MEMORY_S = 3.0
"""Time constant of the running mean and variance, counted in voice: pauses weigh little."""
PRIOR_S = 0.25
"""What is expected of a voice counts as much as so much of it."""
QUIET_NEPER, LOUD_NEPER = 7.0, 2.5
"""A frame this far (log power) below the peak so far does not count; one less far than the second counts fully."""
PEAK_DECAY_NEPER_S = 0.35
FIRST_PEAK = -7.0
"""Log power, mean over bands, that the loudest frame is taken to have before anything was heard."""
SPREAD_FLOOR = 0.5

FLOOR_RISE_NEPER_S = 1.5
"""How fast what is taken for the background rises under what lasts; it falls at once."""
PROMINENT_NEPER = (0.8, 2.3)
"""So far above the background a frame begins to stand out, and so far it wholly does."""


@lru_cache(maxsize=1)
def mel_filters() -> np.ndarray:
    """Triangular filters (BANDS, FFT // 2 + 1) float32, evenly spaced on the mel scale (HTK)."""
    edges_hz = mel_edges_hz(BANDS)
    bins_hz = np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT
    low, middle, high = (edges_hz[i : i + BANDS, None] for i in range(3))
    rising, falling = (bins_hz - low) / (middle - low), (high - bins_hz) / (high - middle)
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def mel_edges_hz(bands: int, low_hz: float = LOW_HZ, high_hz: float = HIGH_HZ) -> np.ndarray:
    """Edges (bands + 2,) of triangular filters, evenly spaced on the mel scale: filter i has edges i to i + 2."""
    return 700 * (10 ** (np.linspace(_mel(low_hz), _mel(high_hz), bands + 2) / 2595) - 1)


def _mel(hz: float) -> float:
    return 2595 * float(np.log10(1 + hz / 700))


class LogMel:
    """Log-mel frames of a voice as it arrives; they do not depend on chunking. Before the voice there is silence."""

    def __init__(self) -> None:
        self._pending = np.zeros(WINDOW - HOP, np.float32)
        self._last = np.float32(0)
        self._window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take (n,) samples at 16 kHz in [-1, 1]; return the frames (m, BANDS) float32 they complete."""
        samples = np.asarray(samples, np.float32)
        if len(samples) == 0:
            return np.zeros((0, BANDS), np.float32)
        emphasised = samples - np.float32(PRE_EMPHASIS) * np.concatenate([[self._last], samples[:-1]])
        self._last = samples[-1]
        pending = np.concatenate([self._pending, emphasised])
        count = (len(pending) - (WINDOW - HOP)) // HOP
        self._pending = pending[count * HOP :]
        if count == 0:
            return np.zeros((0, BANDS), np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(pending, WINDOW)[: count * HOP : HOP]
        spectrum = _fft(frames * self._window)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        return np.log(power @ mel_filters().T + np.float32(POWER_FLOOR))


def _fft(frames: np.ndarray) -> np.ndarray:
    from scipy.fft import rfft  # single precision, unlike numpy's

    return rfft(frames, FFT, axis=1)


def log_mel(waveform: np.ndarray) -> np.ndarray:
    """Frames (m, BANDS) float32 of a whole voice (n,): `LogMel` in one go."""
    return LogMel().push(waveform)


def voice_weight(level: np.ndarray, peak: np.ndarray) -> np.ndarray:
    """How much frames of mean log power `level` count in the running statistics, 0.01-1, given the peak so far."""
    return np.clip((level - peak + QUIET_NEPER) / (QUIET_NEPER - LOUD_NEPER), 0.01, 1)


class RunningNorm:
    """Subtracts each band's running mean and divides by the running spread of all: causal, so chunks do not matter.

    `mean` (BANDS,) and `spread` are what is expected of a voice before any was heard.
    """

    def __init__(self, mean: np.ndarray, spread: float) -> None:
        self._keep = float(np.exp(-1 / (FRAME_RATE_HZ * MEMORY_S)))
        prior = PRIOR_S * FRAME_RATE_HZ
        self._sums = np.concatenate([np.asarray(mean, np.float64) * prior, [prior]])
        self._squares = float(spread) ** 2 * prior
        self._peak, self._floor = FIRST_PEAK, np.inf

    def push(self, frames: np.ndarray) -> np.ndarray:
        """Normalised frames (n, BANDS) float32 of log-mel frames (n, BANDS)."""
        centred, spread, _ = self.centre(frames)
        return (centred / (spread + SPREAD_FLOOR)).astype(np.float32)

    def centre(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log-mel frames (n, BANDS) about the running mean, the running spread (n, 1), and prominence (n,).

        What is far below the peak so far, or hardly above the background, has a prominence of .01 or less.
        """
        if len(frames) == 0:
            return np.zeros((0, BANDS)), np.zeros((0, 1)), np.zeros(0)
        frames = np.asarray(frames, np.float64)
        level = frames.mean(1)
        fall = PEAK_DECAY_NEPER_S / FRAME_RATE_HZ * np.arange(1, len(frames) + 1)
        peak = np.maximum.accumulate(np.maximum(level + fall, self._peak)) - fall
        weight = voice_weight(level, peak)[:, None]
        rise = FLOOR_RISE_NEPER_S / FRAME_RATE_HZ * np.arange(1, len(frames) + 1)
        floor = np.minimum.accumulate(np.minimum(level - rise, self._floor)) + rise
        least, most = PROMINENT_NEPER
        prominence = weight[:, 0] * np.clip((level - floor - least) / (most - least), 0.01, 1)
        sums = self._decaying(np.concatenate([frames * weight, weight], 1), self._sums)
        centred = frames - sums[:, :-1] / sums[:, -1:]
        squares = self._decaying(weight * np.square(centred).mean(1, keepdims=True), np.array([self._squares]))
        spread = np.sqrt(squares / sums[:, -1:])
        self._sums, self._squares = sums[-1], float(squares[-1, 0])
        self._peak, self._floor = float(peak[-1]), float(floor[-1])
        return centred, spread, prominence

    def _decaying(self, values: np.ndarray, state: np.ndarray) -> np.ndarray:
        """Running sums (n, c) of values (n, c) that fade by `_keep` a frame, from `state` (c,) on."""
        return lfilter([1.0], [1.0, -self._keep], values, axis=0, zi=self._keep * state[None])[0]
