"""The fitted head, bent so that its landmarks lie exactly where the picture's are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vultus.core.bases import index_of
from vultus.core.types import Fit
from vultus.face.head import HeadModel, project

UNRELIABLE = (
    454,
    323,
    361,
    127,
    356,
    93,
    234,
    132,
    288,
    58,
    447,
    366,
    137,
    389,
    162,
    227,
    264,
    401,
    172,
    397,
    136,
    177,
)
"""FaceMesh points on the silhouette: they slide along the cheek as the head turns."""
NOSTRILS = (239, 238, 309, 459, 241, 461, 79, 49, 278, 64, 294, 457, 237, 458, 218, 438)


def fitted_vertices(head: HeadModel, fit: Fit) -> np.ndarray:
    """Vertices (V, 3) float32 of the fitted head, warped so that its landmarks land exactly on the picture's.

    The residual is spread by a smooth spline. It is computed on an opened face (jaw down, eyes wide): there the two
    lips, and the two lids, lie far enough apart not to pull on each other.
    """
    vertices = head.vertices(fit.identity, fit.expression).astype(np.float64)
    opened = head.mean + 0.6 * head.expression_basis[index_of("jawOpen")]
    for side in ("Left", "Right"):
        opened = opened + 0.5 * head.expression_basis[index_of(f"eyeWide{side}")]
    seen = project(head.landmarks478(vertices), fit.rotation, fit.translation, fit.focal_px, fit.center_px)
    miss = (fit.landmarks[:468, :2] - seen[:, :2]) * (seen[:, 2:] / fit.focal_px)
    offsets = np.concatenate([miss * [1, -1], np.zeros((468, 1))], 1) @ fit.rotation

    slack = np.full(468, 0.02)
    slack[list(UNRELIABLE)] = 3.0
    slack[list(NOSTRILS)] = 1.0
    skin = head.vertices_of("skin")
    back = skin[opened[skin, 2] < 2.0][::12]
    centres = np.concatenate([head.landmarks478(opened), opened[back]])
    values = np.concatenate([offsets, np.zeros((len(back), 3))])
    spread = _spline(centres, values, np.concatenate([slack, np.full(len(back), 0.05)]))
    correction = np.zeros_like(vertices)
    correction[skin] = spread(opened[skin])

    upper, lower = correction_at_lips(head, offsets)
    correction[head.vertices_of("upper_teeth")] = upper
    correction[head.vertices_of("lower_teeth", "tongue")] = lower
    for part in ("gums", "socket"):
        inner = head.vertices_of(part)
        fall = np.clip(-head.expression_basis[index_of("jawOpen"), inner, 1:2] / 2.0, 0, 1)
        correction[inner] = upper + (lower - upper) * fall
    return (vertices + correction).astype(np.float32)


def correction_at_lips(head: HeadModel, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean landmark offsets (3,) of the upper and of the lower inner lip."""
    return offsets[[13, 82, 312]].mean(0), offsets[[14, 87, 317]].mean(0)


def _spline(centres: np.ndarray, values: np.ndarray, slack: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A smoothing biharmonic spline in space (kernel r, affine part) through values (N, 3) at centres (N, 3)."""
    count = len(centres)
    distance = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    affine = np.concatenate([np.ones((count, 1)), centres], 1)
    system = np.block([[-distance + np.diag(slack), affine], [affine.T, np.zeros((4, 4))]])
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros((4, values.shape[1]))]))

    def evaluate(points: np.ndarray) -> np.ndarray:
        kernel = -np.linalg.norm(points[:, None] - centres[None], axis=2)
        return kernel @ weights[:count] + weights[count] + points @ weights[count + 1 :]

    return evaluate
