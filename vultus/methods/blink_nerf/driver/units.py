"""Action units: which of ARKit's movements make up each of OpenFace's intensities, and how open an eye is."""

from __future__ import annotations

import numpy as np

from vultus.core.bases import index_of

AU_FULL = 5.0
"""OpenFace's scale is 0-5."""
_PARTS: dict[str, tuple[str, ...]] = {
    "AU01": ("browInnerUp",),
    "AU02": ("browOuterUpLeft", "browOuterUpRight"),
    "AU04": ("browDownLeft", "browDownRight"),
    "AU05": ("eyeWideLeft", "eyeWideRight"),
    "AU06": ("cheekSquintLeft", "cheekSquintRight"),
    "AU07": ("eyeSquintLeft", "eyeSquintRight"),
    "AU09": ("noseSneerLeft", "noseSneerRight"),
    "AU10": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "AU12": ("mouthSmileLeft", "mouthSmileRight"),
    "AU14": ("mouthDimpleLeft", "mouthDimpleRight"),
    "AU15": ("mouthFrownLeft", "mouthFrownRight"),
    "AU17": ("mouthShrugLower",),
    "AU20": ("mouthStretchLeft", "mouthStretchRight"),
    "AU23": ("mouthPressLeft", "mouthPressRight"),
    "AU25": ("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight"),
    "AU26": ("jawOpen",),
}
"""The mean of these ARKit weights stands for the unit; AU45 is measured by itself."""
UNITS = (*_PARTS, "AU45")
"""OpenFace's intensities, in the order of `action_units`' columns."""


def action_units(expression: np.ndarray, au45: np.ndarray) -> np.ndarray:
    """Intensities (T, 17) float32, 0-5, of tracked ARKit weights (T, 52) and AU45 (T,)."""
    columns = [expression[:, [index_of(name) for name in names]].mean(1) for names in _PARTS.values()]
    return np.stack([AU_FULL * column for column in columns] + [au45], 1).astype(np.float32)


def eye_size(landmarks: np.ndarray) -> np.ndarray:
    """How open right and left eye are (..., 2): the eye aspect ratio of landmarks (..., 68, 3), 0 is shut."""
    ratios = []
    for first in (36, 42):
        p = landmarks[..., first : first + 6, :]
        height = np.linalg.norm(p[..., 1, :] - p[..., 5, :], axis=-1) + np.linalg.norm(
            p[..., 2, :] - p[..., 4, :], axis=-1
        )
        ratios.append(height / np.maximum(2 * np.linalg.norm(p[..., 0, :] - p[..., 3, :], axis=-1), 1e-6))
    return np.stack(ratios, -1)


def lip_gap(landmarks: np.ndarray) -> np.ndarray:
    """Aperture (...,) of landmarks (..., 68, 3): mean gap of the inner lips over the outer eye corners' distance.

    As seen from the front: how much farther one lip juts out than the other says nothing of how open a mouth is, and
    is the least certain of what a camera tells.
    """
    seen = landmarks[..., :2]
    gap = np.linalg.norm(seen[..., 61:64, :] - seen[..., 67:64:-1, :], axis=-1).mean(-1)
    return gap / np.linalg.norm(seen[..., 36, :] - seen[..., 45, :], axis=-1)
