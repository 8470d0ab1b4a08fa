"""The mouth in two numbers: aperture and width, of tracked points and of the embedded head.

Aperture is the mean gap between the inner lips and width the distance of the mouth's corners, both over the distance
of the outer eye corners, in three dimensions, so that neither turns of the head nor the camera's distance count.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vultus.face.head import embedded_head

GAPS = ((13, 14), (82, 87), (312, 317))
"""FaceMesh points of the upper and the lower inner lip that face each other."""
CORNERS = (61, 291)
EYE_CORNERS = (33, 263)

_UPPER, _LOWER = slice(0, 3), slice(3, 6)
_RIGHT, _LEFT = 6, 7
"""Rows of `_mouth_modes`."""


def mouth(landmarks: np.ndarray) -> np.ndarray:
    """Aperture and width (..., 2) of points (..., 468 or 478, 3), in distances of the outer eye corners."""
    landmarks = np.asarray(landmarks, np.float64)

    def distance(a: int, b: int) -> np.ndarray:
        return np.linalg.norm(landmarks[..., a, :] - landmarks[..., b, :], axis=-1)

    gap = np.mean([distance(*pair) for pair in GAPS], axis=0)
    return np.stack([gap, distance(*CORNERS)], -1) / np.maximum(distance(*EYE_CORNERS), 1e-6)[..., None]


def performed_mouth(expression: np.ndarray) -> np.ndarray:
    """Aperture and width (T, 2) of ARKit weights (T, 52) on the embedded head; lips that would overlap count as shut.

    The aperture counts from the head's own resting gap.
    """
    rest, moves, eyes = _mouth_modes()
    points = rest + np.tensordot(np.asarray(expression, np.float64), moves, 1)
    moved = points - rest
    gap = (moved[:, _UPPER, 1] - moved[:, _LOWER, 1]).mean(1)
    width = np.linalg.norm(points[:, _LEFT] - points[:, _RIGHT], axis=-1)
    return np.stack([np.maximum(gap, 0), width], -1) / eyes


def mouth_per_weight() -> np.ndarray:
    """(2, 52): how aperture and width of the embedded head's mouth move with each ARKit weight, to first order."""
    rest, moves, eyes = _mouth_modes()
    gap = (moves[:, _UPPER, 1] - moves[:, _LOWER, 1]).mean(1)
    across = rest[_LEFT] - rest[_RIGHT]
    spread = (moves[:, _LEFT] - moves[:, _RIGHT]) @ (across / np.linalg.norm(across))
    return np.stack([gap, spread]) / eyes


@lru_cache(maxsize=1)
def _mouth_modes() -> tuple[np.ndarray, np.ndarray, float]:
    """Inner lips and corners at rest (8, 3), their moves (52, 8, 3), and the distance of the outer eye corners."""
    head = embedded_head()
    rest = head.landmarks478(head.mean)
    points = [pair[0] for pair in GAPS] + [pair[1] for pair in GAPS] + list(CORNERS)
    moves = head.landmarks478(head.expression_basis)[:, points]
    eyes = float(np.linalg.norm(rest[EYE_CORNERS[0]] - rest[EYE_CORNERS[1]]))
    return rest[points].astype(np.float64), moves.astype(np.float64), eyes
