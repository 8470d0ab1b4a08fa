"""Patches that do not look like others of their shape: lips found wrongly, torn or garbled frames."""

from __future__ import annotations

import cv2
import numpy as np

from vultus.rendering.footage.lips_layer import draw_patch
from vultus.rendering.footage.patch import DEGREES_A_UNIT, LIP_COLUMNS, Patch

NEIGHBOURS = 8
ODD = 2.0
"""A patch that differs from its neighbours in shape so many times as much as half of the patches do is odd."""
FEWEST = 4 * NEIGHBOURS
"""Among fewer patches none is called odd."""
_DRAWN_PX = 96
_SIZE = (32, 24)
_BLACK = 16.0


def without_oddities(patches: list[Patch], unlike: np.ndarray) -> np.ndarray:
    """Indices of the patches that look like those of like shape and turn.

    Args:
        unlike: (K, K) how different they look (`differences`).
    """
    if len(patches) < FEWEST:
        return np.arange(len(patches))
    lips = np.stack([patch.departure[LIP_COLUMNS].reshape(-1) for patch in patches])
    turn = np.stack([patch.rotation_deg[:2] for patch in patches]) / DEGREES_A_UNIT
    apart = _distances(lips) / np.sqrt(lips.shape[1] / 2) + _distances(turn)
    near = np.argsort(apart, 1)[:, 1 : NEIGHBOURS + 1]
    oddity = np.median(np.take_along_axis(unlike, near, 1), 1)
    return np.flatnonzero(oddity <= ODD * np.median(oddity))


def differences(patches: list[Patch]) -> np.ndarray:
    """How different (K, K) patches look when all are drawn in one shape: mean difference of logarithms of colours."""
    spread = [float(np.ptp(patch.departure[LIP_COLUMNS])) for patch in patches]
    pictures = _drawn_alike(patches, int(np.argsort(spread)[len(patches) * 2 // 3]))
    return np.stack([np.abs(pictures - picture).mean((1, 2, 3)) for picture in pictures])


def _distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


def _drawn_alike(patches: list[Patch], model: int) -> np.ndarray:
    """Logarithms of all mouths, small, in the shape of one of them (K, h, w, 3), without differences of light."""
    shape = patches[model]
    scale = _DRAWN_PX / shape.pixels.shape[1]
    box = (slice(0, round(scale * shape.pixels.shape[0])), slice(0, _DRAWN_PX))
    pictures = []
    for patch in patches:
        pixels, cover = draw_patch(patch, scale * shape.points, shape.departure, box)
        mouth = (pixels * (cover > 0)[..., None]).astype(np.float32)
        small = np.log(cv2.resize(mouth, _SIZE, interpolation=cv2.INTER_AREA) + _BLACK)
        pictures.append(small - np.median(small, (0, 1)))
    return np.stack(pictures)
