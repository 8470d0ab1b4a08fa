"""How far head, neck and shoulders reach in every direction: what hair lies on and cannot pass through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROWS, COLUMNS = 72, 144


@dataclass(frozen=True)
class Skull:
    """Distances from `centre` (3,): `reach` (ROWS, COLUMNS) float32 over elevation (down to up) and azimuth."""

    centre: np.ndarray
    reach: np.ndarray

    @classmethod
    def of(cls, skin: np.ndarray) -> Skull:
        """From skin vertices at rest (N, 3)."""
        import cv2
        from scipy.spatial import cKDTree

        centre = np.array([0.0, 4.0, 0.8], np.float32)
        offset = skin - centre
        distance = np.linalg.norm(offset, axis=1)
        tree = cKDTree(offset / distance[:, None])
        elevation = (np.arange(ROWS) + 0.5) / ROWS * np.pi - np.pi / 2
        azimuth = (np.arange(COLUMNS) + 0.5) / COLUMNS * 2 * np.pi - np.pi
        up, around = np.meshgrid(elevation, azimuth, indexing="ij")
        rays = np.stack([np.sin(around) * np.cos(up), np.sin(up), np.cos(around) * np.cos(up)], -1)
        gap, near = tree.query(rays, k=6)
        weight = 1 / (gap + 0.02) ** 2
        reach = ((distance[near] * weight).sum(-1) / weight.sum(-1)).astype(np.float32)
        wide = cv2.GaussianBlur(np.hstack([reach[:, -8:], reach, reach[:, :8]]), (0, 0), 1.2)
        return cls(centre, np.ascontiguousarray(wide[:, 8:-8]))

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Unit directions (..., 3) from the centre to points, and how far the skin is there (...,)."""
        offset = points - self.centre
        direction = offset / np.maximum(np.linalg.norm(offset, axis=-1, keepdims=True), 1e-6)
        row = (np.arcsin(np.clip(direction[..., 1], -1, 1)) / np.pi + 0.5) * ROWS - 0.5
        column = (np.arctan2(direction[..., 0], direction[..., 2]) / (2 * np.pi) + 0.5) * COLUMNS - 0.5
        row = np.clip(row, 0, ROWS - 1.001)
        i, j = np.floor(row).astype(int), np.floor(column).astype(int)
        a, b = column - j, row - i
        left, right = j % COLUMNS, (j + 1) % COLUMNS
        near = self.reach[i, left] * (1 - a) + self.reach[i, right] * a
        far = self.reach[i + 1, left] * (1 - a) + self.reach[i + 1, right] * a
        return direction, near * (1 - b) + far * b

    def outside(self, points: np.ndarray, layer: np.ndarray) -> np.ndarray:
        """The points (..., 3), those nearer to the skin than `layer` (...,) moved out to it."""
        direction, skin = self.at(points)
        distance = np.linalg.norm(points - self.centre, axis=-1)
        least = skin + layer
        return np.where((distance < least)[..., None], self.centre + direction * least[..., None], points)
