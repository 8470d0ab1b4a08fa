"""Filling holes in pictures: push-pull interpolation and an edge-aware mask filter."""

from __future__ import annotations

import cv2
import numpy as np


def push_pull(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fill the unknown pixels of an image smoothly from the known ones (Gortler et al. 1996, section 4).

    Args:
        image: (H, W, C) float32 or uint8.
        known: (H, W) bool or weights 0-1.

    Returns:
        (H, W, C) float32; where known is 1 the image itself.
    """
    colour = image.astype(np.float32) * known.astype(np.float32)[..., None]
    weight = known.astype(np.float32)
    levels = []
    while max(weight.shape) > 1:
        levels.append((colour, weight))
        size = ((weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2)
        colour, weight = _shrink(colour, size), _shrink(weight, size)
        gain = np.minimum(1.0, weight * 4) / np.maximum(weight, 1e-6)
        colour, weight = colour * gain[..., None], weight * gain
    filled = colour / np.maximum(weight, 1e-6)[..., None]
    for colour, weight in reversed(levels):
        filled = cv2.resize(filled, weight.shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(colour.shape)
        filled = colour + filled * (1 - weight)[..., None]
    return filled


def _shrink(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    small = cv2.resize(array, size, interpolation=cv2.INTER_AREA)
    return small.reshape(size[1], size[0], *array.shape[2:])


def guided_filter(guide: np.ndarray, mask: np.ndarray, radius_px: int, epsilon: float = 1e-4) -> np.ndarray:
    """Snap a soft mask (H, W) float32 to the edges of a grey guide (H, W) float32 0-1 (He et al. 2010, eq. 5-8)."""
    size = (2 * radius_px + 1, 2 * radius_px + 1)

    def mean(x: np.ndarray) -> np.ndarray:
        return cv2.blur(x, size, borderType=cv2.BORDER_REFLECT)

    guide_mean, mask_mean = mean(guide), mean(mask)
    slope = (mean(guide * mask) - guide_mean * mask_mean) / (mean(guide * guide) - guide_mean**2 + epsilon)
    return mean(slope) * guide + mean(mask_mean - slope * guide_mean)


def smoothstep(x: np.ndarray | float) -> np.ndarray:
    """The cubic 3x^2 - 2x^3 on x clipped to 0-1."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)
