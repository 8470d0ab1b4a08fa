"""Bringing a patch into the light of another frame."""

from __future__ import annotations

import numpy as np

SKIN_COVER = (0.02, 0.75)
"""Cover of the pixels that are compared: skin around the lips, which both pictures show."""
STRONGEST = 0.35
"""Largest change, as the logarithm of a factor."""
_BLACK = 8.0
_STEP = 2


def light_gain(patch: np.ndarray, frame: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Factors (3, 3) in logarithm - constant, across, down - that bring a patch's skin to the frame's, a channel a row.

    Args:
        patch, frame: (h, w, 3) uint8 of the same place.
        cover: (h, w) of the patch.
    """
    known = (cover[::_STEP, ::_STEP] > SKIN_COVER[0]) & (cover[::_STEP, ::_STEP] < SKIN_COVER[1])
    if known.sum() < 12:
        return np.zeros((3, 3))
    mine, theirs = (picture[::_STEP, ::_STEP][known].astype(np.float64) + _BLACK for picture in (patch, frame))
    ratio = np.log(theirs / mine).clip(-STRONGEST, STRONGEST)
    y, x = np.nonzero(known)
    design = np.column_stack([np.ones(len(x)), *_places(x * _STEP, y * _STEP, cover.shape)])
    ridge = 0.02 * len(x) * np.diag([0, 1, 1])
    return np.linalg.solve(design.T @ design + ridge, design.T @ ratio).T


def lit(patch: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """The patch (h, w, 3) float32 0-255 with a gain of `light_gain`."""
    height, width = patch.shape[:2]
    across, down = _places(np.arange(width), np.arange(height), (height, width))
    logarithm = gain[:, 0] + across[None, :, None] * gain[:, 1] + down[:, None, None] * gain[:, 2]
    return np.clip((patch + _BLACK) * np.exp(logarithm).astype(np.float32) - _BLACK, 0, 255).astype(np.float32)


def _places(x: np.ndarray, y: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Places across and down as -1 to 1."""
    return 2 * x / max(shape[1] - 1, 1) - 1, 2 * y / max(shape[0] - 1, 1) - 1
