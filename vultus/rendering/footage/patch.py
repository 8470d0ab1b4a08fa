"""A mouth as one frame shows it, cut out with the points that carry it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vultus.face.points import FOOTAGE_POINTS, LIPS_RINGS

AROUND = (57, 43, 106, 182, 83, 18, 313, 406, 335, 273, 287, 410, 322, 391, 393, 164, 167, 165, 92, 186)
"""FaceMesh's line of skin around the lips, in the order of their own lines."""
RINGS = (AROUND, *LIPS_RINGS)
PATCH_POINTS = tuple(FOOTAGE_POINTS.index(k) for ring in RINGS for k in ring)
"""Columns of a track's points that carry a patch: five lines of twenty, from the skin inwards."""
LIP_COLUMNS = slice(0, 80)
"""Columns of a track's departures on the lips."""

MARGIN = 0.35
"""Room around the line of skin, in its width, so that its colours can be compared beyond it."""
CHIN_COLUMNS = slice(80, 116)
"""And those on the chin."""
DEGREES_A_UNIT = 45.0
"""A turn of the head by so many degrees makes two mouths as different as lips one head unit apart."""


@dataclass(frozen=True)
class View:
    """What a track says of a face in one frame."""

    points: np.ndarray
    """(P, 2) pixels of the frame."""
    departure: np.ndarray
    """(M, 2) as in `FaceTrack`."""
    to_pixels: np.ndarray
    """(2, 2) from head units across and up, in the face's plane, to pixels."""
    rotation_deg: np.ndarray
    """(3,) of the head."""


@dataclass(frozen=True)
class Patch:
    """A mouth as one frame shows it."""

    pixels: np.ndarray
    """(h, w, 3) uint8."""
    points: np.ndarray
    """(100, 2) float32 of `RINGS` in its pixels."""
    departure: np.ndarray
    """(M, 2) as in `FaceTrack`."""
    to_pixels: np.ndarray
    """(2, 2) from head units across and up to its pixels."""
    rotation_deg: np.ndarray
    """(3,) of the head."""


def cut_patch(image: np.ndarray, view: View) -> Patch:
    """The mouth of a face in a frame (H, W, 3) uint8."""
    points = view.points[list(PATCH_POINTS)]
    room = MARGIN * float(np.ptp(points[:, 0]))
    low = np.maximum(np.floor(points.min(0) - room), 0).astype(int)
    high = np.minimum(np.ceil(points.max(0) + room) + 1, image.shape[1::-1]).astype(int)
    pixels = np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])
    return Patch(pixels, (points - low).astype(np.float32), view.departure, view.to_pixels, view.rotation_deg)
