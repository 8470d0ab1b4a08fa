"""Where on the picture the animation happens, and at what size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vultus.core.method import Crop
from vultus.core.types import Fit, Portrait

FACE_CROP_SIZE = 512
"""Side in pixels of a face crop, unless asked otherwise."""
FULL_LONGEST_SIDE = 1280
"""A whole picture is shown at its own size, but no longer than this unless asked otherwise."""
STAGE_IN_FACES = 2.6
CROP_IN_FACES = 2.3
"""Sides of the animated area and of a face crop, as multiples of the longer side of the landmarks' box."""
MARGIN = 0.12
"""Share of the stage added around it as texture, so that pixels can move in from outside."""


@dataclass(frozen=True)
class Canvas:
    """The picture at output size and the stage on it.

    The texture is the stage with `margin_px` more on every side; where the picture ends it is mirrored.
    """

    picture: np.ndarray
    """(H, W, 3) uint8: what is shown, at its final size."""
    alpha: np.ndarray | None
    """(H, W) uint8 as given with the portrait."""
    scale: float
    """Output pixels per pixel of the portrait's image."""
    origin: tuple[int, int]
    """x, y of the picture's corner in the scaled portrait."""
    stage: tuple[int, int, int, int]
    """x, y, width, height of the stage in the picture."""
    margin_px: int
    texture: np.ndarray
    """(h + 2 margin, w + 2 margin, 3) uint8."""
    inside: np.ndarray
    """Same size, bool: the texture pixels that are real rather than mirrored."""

    @property
    def texture_origin(self) -> np.ndarray:
        """(2,) the texture's corner in the scaled portrait's pixels."""
        x, y = self.stage[:2]
        return np.array([self.origin[0] + x - self.margin_px, self.origin[1] + y - self.margin_px], np.float64)

    def to_texture(self, fit: Fit) -> Fit:
        """A fit of the portrait's image, in pixels of the texture."""
        landmarks = fit.landmarks * self.scale
        landmarks[:, :2] -= self.texture_origin
        return replace(
            fit,
            focal_px=fit.focal_px * self.scale,
            center_px=np.asarray(fit.center_px) * self.scale - self.texture_origin,
            landmarks=landmarks,
        )


def lay_canvas(portrait: Portrait, crop: Crop = "full", size: int | None = None) -> Canvas:
    """Choose output size and stage for a portrait.

    Args:
        portrait: the picture and its fit.
        crop: "full" shows the whole picture, "face" a square around the face, kept inside the picture.
        size: side of the square, or longer side of the whole picture, in pixels.
    """
    face = portrait.fit.landmarks[:468, :2]
    low, high = face.min(0), face.max(0)
    centre, extent = (low + high) / 2, float((high - low).max())
    height, width = portrait.image.shape[:2]
    if crop == "face":
        side = min(extent * CROP_IN_FACES, width, height)
        scale = (size or FACE_CROP_SIZE) / side
    else:
        scale = size / max(height, width) if size else min(1.0, FULL_LONGEST_SIDE / max(height, width))
    scaled = _resize(portrait.image, scale)
    alpha = None if portrait.alpha is None else _resize(portrait.alpha, scale)
    if crop == "face":
        side_px = min(size or FACE_CROP_SIZE, *scaled.shape[:2])
        # A little room above the hair: the face's middle sits slightly below the middle of the landmarks' box.
        corner = centre * scale - side_px / 2 + [0, 0.03 * side_px]
        x, y = (int(np.clip(round(c), 0, s - side_px)) for c, s in zip(corner, scaled.shape[1::-1], strict=True))
        origin, shape = (x, y), (side_px, side_px)
        stage = (0, 0, side_px, side_px)
    else:
        origin, shape = (0, 0), (scaled.shape[0], scaled.shape[1])
        half = extent * STAGE_IN_FACES / 2 * scale
        x0, y0 = (int(max(0, np.floor(c * scale - half))) for c in centre)
        x1, y1 = (int(min(s, np.ceil(c * scale + half))) for c, s in zip(centre, shape[::-1], strict=True))
        stage = (x0, y0, x1 - x0, y1 - y0)
    picture = np.ascontiguousarray(scaled[origin[1] : origin[1] + shape[0], origin[0] : origin[0] + shape[1]])
    cut = (
        None
        if alpha is None
        else np.ascontiguousarray(alpha[origin[1] : origin[1] + shape[0], origin[0] : origin[0] + shape[1]])
    )
    margin = round(MARGIN * max(stage[2:]))
    texture, inside = _cut(
        scaled,
        origin[0] + stage[0] - margin,
        origin[1] + stage[1] - margin,
        stage[2] + 2 * margin,
        stage[3] + 2 * margin,
    )
    return Canvas(picture, cut, scale, origin, stage, margin, texture, inside)


def _resize(image: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1.0:
        return image
    size = tuple(max(2, round(s * scale)) for s in image.shape[1::-1])
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _cut(image: np.ndarray, x: int, y: int, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """A window of an image that may reach outside, mirrored there, and which of its pixels are real."""
    rows, columns = np.arange(y, y + height), np.arange(x, x + width)
    inside = ((rows >= 0) & (rows < image.shape[0]))[:, None] & ((columns >= 0) & (columns < image.shape[1]))[None]
    mirrored = [
        np.abs((i + n) % (2 * n) - n + 0.5).astype(int) % n
        for i, n in ((rows, image.shape[0]), (columns, image.shape[1]))
    ]
    return np.ascontiguousarray(image[np.ix_(*mirrored)]), inside
