"""Mel-frequency cepstra as SyncNet was trained on: those of python_speech_features with its defaults.

Without a window function, the first coefficient replaced by the log energy of the frame, sound in the range of 16-bit
integers; another recipe of the same name gives SyncNet other numbers.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vultus.core.types import SAMPLE_RATE

WIDTH = 13
RATE_HZ = 100
HOP, WINDOW, FFT = 160, 400, 512
"""Samples."""
BANDS = 26
PRE_EMPHASIS = 0.97
LIFTER = 22
FULL_SCALE = 32_768
_SILENCE = np.finfo(float).eps
"""Stands for energies of 0, of which there is no logarithm."""


def mfcc(waveform: np.ndarray) -> np.ndarray:
    """(n,) samples at 16 kHz in [-1, 1] -> (T, 13) float32, 100 a second; the last frame is filled up with zeros."""
    from scipy.fft import dct

    if len(waveform) == 0:
        return np.zeros((0, WIDTH), np.float32)
    sound = np.clip(np.round(np.asarray(waveform, float) * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
    emphasised = np.concatenate([sound[:1], sound[1:] - PRE_EMPHASIS * sound[:-1]])
    count = 1 + max(0, -(-(len(sound) - WINDOW) // HOP))
    padded = np.pad(emphasised, (0, max(0, (count - 1) * HOP + WINDOW - len(sound))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:count]
    power = np.abs(np.fft.rfft(frames, FFT)) ** 2 / FFT
    energy, bands = power.sum(1), power @ _filters().T
    cepstra = dct(np.log(np.where(bands == 0, _SILENCE, bands)), type=2, axis=1, norm="ortho")[:, :WIDTH]
    cepstra *= 1 + LIFTER / 2 * np.sin(np.pi * np.arange(WIDTH) / LIFTER)
    cepstra[:, 0] = np.log(np.where(energy == 0, _SILENCE, energy))
    return cepstra.astype(np.float32)


@lru_cache(maxsize=1)
def _filters() -> np.ndarray:
    """Triangles (BANDS, FFT // 2 + 1) between edges that are evenly spaced in mel and rounded down to bins."""
    top_mel = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    edges_hz = 700 * (10 ** (np.linspace(0, top_mel, BANDS + 2) / 2595) - 1)
    edges = np.floor((FFT + 1) * edges_hz / SAMPLE_RATE)
    bins = np.arange(FFT // 2 + 1)
    low, middle, high = (edges[i : i + BANDS, None] for i in range(3))
    rising = np.where((bins >= low) & (bins < middle), (bins - low) / np.maximum(middle - low, 1), 0)
    falling = np.where((bins >= middle) & (bins < high), (high - bins) / np.maximum(high - middle, 1), 0)
    return rising + falling
