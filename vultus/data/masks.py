"""Masks of mouth, eyes and person: outlines and a small grey video on disk, pixels when asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vultus.face.points import LEFT_EYE, LIPS_OUTER, RIGHT_EYE

BOX_MARGIN = 0.25
"""Room around the outline in a part's box, in the box's longer side."""


@dataclass(frozen=True)
class Masks:
    """What a frame's pixels show; several may be true of one."""

    mouth: np.ndarray
    """(H, W) bool: lips and what is between them."""
    eyes: np.ndarray
    """(H, W) bool: both eyes between their lids."""
    person: np.ndarray
    """(H, W) float32 0-1: the probability of a person."""


def outlines(landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outline of the mouth (20, 2) and of right and left eye (2, 16, 2), of FaceMesh's points (478, 2 or 3)."""
    flat = landmarks[:, :2]
    return flat[list(LIPS_OUTER)], np.stack([flat[list(RIGHT_EYE)], flat[list(LEFT_EYE)]])


def box_around(outline: np.ndarray) -> np.ndarray:
    """Left, top, right, bottom (..., 4) of outlines (..., N, 2), with `BOX_MARGIN`."""
    low, high = outline.min(-2), outline.max(-2)
    room = BOX_MARGIN * (high - low).max(-1, keepdims=True)
    return np.concatenate([low - room, high + room], -1).astype(np.float32)


def draw_masks(mouth: np.ndarray, eyes: np.ndarray, person: np.ndarray, size: tuple[int, int]) -> Masks:
    """Masks of a frame of `size` (width, height) from its outlines and a grey picture (h, w, 3) uint8 of the person."""
    import cv2

    def filled(*polygons: np.ndarray) -> np.ndarray:
        canvas = np.zeros((size[1], size[0]), np.uint8)
        for polygon in polygons:  # one by one: where several cross, OpenCV fills every other part
            cv2.fillPoly(canvas, [np.round((polygon - 0.5) * 16).astype(np.int32)], (1,), shift=4)
        return canvas.astype(bool)

    grey = np.ascontiguousarray(person[:, :, 1])
    if grey.shape != (size[1], size[0]):
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR)
    return Masks(filled(mouth), filled(*eyes), grey.astype(np.float32) / 255)
