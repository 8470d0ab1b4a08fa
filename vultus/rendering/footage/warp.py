"""Moving a frame's own skin: a smooth displacement of pixels that takes points of the face to other places."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import ConvexHull

GRID_FACES = 1 / 32
"""Spacing of the grid on which the displacement is found, in face widths."""
REACH = (1.16, 1.5)
"""The displacement lives up to the first multiple of the face's outline about its middle, and is gone at the second."""
STIFFNESS = 0.02
"""How far the skin gives way between points rather than follow each of them exactly."""


def displacement(wanted: np.ndarray, source: np.ndarray, outline: np.ndarray, box: tuple[slice, slice]) -> np.ndarray:
    """Where each pixel of a box of a picture comes from: (h, w, 2) float32 pixels to add to its own place.

    Thin-plate splines (Bookstein 1989) through the points, which stand still on a ring around the face.

    Args:
        wanted: (N, 2) where points are to come to, pixels of the picture.
        source: (N, 2) where they are.
        outline: (K, 2) of the face.
        box: rows and columns.
    """
    hull = outline[ConvexHull(outline).vertices].astype(np.float64)
    middle, size = hull.mean(0), float(np.ptp(hull[:, 0]))
    ring = middle + REACH[1] * (hull - middle)
    ring = ring[:: max(1, len(ring) // 20)]
    centres = np.concatenate([wanted, ring])
    values = np.concatenate([source - wanted, np.zeros_like(ring)])
    rows, columns = box
    step = max(2.0, GRID_FACES * size)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    grid_y, grid_x = (np.linspace(0, n - 1, max(2, round(n / step))) for n in (height, width))
    grid = np.stack(np.meshgrid(grid_x + columns.start + 0.5, grid_y + rows.start + 0.5), -1).reshape(-1, 2)
    field = _thin_plate((centres - middle) / size, values, (grid - middle) / size)
    field *= _share(grid, hull, middle)[:, None]
    coarse = field.reshape(len(grid_y), len(grid_x), 2).astype(np.float32)
    to_grid = [
        np.interp(np.arange(n), g, np.arange(len(g))).astype(np.float32) for n, g in ((width, grid_x), (height, grid_y))
    ]
    return cv2.remap(coarse, *np.meshgrid(*to_grid), cv2.INTER_LINEAR)


def _thin_plate(centres: np.ndarray, values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Values (M, 2) at places (M, 2) of the smoothest field with given values (N, 2) at centres (N, 2)."""
    count = len(centres)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(centres, centres) + STIFFNESS * np.eye(count) / count
    system[:count, count:] = np.column_stack([np.ones(count), centres])
    system[count:, :count] = system[:count, count:].T
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros((3, 2))]))
    return (
        _kernel(places, centres) @ weights[:count] + np.column_stack([np.ones(len(places)), places]) @ weights[count:]
    )


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    square = ((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T).clip(1e-12)
    return square * np.log(square)


def _share(places: np.ndarray, hull: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """(M,) 1 on the face, falling to 0 where its outline, enlarged about the middle, ends."""
    around = np.arctan2(*(hull - middle).T[::-1])
    order = np.argsort(around)
    radius = np.linalg.norm(hull - middle, axis=1)[order]
    angle = np.arctan2(*(places - middle).T[::-1])
    own = np.interp(angle, around[order], radius, period=2 * np.pi)
    t = np.clip((REACH[1] - np.linalg.norm(places - middle, axis=1) / own) / (REACH[1] - REACH[0]), 0, 1)
    return t * t * (3 - 2 * t)
