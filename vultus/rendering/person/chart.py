"""Where on a person something is painted: an unrolled cylinder around the mean head, the same for everybody.

Columns run around the head's upright axis, rows down. Folds that the chart lays on top of each other (inside of lips,
nostrils) share their paint; light tells them apart.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vultus.face.head import embedded_head

WIDTH, HEIGHT = 1024, 640
"""Pixels of a painted chart: about .06 head units each in front."""
TOP, BOTTOM = 15.5, -20.5
AXIS_Z = 1.5


def chart_px(points: np.ndarray) -> np.ndarray:
    """Chart pixels (..., 2) of points (..., 3) of the mean head."""
    theta = np.arctan2(points[..., 0], points[..., 2] - AXIS_Z)
    column = (theta / (2 * np.pi) + 0.5) * WIDTH
    row = (TOP - points[..., 1]) / (TOP - BOTTOM) * HEIGHT
    return np.stack([column, row], -1)


@lru_cache(maxsize=1)
def grid() -> tuple[np.ndarray, np.ndarray]:
    """Angle in degrees (WIDTH,) towards the subject's left, and height in head units (HEIGHT, 1), of chart pixels."""
    theta_deg = ((np.arange(WIDTH) + 0.5) / WIDTH - 0.5) * 360
    height = TOP - (np.arange(HEIGHT) + 0.5) / HEIGHT * (TOP - BOTTOM)
    return theta_deg.astype(np.float32), height[:, None].astype(np.float32)


@lru_cache(maxsize=1)
def marks_px() -> np.ndarray:
    """The 68 landmarks of the mean head in chart pixels (68, 2)."""
    head = embedded_head()
    return chart_px(head.landmarks68(head.mean))


def blob(theta_deg: float, height: float, width_deg: float, tall: float) -> np.ndarray:
    """A soft spot (HEIGHT, WIDTH) float32 0-1."""
    angle, row = grid()
    return np.exp(-0.5 * (((angle - theta_deg) / width_deg) ** 2 + ((row - height) / tall) ** 2))


def both_sides(theta_deg: float, height: float, width_deg: float, tall: float) -> np.ndarray:
    """The same spot on both sides of the face."""
    return blob(theta_deg, height, width_deg, tall) + blob(-theta_deg, height, width_deg, tall)


def ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low` to 1 above `high`, smoothly; `high` may be the smaller one."""
    x = np.clip((values - low) / (high - low), 0, 1)
    return x * x * (3 - 2 * x)


def noise(rng: np.random.Generator, cell_px: float) -> np.ndarray:
    """Smooth noise (HEIGHT, WIDTH) float32 of unit variance with features about `cell_px` large."""
    import cv2

    small = (max(4, round(HEIGHT / cell_px)), max(4, round(WIDTH / cell_px)))
    field = cv2.resize(rng.standard_normal(small).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return field / max(float(field.std()), 1e-6)


def hairline(shape: np.ndarray) -> np.ndarray:
    """Height (len(shape),) of the hairline at angles `shape` in degrees, before any recession.

    Across the forehead, down the temples, in front of the ear as a sideburn, around the ear, down to the nape.
    """
    angles = np.array([0.0, 20, 32, 42, 52, 60, 66, 71, 80, 84, 112, 118, 128, 150, 180])
    heights = np.array([10.3, 10.2, 9.5, 8.3, 7.0, 6.0, 4.5, 1.6, 1.0, 4.6, 4.8, 1.0, -2.5, -4.5, -5.0])
    return np.interp(np.abs(shape), angles, heights)
