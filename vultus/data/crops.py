"""Which part of each frame a paper looks at: affine maps from source pixels to crop pixels, steady over time.

Pixel (0, 0)'s middle is at (0.5, 0.5), in source and crop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from vultus.data.clips import CropKind
from vultus.face.smooth import bilateral

SIZES: Mapping[CropKind, int] = {"wav2lip": 96, "pcavs": 224, "ffhq": 256, "person": 512}
"""Side of the square in pixels unless asked otherwise. "full" keeps the source's."""

WAV2LIP_WINDOW = 5
"""Frames over which Wav2Lip averages its boxes (its released code)."""
PCAVS_TEMPLATE = ((87.0, 59.0), (137.0, 59.0), (112.0, 120.0))
"""Where right eye, left eye and mouth of the mean face go in a crop of 224 pixels (PC-AVS's released code)."""
PCAVS_FOLLOW = 0.8
"""How quickly the crop follows the mouth: share of the newest frame (its released code)."""
PERSON_FACES = 2.3
"""Side of the person crop, in heights of the face: head and shoulders."""
PERSON_DROP = 0.22
"""The face's middle stands so far above the crop's, in heights of the face."""

_STEADY_S = 0.3
"""Standard deviation of the smoothing of FFHQ-like crops."""
_RIGHT_EYE, _LEFT_EYE, _INNER_LIPS, _CORNERS = slice(36, 42), slice(42, 48), slice(60, 68), (48, 54)


@dataclass(frozen=True)
class FaceTrail:
    """Where a face is in every frame of a video, in source pixels."""

    landmarks: np.ndarray
    """(T, 68, 2)"""
    box: np.ndarray
    """(T, 4): left, top, right, bottom of the skin, from the upper forehead to the chin."""
    shot: np.ndarray
    """(T,) int: which shot a frame belongs to; nothing is smoothed across a cut."""
    fps: float
    width: int
    height: int


@dataclass(frozen=True)
class Crop:
    """Maps (T, 2, 3) float64 from source pixels to the pixels of frames of `width` x `height`."""

    crop_from_source: np.ndarray
    width: int
    height: int


def crop_of(kind: CropKind, trail: FaceTrail, size: int | None = None) -> Crop:
    """The crop of every frame. `size` is the square's side, or with "full" the longer side."""
    if kind == "full":
        return _full(trail, size)
    side = size or SIZES[kind]
    return Crop(_KINDS[kind](trail, side), side, side)


def cut(
    image: np.ndarray, crop_from_source: np.ndarray, width: int, height: int, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    """The crop (height, width, ...) uint8 of one picture; past the picture's border its edge is repeated."""
    matrix = np.asarray(crop_from_source, np.float64)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 0.5:  # bilinear sampling would alias: shrink by area first
        small = cv2.resize(image, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA)
        matrix = matrix.copy()
        matrix[:, :2] @= np.diag([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]])
        image = small
    centred = matrix.copy()  # OpenCV counts from a pixel's middle
    centred[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    if image.shape[:2] == (height, width) and np.allclose(centred, [[1, 0, 0], [0, 1, 0]], atol=1e-3):
        return np.ascontiguousarray(image)
    flags = cv2.INTER_LINEAR if scale <= 1 else cv2.INTER_CUBIC
    return cv2.warpAffine(image, centred, (width, height), flags=flags, borderMode=border)


def moved(points: np.ndarray, crop_from_source: np.ndarray) -> np.ndarray:
    """Points (T, ..., 2) in source pixels, in pixels of the crops (T, 2, 3)."""
    flat = points.reshape(len(points), -1, 2)
    return (np.einsum("tij,tnj->tni", crop_from_source[:, :, :2], flat) + crop_from_source[:, None, :, 2]).reshape(
        points.shape
    )


def _full(trail: FaceTrail, size: int | None) -> Crop:
    """The whole picture; H.264 wants even sides, an odd one loses its last row or column."""
    scale = 1.0 if size is None else size / max(trail.width, trail.height)
    width, height = (max(2, 2 * round(side * scale / 2 - 0.25)) for side in (trail.width, trail.height))
    matrix = np.array([[scale, 0, 0], [0, scale, 0]])
    return Crop(np.repeat(matrix[None], len(trail.landmarks), 0), width, height)


def _wav2lip(trail: FaceTrail, side: int) -> np.ndarray:
    """The face's own box, averaged over five frames and stretched to a square, as Wav2Lip's detector boxes are."""
    box = _averaged(trail.box, trail.shot, WAV2LIP_WINDOW)
    maps = np.zeros((len(box), 2, 3))
    for axis in (0, 1):
        maps[:, axis, axis] = side / (box[:, axis + 2] - box[:, axis])
        maps[:, axis, 2] = -box[:, axis] * maps[:, axis, axis]
    return maps


def _pcavs(trail: FaceTrail, side: int) -> np.ndarray:
    """One similarity for the clip's mean face, then a shift a frame that keeps the mouth in its place."""
    template = np.array(PCAVS_TEMPLATE) * side / SIZES["pcavs"]
    parts = (_RIGHT_EYE, _LEFT_EYE, _INNER_LIPS)
    three = np.stack([trail.landmarks[:, part].mean(1) for part in parts], 1).astype(np.float64)  # (T, 3, 2)
    maps = np.zeros((len(three), 2, 3))
    for shot in np.unique(trail.shot):
        here = np.nonzero(trail.shot == shot)[0]
        mean_map = _similarity(three[here].mean(0), template)
        wanted = template[2] - (three[here, 2] @ mean_map[:, :2].T + mean_map[:, 2])
        shift = wanted[0]
        for frame, target in zip(here, wanted, strict=True):
            shift = (1 - PCAVS_FOLLOW) * shift + PCAVS_FOLLOW * target
            maps[frame] = np.column_stack([mean_map[:, :2], mean_map[:, 2] + shift])
    return maps


def _ffhq(trail: FaceTrail, side: int) -> np.ndarray:
    """The square of FFHQ (Karras et al. 2019, appendix A) from eyes and corners of the mouth, smoothed over time."""
    points = trail.landmarks.astype(np.float64)
    right, left = points[:, _RIGHT_EYE].mean(1), points[:, _LEFT_EYE].mean(1)
    eyes, mouth = (right + left) / 2, points[:, _CORNERS].mean(1)
    across, down = left - right, mouth - eyes
    axis = across + np.stack([down[:, 1], -down[:, 0]], 1)  # both tell which way the face is upright
    half = np.maximum(2.0 * np.linalg.norm(across, axis=1), 1.8 * np.linalg.norm(down, axis=1))
    axis *= (half / np.linalg.norm(axis, axis=1))[:, None]
    steady = _smoothed(np.concatenate([eyes + 0.1 * down, axis], 1), trail)
    center, (cos, sin) = steady[:, :2], (steady[:, 2:] / (steady[:, 2:] ** 2).sum(1, keepdims=True) * side / 2).T
    linear = np.stack([np.stack([cos, sin], 1), np.stack([-sin, cos], 1)], 1)  # (T, 2, 2)
    return np.concatenate([linear, side / 2 - np.einsum("tij,tj->ti", linear, center)[..., None]], 2)


def _person(trail: FaceTrail, side: int) -> np.ndarray:
    """One square for the whole clip with head and shoulders, as a radiance field of one camera needs it."""
    left, top, right, bottom = np.median(trail.box, 0)
    face_px = bottom - top
    shorter = min(trail.width, trail.height)
    side_px = min(PERSON_FACES * face_px, shorter)
    if side_px > 0.85 * shorter:  # cropped like that already
        side_px = shorter
    extent = np.array([trail.width, trail.height], float)
    center = np.array([(left + right) / 2, (top + bottom) / 2 + PERSON_DROP * face_px])
    center = np.clip(center, side_px / 2, extent - side_px / 2)
    scale = side / side_px
    matrix = np.column_stack([np.eye(2) * scale, side / 2 - scale * center])
    return np.repeat(matrix[None], len(trail.landmarks), 0)


_KINDS: Mapping[CropKind, Callable[[FaceTrail, int], np.ndarray]] = {
    "wav2lip": _wav2lip,
    "pcavs": _pcavs,
    "ffhq": _ffhq,
    "person": _person,
}


def _similarity(points: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The turn, scale and shift (2, 3) that bring points (N, 2) closest to the wanted ones, by least squares."""
    middle, aim = points.mean(0), wanted.mean(0)
    p, q = points - middle, wanted - aim
    power = (p**2).sum()
    cos, sin = (p * q).sum() / power, (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum() / power
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([linear, aim - linear @ middle])


def _averaged(values: np.ndarray, shot: np.ndarray, window: int) -> np.ndarray:
    """Running mean (T, C) over `window` frames of one shot, fewer at its ends."""
    out = np.empty(values.shape, np.float64)
    for one in np.unique(shot):
        here = values[shot == one].astype(np.float64)
        padded = np.pad(here, ((window // 2, window // 2), (0, 0)), mode="edge")
        total = np.cumsum(np.concatenate([np.zeros((1, here.shape[1])), padded]), 0)
        out[shot == one] = (total[window:] - total[:-window]) / window
    return out


def _smoothed(values: np.ndarray, trail: FaceTrail) -> np.ndarray:
    """Values (T, C) averaged with a Gaussian over time within each shot."""
    anything = 1e9  # no difference of value counts as an edge
    return bilateral(values, trail.shot, _STEADY_S * trail.fps, anything).astype(np.float64)
