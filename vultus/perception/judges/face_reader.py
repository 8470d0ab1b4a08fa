"""The eyes of the emotion encoder for faces, in numpy: a face laid straight and its points in, features out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

CROP_PX = (64, 80)
"""Width and height of a face laid straight."""
POINTS = 468
"""Of FaceMesh's points, those of the skin."""
ENCODER = "encoder."
"""What the names of the arrays behind the features begin with (`emotion_space.EmotionReader`)."""
ONE = 32
"""A contrast of one spread, as a whole number."""
FARTHEST = 5.0
"""Places of points further from the middle than so many spreads count as that far."""
STRIDE = 2
_AROUND_PX = 15
_FLAT = 5.0
"""Added to the spread of greys (0-255): what is smooth and noisy is not blown up."""


def contrasts(face: np.ndarray) -> np.ndarray:
    """Each pixel of a straight grey face (uint8) against its surroundings: (height, width) int8, 1 / `ONE` spreads."""
    import cv2

    grey, side = face.astype(np.float32), (_AROUND_PX, _AROUND_PX)
    mean, square = (cv2.blur(part, side, borderType=cv2.BORDER_REPLICATE) for part in (grey, grey * grey))
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    return np.clip(ONE * (grey - mean) / (spread + _FLAT), -127, 127).round().astype(np.int8)


@dataclass(frozen=True)
class FaceReader:
    """A trained `face_net.FaceNet` up to its features, in numpy. `arrays` are its tensors by name."""

    arrays: Mapping[str, np.ndarray]

    def features(self, faces: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(N, F) float32 of `contrasts` (N, height, width) int8 and points (N, 468, 2) in the faces' pixels."""
        seen = faces[:, None].astype(np.float32) / ONE
        for index in range(sum(name.startswith("convolutions.") for name in self.arrays)):
            found = _convolved(seen, self.arrays[f"convolutions.{index}.weight"])
            seen = np.maximum(self._normal(f"norms.{index}", found, (1, -1, 1, 1)), 0)
        flat = seen.reshape(len(seen), -1) @ self.arrays["flat.weight"].astype(np.float32).T + self.arrays["flat.bias"]
        placed = (points.reshape(len(points), -1) - self.arrays["places_middle"]) @ self.arrays["places_axes"].T
        placed = np.clip(placed, -FARTHEST, FARTHEST) @ self.arrays["places.weight"].T + self.arrays["places.bias"]
        sides = np.maximum(self._normal("flat_norm", flat, (1, -1)), 0), placed / (1 + np.exp(-placed))
        return np.concatenate(sides, 1).astype(np.float32)

    def _normal(self, name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Batch normalisation with what was learned; channels lie where `shape` has -1."""
        mean, variance, gain, bias = (
            self.arrays[f"{name}.{part}"].reshape(shape) for part in ("running_mean", "running_var", "weight", "bias")
        )
        return np.asarray((values - mean) / np.sqrt(variance + 1e-5) * gain + bias)


def _convolved(seen: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Pictures (N, C, H, W) under kernels (O, C, k, k) in steps of `STRIDE`, k // 2 zeros around, as torch has it."""
    size = weight.shape[-1]
    around = size // 2
    padded = np.pad(seen, ((0, 0), (0, 0), (around, around), (around, around)))
    windows = sliding_window_view(sliding_window_view(padded, size, 2), size, 3)[:, :, ::STRIDE, ::STRIDE]
    return np.tensordot(windows, weight, ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)
