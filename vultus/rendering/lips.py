"""Lips that just meet when the mouth is told to shut, whatever the picture's mouth did."""

from __future__ import annotations

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.face.head import HeadModel
from vultus.rendering.surface import Surface

LIP_PAIRS = ((13, 14), (82, 87), (312, 317), (81, 178), (311, 402), (80, 88), (310, 318), (191, 95), (415, 324))
"""FaceMesh points on the upper and the lower inner lip that face each other."""
MOUTH_SHAPES = tuple(k for k, name in enumerate(ARKIT52) if name.startswith(("mouth", "jaw")))


def close_lips(head: HeadModel, surface: Surface) -> tuple[np.ndarray, np.ndarray]:
    """What makes the lips just meet at the neutral expression.

    Returns:
        Displacements (A, 3) float32 to add at the neutral expression, and how much each shape (52,) counts when asking
        how far an expression is from the picture's (there they must not be added).
    """
    assert head.landmark478_vertices is not None and head.landmark478_weights is not None
    corners, weights = surface.index[head.landmark478_vertices], head.landmark478_weights
    neutral = surface.expression.copy()
    neutral[list(MOUTH_SHAPES)] = 0
    points = (surface.moved(neutral)[corners] * weights[..., None]).sum(1)
    pairs = np.array(LIP_PAIRS)
    upper, lower = points[pairs[:, 0]], points[pairs[:, 1]]
    gap = upper[:, 1] - lower[:, 1]
    order = np.argsort(upper[:, 0])
    corner = points[[78, 308]]
    x = np.concatenate([[corner[:, 0].min()], upper[order, 0], [corner[:, 0].max()]])
    gaps = np.concatenate([[0], gap[order] + 0.01, [0]])
    middle = np.concatenate([[corner[:, 1].mean()], ((upper + lower) / 2)[order, 1], [corner[:, 1].mean()]])

    at_neutral = surface.moved(neutral)
    fall = surface.basis[index_of("jawOpen"), :, 1]
    is_lower = fall < 0.33 * fall.min()
    distance = np.abs(at_neutral[:, 1] - np.interp(at_neutral[:, 0], x, middle))
    near = np.exp(-((np.maximum(distance - 0.25, 0) / 0.7) ** 2)) * (at_neutral[:, 2] > 7)
    outside = (at_neutral[:, 0] < x[0]) | (at_neutral[:, 0] > x[-1])
    amount = np.where(outside, 0, np.interp(at_neutral[:, 0], x, gaps)) * near
    move = np.zeros_like(surface.rest)
    move[:, 1] = np.where(is_lower, 0.5, -0.5) * amount
    for part in ("upper_teeth", "lower_teeth", "gums", "tongue", "socket"):
        move[surface.index[head.vertices_of(part)]] = 0
    moves = (surface.basis[:, corners] * weights[..., None]).sum(2)
    counts = np.abs(moves[:, pairs[:, 0], 1] - moves[:, pairs[:, 1], 1]).mean(1)
    counts[[k for k in range(len(counts)) if k not in MOUTH_SHAPES]] = 0
    return move.astype(np.float32), counts
