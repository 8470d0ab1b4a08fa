"""The colours of the mouth where FaceMesh frames it: teeth that show, and red of the lips that rolls in or out.

FaceMesh's points hardly answer to some movements (lips pressed, a lower lip drawn down), but the picture does. Nine
strips run down across the mouth, from point to point, so that only what the points do not follow moves within them.
Colours are logarithms, beside those of the skin around: neither exposure nor the tint of the light counts.
"""

from __future__ import annotations

import cv2
import numpy as np

from vultus.face.crops import cut_square
from vultus.face.landmarks import eye_line_deg
from vultus.face.points import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS

_UPPER_RIM = (185, 40, 39, 37, 0, 267, 269, 270, 409)
"""From the right corner to the left one; so below. The corners themselves are left out."""
_UPPER_INNER = (191, 80, 81, 82, 13, 312, 311, 310, 415)
_LOWER_INNER = (95, 88, 178, 87, 14, 317, 402, 318, 324)
_LOWER_RIM = (146, 91, 181, 84, 17, 314, 405, 321, 375)
_SKIN = (205, 425, 207, 427, 187, 411, 50, 280, 36, 266)
"""Cheeks, near the mouth."""
_ABOVE, _BELOW = 0.3, 0.5
"""How far strips begin above the lips and end below them, in heights of the mouth."""
_STEPS = (3, 4, 3, 5, 4)
"""Samples above the lips, on the upper one, between them, on the lower one, and below."""
SAMPLES = sum(_STEPS) * len(_UPPER_RIM)
"""Places at which colour is looked up."""

_MIDDLE = (61, 291, 2, 2, 200, 18)
"""Points whose mean is the middle of the crop."""
_NOSE_BASE, _NOSE_WIDTHS = 2, 1.35
"""The size of a head turned aside: so many ways from the eyes to here are the distance of the outer eye corners."""
_CROP_PX, _CROP_EYES, _BLUR_PX = 96, 1.5, 0.8
"""Side of the crop, in pixels and in distances of the outer eye corners, and its smoothing."""
_DIAGONAL = 0.72
"""Half of the crop's diagonal, in sides: however it is turned, it lies within."""
_BLACK = 8.0
"""Added to all values 0-255: in the dark, colour is noise."""
_LUMA = np.float32([0.299, 0.587, 0.114])
_RED = 2.0
"""Weight of redness, which varies less than lightness."""


def lip_colours(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Lightness and redness (2, SAMPLES) float32 of the mouth in an (H, W, 3) uint8 RGB picture (.2 ms).

    `points` (478, 3) are FaceMesh's, in pixels. Rows run from above the mouth down, each from the right corner to the
    left; zero is the skin of the cheeks.
    """
    pixels, there = _crop(image, points[:, :2].astype(float))
    pixels = cv2.GaussianBlur(pixels, (0, 0), _BLUR_PX)
    skin = np.median(_colours(_looked_up(pixels, there[_SKIN, :])), axis=1, keepdims=True)
    return _colours(_looked_up(pixels, _strips(there))) - skin


def mirrored_lips(colours: np.ndarray) -> np.ndarray:
    """Colours (..., 2, SAMPLES) as a mirror shows them."""
    return colours.reshape(*colours.shape[:-1], -1, len(_UPPER_RIM))[..., ::-1].reshape(colours.shape)


def _crop(image: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lower face, upright and always of one size, and the points (478, 2) in it."""
    right, left = points[RIGHT_EYE_CORNERS[0]], points[LEFT_EYE_CORNERS[0]]
    nose = np.linalg.norm((right + left) / 2 - points[_NOSE_BASE])
    side_px = _CROP_EYES * float(max(np.linalg.norm(right - left), _NOSE_WIDTHS * nose, 1.0))
    middle = points[_MIDDLE, :].mean(0)
    extent = image.shape[1::-1]
    low = np.clip((middle - _DIAGONAL * side_px).astype(int), 0, np.subtract(extent, 1))
    high = np.clip((middle + _DIAGONAL * side_px).astype(int) + 2, low + 1, extent)
    near = image[low[1] : high[1], low[0] : high[0]]  # the rest of a large picture need not be shrunk
    crop = cut_square(near, middle - low, side_px, _CROP_PX, eye_line_deg(points))
    return crop.pixels, (points - middle) @ crop.turn * crop.scale + _CROP_PX / 2


def _strips(points: np.ndarray) -> np.ndarray:
    """Where to look, (SAMPLES, 2), among points (478, 2)."""
    top, upper, lower, bottom = (points[row, :] for row in (_UPPER_RIM, _UPPER_INNER, _LOWER_INNER, _LOWER_RIM))
    height = bottom - top
    stops = (top - _ABOVE * height, top, upper, lower, bottom, bottom + _BELOW * height)
    parts = []
    for start, stop, steps in zip(stops, stops[1:], _STEPS, strict=False):
        share = ((np.arange(steps) + 0.5) / steps)[:, None, None]
        parts.append(start + share * (stop - start))
    return np.concatenate(parts).reshape(-1, 2)


def _looked_up(pixels: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Colours (N, 3) at places (N, 2) that count from a pixel's corner."""
    x, y = (where - 0.5).astype(np.float32).T
    return cv2.remap(
        pixels, np.ascontiguousarray(x), np.ascontiguousarray(y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).reshape(-1, 3)


def _colours(values: np.ndarray) -> np.ndarray:
    """Lightness and redness (2, N) of colours (N, 3)."""
    lit = values.astype(np.float32) + _BLACK
    return np.stack([np.log(lit @ _LUMA), _RED * np.log(lit[:, 0] / lit[:, 1])])
