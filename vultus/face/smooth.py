"""Filling gaps in tracked channels and smoothing them without delay and without blunting what moves fast."""

from __future__ import annotations

import numpy as np

from vultus.core.shelf import pieces, zeros


def fill_gaps(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Channel (T, ...) with invalid frames interpolated linearly between their valid neighbours, held at the ends."""
    if valid.all() or not valid.any():
        return values
    filled = zeros(values.shape, values.dtype.str)
    known = np.flatnonzero(valid)
    for part in pieces(len(values), values, filled):
        frames = np.arange(part.start, part.stop)
        later = np.searchsorted(known, frames)
        before, after = known[np.maximum(later - 1, 0)], known[np.minimum(later, len(known) - 1)]
        share = np.clip((frames - before) / np.maximum(after - before, 1), 0, 1)
        share = share.reshape(-1, *(1,) * (values.ndim - 1))
        filled[part] = values[before] * (1 - share) + values[after] * share
    return filled


def bilateral(values: np.ndarray, segment: np.ndarray, sigma_frames: float, sigma_value: float) -> np.ndarray:
    """Channel (T, C) averaged over near frames (T,) of the same `segment` whose value is near, too.

    Each frame is a mean of its neighbours weighted by a Gaussian of the distance in time and one of the distance in
    value. Jitter below `sigma_value` is evened out; a blink or a lip closure, larger than it, keeps its depth and its
    edges. Symmetric in time, hence without delay.
    """
    smooth = zeros(values.shape)
    reach = int(np.ceil(2.5 * sigma_frames))
    for part in pieces(len(values), values, smooth):
        first = max(part.start - reach, 0)
        around = slice(first, part.stop + reach)
        near = _bilateral(values[around], segment[around], sigma_frames, sigma_value, reach)
        smooth[part] = near[part.start - first :][: part.stop - part.start]
    return smooth


def _bilateral(
    values: np.ndarray, segment: np.ndarray, sigma_frames: float, sigma_value: float, reach: int
) -> np.ndarray:
    """`bilateral` in float64, at the cost of six copies of the channel."""
    total, weights = values.astype(np.float64), np.ones(values.shape)
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
