"""What lips do, in two numbers a frame, and how well one mouth follows another.

Aperture is the mean gap between the inner lips and width the distance of the mouth's corners, both over the distance
of the outer eye corners, in three dimensions, so that neither turns of the head nor the camera's distance count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter1d

from vultus.face.head import embedded_head

GAPS = ((13, 14), (82, 87), (312, 317))
"""FaceMesh points of the upper and the lower inner lip that face each other."""
CORNERS = (61, 291)
EYE_CORNERS = (33, 263)

RATE_HZ = 50
"""Mouths are compared on this grid, sample k at k / 50 s."""
SMOOTH_S = 0.02
"""Both mouths are smoothed by a Gaussian of this standard deviation before they are compared."""
CLOSED_QUANTILE = 0.2
"""A mouth counts as closed where its aperture is among this share of its own smallest."""
CLOSURE_REACH_S = 0.06
"""A closure is found when the other mouth closes within this time of it."""
_CLOSURE_WINDOW_S = 0.1


def mouth(landmarks: np.ndarray) -> np.ndarray:
    """Aperture and width (..., 2) of points (..., 468 or 478, 3), in distances of the outer eye corners."""
    landmarks = np.asarray(landmarks, np.float64)

    def distance(a: int, b: int) -> np.ndarray:
        return np.linalg.norm(landmarks[..., a, :] - landmarks[..., b, :], axis=-1)

    gap = np.mean([distance(*pair) for pair in GAPS], axis=0)
    return np.stack([gap, distance(*CORNERS)], -1) / np.maximum(distance(*EYE_CORNERS), 1e-6)[..., None]


@lru_cache(maxsize=1)
def mouth_modes() -> tuple[np.ndarray, np.ndarray, float]:
    """The embedded head's mouth: lip points at rest (8, 3), their moves (52, 8, 3), eye-corner distance.

    Rows 0-2 are the upper, 3-5 the lower inner lip, 6 and 7 the corners.
    """
    head = embedded_head()
    rest = head.landmarks478(head.mean)
    points = [pair[0] for pair in GAPS] + [pair[1] for pair in GAPS] + list(CORNERS)
    moves = head.landmarks478(head.expression_basis)[:, points]
    eyes = float(np.linalg.norm(rest[EYE_CORNERS[0]] - rest[EYE_CORNERS[1]]))
    return rest[points].astype(np.float64), moves.astype(np.float64), eyes


def performed_mouth(expression: np.ndarray) -> np.ndarray:
    """Aperture and width (T, 2) of ARKit weights (T, 52) on the embedded head; lips that would overlap count as shut.

    The aperture counts from the head's own resting gap.
    """
    rest, moves, eyes = mouth_modes()
    points = rest + np.tensordot(np.asarray(expression, np.float64), moves, 1)
    gap = points[:, :3, 1] - points[:, 3:6, 1] - (rest[:3, 1] - rest[3:6, 1])
    width = np.linalg.norm(points[:, 6] - points[:, 7], axis=-1)
    return np.stack([np.maximum(gap.mean(1), 0), width], -1) / eyes


def on_grid(values: np.ndarray, fps: float, duration_s: float, first_s: float = 0.0) -> np.ndarray:
    """Frames (T, ...) whose first is at `first_s`, on the comparison grid (n, ...), smoothed by `SMOOTH_S`."""
    grid_s = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
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
