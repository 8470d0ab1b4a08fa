"""Square pieces of pictures in which every face has its eyes and mouth in the same place."""

from __future__ import annotations

import numpy as np

from vultus.face.points import LEFT_EYE, LIPS_OUTER, RIGHT_EYE

EYES_AT, MOUTH_AT = (0.5, 0.37), (0.5, 0.74)
"""Where the middle between the eyes and that of the mouth go, in sides of the square: the face fills it."""


def aligned_faces(pictures: np.ndarray, landmarks: np.ndarray, side: int) -> np.ndarray:
    """Crops (N, side, side, 3) uint8 RGB of pictures (N, H, W, 3), turned and scaled by the eyes and the mouth.

    `landmarks` (N, 468 or 478, 3) are pixels of the pictures. The distance from the eyes to the mouth sets the scale,
    or that between the eyes where a turned or open mouth would make it small.
    """
    import cv2

    crops = []
    for picture, points in zip(pictures, np.asarray(landmarks, np.float64)[..., :2], strict=True):
        right, left = points[list(RIGHT_EYE)].mean(0), points[list(LEFT_EYE)].mean(0)
        eyes, mouth = (right + left) / 2, points[list(LIPS_OUTER)].mean(0)
        across, down = left - right, mouth - eyes
        axis = down + np.array([-across[1], across[0]])  # both tell which way the face is upright
        axis *= max(np.linalg.norm(down), np.linalg.norm(across)) / max(np.linalg.norm(axis), 1e-6)
        scale = (MOUTH_AT[1] - EYES_AT[1]) * side / max(np.linalg.norm(axis), 1e-6) ** 2
        linear = scale * np.array([[axis[1], -axis[0]], [axis[0], axis[1]]])
        shift = side * np.array(EYES_AT) - linear @ (eyes - 0.5) - 0.5  # OpenCV counts from a pixel's middle
        shrunk = 1 / max(np.linalg.norm(linear[0]), 1e-6)
        soft = cv2.GaussianBlur(picture, (0, 0), 0.4 * shrunk) if shrunk > 1.5 else picture
        matrix = np.column_stack([linear, shift])
        crops.append(
            cv2.warpAffine(soft, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        )
    return np.array(crops, np.uint8).reshape(-1, side, side, 3)
