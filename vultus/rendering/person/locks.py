"""Strands as arrays: where they are, their colour, thickness and how open to light they lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vultus.rendering.person.appearance import Hair, linear


@dataclass(frozen=True)
class Locks:
    """S strands of K points each."""

    points: np.ndarray
    """(S, K, 3) float32 head units: positions at rest, or offsets from their roots."""
    colours: np.ndarray
    """(S, K, 3) float32 linear."""
    openness: np.ndarray
    """(S, K) float32 0-1: 1 at the surface of the hair, less inside."""
    width: np.ndarray
    """(K,) float32 head units."""
    follow: np.ndarray
    """(S * K, 1) float32: how much of the head's turning reaches a point."""
    opacity: float = 1.0


def strand_colours(hair: Hair, strands: int, count: int, rng: np.random.Generator, variety: float = 0.22) -> np.ndarray:
    """Linear colours (S, K, 3): every strand a little different, some grey, tips lighter than roots."""
    base = linear(hair.colour)
    each = base * np.exp(variety * rng.standard_normal((strands, 1)) + 0.06 * rng.standard_normal((strands, 3)))
    turned = np.clip(hair.grey + 0.35 * (rng.random((strands, 1)) < hair.grey) - 0.15, 0, 1)
    grey = each + turned * (linear((172, 169, 165)) * np.exp(0.15 * rng.standard_normal((strands, 1))) - each)
    along = np.linspace(0.8, 1.15, count)[None, :, None]
    return np.clip(grey[:, None] * along, 0, 1).astype(np.float32)


def sample_roots(
    points: np.ndarray, triangles: np.ndarray, weight: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Random places on a mesh: triangles' corners (S, 3) as vertex indices, and barycentric weights (S, 3) float32.

    `weight` (T,) says how densely each unit of area is covered.
    """
    a, b, c = (points[triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) * weight
    chosen = rng.choice(len(triangles), count, p=area / area.sum())
    u, v = rng.random((2, count))
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    return triangles[chosen], np.stack([1 - u - v, u, v], 1).astype(np.float32)


def at_roots(values: np.ndarray, corners: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Values (S, C) of vertices (V, C), interpolated at roots."""
    return (values[corners] * weights[..., None]).sum(1)
