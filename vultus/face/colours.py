"""Colours of the mouth and of the brows where FaceMesh frames them: what shows, though its points hardly move.

FaceMesh's points hardly answer to some movements (lips pressed, a lower lip drawn down, brows drawn down), but the
picture does: teeth show, red rolls in, a brow slides below its points. Strips run down across a region, from point to
point, so that only what the points do not follow moves within them. Colours are logarithms, beside those of the skin
around: neither exposure nor the tint of the light counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from vultus.face.crops import cut_square
from vultus.face.landmarks import eye_line_deg
from vultus.face.points import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS


@dataclass(frozen=True)
class Region:
    """Strips across a part of the face.

    `rows` of FaceMesh points lie one below the other, each from the person's right to the left, one point a strip.
    `above` and `below` say how far strips reach beyond the first and the last row, in distances of these two. `steps`
    are samples between stops, from above the first row to below the last. `skin` are points beside the region, and
    the mean of `middle` is the middle of the crop. `between` strips more lie between any two neighbours.
    """

    rows: tuple[tuple[int, ...], ...]
    above: float
    below: float
    steps: tuple[int, ...]
    skin: tuple[int, ...]
    middle: tuple[int, ...]
    between: int = 0

    @property
    def strips(self) -> int:
        """Strips side by side."""
        return (self.between + 1) * (len(self.rows[0]) - 1) + 1

    @property
    def samples(self) -> int:
        """Places at which colour is looked up."""
        return sum(self.steps) * self.strips


LIPS = Region(
    rows=(
        (185, 40, 39, 37, 0, 267, 269, 270, 409), (191, 80, 81, 82, 13, 312, 311, 310, 415),
        (95, 88, 178, 87, 14, 317, 402, 318, 324), (146, 91, 181, 84, 17, 314, 405, 321, 375),
    ),
    above=0.3, below=0.5, steps=(3, 4, 3, 5, 4),
    skin=(205, 425, 207, 427, 187, 411, 50, 280, 36, 266), middle=(61, 291, 2, 2, 200, 18),
)  # fmt: skip
"""Both rims of both lips, without the corners; cheeks, near the mouth."""
BROWS = Region(
    rows=(
        (70, 63, 105, 66, 107, 9, 336, 296, 334, 293, 300), (113, 225, 224, 222, 221, 168, 441, 442, 444, 445, 342),
    ),
    above=0.35, below=0.0, steps=(4, 9), between=1,
    skin=(50, 280, 101, 330, 118, 347, 36, 266), middle=(9, 8, 168),
)  # fmt: skip
"""Upper edge of the brows, and the fold above the lid, which a blink leaves in its place; cheeks below the eyes, as
the forehead may be under hair."""

_NOSE_BASE, _NOSE_WIDTHS = 2, 1.35
"""The size of a head turned aside: so many ways from the eyes to here are the distance of the outer eye corners."""
_CROP_PX, _CROP_EYES, _BLUR_PX = 96, 1.5, 0.8
"""Side of the crop, in pixels and in distances of the outer eye corners, and its smoothing."""
_DIAGONAL = 0.72
"""Half of the crop's diagonal, in sides: however it is turned, it lies within."""
_BLACK = 8.0
"""Added to all values 0-255: in the dark, colour is noise."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_RED = 2.0
"""Weight of redness, which varies less than lightness."""


class Colours(NamedTuple):
    """Lightness and redness of `LIPS` and of `BROWS`, each (..., 2, samples) float32."""

    lips: np.ndarray
    brows: np.ndarray


def face_colours(image: np.ndarray, points: np.ndarray) -> Colours:
    """Colours of both regions in an (H, W, 3) uint8 RGB picture; `points` (478, 3) are FaceMesh's, in pixels."""
    return Colours(colours(image, points, LIPS), colours(image, points, BROWS))


def colours(image: np.ndarray, points: np.ndarray, region: Region) -> np.ndarray:
    """Lightness and redness (2, samples) float32 of a region in an (H, W, 3) uint8 RGB picture (.2 ms).

    `points` (478, 3) are FaceMesh's, in pixels. Rows run from above the region down, each from the person's right to
    the left; zero is the skin of the cheeks.
    """
    pixels, there = _crop(image, points[:, :2].astype(float), region)
    pixels = cv2.GaussianBlur(pixels, (0, 0), _BLUR_PX)
    skin = np.median(_tones(_looked_up(pixels, there[region.skin, :])), axis=1, keepdims=True)
    return _tones(_looked_up(pixels, _strips(there, region))) - skin


def mirrored(seen: np.ndarray, region: Region) -> np.ndarray:
    """Colours (..., 2, samples) of a region as a mirror shows them."""
    return seen.reshape(*seen.shape[:-1], -1, region.strips)[..., ::-1].reshape(seen.shape)


def _crop(image: np.ndarray, points: np.ndarray, region: Region) -> tuple[np.ndarray, np.ndarray]:
    """The region, upright and always of one size, and the points (478, 2) in it."""
    right, left = points[RIGHT_EYE_CORNERS[0]], points[LEFT_EYE_CORNERS[0]]
    nose = float(np.linalg.norm((right + left) / 2 - points[_NOSE_BASE]))
    side_px = _CROP_EYES * max(float(np.linalg.norm(right - left)), _NOSE_WIDTHS * nose, 1.0)
    middle = points[region.middle, :].mean(0)
    extent = image.shape[1::-1]
    low = np.clip((middle - _DIAGONAL * side_px).astype(int), 0, np.subtract(extent, 1))
    high = np.clip((middle + _DIAGONAL * side_px).astype(int) + 2, low + 1, extent)
    near = image[low[1] : high[1], low[0] : high[0]]  # the rest of a large picture need not be shrunk
    crop = cut_square(near, middle - low, side_px, _CROP_PX, eye_line_deg(points))
    return crop.pixels, (points - middle) @ crop.turn * crop.scale + _CROP_PX / 2


def _strips(points: np.ndarray, region: Region) -> np.ndarray:
    """Where to look, (samples, 2), among points (478, 2)."""
    at = np.linspace(0, len(region.rows[0]) - 1, region.strips)
    share, left = (at % 1)[:, None], at.astype(int)
    right = np.minimum(left + 1, len(region.rows[0]) - 1)
    rows = [(1 - share) * points[row, :][left] + share * points[row, :][right] for row in region.rows]
    height = rows[-1] - rows[0]
    stops = [rows[0] - region.above * height, *rows, rows[-1] + region.below * height]
    parts = []
    for start, stop, steps in zip(stops, stops[1:], region.steps, strict=False):
        share = ((np.arange(steps) + 0.5) / steps)[:, None, None]
        parts.append(start + share * (stop - start))
    return np.concatenate(parts).reshape(-1, 2)


def _looked_up(pixels: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Colours (N, 3) at places (N, 2) that count from a pixel's corner."""
    x, y = (where - 0.5).astype(np.float32).T
    return cv2.remap(
        pixels, np.ascontiguousarray(x), np.ascontiguousarray(y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).reshape(-1, 3)


def _tones(values: np.ndarray) -> np.ndarray:
    """Lightness and redness (2, N) of colours (N, 3)."""
    lit = values.astype(np.float32) + _BLACK
    return np.stack([np.log(lit @ _LUMA), _RED * np.log(lit[:, 0] / lit[:, 1])])
