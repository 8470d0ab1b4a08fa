"""Square crops of a picture and the way back: pixels of the crop to pixels of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Crop:
    """A square piece of a picture: `pixels` (S, S, 3) uint8, turned by `roll_deg` so that a tilted face stands upright.

    A point q of the crop lies at center_px + turn @ (q - S / 2) / scale in the picture.
    """

    pixels: np.ndarray
    center_px: np.ndarray
    scale: float
    turn: np.ndarray

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) in pixels of the crop -> pixels of the picture (z is scaled alike)."""
        middle = len(self.pixels) / 2
        flat = (points[:, :2] - middle) @ self.turn.T / self.scale + self.center_px
        return np.concatenate([flat, points[:, 2:] / self.scale], 1).astype(np.float32)


def cut_square(image: np.ndarray, center_px: np.ndarray, side_px: float, size: int, roll_deg: float = 0.0) -> Crop:
    """The square of `side_px` around `center_px`, scaled to `size`; past the picture's border its edge is repeated."""
    scale = size / side_px
    reduced, factor = image, 1.0
    if scale < 0.5:  # bilinear sampling would alias: shrink by area first
        factor = 2 * scale
        reduced = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        factor = np.array([reduced.shape[1] / image.shape[1], reduced.shape[0] / image.shape[0]]).mean()
    angle = np.radians(roll_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # crop pixel -> picture pixel; both count from a pixel's corner, OpenCV from its middle
    linear = turn / scale * factor
    shift = factor * np.asarray(center_px, float) - linear @ np.full(2, size / 2)
    matrix = np.column_stack([linear, shift + linear @ np.full(2, 0.5) - 0.5])
    flags = (cv2.INTER_LINEAR if scale < 1 else cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP
    pixels = cv2.warpAffine(reduced, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return Crop(pixels, np.asarray(center_px, float), scale, turn)
