"""Open mouths for somebody whose video shows none: the portrait renderer's, on the person's own frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.core.types import Portrait
from vultus.face.fit import fit_face
from vultus.face.head import embedded_head
from vultus.face.landmarks import FaceMesh
from vultus.face.points import FOOTAGE_POINTS, face_box
from vultus.face.segment import person_mask
from vultus.rendering.canvas import lay_canvas
from vultus.rendering.footage.patch import Patch, View, cut_patch
from vultus.rendering.portrait import PortraitRenderer

FACES = 2.2
"""Side of the piece of the frame that is drawn, in face boxes."""
POSES = (
    {"jawOpen": 0.1}, {"jawOpen": 0.2}, {"jawOpen": 0.32}, {"jawOpen": 0.45},
    {"jawOpen": 0.2, "mouthFunnel": 0.45}, {"jawOpen": 0.1, "mouthPucker": 0.6}, {"jawOpen": 0.15, "mouthStretch": 0.4},
)  # fmt: skip
"""Weights added to the frame's own expression; a name without a side means both."""


def invented_patches(image: np.ndarray, view: View) -> list[Patch]:
    """Mouths that a frame (H, W, 3) uint8 RGB does not show; none if its face is not found again."""
    whole = np.zeros((478, 2), np.float32) + view.points.mean(0)
    whole[list(FOOTAGE_POINTS)] = view.points
    center_px, side_px = face_box(whole)
    half = FACES * side_px / 2
    low = np.maximum(np.floor(center_px - half), 0).astype(int)
    high = np.minimum(np.ceil(center_px + half), image.shape[1::-1]).astype(int)
    piece = np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])
    with FaceMesh() as mesh:
        seen = mesh.look(piece, center_px - low, side_px)
        if seen is None:
            return []
        fit = fit_face(seen.landmarks, embedded_head())
        canvas = lay_canvas(Portrait(piece, fit), "full", max(piece.shape[:2]))
        renderer = PortraitRenderer(canvas, fit, person_mask(canvas.texture))
        found = []
        for pose in POSES:
            drawn = renderer.frame(np.maximum(fit.expression, _weights(pose)), np.zeros(3), np.zeros(3), np.zeros(2))
            moved = mesh.look(drawn, center_px - low, side_px)
            if moved is not None:
                shift = (moved.landmarks - seen.landmarks)[list(FOOTAGE_POINTS), :2]
                found.append(cut_patch(drawn, _shifted(view, shift, low)))
    return found


def _shifted(view: View, shift: np.ndarray, low: np.ndarray) -> View:
    """The view in a piece of the frame from `low` (2,) on, after its points have moved by (P, 2) pixels."""
    departure = view.departure + shift[: len(view.departure)] @ np.linalg.inv(view.to_pixels).T
    return replace(view, points=view.points - low + shift, departure=departure.astype(np.float32))


def _weights(pose: dict[str, float]) -> np.ndarray:
    weights = np.zeros(len(ARKIT52), np.float32)
    for name, weight in pose.items():
        for side in (name,) if name in ARKIT52 else (name + "Left", name + "Right"):
            weights[index_of(side)] = weight
    return weights
