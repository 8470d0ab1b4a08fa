"""How much light reaches a place from each side: baked once a person, as visibility in nine spherical harmonics."""

from __future__ import annotations

import numpy as np

from vultus.face.head import spherical_harmonics
from vultus.rendering.raster import FAR, draw_colours

DIRECTIONS, MAP_PX, REACH = 48, 128, 30.0
"""Directions looked from, side of each depth map, and half the width that it covers in head units."""
BIAS = 0.45


def directions() -> np.ndarray:
    """(DIRECTIONS, 3) unit vectors, evenly over the sphere (Fibonacci)."""
    k = np.arange(DIRECTIONS) + 0.5
    z, turn = 1 - 2 * k / DIRECTIONS, np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(turn), z, r * np.sin(turn)], 1).astype(np.float32)


def bake(
    vertices: np.ndarray, triangles: np.ndarray, receivers: np.ndarray, normals: np.ndarray, hair: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Visibility (N, 9) in spherical harmonics and openness (N,) 0-1 of `receivers` (N, 3) with normals (N, 3).

    `vertices`, `triangles`: what hides; `hair`: (P, 3) points that hide like small balls.
    """
    visibility = np.zeros((len(receivers), 9), np.float32)
    openness, weight = np.zeros(len(receivers), np.float32), np.zeros(len(receivers), np.float32)
    middle = np.array([0, 0, 1.5], np.float32)
    dummy = np.zeros((MAP_PX, MAP_PX, 3), np.float32)
    no_colour = np.zeros_like(vertices)
    scale = MAP_PX / (2 * REACH)
    for towards in directions():
        axes = _view_axes(towards)
        depth = np.full((MAP_PX, MAP_PX), FAR, np.float32)
        label = np.ones((MAP_PX, MAP_PX), np.uint8)
        seen = (vertices - middle) @ axes
        seen[:, :2] = seen[:, :2] * scale + MAP_PX / 2
        draw_colours(seen, triangles, no_colour, dummy, label, depth, 1)
        if len(hair):
            strand = (hair - middle) @ axes
            column, row = (np.clip((strand[:, k] * scale + MAP_PX / 2).astype(int), 0, MAP_PX - 1) for k in (0, 1))
            np.minimum.at(depth, (row, column), strand[:, 2].astype(np.float32))
        place = (receivers + 0.25 * normals - middle) @ axes
        column, row = (np.clip((place[:, k] * scale + MAP_PX / 2).astype(int), 0, MAP_PX - 1) for k in (0, 1))
        free = (place[:, 2] < depth[row, column] + BIAS).astype(np.float32)
        visibility += free[:, None] * spherical_harmonics(towards)[None] * np.float32(4 * np.pi / DIRECTIONS)
        facing = np.clip(normals @ towards, 0, 1)
        openness += free * facing
        weight += facing
    return visibility, openness / np.maximum(weight, 1e-3)


def lit(visibility: np.ndarray, normals: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """How much (N,) 0-1 of the light from a direction (3,) arrives, relative to a surface that nothing hides."""
    seen = visibility @ spherical_harmonics(towards.astype(np.float32))
    alone = 0.5 + 0.75 * np.clip(normals @ towards.astype(np.float32), 0, 1)
    return np.clip(seen / alone, 0, 1).astype(np.float32)


def _view_axes(towards: np.ndarray) -> np.ndarray:
    """(3, 3): points @ axes are right, down and depth as seen from a direction."""
    up = np.array([0, 1, 0], np.float32) if abs(towards[1]) < 0.9 else np.array([0, 0, 1], np.float32)
    right = np.cross(up, towards)
    right /= np.linalg.norm(right)
    return np.stack([right, -np.cross(towards, right), -towards], 1).astype(np.float32)
