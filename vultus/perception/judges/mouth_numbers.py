"""A moving mouth as a few numbers that know nothing of who speaks, where, and with the head turned how."""

from __future__ import annotations

import numpy as np

from vultus.core.errors import InputError
from vultus.face.points import landmarks68
from vultus.perception.judges.upright import upright

RATE_HZ = 25.0
"""Rows of `mouth_numbers` a second."""
DRIFT_S = 1.0
"""Slower motion (standard deviation of the Gaussian mean that is taken away) is expression and tracking drift."""
LEAST_SD = 0.003
"""Motion smaller than this, in distances of the outer eye corners, is tracking noise and is not blown up to speech."""

_PAIRS = ((48, 54), (49, 53), (50, 52), (59, 55), (58, 56), (60, 64), (61, 63), (67, 65), (7, 9), (6, 10), (5, 11))
"""Points of the right half of lips and jaw and their mirror images."""
_MIDDLE = (51, 57, 62, 66, 8)
_DEEP = (51, 57, 48)
"""Points whose depth is counted too: lips come forward in rounded vowels."""
NUMBERS = 2 * len(_PAIRS) + len(_MIDDLE) + len(_DEEP)


def mouth_numbers(landmarks: np.ndarray, fps: float) -> np.ndarray:
    """Motion of lips and jaw (n, NUMBERS) float32 at `RATE_HZ`, each number of mean 0 and about one standard deviation.

    The head's pose is taken out by the points that do not talk, both halves of the mouth are averaged (so a mirrored
    face gives the same numbers), and slow drift is removed. Row k stands for the moment (k + .5) / RATE_HZ s.

    Args:
        landmarks: (T, 68 or 468 or 478, 3) in pixels, z too (`face.landmarks`); rows that are not finite are gaps.
        fps: of the landmarks.

    Raises InputError where no face is seen at all.
    """
    from scipy.ndimage import gaussian_filter1d

    points = np.asarray(landmarks, np.float64)
    points = points if points.shape[1] == 68 else landmarks68(points)
    seen = np.isfinite(points).all((1, 2))
    if not seen.any():
        raise InputError("there is no face whose lips could be read", "landmarks", "choose another part of the video")
    rows = _numbers(upright(points[seen]))
    at_s = (np.flatnonzero(seen) + 0.5) / fps
    count = max(1, round(len(points) / fps * RATE_HZ))
    grid_s = (np.arange(count) + 0.5) / RATE_HZ
    moving = np.stack([np.interp(grid_s, at_s, row) for row in rows.T], 1)
    moving -= gaussian_filter1d(moving, DRIFT_S * RATE_HZ, axis=0, mode="nearest")
    return (moving / (moving.std(0) + LEAST_SD)).astype(np.float32)


def _numbers(faces: np.ndarray) -> np.ndarray:
    """(T, NUMBERS) of upright faces (T, 68, 3)."""
    right, left = (faces[:, [pair[side] for pair in _PAIRS]] for side in (0, 1))
    across = (left - right)[..., 0] / 2
    height = (left + right)[..., 1] / 2
    deep = faces[:, _DEEP, 2]
    deep[:, -1] = (faces[:, 48, 2] + faces[:, 54, 2]) / 2
    return np.concatenate([across, height, faces[:, _MIDDLE, 1], deep], 1)
