"""Lips and what lies between them, drawn from a patch of the gallery into another frame and another shape."""

from __future__ import annotations

import cv2
import numpy as np

from vultus.rendering.footage.patch import CHIN_COLUMNS, LIP_COLUMNS, RINGS, Patch
from vultus.rendering.raster import FAR, draw_surface

REVEAL = 0.25
"""Lips cover teeth by no more than this share of the patch's opening beyond what they cover in it."""
RIM = 0.25
"""Share of the innermost strip of the lips, next to teeth, that is not shown: points are a pixel off now and then."""
LEAST_INSIDE, MOST_RIM_SHARE = 0.04, 0.1
"""Likewise, what lies between the lips is shown without its edges, in mouth widths, and at most this share of it."""
SUPERSAMPLE = 2
"""The lips' inner edges are drawn at this many times their size: they must not step. The rest stays sharp without."""
_RING = 20
_INNER = _RING * (len(RINGS) - 1)
_UPPER = _INNER + np.arange(11, 20)
_LOWER = _INNER + np.arange(1, 10)[::-1]
_CORNERS = [_INNER + 10, _INNER]
"""The subject's left one first, as the upper lip's points run."""
_MIDDLE = slice(2, 7)


def draw_patch(
    patch: Patch, points: np.ndarray, departure: np.ndarray, box: tuple[slice, slice]
) -> tuple[np.ndarray, np.ndarray]:
    """The patch's mouth in another shape: pixels (h, w, 3) uint8 and cover (h, w) float32 0-1 in a box of a frame.

    Skin and lips follow five lines of points; between the lips the upper half is fixed to the skull and the lower one
    to the jaw, as teeth are.

    Args:
        points: (100, 2) where the points of `patch.RINGS` are to lie, pixels of the frame.
        departure: (M, 2) of that mouth, see `FaceTrack`.
        box: rows and columns of the frame that hold them.
    """
    height, width = (part.stop - part.start for part in box)
    inner, inner_source = _inside(patch, points, departure)
    screen = np.zeros((len(points) + len(inner), 3), np.float32)
    screen[:, :2] = np.concatenate([points, inner]) - (box[1].start, box[0].start)
    screen[len(points) :, 2] = 1.0  # lips lie in front of what is between them
    attributes = np.ones((len(screen), 4), np.float32)
    attributes[:, :2] = np.concatenate([_without_rim(patch.points), inner_source])
    attributes[:_RING, 2] = 0.0
    pixels, cover = _drawn(patch, screen, attributes, (height, width), 1)[:2]
    _smooth_edges(pixels, patch, screen, attributes)
    return pixels, cover * cover * (3 - 2 * cover)


def _smooth_edges(pixels: np.ndarray, patch: Patch, screen: np.ndarray, attributes: np.ndarray) -> None:
    """Draw the lips' inner edges anew, in place, without steps."""
    low = np.clip(np.floor(screen[_INNER:, :2].min(0)).astype(int) - 1, 0, pixels.shape[1::-1])
    high = np.clip(np.ceil(screen[_INNER:, :2].max(0)).astype(int) + 2, 0, pixels.shape[1::-1])
    if (high <= low).any():
        return
    part = pixels[low[1] : high[1], low[0] : high[0]]
    moved: np.ndarray = screen - np.array([*low, 0], np.float32)
    fine, _, label = _drawn(patch, moved, attributes, part.shape[:2], SUPERSAMPLE)
    inside = cv2.resize((label == 2).astype(np.float32), part.shape[1::-1], interpolation=cv2.INTER_AREA)
    edge = (inside > 0) & (inside < 1)
    part[edge] = cv2.resize(fine, part.shape[1::-1], interpolation=cv2.INTER_AREA)[edge]


def _without_rim(points: np.ndarray) -> np.ndarray:
    """A patch's points (100, 2) with its innermost line on the lips' red: not quite where teeth begin."""
    moved = points.copy()
    moved[_INNER:] += RIM * (points[_INNER - _RING : _INNER] - points[_INNER:])
    return moved


def _drawn(
    patch: Patch, screen: np.ndarray, attributes: np.ndarray, size: tuple[int, ...], scale: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels, cover and label (1 skin and lips, 2 between the lips), (height, width) large times a scale."""
    height, width = scale * size[0], scale * size[1]
    flow, cover = np.zeros((height, width, 2), np.float32), np.zeros((height, width), np.float32)
    depth, label = np.full((height, width), FAR, np.float32), np.zeros((height, width), np.uint8)
    screen = screen * np.array([scale, scale, 1], np.float32)
    draw_surface(screen, _LIPS, attributes, flow, cover, label, depth, False, 1)
    draw_surface(screen, _BETWEEN, attributes, flow, cover, label, depth, False, 2)
    pixels = cv2.remap(patch.pixels, flow - np.float32(0.5), None, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    return pixels, cover, label


def _inside(patch: Patch, points: np.ndarray, departure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two rows of nine points between the lips and the corners (20, 2), and where the patch shows what belongs there.

    The upper row moves with the skull, the lower one with the jaw, each as one piece; where the patch shows lip at
    such a place, the piece is pushed between its lips.
    """
    upper, lower = points[_UPPER], points[_LOWER]
    own_upper, own_lower = patch.points[_UPPER], patch.points[_LOWER]
    change = departure - patch.departure
    lips, jaw = change[LIP_COLUMNS], change[CHIN_COLUMNS].mean(0)
    down = -patch.to_pixels[:, 1] / np.linalg.norm(patch.to_pixels[:, 1])
    own_gap = ((own_lower - own_upper) @ down).clip(0)
    skull = (lips[_UPPER - _RING] @ patch.to_pixels.T @ down)[_MIDDLE].mean()
    lower_jaw = ((lips[_LOWER - _RING] - jaw) @ patch.to_pixels.T @ down)[_MIDDLE].mean()
    rim = np.minimum(LEAST_INSIDE * float(np.linalg.norm(own_upper[0] - own_upper[-1])), MOST_RIM_SHARE * own_gap)
    room = np.maximum(REVEAL * own_gap, rim)
    corners = patch.points[_CORNERS]
    shown = (
        own_upper + np.clip(skull, rim, room)[:, None] * down,
        own_lower + np.clip(lower_jaw, -room, -rim)[:, None] * down,
        corners + LEAST_INSIDE * (corners[::-1] - corners),
    )
    return np.concatenate([upper, lower, points[_CORNERS]]), np.concatenate(shown)


def _lips() -> np.ndarray:
    """Strips between neighbouring lines."""
    found = []
    for ring in range(len(RINGS) - 1):
        for k in range(_RING):
            a, b = ring * _RING + k, ring * _RING + (k + 1) % _RING
            found += [(a, b, a + _RING), (b, b + _RING, a + _RING)]
    return np.array(found, np.int32)


def _between() -> np.ndarray:
    """The strip between the lips, and its ends at the corners."""
    first = _RING * len(RINGS)
    found = []
    for a in range(first, first + 8):
        found += [(a, a + 1, a + 9), (a + 1, a + 10, a + 9)]
    left, right = first + 18, first + 19
    found += [(left, first, first + 9), (right, first + 8, first + 17)]
    return np.array(found, np.int32)


_LIPS, _BETWEEN = _lips(), _between()
