"""The head of a clip whose camera stands still: its exact pose in every frame, and its points without the pose.

Kept beside a prepared clip of crop "person", for methods that learn one person. How it is found: `face.bundle` and
`face.align`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vultus.core.errors import InputError
from vultus.core.types import Frames
from vultus.data.crops import Crop
from vultus.face.align import align, cuts
from vultus.face.bundle import adjust
from vultus.face.fit import Fitter
from vultus.face.head import embedded_head
from vultus.face.points import landmarks68

_ARRAYS = ("rotation", "translation", "landmarks3d", "shot", "identity", "focal_px", "center_px", "rms_px")


@dataclass(frozen=True)
class Head:
    """A head through T frames, under the camera of `core.types.Fit`, in pixels of the prepared video."""

    rotation: np.ndarray
    """(T, 3, 3) float32"""
    translation: np.ndarray
    """(T, 3) float32 camera frame, head units."""
    landmarks3d: np.ndarray
    """(T, 68, 3) float32 head frame, head units: with expression, without pose."""
    shot: np.ndarray
    """(T,) int32 number of the shot between cuts."""
    identity: np.ndarray
    """(60,) float32"""
    focal_px: float
    center_px: np.ndarray
    """(2,) float32"""
    rms_px: float
    """Root mean square distance of the points that tell the pose from where they were seen."""

    def __getitem__(self, frames: slice) -> Head:
        """The head in some of the frames."""
        cut = (self.rotation[frames], self.translation[frames], self.landmarks3d[frames], self.shot[frames])
        return Head(*cut, self.identity, self.focal_px, self.center_px, self.rms_px)

    def save(self, path: Path) -> None:
        """Write all of it to an .npz."""
        np.savez(path, **{name: getattr(self, name) for name in _ARRAYS})

    @staticmethod
    def load(path: Path) -> Head:
        """What `save` wrote. Raises InputError."""
        try:
            with np.load(path, allow_pickle=False) as data:
                values = {name: data[name] for name in _ARRAYS}
        except (OSError, ValueError, KeyError) as error:
            fix = "prepare the video again: vultus prepare person VIDEO OUT"
            raise InputError("the head's pose in this clip is missing or damaged", path, fix) from error
        return Head(**values | {name: float(values[name]) for name in ("focal_px", "rms_px")})


def steady_head(
    landmarks: np.ndarray, valid: np.ndarray, shot: np.ndarray, pictures: Callable[[], Frames], crop: Crop
) -> Head:
    """The head from FaceMesh's points (V, 478, 3), in source pixels, of the frames (T,) that are `valid`.

    `shot` (T,) numbers shots as far as the face's own jumps tell them apart; `pictures` gives all frames of the source,
    anew each time; `crop` must be the same for all. Frames without a face take the pose of the nearest that has one.
    """
    shot = shot + np.cumsum(cuts(pictures()))
    fps, head = pictures().fps, embedded_head()
    trail = adjust(landmarks, shot[valid], fps, Fitter(head))
    seen = (picture for picture, face in zip(pictures(), valid, strict=True) if face)
    trail = align(seen, trail, shot[valid], fps, head)
    nearest = _nearest(valid)
    crop_from_source = crop.crop_from_source[0]
    scale = float(crop_from_source[0, 0])
    points = np.pad(trail.points, ((0, 0), (0, 10), (0, 0)))  # irises are none of the 68
    return Head(
        rotation=trail.rotation[nearest].astype(np.float32),
        translation=trail.translation[nearest].astype(np.float32),
        landmarks3d=landmarks68(points)[nearest].astype(np.float32),
        shot=shot.astype(np.int32),
        identity=trail.identity.astype(np.float32),
        focal_px=scale * trail.camera.focal_px,
        center_px=(crop_from_source[:, :2] @ trail.camera.center_px + crop_from_source[:, 2]).astype(np.float32),
        rms_px=scale * trail.rms_px,
    )


def _nearest(valid: np.ndarray) -> np.ndarray:
    """For each frame (T,), which of the valid ones, counted by themselves, is nearest."""
    known = np.nonzero(valid)[0]
    at = np.arange(len(valid))
    after = np.clip(np.searchsorted(known, at), 0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(at - known[before] <= np.abs(known[after] - at), before, after)
