"""Where the face is in each frame, and the way of a new face back into it."""

from __future__ import annotations

import cv2
import numpy as np

from vultus.core.types import FaceTrack
from vultus.data.crops import FaceTrail, crop_of
from vultus.face.points import FOOTAGE_POINTS, OVAL

FEATHER = 0.12
"""Share of the crop, from its border inwards, over which a new face gives way to the frame; the code's has none."""
ALIKE = (6.0, 20.0)
"""Of 255: a place that changed by less keeps all of the frame's detail, one that changed by more keeps none (ours)."""
_OUTLINE = [FOOTAGE_POINTS.index(k) for k in OVAL]


def crops_of_track(track: FaceTrack, side: int, width: int, height: int) -> np.ndarray:
    """Maps (T, 2, 3) from the pixels of a footage to those of the crops (side, side) that the generator learned on."""
    outline = track.points[:, _OUTLINE]
    return crops_of_boxes(
        np.concatenate([outline.min(1), outline.max(1)], 1), track.shot, side, (width, height), track.performance.fps
    )


def crops_of_boxes(box: np.ndarray, shot: np.ndarray, side: int, size: tuple[int, int], fps: float) -> np.ndarray:
    """The same for boxes (T, 4) of left, top, right, bottom in pixels of frames of a width and height."""
    trail = FaceTrail(np.zeros((len(box), 68, 2)), box, shot, fps, *size)
    return crop_of("wav2lip", trail, side).crop_from_source


def cover(side: int) -> np.ndarray:
    """How much (side, side) float32 0-1 a new face covers: 1 inside, smoothly to 0 at the crop's border."""
    edge = np.minimum(np.arange(side) + 0.5, side - np.arange(side) - 0.5) / (FEATHER * side)
    ramp = np.clip(edge, 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    return (ramp[:, None] * ramp[None]).astype(np.float32)


def paste(
    image: np.ndarray, face: np.ndarray, given: np.ndarray, crop_from_source: np.ndarray, share: float = 1.0
) -> np.ndarray:
    """The image (H, W, 3) uint8 with a face (S, S, 3) in 0-255 where its crop was; pixels outside stay as they are.

    `given` (S, S, 3) is that crop, which the face was made from: where both are alike the image's own detail, which
    the crop is too small for, is kept. `share` 0-1 is how much of the face is shown.
    """
    side = len(face)
    matrix = np.asarray(crop_from_source, np.float64)
    corners = (np.array([[0, 0], [side, 0], [0, side], [side, side]], float) - matrix[:, 2]) @ np.linalg.inv(
        matrix[:, :2]
    ).T
    limits = np.array(image.shape[1::-1])
    low = np.clip(np.floor(corners.min(0)).astype(int), 0, limits)
    high = np.clip(np.ceil(corners.max(0)).astype(int), 0, limits)
    if (high <= low).any() or share <= 0:
        return image
    centred = matrix.copy()  # OpenCV counts from a pixel's middle, and from the box's corner
    centred[:, 2] += matrix[:, :2] @ (low + 0.5) - 0.5
    size = (int(high[0] - low[0]), int(high[1] - low[1]))

    def laid(picture: np.ndarray, flags: int) -> np.ndarray:
        flags |= cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(np.float32(picture), centred, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)

    result = image.copy()
    box = (slice(low[1], high[1]), slice(low[0], high[0]))
    under = result[box].astype(np.float32)
    detail = under - laid(given, cv2.INTER_CUBIC)
    shown = laid(face, cv2.INTER_CUBIC) + detail * laid(alike(face, given), cv2.INTER_LINEAR)[..., None]
    weight = _covered(side, centred, size)[..., None] * np.float32(share)
    result[box] = np.round(np.clip(under + (shown - under) * weight, 0, 255)).astype(np.uint8)
    return result


def alike(face: np.ndarray, given: np.ndarray) -> np.ndarray:
    """How alike (S, S) float32 0-1 two pictures in 0-255 are, place by place: 1 up to the first of `ALIKE`."""
    apart = np.abs(np.float32(face) - np.float32(given)).max(-1)
    apart = cv2.GaussianBlur(cv2.dilate(apart, np.ones((7, 7), np.uint8)), None, 1.5)
    ramp = np.clip((ALIKE[1] - apart) / (ALIKE[1] - ALIKE[0]), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def _covered(side: int, centred: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """`cover` where the crop lies in a box of an image; 0 beyond."""
    return cv2.warpAffine(cover(side), centred, size, flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR)
