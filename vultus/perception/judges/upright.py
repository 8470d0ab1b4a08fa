"""Faces turned upright: points in space laid onto the mean head by those of them that do not talk."""

from __future__ import annotations

import numpy as np

from vultus.face.head import FLIP, embedded_head
from vultus.face.points import LANDMARK68_FROM_478

STEADY68 = (27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 39, 42, 45)
"""Of the 68 points, those that do not talk: the nose and the eyes' corners."""
_OUTER_EYES68 = (36, 45)


def upright(points: np.ndarray) -> np.ndarray:
    """Points (T, 68 or 478, 3) in pixels, turned, moved and scaled onto the mean head by nose and eyes.

    Units: distances of the outer eye corners; x towards image right, y up, z out of the face; 0 is the middle of the
    steady points.
    """
    steady, goal = _steady_of(points.shape[1])
    faces = np.asarray(points, np.float64) @ FLIP
    faces = faces - faces[:, steady].mean(1, keepdims=True)
    left, sizes, right = np.linalg.svd(np.einsum("tni,nj->tij", faces[:, steady], goal))  # Kabsch 1976
    proper = np.sign(np.linalg.det(left @ right))
    left[:, :, 2] *= proper[:, None]
    sizes[:, 2] *= proper
    scale = sizes.sum(1) / np.maximum((faces[:, steady] ** 2).sum((1, 2)), 1e-9)
    return np.einsum("t,tni,tij->tnj", scale, faces, left @ right)


def mean_face() -> np.ndarray:
    """The mean head's own 478 points (478, 3), as `upright` gives them."""
    head = embedded_head()
    return upright((head.landmarks478(head.mean).astype(np.float64) @ FLIP)[None])[0]


def _steady_of(count: int) -> tuple[list[int], np.ndarray]:
    """Which points are steady, and where (n, 3) they lie on the mean head."""
    head = embedded_head()
    mean68 = head.mean[head.landmark68].astype(np.float64)
    unit = np.linalg.norm(mean68[_OUTER_EYES68[0]] - mean68[_OUTER_EYES68[1]])
    chosen = list(STEADY68) if count == 68 else [LANDMARK68_FROM_478[index] for index in STEADY68]
    all_points = mean68 if count == 68 else head.landmarks478(head.mean).astype(np.float64)
    goal = all_points[chosen]
    return chosen, (goal - goal.mean(0)) / unit
