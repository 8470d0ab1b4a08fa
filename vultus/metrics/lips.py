"""How well one mouth follows another: both are series of aperture and width (`face.mouth`) at 50 Hz."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

RATE_HZ = 50
"""Mouths are compared on this grid, sample k at k / 50 s."""
SMOOTH_S = 0.02
"""Both mouths are smoothed by a Gaussian of this standard deviation before they are compared."""
CLOSED_QUANTILE = 0.2
"""A mouth counts as closed where its aperture is among this share of its own smallest."""
CLOSURE_REACH_S = 0.06
"""A closure is found when the other mouth closes within this time of it."""
_CLOSURE_WINDOW_S = 0.1


def on_grid(values: np.ndarray, fps: float, count: int, first_s: float = 0.0) -> np.ndarray:
    """Frames (T, ...) whose first is at `first_s`, on the comparison grid (count, ...), smoothed by `SMOOTH_S`."""
    grid_s = np.arange(count) / RATE_HZ
    at_s = first_s + np.arange(len(values)) / fps
    columns = np.asarray(values, np.float64).reshape(len(values), -1)
    sampled = np.stack([np.interp(grid_s, at_s, column) for column in columns.T], -1)
    smooth = gaussian_filter1d(sampled, SMOOTH_S * RATE_HZ, axis=0)
    return smooth.reshape(len(grid_s), *np.shape(values)[1:])


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r of two series (n,), at lag 0; 0 where one does not move."""
    if np.std(a) < 1e-9 or np.std(b) < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


@dataclass(frozen=True)
class Closures:
    """`recall`: share of a mouth's closures that the other mouth makes too; `chance`: of the same at any other time."""

    recall: float
    chance: float
    count: int


def closures(performed: np.ndarray, measured: np.ndarray, valid: np.ndarray | None = None) -> Closures:
    """How many closures of the measured aperture (n,) the performed one (n,) makes, both on the comparison grid.

    A closure is the middle of a dip: a local minimum of the aperture among the `CLOSED_QUANTILE` smallest. It is made
    when the performed aperture is among its own `CLOSED_QUANTILE` smallest within `CLOSURE_REACH_S`. Chance is the
    share of all moments of which the same is true. Frames that are not `valid` (n,) bool are left out.
    """
    usable = np.ones(len(measured), bool) if valid is None else np.asarray(valid, bool)
    at = closure_moments(measured, usable)
    shut = performed <= np.quantile(performed[usable], CLOSED_QUANTILE)
    reach = round(CLOSURE_REACH_S * RATE_HZ)
    near = np.convolve(shut.astype(float), np.ones(2 * reach + 1), "same") > 0.5
    if len(at) == 0:
        return Closures(np.nan, float(near[usable].mean()), 0)
    return Closures(float(near[at].mean()), float(near[usable].mean()), len(at))


def closure_moments(aperture: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Indices of the closures in an aperture (n,); see `closures`."""
    half = round(_CLOSURE_WINDOW_S * RATE_HZ)
    low = aperture <= np.quantile(aperture[valid], CLOSED_QUANTILE)
    padded = np.pad(aperture, half, mode="edge")
    lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1).min(1)
    moments = np.flatnonzero(low & valid & (aperture <= lowest))
    keep = np.diff(moments, prepend=-(10**6)) > half
    return moments[keep]


def bootstrap_interval(values: np.ndarray, share: float = 0.95, draws: int = 2000) -> tuple[float, float]:
    """Interval of the mean of values (n,), one a clip, by resampling clips (fixed seed); NaN values are left out."""
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    picks = np.random.default_rng(0).integers(0, len(values), (draws, len(values)))
    low, high = np.quantile(values[picks].mean(1), ((1 - share) / 2, (1 + share) / 2))
    return float(low), float(high)
