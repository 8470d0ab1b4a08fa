"""The bare head as plain computer graphics: to look at shapes without a photo."""

from __future__ import annotations

import numpy as np

from vultus.core.pose import matrix_from_degrees
from vultus.face.head import FLIP, PARTS, HeadModel, project, shade
from vultus.rendering.raster import FAR, draw_colours, vertex_normals

COLOURS = {
    "skin": (212, 172, 150), "gums": (170, 90, 90), "tongue": (190, 100, 100), "upper_teeth": (236, 230, 218),
    "lower_teeth": (230, 224, 212), "left_eye": (240, 238, 235), "right_eye": (240, 238, 235), "socket": (90, 40, 40),
}  # fmt: skip
IRIS_DEG, PUPIL_DEG = 26.0, 10.0
STUDIO = np.array([1.6, 0.35, 0.95, 0.2, 0.03, 0.08, 0.12, 0.08, 0.03])[:, None] * np.array([1.0, 0.97, 0.94])
"""SH illumination (9, 3): a soft light from the front and above."""
DISTANCE, SUPERSAMPLE = 70.0, 2


def preview_head(
    head: HeadModel,
    identity: np.ndarray | None = None,
    expression: np.ndarray | None = None,
    ypr_deg: tuple[float, float, float] = (0.0, 0.0, 0.0),
    size: int = 256,
) -> np.ndarray:
    """A picture (size, size, 3) uint8 RGB of the head model in studio light."""
    side = size * SUPERSAMPLE
    vertices = head.vertices(identity, expression).astype(np.float32)
    rotation = matrix_from_degrees(np.array(ypr_deg))
    middle = np.array([0.0, (vertices[:, 1].max() + vertices[:, 1].min()) / 2 + 1.5, 0.0])
    translation = np.array([0.0, 0.0, DISTANCE]) - FLIP @ rotation @ middle
    screen = project(vertices, rotation, translation, side * 2.3, np.full(2, side / 2)).astype(np.float32)
    normals = vertex_normals(vertices, head.triangles) @ rotation.T.astype(np.float32)
    colours = _paint(head, vertices) * np.clip(shade(normals, STUDIO), 0, 1.2)
    image = np.full((side, side, 3), 232, np.float32)
    depth, label = np.full((side, side), FAR, np.float32), np.ones((side, side), np.uint8)
    draw_colours(screen, head.triangles, colours.astype(np.float32), image, label, depth, 1)
    small = image.reshape(size, SUPERSAMPLE, size, SUPERSAMPLE, 3).mean((1, 3))
    return np.clip(small, 0, 255).astype(np.uint8)


def _paint(head: HeadModel, vertices: np.ndarray) -> np.ndarray:
    """Albedo (V, 3) 0-255 by part, with irises that look ahead."""
    if head.part is None:
        return np.tile(np.array(COLOURS["skin"], np.float32), (len(vertices), 1))
    colours = np.array([COLOURS[name] for name in PARTS], np.float32)[head.part]
    for side in ("left_eye", "right_eye"):
        ball = head.vertices_of(side)
        offset = vertices[ball] - vertices[ball].mean(0)
        angle = np.degrees(np.arccos(np.clip(offset[:, 2] / np.linalg.norm(offset, axis=1), -1, 1)))
        colours[ball[angle < IRIS_DEG]] = (96, 66, 44)
        colours[ball[angle < PUPIL_DEG]] = (16, 12, 10)
    return colours
