"""Moving a frame's own skin: a smooth displacement of pixels that takes points of the face to other places."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import ConvexHull

GRID_FACES = 1 / 32
"""Spacing of the grid on which the displacement is found, in face widths."""
REACH = 0.18
"""The displacement of the face's outline is gone this far outside it, in distances from the face's middle."""
FOLD = 1.8
"""It reaches farther, to so many times the largest move, where it would fold the skin otherwise."""
MOST_REACH = 0.6
STILL_RING = 1.8
"""Outline, about the middle, that the thin plate is fixed to."""
LEAST_PX = 0.03
"""Skin that moves by less stays as it is, pixel for pixel."""
STIFFNESS = 0.02
"""How far the skin gives way between points rather than follow each of them exactly."""


@dataclass(frozen=True)
class Move:
    """Where the pixels of a box of a picture come from."""

    field: np.ndarray
    """(h, w, 2) float32 pixels to add to each pixel's own place."""
    box: tuple[slice, slice]
    """Rows and columns of the picture."""

    def of(self, picture: np.ndarray) -> np.ndarray:
        """The box of a picture (H, W, 3) uint8, moved."""
        rows, columns = self.box
        places = self.field + np.moveaxis(np.mgrid[rows, columns][::-1], 0, -1).astype(np.float32)
        return cv2.remap(picture, places, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def move_points(wanted: np.ndarray, source: np.ndarray, outline: np.ndarray, shape: tuple[int, ...]) -> Move | None:
    """A smooth move that takes points of a face to other places; None where nothing moves.

    Thin-plate splines (Bookstein 1989) through the points, which stand still on a ring around the face.

    Args:
        wanted: (N, 2) where points are to come to, pixels of the picture.
        source: (N, 2) where they are.
        outline: (K, 2) of the face.
        shape: of the picture (H, W, ...).
    """
    hull = outline[ConvexHull(outline).vertices].astype(np.float64)
    middle, size = hull.mean(0), float(np.ptp(hull[:, 0]))
    largest = float(np.linalg.norm(source - wanted, axis=1).max())
    reach = 1 + min(max(REACH, FOLD * largest / float(np.linalg.norm(hull - middle, axis=1).min())), MOST_REACH)
    enlarged = middle + reach * (hull - middle)
    ring = (middle + STILL_RING * (hull - middle))[:: max(1, len(hull) // 20)]
    centres = np.concatenate([wanted, ring])
    values = np.concatenate([source - wanted, np.zeros_like(ring)])
    step = max(2.0, GRID_FACES * size)
    low, high = np.maximum(enlarged.min(0), 0), np.minimum(enlarged.max(0), shape[1::-1])
    if (high - low).min() < step:
        return None
    x, y = (np.arange(low[k], high[k] + step, step) for k in (0, 1))
    grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    field = _thin_plate((centres - middle) / size, values, (grid - middle) / size)
    field *= _share(grid, hull, middle, reach)[:, None]
    return _densified(field.reshape(len(y), len(x), 2), x, y, shape)


def _densified(coarse: np.ndarray, x: np.ndarray, y: np.ndarray, shape: tuple[int, ...]) -> Move | None:
    """The field of every pixel from one on a grid, no larger than where anything moves."""
    moving = np.abs(coarse).max(2) > LEAST_PX
    rows, columns = np.flatnonzero(moving.any(1)), np.flatnonzero(moving.any(0))
    if len(rows) == 0:
        return None
    coarse = np.where(moving[..., None], coarse, 0).astype(np.float32)
    down, across = (
        slice(max(0, int(at[max(used[0] - 1, 0)])), min(extent, int(np.ceil(at[min(used[-1] + 1, len(at) - 1)])) + 1))
        for at, used, extent in ((y, rows, shape[0]), (x, columns, shape[1]))
    )
    on_grid = [
        (np.arange(part.start, part.stop, dtype=np.float32) + np.float32(0.5 - at[0])) / np.float32(at[1] - at[0])
        for part, at in ((across, x), (down, y))
    ]
    to_x, to_y = np.meshgrid(*on_grid)
    field = cv2.remap(coarse, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return Move(field, (down, across))


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


def _share(places: np.ndarray, hull: np.ndarray, middle: np.ndarray, reach: float) -> np.ndarray:
    """(M,) 1 on the face, falling to 0 where its outline, enlarged about the middle, ends."""
    around = np.arctan2(*(hull - middle).T[::-1])
    order = np.argsort(around)
    radius = np.linalg.norm(hull - middle, axis=1)[order]
    angle = np.arctan2(*(places - middle).T[::-1])
    own = np.interp(angle, around[order], radius, period=2 * np.pi)
    t = np.clip((reach - np.linalg.norm(places - middle, axis=1) / own) / (reach - 1), 0, 1)
    return t * t * (3 - 2 * t)
