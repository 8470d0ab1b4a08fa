"""What is measured on pictures while two videos run side by side, frame by frame, in memory that does not grow."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from vultus.face.crops import cut_square
from vultus.face.points import LEFT_EYE, LIPS_INNER, LIPS_OUTER, RIGHT_EYE
from vultus.metrics.image import flicker, laplacian_energy, luma, psnr, ssim

FACE_PX = 256
"""Side of the face crops that are compared where two videos do not show the same part of the world."""
SMALL_FACE_PX = 128
"""Side of those that our own perceptual network sees: its distances grow with resolution."""
MOUTH_PX, MOUTH_WIDTHS = 96, 1.5
"""Side of the square around the mouth whose sharpness is measured, in pixels and in widths of the mouth."""
FLICKER_PX = 256
"""Flicker is measured on brightness at this height, so that figures of small and large videos compare."""
SAME_ASPECT = 0.02
"""Videos whose proportions differ by no more than this show the same part of the world."""
SAMPLE_PX = 640
"""Longest side of the pictures that networks are shown."""


def same_view(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two videos of these widths and heights have the same proportions."""
    return abs(size[0] * other[1] / (size[1] * other[0]) - 1) <= SAME_ASPECT


def comparable(
    real: np.ndarray, real_points: np.ndarray | None, made: np.ndarray, made_points: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Two pictures of one shape: as they are, the second one scaled to the first, or the face cut out of both.

    None where proportions differ and one shows no face.
    """
    if real.shape == made.shape:
        return real, made
    height, width = real.shape[:2]
    if same_view((width, height), (made.shape[1], made.shape[0])):
        shrinks = made.shape[0] > height
        return real, cv2.resize(made, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    if real_points is None or made_points is None:
        return None
    return face_square(real, real_points), face_square(made, made_points)


def same_faces(
    real: np.ndarray, real_points: np.ndarray, made: np.ndarray, made_points: np.ndarray, side_px: int
) -> tuple[np.ndarray, np.ndarray]:
    """The real face and what the generated picture shows in that place, (side, side, 3) each.

    Where the two do not show the same part of the world, both faces, each where it is.
    """
    if not same_view((real.shape[1], real.shape[0]), (made.shape[1], made.shape[0])):
        return face_square(real, real_points, side_px), face_square(made, made_points, side_px)
    pair = comparable(real, real_points, made, made_points)
    assert pair is not None
    return face_square(pair[0], real_points, side_px), face_square(pair[1], real_points, side_px)


def face_square(image: np.ndarray, points: np.ndarray, side_px: int = FACE_PX) -> np.ndarray:
    """The upright face (side, side, 3), eyes and mouth in the same place whatever its size, from points (478, 3)."""
    right, left = points[list(RIGHT_EYE), :2].mean(0), points[list(LEFT_EYE), :2].mean(0)
    mouth = points[list(LIPS_OUTER), :2].mean(0)
    across, eyes = left - right, (left + right) / 2
    size_px = 2 * max(2.0 * float(np.linalg.norm(across)), 1.8 * float(np.linalg.norm(mouth - eyes)))  # as FFHQ's
    roll_deg = float(np.degrees(np.arctan2(across[1], across[0])))
    return cut_square(image, eyes + 0.1 * (mouth - eyes), size_px, side_px, roll_deg).pixels


def mouth_square(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The mouth (MOUTH_PX, MOUTH_PX, 3), always at the same scale, from points (478, 3)."""
    lips = points[list(LIPS_OUTER + LIPS_INNER), :2]
    width_px = float(np.ptp(lips[:, 0]))
    return cut_square(image, lips.mean(0), MOUTH_WIDTHS * max(width_px, 4.0), MOUTH_PX).pixels


@dataclass
class PictureTally:
    """PSNR, SSIM and sharpness of the mouth of every frame against the real one."""

    series: dict[str, list[float]] = field(default_factory=lambda: {"psnr": [], "ssim": [], "mouth_sharpness": []})

    def add(
        self, real: np.ndarray, real_points: np.ndarray | None, made: np.ndarray, made_points: np.ndarray | None
    ) -> None:
        """Count one frame; what cannot be compared leaves a NaN, so that series stay in step."""
        pair = comparable(real, real_points, made, made_points)
        self.series["psnr"].append(np.nan if pair is None else psnr(*pair))
        self.series["ssim"].append(np.nan if pair is None else ssim(*pair))
        sharpness = np.nan
        if real_points is not None and made_points is not None:
            here, there = (laplacian_energy(mouth_square(*one)) for one in ((made, made_points), (real, real_points)))
            sharpness = here / max(there, 1e-6)
        self.series["mouth_sharpness"].append(sharpness)


@dataclass
class FlickerTally:
    """Flicker of one video, over its last three frames at a time."""

    values: list[float] = field(default_factory=list)
    _last: list[np.ndarray] = field(default_factory=list)

    def add(self, image: np.ndarray) -> None:
        """Count the next frame."""
        if image.shape[0] > FLICKER_PX:
            width = round(image.shape[1] * FLICKER_PX / image.shape[0])
            image = cv2.resize(image, (width, FLICKER_PX), interpolation=cv2.INTER_AREA)
        self._last = [*self._last[-2:], luma(image)]
        if len(self._last) == 3:
            self.values.append(flicker(*self._last))


@dataclass
class Samples:
    """Every so manieth frame of one video that shows a face, at most `SAMPLE_PX` large, for the networks."""

    index: list[int] = field(default_factory=list)
    pictures: list[np.ndarray] = field(default_factory=list)
    points: list[np.ndarray] = field(default_factory=list)

    def add(self, index: int, image: np.ndarray, points: np.ndarray) -> None:
        """Keep one frame with its points (478, 3)."""
        scale = min(1.0, SAMPLE_PX / max(image.shape[:2]))
        small = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        self.index.append(index)
        self.pictures.append(small)
        self.points.append(points * scale)
