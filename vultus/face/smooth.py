"""Filling gaps in tracked channels and smoothing them without delay and without blunting what moves fast."""

from __future__ import annotations

import numpy as np

_COLUMNS = 64
"""So many numbers of every frame are smoothed at a time: sums take several times the memory of what is smoothed."""


def fill_gaps(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Channel (T, ...) with invalid frames interpolated linearly between their valid neighbours, held at the ends."""
    if valid.all() or not valid.any():
        return values
    frames, known = np.arange(len(values)), np.nonzero(valid)[0]
    flat = values.reshape(len(values), -1)
    filled = np.stack([np.interp(frames, known, column[known]) for column in flat.T], 1)
    return filled.reshape(values.shape).astype(values.dtype)


def bilateral(values: np.ndarray, segment: np.ndarray, sigma_frames: float, sigma_value: float) -> np.ndarray:
    """Channel (T, C) averaged over near frames (T,) of the same `segment` whose value is near, too.

    Each frame is a mean of its neighbours weighted by a Gaussian of the distance in time and one of the distance in
    value. Jitter below `sigma_value` is evened out; a blink or a lip closure, larger than it, keeps its depth and its
    edges. Symmetric in time, hence without delay.
    """
    smooth = np.empty(values.shape, np.float32)
    for first in range(0, values.shape[1], _COLUMNS):
        columns = slice(first, first + _COLUMNS)
        smooth[:, columns] = _bilateral(values[:, columns], segment, sigma_frames, sigma_value)
    return smooth


def _bilateral(values: np.ndarray, segment: np.ndarray, sigma_frames: float, sigma_value: float) -> np.ndarray:
    """`bilateral` in float64, at the cost of six copies of the channel."""
    reach = int(np.ceil(2.5 * sigma_frames))
    total, weights = values.astype(np.float64).copy(), np.ones(values.shape)
    for offset in range(1, min(reach, len(values) - 1) + 1):
        in_time = np.exp(-0.5 * (offset / sigma_frames) ** 2)
        early, late = values[:-offset], values[offset:]
        together = (segment[:-offset] == segment[offset:])[:, None]
        weight = in_time * np.exp(-0.5 * ((late - early) / sigma_value) ** 2) * together
        total[:-offset] += weight * late
        weights[:-offset] += weight
        total[offset:] += weight * early
        weights[offset:] += weight
    return np.asarray(total / weights)
