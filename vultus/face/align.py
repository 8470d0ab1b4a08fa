"""Head pose from the skin's own pixels: every frame of a clip laid onto the mean picture of the face.

FaceMesh's points wander by a pixel or two with expression, turn and light, which is a degree or two of pose. Skin that
does not move with expression (nose bridge, temples, upper cheeks, forehead) is looked up in the picture at the head
model's vertices; pose after pose is moved until it shows there what the other frames show, on average.

What does not show the same in all frames counts for less: brows, glasses and hair, which stand before the skin, the
outline. And light stays where it is when a head turns, so only detail finer than shading is compared.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial import cKDTree

from vultus.face.bundle import (
    HeadTrail,
    by_camera,
    cross_matrices,
    rotations_from_vectors,
    smoothed,
    vectors_from_rotations,
    with_poses,
)
from vultus.face.head import FLIP, HeadModel

FACE_PX = 200.0
"""Height to which faces are brought before they are compared."""
ROUNDS, STEPS = 6, 4
"""Mean pictures that are made in turn, and steps of every pose towards each."""

_FINE_PX, _COARSE_PX = 1.1, 7.0
"""The picture between these two blurs is compared: noise and shading are left out."""
_ROBUST = 8.0
"""Difference in grey levels from which a vertex counts for less."""
_NEAR, _EYES = 0.8, 1.7
"""Vertices within so many head units of one of FaceMesh's points are face, within so many of an eye's middle are not
used: they open and shut."""
_STILL = 0.08
"""Root mean square motion by expression, in head units, up to which a vertex is used."""
_FRONT = 0.1
"""Least z of a normal."""
_LEVEL = 4.0
"""Steps to a grey level in which filtered pictures are kept."""
_FAR_DEG, _FAR_UNITS = 15.0, 4.0
"""A pose that strays farther than this from where it began has lost the face, and goes back."""
_CUT_LEVELS, _CUT_RATIO, _CUT_REACH = 7.0, 4.0, 12
"""Mean grey difference between two frames, and its ratio to the median of those around, that make a cut."""
_CUT_PX = 48


@dataclass(frozen=True)
class _Skin:
    """Points (N, 3) of skin that keeps still, their normals (N, 3), head frame, and how much skin is theirs (N,)."""

    points: np.ndarray
    normals: np.ndarray
    area: np.ndarray


@dataclass(frozen=True)
class _Window:
    """The part of the picture that faces are looked for in: corner (2,) and size in its pixels, and the scale to it."""

    corner: np.ndarray
    width: int
    height: int
    scale: float

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """What is compared of a picture (H, W, 3) uint8: (height, width) int8, in parts of a grey level."""
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        matrix = np.array(
            [[self.scale, 0, -self.scale * self.corner[0]], [0, self.scale, -self.scale * self.corner[1]]]
        )
        matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
        flags = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_LINEAR
        small = cv2.warpAffine(grey, matrix, (self.width, self.height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        light = small.astype(np.float32)
        fine = cv2.GaussianBlur(light, (0, 0), _FINE_PX) - cv2.GaussianBlur(light, (0, 0), _COARSE_PX)
        return np.clip(np.round(_LEVEL * fine), -127, 127).astype(np.int8)


def align(pictures: Iterable[np.ndarray], trail: HeadTrail, shot: np.ndarray, fps: float, head: HeadModel) -> HeadTrail:
    """The trail with poses read off the skin. `pictures` (H, W, 3) uint8 RGB are those of its frames, in order."""
    skin, window = _still_skin(trail, head), _window(trail)
    with tempfile.TemporaryDirectory(prefix="vultus-align-") as folder:
        shape = (len(trail.rotation), window.height, window.width)
        kept = np.memmap(Path(folder) / "faces", np.int8, "w+", shape=shape)
        for row, picture in zip(kept, pictures, strict=True):
            row[:] = window.cut(picture)
        rotation, translation = _aligned(kept, skin, trail, window)
        del kept
    lost = _strayed(rotation, translation, trail)
    rotation[lost], translation[lost] = trail.rotation[lost], trail.translation[lost]
    return with_poses(trail, *smoothed(rotation, translation, shot, fps))


def cuts(pictures: Iterable[np.ndarray]) -> np.ndarray:
    """(T,) bool: frames that begin a new shot, by how much the whole picture changes; the first is none."""
    before: np.ndarray | None = None
    changes: list[float] = []
    for picture in pictures:
        small = cv2.resize(picture, (_CUT_PX, _CUT_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        changes.append(0.0 if before is None else float(np.abs(small - before).mean()))
        before = small
    change = np.array(changes)
    if len(change) <= _CUT_REACH:
        return change > _CUT_LEVELS * _CUT_RATIO
    around = np.lib.stride_tricks.sliding_window_view(np.pad(change, _CUT_REACH, "reflect"), 2 * _CUT_REACH + 1)
    return (change > _CUT_LEVELS) & (change > _CUT_RATIO * np.median(around, axis=1))


def _still_skin(trail: HeadTrail, head: HeadModel) -> _Skin:
    vertices = head.vertices(trail.identity).astype(np.float64)
    a, b, c = (vertices[head.triangles[:, k]] for k in range(3))
    faces, normals, area = np.cross(b - a, c - a), np.zeros_like(vertices), np.zeros(len(vertices))
    for k in range(3):
        np.add.at(normals, head.triangles[:, k], faces)
        np.add.at(area, head.triangles[:, k], np.linalg.norm(faces, axis=1) / 6)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    spread = (trail.expression - trail.expression.mean(0)).astype(np.float64)
    covariance = spread.T @ spread / len(spread)
    basis = head.expression_basis.astype(np.float64)
    moves = np.einsum("kvd,kl,lvd->v", basis, covariance, basis, optimize=True)
    usable = np.zeros(len(vertices), bool)
    usable[head.vertices_of("skin")] = True
    usable &= np.sqrt(moves) < _STILL
    usable &= cKDTree(head.landmarks478(vertices)).query(vertices)[0] < _NEAR
    eyes = head.eye_centres(vertices)
    usable &= np.linalg.norm(vertices[:, None, :2] - eyes[None, :, :2], axis=-1).min(1) > _EYES
    usable &= normals[:, 2] > _FRONT
    return _Skin(vertices[usable], normals[usable], area[usable])


def _window(trail: HeadTrail) -> _Window:
    """The box of all faces of the clip with some room, at a scale that makes the median face `FACE_PX` high."""
    placed = trail.points @ trail.rotation.transpose(0, 2, 1) * np.diag(FLIP) + trail.translation[:, None]
    pixels = trail.camera.focal_px * placed[..., :2] / placed[..., 2:] + trail.camera.center_px
    low, high = pixels.min(1), pixels.max(1)
    height_px = float(np.median((high - low)[:, 1]))
    corner = low.min(0) - 0.1 * height_px
    extent = high.max(0) + 0.1 * height_px - corner
    scale = FACE_PX / height_px
    width, height = (int(np.ceil(side * scale)) for side in extent)
    return _Window(corner, width, height, scale)


def _aligned(kept: np.ndarray, skin: _Skin, trail: HeadTrail, window: _Window) -> tuple[np.ndarray, np.ndarray]:
    rotation, translation = trail.rotation.copy(), trail.translation.copy()
    focal_px = window.scale * trail.camera.focal_px
    center_px = window.scale * (trail.camera.center_px - window.corner)
    look = _Look(skin, focal_px, center_px)
    for _ in range(ROUNDS):
        mean = look.mean_face(kept, rotation, translation)
        for k, face in enumerate(kept):
            picture = face.astype(np.float32) / np.float32(_LEVEL)
            for _ in range(STEPS):
                step = look.step(picture, mean, rotation[k], translation[k])
                rotation[k] = rotations_from_vectors(step[None, :3])[0] @ rotation[k]
                translation[k] += step[3:]
    return rotation, translation


class _Look:
    """Looks a face up at the skin's points."""

    def __init__(self, skin: _Skin, focal_px: float, center_px: np.ndarray) -> None:
        self._skin, self._focal_px, self._center_px = skin, focal_px, center_px
        self._trust = skin.area

    def mean_face(self, kept: np.ndarray, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
        """(N,) what the points show in most frames. Those that often show something else are trusted less from now on.

        A point speaks for its area: the model has most vertices at the nostrils, whose rims lie elsewhere in each view.
        """
        seen, weight = [], []
        for face, turn, shift in zip(kept, rotation, translation, strict=True):
            _, placed, x, y = self._place(turn, shift)
            seen.append(cv2.remap(face.astype(np.float32) / np.float32(_LEVEL), x, y, cv2.INTER_LINEAR)[0])
            weight.append(self._facing(turn, placed))
        values, weights = np.stack(seen), np.stack(weight)
        mean = (values * weights).sum(0) / np.maximum(weights.sum(0), 1e-6)
        for _ in range(2):
            robust = weights / (1 + ((values - mean) / _ROBUST) ** 2)
            mean = (values * robust).sum(0) / np.maximum(robust.sum(0), 1e-6)
        variance = (weights * (values - mean) ** 2).sum(0) / np.maximum(weights.sum(0), 1e-6)
        self._trust = self._skin.area / (1 + variance / max(float(np.median(variance)), 1e-6)) ** 2
        return mean

    def step(self, picture: np.ndarray, mean: np.ndarray, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
        """(6,) turn and shift of one pose that bring what it shows closer to the mean face (Gauss-Newton)."""
        turned, placed, x, y = self._place(rotation, translation)
        seen, left, right, above, below = (
            cv2.remap(picture, x + dx, y + dy, cv2.INTER_LINEAR)[0]
            for dx, dy in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
        )
        weights = self._facing(rotation, placed) * self._trust
        contrast = np.clip((seen * mean * weights).sum() / max(float((mean**2 * weights).sum()), 1e-6), 0.5, 2)
        residual = contrast * mean - seen
        weights = weights / (1 + (residual / _ROBUST) ** 2)
        by_place = by_camera(placed, self._focal_px)
        by_pose = np.concatenate([(by_place * np.diag(FLIP)) @ -cross_matrices(turned), by_place], -1)
        jacobian = ((right - left) / 2)[:, None] * by_pose[:, 0] + ((below - above) / 2)[:, None] * by_pose[:, 1]
        hessian = (jacobian * weights[:, None]).T @ jacobian
        hessian[np.diag_indices(6)] += 1e-3 * np.diag(hessian) + 1e-9
        step: np.ndarray = np.linalg.solve(hessian, (jacobian * weights[:, None]).T @ residual)
        return step

    def _place(self, rotation: np.ndarray, translation: np.ndarray) -> tuple[np.ndarray, ...]:
        """Points turned (N, 3), before the camera (N, 3), and as OpenCV's maps (1, N) of x and y."""
        turned = self._skin.points @ rotation.T
        placed = turned * np.diag(FLIP) + translation
        pixels = (self._focal_px * placed[:, :2] / placed[:, 2:] + self._center_px - 0.5).astype(np.float32)
        return turned, placed, pixels[None, :, 0], pixels[None, :, 1]

    def _facing(self, rotation: np.ndarray, placed: np.ndarray) -> np.ndarray:
        """(N,) cosine between normals and the way to the camera, 0 for skin that is turned away."""
        normals = self._skin.normals @ rotation.T * np.diag(FLIP)
        facing: np.ndarray = -(normals * placed).sum(1) / np.linalg.norm(placed, axis=1)
        return np.clip(facing, 0, 1)


def _strayed(rotation: np.ndarray, translation: np.ndarray, trail: HeadTrail) -> np.ndarray:
    """(T,) bool: poses that have left the trail's."""
    turned = vectors_from_rotations(rotation @ trail.rotation.transpose(0, 2, 1))
    lost = np.degrees(np.linalg.norm(turned, axis=1)) > _FAR_DEG
    far: np.ndarray = lost | (np.linalg.norm((translation - trail.translation)[:, :2], axis=1) > _FAR_UNITS)
    return far
