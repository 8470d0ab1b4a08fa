"""Head pose to a fraction of a degree: bundle adjustment of FaceMesh's points over a whole clip of one person.

Frame by frame the fit (`face.fit`) must tell pose from build, expression and FaceMesh's habits each time anew. A clip
shares camera and build: with all frames at once, the head's own points are found where FaceMesh sees them on this
face, and the poses from points that do not move with expression.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from vultus.core.types import Fit
from vultus.face.fit import Camera, Fitter, Person
from vultus.face.head import FLIP
from vultus.face.smooth import bilateral

ROUNDS = 6
"""Times that poses and points are improved in turn."""
SMOOTHING_S = 0.06
"""Standard deviation in time of the smoothing of poses within a shot."""

_JITTER = np.array([1.0, 1.0, 1.0, 0.25, 0.25, 0.25])
"""Differences that count as noise: degrees about three axes, head units along them."""
_ROBUST_PX = 3.0
"""Residual, in pixels of a face crop scaled to 512, from which a point counts for less."""
_MOVED = 0.12
"""Root mean square motion by expression, in head units, that halves how much a point says of the pose."""
_OFFSET_RIDGE = np.array([0.02, 0.02, 1.0])
"""How strongly a point is held to the fitted model, along x, y and z, as a share of all frames' pull.

Depth most: under a portrait lens, deeper points that turn less look the same as flatter ones that turn more.
"""
_CHUNK = 256


@dataclass(frozen=True)
class HeadTrail:
    """A head through a clip of T frames under one camera; see `core.types.Fit` for its convention."""

    rotation: np.ndarray
    """(T, 3, 3)"""
    translation: np.ndarray
    """(T, 3) camera frame, head units."""
    points: np.ndarray
    """(T, 468, 3) float32 FaceMesh's skin points without the pose: head frame, head units."""
    expression: np.ndarray
    """(T, 52) ARKit weights as the fit sees them, frame by frame."""
    identity: np.ndarray
    """(60,)"""
    camera: Camera
    rms_px: float
    """Root mean square distance, in pixels of the picture, of FaceMesh's points from the rigid points' projection."""


@dataclass
class _Poses:
    """Rotation (T, 3, 3) and translation (T, 3) of all frames."""

    rotation: np.ndarray
    translation: np.ndarray


def adjust(landmarks: np.ndarray, shot: np.ndarray, fps: float, fitter: Fitter) -> HeadTrail:
    """Pose, and points without pose, of a head from FaceMesh's points (T, 478, 3) in pixels, all of them valid.

    `shot` (T,) numbers the shots between cuts: nothing is smoothed across them.
    """
    landmarks = np.asarray(landmarks, np.float64)
    spread = np.linspace(0, len(landmarks) - 1, min(len(landmarks), 64)).round().astype(int)
    person = fitter.meet([landmarks[k] for k in np.unique(spread)])
    seen = landmarks[:, :468, :2]
    expression, poses = _followed(landmarks, shot, fitter, person)
    moving = expression @ np.moveaxis(fitter.expression_modes, -1, 0).reshape(expression.shape[1], -1)
    moving = moving.reshape(-1, 468, 3)
    still = fitter.points(person.identity, np.zeros(expression.shape[1])) + person.offset
    weights = _steadiness(moving) * fitter.weights
    scale = 512.0 / person.camera.crop_px
    offset = np.zeros_like(still)
    for _ in range(ROUNDS):
        _improve_poses(poses, still + offset + moving, seen, person.camera, weights, scale)
        offset = _improved_offset(poses, still, offset, moving, seen, person.camera, scale)
    rotation, translation = smoothed(poses.rotation, poses.translation, shot, fps)
    points = (still + offset + moving).astype(np.float32)
    residual = _residuals(_Poses(rotation, translation), points, seen, person.camera)
    rms_px = float(np.sqrt(((residual**2).sum(-1) * weights).sum() / (weights.sum() * len(residual))))
    lifted = points + _lifted(_Poses(rotation, translation), points, residual, person.camera)
    return HeadTrail(
        rotation, translation, lifted.astype(np.float32), expression, person.identity, person.camera, rms_px
    )


def with_poses(trail: HeadTrail, rotation: np.ndarray, translation: np.ndarray) -> HeadTrail:
    """The trail with other poses (T, 3, 3) and (T, 3); its points still land where they did, at the same depth."""
    old, new = _Poses(trail.rotation, trail.translation), _Poses(rotation, translation)
    seen = -_residuals(old, trail.points, np.zeros((*trail.points.shape[:2], 2)), trail.camera)
    lifted = _lifted(new, trail.points, _residuals(new, trail.points, seen, trail.camera), trail.camera)
    points = (trail.points + lifted).astype(np.float32)
    return replace(trail, rotation=rotation, translation=translation, points=points)


def _followed(landmarks: np.ndarray, shot: np.ndarray, fitter: Fitter, person: Person) -> tuple[np.ndarray, _Poses]:
    """Expression (T, 52) and pose of every frame as the fit sees them."""
    fits: list[Fit] = []
    for k, points in enumerate(landmarks):
        before = fits[-1] if k and shot[k] == shot[k - 1] else None
        fits.append(fitter.follow(points, before, person))
    expression = np.stack([fit.expression for fit in fits]).astype(np.float64)
    return expression, _Poses(np.stack([fit.rotation for fit in fits]), np.stack([fit.translation for fit in fits]))


def _steadiness(moving: np.ndarray) -> np.ndarray:
    """(468,) 0-1: how little points move with expression, from their motion (T, 468, 3)."""
    swing = ((moving - moving.mean(0)) ** 2).sum(-1).mean(0)
    return 1 / (1 + (swing / _MOVED**2) ** 2)


def _improve_poses(
    poses: _Poses, points: np.ndarray, seen: np.ndarray, camera: Camera, weights: np.ndarray, scale: float
) -> None:
    """One Gauss-Newton step of every frame's pose, in place; points (T, 468, 3), `seen` (T, 468, 2)."""
    for part in _parts(len(seen)):
        turned = points[part] @ poses.rotation[part].transpose(0, 2, 1)
        placed = turned * np.diag(FLIP) + poses.translation[part, None]
        residual = seen[part] - camera.center_px - camera.focal_px * placed[..., :2] / placed[..., 2:]
        by_place = by_camera(placed, camera.focal_px)
        jacobian = np.concatenate([(by_place * np.diag(FLIP)) @ -cross_matrices(turned), by_place], -1)
        robust = weights / (1 + (residual**2).sum(-1) * (scale / _ROBUST_PX) ** 2)
        weighted = jacobian * robust[..., None, None]
        hessian = np.einsum("tnik,tnil->tkl", weighted, jacobian)
        step = np.linalg.solve(hessian, np.einsum("tnik,tni->tk", weighted, residual)[..., None])[..., 0]
        poses.rotation[part] = rotations_from_vectors(step[:, :3]) @ poses.rotation[part]
        poses.translation[part] += step[:, 3:]


def _improved_offset(
    poses: _Poses,
    still: np.ndarray,
    offset: np.ndarray,
    moving: np.ndarray,
    seen: np.ndarray,
    camera: Camera,
    scale: float,
) -> np.ndarray:
    """The offset (468, 3) from the fitted model's points at which all frames see them best."""
    hessian, gradient, pull = np.zeros((468, 3, 3)), np.zeros((468, 3)), 0.0
    for part in _parts(len(seen)):
        points = still + offset + moving[part]
        placed = (points @ poses.rotation[part].transpose(0, 2, 1)) * np.diag(FLIP) + poses.translation[part, None]
        residual = seen[part] - camera.center_px - camera.focal_px * placed[..., :2] / placed[..., 2:]
        jacobian = by_camera(placed, camera.focal_px) @ (FLIP @ poses.rotation[part])[:, None]
        robust = 1 / (1 + (residual**2).sum(-1) * (scale / _ROBUST_PX) ** 2)
        weighted = jacobian * robust[..., None, None]
        hessian += np.einsum("tnik,tnil->nkl", weighted, jacobian)
        gradient += np.einsum("tnik,tni->nk", weighted, residual)
        pull += float(((camera.focal_px / placed[..., 2]) ** 2).mean(1).sum())
    ridge = pull * _OFFSET_RIDGE
    hessian[:, range(3), range(3)] += ridge
    return offset + np.linalg.solve(hessian, (gradient - ridge * offset)[..., None])[..., 0]


def smoothed(
    rotation: np.ndarray, translation: np.ndarray, shot: np.ndarray, fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Poses (T, 3, 3) and (T, 3) without jitter, as far as nothing moves fast; `shot` (T,) as in `adjust`."""
    mean = rotation.mean(0)
    u, _, vt = np.linalg.svd(mean)
    middle = u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
    turns = np.degrees(vectors_from_rotations(rotation @ middle.T))
    rows = np.concatenate([turns, translation], 1) / _JITTER
    rows = bilateral(rows, shot, max(0.6, SMOOTHING_S * fps), 1.0).astype(np.float64) * _JITTER
    return rotations_from_vectors(np.radians(rows[:, :3])) @ middle, rows[:, 3:]


def _residuals(poses: _Poses, points: np.ndarray, seen: np.ndarray, camera: Camera) -> np.ndarray:
    """(T, 468, 2) pixels from where points (T, 468, 3) are projected to where they were seen."""
    placed = (points @ poses.rotation.transpose(0, 2, 1)) * np.diag(FLIP) + poses.translation[:, None]
    return seen - camera.center_px - camera.focal_px * placed[..., :2] / placed[..., 2:]


def _lifted(poses: _Poses, points: np.ndarray, residual: np.ndarray, camera: Camera) -> np.ndarray:
    """Residuals as moves (T, 468, 3) of the points, in the picture plane at their depth, head frame."""
    depth = (points @ poses.rotation.transpose(0, 2, 1) @ FLIP)[..., 2:] + poses.translation[:, None, 2:]
    moves = np.concatenate([residual * depth / camera.focal_px, np.zeros_like(depth)], -1)
    return moves @ (FLIP @ poses.rotation)


def by_camera(placed: np.ndarray, focal_px: float) -> np.ndarray:
    """Derivatives (..., 2, 3) of the projection, in pixels, by camera-frame points (..., 3)."""
    x, y, z = np.moveaxis(placed, -1, 0)
    zero = np.zeros_like(z)
    rows = [np.stack([focal_px / z, zero, -focal_px * x / z**2], -1)]
    rows.append(np.stack([zero, focal_px / z, -focal_px * y / z**2], -1))
    return np.stack(rows, -2)


def cross_matrices(vectors: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) that take the cross product with vectors (..., 3) from the left."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    return np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*vectors.shape, 3)


def rotations_from_vectors(vectors: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) about vectors (T, 3) by their lengths in radians (Rodrigues)."""
    angle = np.linalg.norm(vectors, axis=-1)[:, None, None]
    axis = cross_matrices(vectors / np.maximum(angle[:, 0], 1e-12))
    return np.eye(3) + np.sin(angle) * axis + (1 - np.cos(angle)) * axis @ axis


def vectors_from_rotations(rotations: np.ndarray) -> np.ndarray:
    """The inverse of `rotations_from_vectors`, for turns of less than half a circle."""
    twist = np.stack(
        [
            rotations[:, 2, 1] - rotations[:, 1, 2],
            rotations[:, 0, 2] - rotations[:, 2, 0],
            rotations[:, 1, 0] - rotations[:, 0, 1],
        ],
        -1,
    )
    sine, cosine = np.linalg.norm(twist, axis=1) / 2, (np.trace(rotations, axis1=1, axis2=2) - 1) / 2
    angle = np.arctan2(sine, cosine)
    return twist / 2 * (angle / np.maximum(sine, 1e-12))[:, None]


def _parts(count: int) -> Iterator[slice]:
    """Slices of frames that are worked on together: memory must not grow with a clip's length."""
    for start in range(0, count, _CHUNK):
        yield slice(start, min(start + _CHUNK, count))
