"""What the generator hears: Wav2Lip's mel spectrogram, 80 times a second, as samples arrive."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.fft import rfft

from vultus.core.types import SAMPLE_RATE
from vultus.methods.emogen.config import BANDS, MEL_STEPS

FFT, HOP = 800, 200
"""Samples. Row m of the mel is centred on sample 200 m."""
RATE_HZ = SAMPLE_RATE // HOP
LOW_HZ, HIGH_HZ = 55.0, 7600.0
PRE_EMPHASIS = 0.97
FLOOR_DB, REFERENCE_DB = -100.0, 20.0
RANGE = 4.0
"""Rows lie within -`RANGE` (silence) and `RANGE`."""


@lru_cache(maxsize=1)
def mel_filters() -> np.ndarray:
    """Triangular filters (80, 401) float32 of equal area, even on Slaney's mel scale, as librosa makes them."""
    low, high = (_slaney_mel(hz) for hz in (LOW_HZ, HIGH_HZ))
    edges_hz = np.array([_slaney_hz(mel) for mel in np.linspace(low, high, BANDS + 2)])
    bins_hz = np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT
    left, middle, right = (edges_hz[i : i + BANDS, None] for i in range(3))
    triangles = np.maximum(0, np.minimum((bins_hz - left) / (middle - left), (right - bins_hz) / (right - middle)))
    return (triangles * 2 / (right - left)).astype(np.float32)


_LINEAR_HZ, _LINEAR_TO_HZ, _LOG_STEP = 200 / 3, 1000.0, np.log(6.4) / 27
"""Slaney's scale: linear up to 1 kHz, then 27 steps to 6.4 times as high."""


def _slaney_mel(hz: float) -> float:
    if hz < _LINEAR_TO_HZ:
        return hz / _LINEAR_HZ
    return float(_LINEAR_TO_HZ / _LINEAR_HZ + np.log(hz / _LINEAR_TO_HZ) / _LOG_STEP)


def _slaney_hz(mel: float) -> float:
    knee = _LINEAR_TO_HZ / _LINEAR_HZ
    return mel * _LINEAR_HZ if mel < knee else float(_LINEAR_TO_HZ * np.exp(_LOG_STEP * (mel - knee)))


class MelStream:
    """Rows (m, 80) float32 of a voice as it arrives; they do not depend on chunks. Around the voice there is silence.

    Row m comes out once sample 200 m + 399 is there.
    """

    def __init__(self) -> None:
        self._pending = np.zeros(FFT // 2, np.float32)
        self._last = np.float32(0)
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)).astype(np.float32)
        self._samples = self._rows = 0

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take (n,) samples at 16 kHz in [-1, 1]; return the rows that they complete."""
        samples = np.asarray(samples, np.float32)
        self._samples += len(samples)
        return self._heard(samples)

    def finish(self) -> np.ndarray:
        """The rows that are centred within the voice and not yet out."""
        missing = -(-self._samples // HOP) - self._rows
        return self._heard(np.zeros(FFT, np.float32))[:missing]

    def _heard(self, samples: np.ndarray) -> np.ndarray:
        if len(samples) == 0:
            return np.zeros((0, BANDS), np.float32)
        emphasised = samples - np.float32(PRE_EMPHASIS) * np.concatenate([[self._last], samples[:-1]])
        self._last = samples[-1]
        pending = np.concatenate([self._pending, emphasised.astype(np.float32)])
        count = max(0, (len(pending) - FFT) // HOP + 1)
        self._pending = pending[count * HOP :]
        self._rows += count
        if count == 0:
            return np.zeros((0, BANDS), np.float32)
        pieces = np.lib.stride_tricks.sliding_window_view(pending, FFT)[: (count - 1) * HOP + 1 : HOP]
        loud = np.abs(rfft(pieces * self._window, axis=1)).astype(np.float32) @ mel_filters().T
        level_db = 20 * np.log10(np.maximum(loud, 10 ** (FLOOR_DB / 20))) - REFERENCE_DB
        rows = 2 * RANGE * (level_db - FLOOR_DB) / -FLOOR_DB - RANGE
        return np.clip(rows, -RANGE, RANGE).astype(np.float32)


def mel_of(waveform: np.ndarray) -> np.ndarray:
    """Rows (m, 80) float32 of a whole voice (n,): `MelStream` in one go."""
    stream = MelStream()
    return np.concatenate([stream.push(waveform), stream.finish()])


def first_row(time_s: np.ndarray) -> np.ndarray:
    """(n,) the row with which the 16 around times (n,) begin."""
    return np.floor(np.asarray(time_s, np.float64) * RATE_HZ - MEL_STEPS / 2 + 0.5 + 1e-6).astype(int)


def windows(mel: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Pictures (n, 80, 16) float32 of the rows (m, 80) from `first` (n,) on; outside the voice there is silence."""
    rows = np.asarray(first)[:, None] + np.arange(MEL_STEPS)
    inside = (rows >= 0) & (rows < len(mel))
    if len(mel) == 0:
        return np.full((len(rows), BANDS, MEL_STEPS), -RANGE, np.float32)
    found = mel[np.clip(rows, 0, len(mel) - 1)]
    found[~inside] = -RANGE
    return np.ascontiguousarray(found.transpose(0, 2, 1))
