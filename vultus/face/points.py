"""Names for FaceMesh's 478 points: eyes, lips, iris, oval, the fixed map to 68 landmarks, and the eye aspect ratio.

Left and right are the subject's: left is image right for someone who faces the camera.
"""

from __future__ import annotations

import numpy as np

RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
"""Lid rim of the right eye, from the outer corner along the lower lid and back along the upper one."""
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
RIGHT_IRIS = (468, 469, 470, 471, 472)
"""Centre of the right iris, then four points of its rim."""
LEFT_IRIS = (473, 474, 475, 476, 477)
RIGHT_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
LEFT_BROW = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
LIPS_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
"""Outer lip line from the right corner along the lower lip and back along the upper one."""
LIPS_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
LIPS = LIPS_OUTER + LIPS_INNER
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Outline of the face, clockwise in the picture from the top of the forehead."""

RIGHT_EYE_CORNERS = (33, 133)
"""Outer and inner corner."""
LEFT_EYE_CORNERS = (263, 362)

LANDMARK68_FROM_478 = (
    127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356,  # jaw
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,  # brows
    168, 197, 5, 4, 98, 97, 2, 326, 327,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 39, 37, 0, 267, 269, 291, 321, 314, 17, 84, 91,  # outer lips
    78, 82, 13, 312, 308, 317, 14, 87,  # inner lips
)  # fmt: skip
"""FaceMesh point standing for each of the 68 (iBUG / Multi-PIE order)."""

LIPS_RINGS = (
    LIPS_OUTER,
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 408, 304, 303, 302, 11, 72, 73, 74, 184),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 407, 272, 271, 268, 12, 38, 41, 42, 183),
    LIPS_INNER,
)
"""Four lines around the lips' red, outermost first, each in the order of the outer lip line."""
NOSE = (168, 6, 197, 195, 5, 4, 1, 2, 98, 97, 326, 327, 129, 358, 48, 278, 64, 294, 131, 360, 45, 275)
CHEEKS = (
    50, 101, 118, 117, 205, 36, 207, 187, 123, 147, 192, 213, 206, 203, 165, 167, 92, 216, 212, 214, 186, 57, 43,
    280, 330, 347, 346, 425, 266, 427, 411, 352, 376, 416, 433, 426, 423, 391, 393, 322, 436, 432, 434, 410, 287, 273,
    164,
)  # fmt: skip
CHIN = (
    106, 182, 83, 18, 313, 406, 335, 204, 194, 201, 200, 421, 418, 424, 202, 211, 210, 208, 199, 428, 430, 431, 422, 32,
    171, 175, 396, 262, 140, 369, 135, 364, 169, 394, 170, 395,
)  # fmt: skip
FOREHEAD = (9, 8, 151, 108, 337, 69, 299, 104, 333)
FOOTAGE_POINTS = tuple(
    dict.fromkeys(
        sum(LIPS_RINGS, ()) + CHIN + CHEEKS + NOSE + OVAL + RIGHT_EYE + LEFT_EYE + RIGHT_BROW + LEFT_BROW + FOREHEAD
    )
)
"""FaceMesh's points that are kept of every frame of a footage (`core.types.FaceTrack`); the mouth's come first."""
MOUTH_POINTS = FOOTAGE_POINTS[: len(sum(LIPS_RINGS, ()) + CHIN)]
"""Those of them on lips and chin."""

_RIGHT_EAR = (33, 160, 158, 133, 153, 144)
_LEFT_EAR = (362, 385, 387, 263, 373, 380)
"""p1 ... p6 of the eye aspect ratio (emoface section 3.2, figure 3)."""


def landmarks68(landmarks: np.ndarray) -> np.ndarray:
    """The 68 landmarks (..., 68, D) among FaceMesh's points (..., 478, D)."""
    return landmarks[..., LANDMARK68_FROM_478, :]


def eye_aspect_ratio(landmarks: np.ndarray) -> np.ndarray:
    """Eye aspect ratio (..., 2) of the right and the left eye from points (..., 478, 2 or 3); 0 is shut, .3 open.

    EAR = (|p2 - p6| + |p3 - p5|) / (2 |p1 - p4|), in the picture plane (emoface, equation 3).
    """
    ratios = []
    for eye in (_RIGHT_EAR, _LEFT_EAR):
        p1, p2, p3, p4, p5, p6 = np.moveaxis(np.asarray(landmarks)[..., eye, :2], -2, 0)
        height = np.linalg.norm(p2 - p6, axis=-1) + np.linalg.norm(p3 - p5, axis=-1)
        ratios.append(height / np.maximum(2 * np.linalg.norm(p1 - p4, axis=-1), 1e-6))
    return np.stack(ratios, -1)


def interocular_px(landmarks: np.ndarray) -> np.ndarray:
    """Distance (...,) between the outer eye corners of points (..., 478, 2 or 3), in the picture plane."""
    outer = np.asarray(landmarks)[..., (RIGHT_EYE_CORNERS[0], LEFT_EYE_CORNERS[0]), :2]
    return np.linalg.norm(outer[..., 0, :] - outer[..., 1, :], axis=-1)


def face_box(landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (2,) and longer side, in pixels, of the box around the 468 skin points."""
    low, high = landmarks[:468, :2].min(0), landmarks[:468, :2].max(0)
    return (low + high) / 2, float((high - low).max())


def lip_opening(landmarks: np.ndarray) -> float:
    """Gap between the inner lips over the mouth's width, from points (478, 2 or 3); 0 is shut."""
    gap = np.linalg.norm(landmarks[[13, 82, 312], :2] - landmarks[[14, 87, 317], :2], axis=1).mean()
    return float(gap / np.linalg.norm(landmarks[78, :2] - landmarks[308, :2]))
