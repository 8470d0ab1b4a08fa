"""One texture for a whole head: painted skin above, then an iris and cells of one colour for teeth, tongue and gums."""

from __future__ import annotations

import cv2
import numpy as np

from vultus.rendering.person.appearance import Appearance
from vultus.rendering.person.body import EYE_SIDES, Body
from vultus.rendering.person.chart import HEIGHT, WIDTH
from vultus.rendering.person.skin import paint_skin

EYE_PX, EYE_REACH_DEG = 192, 60.0
"""Side of the eye's picture, and the angle from the middle of the eyeball at its border."""
IRIS_DEG, PUPIL_DEG = 25.0, 11.0
WHITE, LIMBUS, PUPIL = (236, 232, 228), (38, 28, 22), (12, 10, 10)
CELL_PX = 16


def build_atlas(person: Appearance, body: Body, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The texture (HEIGHT + EYE_PX, WIDTH, 3) uint8 sRGB and where in it, in pixels of `cv2.remap`, the first `count`
    vertices of the body lie, (count, 2) float32."""
    texture = np.zeros((HEIGHT + EYE_PX, WIDTH, 3), np.uint8)
    skin = paint_skin(person, np.random.default_rng(person.seed))[..., :3]
    texture[:HEIGHT] = _srgb(skin)
    texture[HEIGHT:, :EYE_PX] = _paint_eye(person)
    places = body.surface[:count, :2].copy()
    flat = np.ones(count, bool)
    flat[body.head.vertices_of("skin")] = False
    for side in EYE_SIDES:
        ball = body.head.vertices_of(side)
        flat[ball] = False
        places[ball] = _eye_places(body.rest[ball])
    colours, which = np.unique(body.surface[:count][flat].round(4), axis=0, return_inverse=True)
    corners = EYE_PX + CELL_PX * np.arange(len(colours))
    for corner, colour in zip(corners, colours, strict=True):
        texture[HEIGHT : HEIGHT + CELL_PX, corner : corner + CELL_PX] = _srgb(colour)
    places[flat, 0] = corners[which.reshape(-1)] + CELL_PX / 2
    places[flat, 1] = HEIGHT + CELL_PX / 2
    return texture, places.astype(np.float32) - np.float32(0.5)


def _eye_places(points: np.ndarray) -> np.ndarray:
    """Pixels (N, 2) of points of an eyeball at rest, the angle from its middle being the distance in the picture."""
    offset = points - (points.min(0) + points.max(0)) / 2
    across = np.hypot(offset[:, 0], offset[:, 1])
    reach = np.minimum(np.degrees(np.arctan2(across, offset[:, 2])) / EYE_REACH_DEG, 0.98) * EYE_PX / 2
    direction = np.stack([offset[:, 0], -offset[:, 1]], 1) / np.maximum(across, 1e-6)[:, None]
    return direction * reach[:, None] + [EYE_PX / 2, HEIGHT + EYE_PX / 2]


def _paint_eye(person: Appearance) -> np.ndarray:
    """(EYE_PX, EYE_PX, 3) uint8: pupil, iris with darker border and fine rays, white."""
    scale = 4
    side = EYE_PX * scale
    y, x = (np.mgrid[:side, :side] + 0.5 - side / 2) / (side / 2) * EYE_REACH_DEG
    angle, turn = np.hypot(x, y), np.arctan2(y, x)
    rays = 1 + 0.10 * np.sin(23 * turn) + 0.08 * np.sin(41 * turn + 1) + 0.06 * np.sin(67 * turn + 2)
    bright = (1.25 - 0.4 * (angle - PUPIL_DEG) / (IRIS_DEG - PUPIL_DEG)) * rays
    picture = np.full((side, side, 3), WHITE, np.float32)
    inside = angle < IRIS_DEG
    picture[inside] = np.clip(bright[inside, None] * np.array(person.eyes.iris, np.float32), 0, 255)
    edge = np.exp(-0.5 * ((angle - IRIS_DEG) / 1.6) ** 2)[..., None]
    picture += 0.8 * edge * (np.array(LIMBUS, np.float32) - picture)
    picture[angle < PUPIL_DEG] = PUPIL
    return cv2.resize(picture, (EYE_PX, EYE_PX), interpolation=cv2.INTER_AREA).astype(np.uint8)


def _srgb(linear: np.ndarray) -> np.ndarray:
    return np.round(255 * np.clip(linear, 0, 1) ** (1 / 2.2)).astype(np.uint8)
