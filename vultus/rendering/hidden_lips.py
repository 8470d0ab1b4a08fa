"""Where skin around the mouth that the picture hides takes its colour from."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from vultus.core.bases import index_of
from vultus.face.head import HeadModel

INNER_RINGS = 2
"""Edges of the mesh from the rim deep in the mouth outwards: short of the lips' red, also at the corners."""


def texture_positions(
    head: HeadModel, index: np.ndarray, rest: np.ndarray, seen: np.ndarray, visible: np.ndarray, expression: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Texture positions of a surface's vertices, its own where the picture shows them.

    Around the mouth a hidden vertex borrows the position of the nearest visible point on the same lip. The lips' inside
    is darker there, the deeper it lies; the far side of a turned face is hidden too, but stands in the light.

    Args:
        head: the head model; index: (V,) position of each of its vertices among the surface's A.
        rest: (A, 3) at the picture's expression (52,); seen: (A, 2) where the picture shows them; visible: (A,) bool.

    Returns:
        Positions (A, 2) and brightness (A,), both float32, and which vertices (A,) bool borrow.
    """
    uv, shade = seen.copy(), np.ones(len(rest), np.float32)
    basis = np.zeros((len(head.expression_basis), len(rest), 3), np.float32)
    active = index >= 0
    basis[:, index[active]] = head.expression_basis[:, active]
    neutral = rest - np.tensordot(expression.astype(np.float32), basis, 1)
    skin, inner = np.zeros((2, len(rest)), bool)
    skin[index[head.vertices_of("skin")]] = True
    inner[index[active & inner_lips(head)]] = True
    height = neutral[:, 1] - head.mean[head.landmark68[60:68], 1].mean()
    around = (np.abs(neutral[:, 0]) < 3.2) & (height > -1.9) & (height < 1.0) & (neutral[:, 2] > 5)
    hidden = skin & ~visible & around
    fall = basis[index_of("jawOpen")]
    lower = fall[:, 1] < 0.33 * fall[:, 1].min()
    opened = neutral + 0.6 * fall
    for side in (lower, ~lower):
        known, wanted = np.nonzero(visible & skin & side)[0], np.nonzero(hidden & side)[0]
        if len(known) < 4 or len(wanted) == 0:
            continue
        distance, nearest = cKDTree(opened[known]).query(opened[wanted], k=4)
        weight = 1 / (distance + 0.05) ** 2
        weight /= weight.sum(1, keepdims=True)
        uv[wanted] = (seen[known[nearest]] * weight[..., None]).sum(1)
        shade[wanted] = np.where(inner[wanted], np.clip(1 - 0.55 * distance.min(1) / 0.9, 0.35, 1), 1)
    return uv.astype(np.float32), shade, hidden


def inner_lips(head: HeadModel) -> np.ndarray:
    """(V,) bool: the skin behind the line where the lips meet."""
    inside = np.zeros(len(head.mean), bool)
    inside[head.mouth_rim] = True
    skin = head.triangles_of("skin")
    for _ in range(INNER_RINGS):
        inside[skin[inside[skin].any(1)]] = True
    return inside
