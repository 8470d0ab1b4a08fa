"""What is behind a rendered person: plain paper, gradients, a wall, a room out of focus, lights, green."""

from __future__ import annotations

import cv2
import numpy as np

from vultus.rendering.person.appearance import Backdrop, linear


def paint_backdrop(backdrop: Backdrop, size: int, rng: np.random.Generator) -> np.ndarray:
    """(size, size, 3) float32 linear light."""
    first, second = linear(backdrop.colour), linear(backdrop.second)
    y, x = (np.mgrid[:size, :size] + 0.5).astype(np.float32) / size
    if backdrop.scene == "green":
        return np.tile(linear((40, 177, 76)), (size, size, 1)) * _falloff(x, y, 0.25)
    if backdrop.scene == "plain":
        return np.tile(first, (size, size, 1)) * _falloff(x, y, 0.15)
    if backdrop.scene == "gradient":
        tilt = rng.uniform(-0.5, 0.5)
        share = np.clip(y + tilt * (x - 0.5), 0, 1)[..., None]
        return (first + share * (second - first)) * _falloff(x, y, 0.4)
    if backdrop.scene == "wall":
        rough = cv2.GaussianBlur(rng.standard_normal((size, size)).astype(np.float32), (0, 0), size / 90)
        rough = rough / rough.std() * 0.03 + _clouds(size, rng) * 0.08
        edge = 1 - 0.25 * (x > rng.uniform(0.05, 0.95)) * (rng.random() < 0.5)
        return (
            np.tile(first, (size, size, 1)) * (np.exp(rough) * edge)[..., None].astype(np.float32) * _falloff(x, y, 0.3)
        )
    if backdrop.scene == "room":
        return _room(first, second, size, rng)
    return _lights(first, second, size, rng)


def _falloff(x: np.ndarray, y: np.ndarray, amount: float) -> np.ndarray:
    return (1 - amount * ((x - 0.5) ** 2 + (y - 0.45) ** 2) * 2)[..., None].astype(np.float32)


def _clouds(size: int, rng: np.random.Generator) -> np.ndarray:
    coarse = rng.standard_normal((5, 5)).astype(np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def _room(first: np.ndarray, second: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Furniture, shelves, a window: boxes that a wide aperture has melted together."""
    image = np.tile(first, (size, size, 1)).astype(np.float32)
    for _ in range(rng.integers(8, 22)):
        corner, extent = rng.uniform(-0.1, 1, 2) * size, rng.uniform(0.05, 0.4, 2) * size
        colour = (first, second)[rng.integers(2)] * np.exp(rng.normal(0, 0.45) + rng.normal(0, 0.12, 3))
        (x0, y0), (x1, y1) = corner.astype(int), (corner + extent).astype(int)
        cv2.rectangle(image, (int(x0), int(y0)), (int(x1), int(y1)), tuple(np.clip(colour, 0, 1).tolist()), -1)
    if rng.random() < 0.5:
        x0 = int(rng.choice([0.0, 0.7]) * size)
        cv2.rectangle(image, (x0, 0), (x0 + size // 3, size // 2), (1.0, 1.05, 1.1), -1)
    return cv2.GaussianBlur(image, (0, 0), size * rng.uniform(0.012, 0.05)).astype(np.float32)


def _lights(first: np.ndarray, second: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Discs of light out of focus before something dark."""
    image = _room(first * 0.3, second * 0.3, size, rng)
    for _ in range(rng.integers(10, 30)):
        centre, radius = rng.uniform(0, 1, 2) * size, rng.uniform(0.02, 0.07) * size
        disc = np.zeros((size, size), np.float32)
        cv2.circle(disc, tuple((centre * 8).astype(int).tolist()), int(radius * 8), 1.0, -1, cv2.LINE_AA, 3)
        warm = np.array([1.0, rng.uniform(0.5, 0.95), rng.uniform(0.2, 0.9)], np.float32)
        image += disc[..., None] * warm * rng.uniform(0.1, 0.5)
    return cv2.GaussianBlur(image, (0, 0), size * 0.004).astype(np.float32)
