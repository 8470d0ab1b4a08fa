"""The skin and the mouth of one person as a moving surface, textured by position with the picture it was fitted to.

Every vertex remembers where in the picture it was seen. Drawing the moved surface and looking the texture up there
reproduces the picture exactly at the picture's own pose and expression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from scipy.spatial import cKDTree

from vultus.core.bases import ARKIT52
from vultus.core.pose import degrees_from_matrix, matrix_from_degrees
from vultus.core.types import Fit
from vultus.face.head import FLIP, HeadModel, project
from vultus.face.points import OVAL
from vultus.rendering.hidden_lips import texture_positions
from vultus.rendering.inpaint import smoothstep
from vultus.rendering.raster import FAR, draw_colours, vertex_normals
from vultus.rendering.texture import Texture
from vultus.rendering.warp import fitted_vertices

EYE_SHAPES = tuple(n for n in ARKIT52 if n.startswith(("eyeBlink", "eyeLook", "eyeWide", "eyeSquint")))
"""Shapes that `rendering.eyes` plays in the picture; within the eyes' windows the mesh leaves them out."""

EAR_FROM = (6.2, 3.2)
"""Skin farther aside than the first and farther back than the second (head units) is the backdrop's: ears fold."""
GRAZING = (0.08, 0.3)
"""Cosines between skin and view in the picture over which the surface fades in: grazing skin is hardly seen in it."""
NECK_FADE = (0.3, 6.5)
"""Units below the chin between which the head's motion fades out."""
OVAL_FADE = (0.02, 0.12)
"""Distances inside the face's oval, in face widths, between which the surface takes over from what lies behind."""


class EyeRegion(Protocol):
    """What the surface must know of an eye that is played in the picture."""

    def window(self, points: np.ndarray) -> np.ndarray:
        """How much (N,) of the lids' motion at texture positions (N, 2) is not the mesh's."""
        ...

    def brow_share(self, points: np.ndarray) -> np.ndarray:
        """How much (N,) of the brows' motion reaches texture positions (N, 2)."""
        ...


@dataclass
class Surface:
    """Vertices that move (head frame, at the picture's expression), and how each control moves them."""

    rest: np.ndarray
    """(A, 3) float32 positions at the picture's expression."""
    basis: np.ndarray
    """(52, A, 3) float32 deltas; eye shapes fade out in the eyes' windows."""
    expression: np.ndarray
    """(52,) the picture's own expression."""
    seen: np.ndarray
    """(A, 2) float32 where each vertex lies in the texture, pixels."""
    lookup: np.ndarray
    """(A, 2) float32 where to look its colour up (`Texture.lookup_position`): hidden lip borrows visible lip's."""
    shade: np.ndarray
    """(A,) float32 brightness of skin that the picture does not show (inner lips), else 1."""
    cover: np.ndarray
    """(A,) float32 0-1: how much the surface replaces what lies behind it."""
    skin: np.ndarray
    """(T, 3) int32 triangles of the skin, eye openings closed."""
    follow: np.ndarray
    """(A,) float32 0-1: how much of the head's motion the vertex follows."""
    index: np.ndarray
    """(V,) position of each head-model vertex among the A, -1 if it is not there."""
    pivot: np.ndarray
    """(3,) point in the neck about which the head turns."""
    normals: np.ndarray
    """(A, 3) float32 normals of the skin at rest."""
    visible: np.ndarray
    """(A,) bool: seen in the picture."""

    def moved(self, expression: np.ndarray) -> np.ndarray:
        """Positions (A, 3) under an expression (52,), before the head moves."""
        offset = (expression - self.expression).astype(np.float32)
        return self.rest + (offset @ self.basis.reshape(len(offset), -1)).reshape(-1, 3)


@dataclass(frozen=True)
class MovedSurface:
    """The surface in one frame."""

    points: np.ndarray
    """(A, 3) moved by the expression, before the head moves."""
    screen: np.ndarray
    """(A, 3) float32 posed: stage pixels and depth."""
    attributes: np.ndarray
    """(A, 4) float32, what `raster.draw_surface` wants."""
    pose: Pose


@dataclass(frozen=True)
class Pose:
    """A motion of the head away from the picture's pose: about the pivot, then a shift, both in the head frame."""

    rotation: np.ndarray
    """(3, 3)."""
    shift: np.ndarray
    """(3,)."""

    def apply(self, points: np.ndarray, follow: np.ndarray, pivot: np.ndarray) -> np.ndarray:
        """Points (N, 3) moved as far as each follows (N,)."""
        turned = (points - pivot) @ self.rotation.T.astype(np.float32) + (pivot + self.shift).astype(np.float32)
        return points + (turned - points) * follow[:, None]


def head_pose(fit: Fit, rotation_deg: np.ndarray, translation: np.ndarray) -> Pose:
    """The pose that turns the picture's head by yaw, pitch, roll (3,) and moves it (3,) along the picture's axes.

    Angles add to the picture's own, so that a tracker sees exactly the sum.
    """
    target = matrix_from_degrees(degrees_from_matrix(fit.rotation) + rotation_deg)
    return Pose(fit.rotation.T @ target, fit.rotation.T @ np.asarray(translation, np.float64))


def build_surface(head: HeadModel, fit: Fit, eyes: Sequence[EyeRegion]) -> Surface:
    """The moving surface of a fitted head.

    Args:
        head: the embedded head.
        fit: in pixels of the texture.
        eyes: where `rendering.eyes` moves the lids instead.
    """
    vertices = fitted_vertices(head, fit)
    active = head.vertices_of("skin", "socket", "gums", "tongue", "upper_teeth", "lower_teeth")
    # Two more vertices close the eye openings: the middles of their rims.
    rims = [head.left_eye_rim, head.right_eye_rim]
    rest = np.concatenate([vertices[active], *[vertices[rim].mean(0, keepdims=True) for rim in rims]])
    basis = np.concatenate(
        [head.expression_basis[:, active], *[head.expression_basis[:, rim].mean(1, keepdims=True) for rim in rims]], 1
    )
    index = np.full(len(head.mean), -1)
    index[active] = np.arange(len(active))
    seen = project(rest, fit.rotation, fit.translation, fit.focal_px, fit.center_px).astype(np.float32)

    skin = index[head.triangles_of("skin")]
    lids = [_fan(index[rim], len(active) + k, rest) for k, rim in enumerate(rims)]
    triangles = np.concatenate([skin, *lids]).astype(np.int32)
    normals = vertex_normals(np.ascontiguousarray(rest), np.ascontiguousarray(triangles))
    visible = _visible(head, index, rest, seen, normals, triangles, fit)
    uv, shade, hidden_lip = texture_positions(head, index, rest, seen[:, :2], visible, fit.expression)
    facing = (normals * _view_directions(rest, fit)).sum(1)
    cover = _cover(seen, fit) * _well_seen(head, rest, facing)
    cover[hidden_lip] = 1.0
    window, brow_share = np.zeros(len(rest), np.float32), np.ones(len(rest), np.float32)
    for eye in eyes:
        window = np.maximum(window, eye.window(seen[:, :2]))
        brow_share = np.minimum(brow_share, eye.brow_share(seen[:, :2]))
    moving = _without_folds(basis, seen[:, :2], visible, window, 0.03 * float(np.ptp(fit.landmarks[:468, 0])))
    for k, name in enumerate(ARKIT52):
        if name in EYE_SHAPES:
            moving[k] *= (1 - window)[:, None]
        elif name.startswith("brow"):
            moving[k] *= brow_share[:, None]

    chin = float(vertices[head.landmark68[8], 1])
    follow = smoothstep((rest[:, 1] - (chin - NECK_FADE[1])) / (NECK_FADE[1] - NECK_FADE[0])).astype(np.float32)
    follow[index[head.vertices_of("gums", "tongue", "upper_teeth", "lower_teeth", "socket")]] = 1.0
    pivot = np.array([0.0, head.mean[head.landmark68[8], 1] + 3.0, -1.5], np.float32)
    used = _facing(head, rest, triangles, cover, fit)
    return Surface(
        rest, moving, fit.expression.astype(np.float32), seen[:, :2].copy(), Texture.lookup_position(uv), shade, cover,
        np.ascontiguousarray(triangles[used]), follow, index, pivot, normals, visible,
    )  # fmt: skip


def _without_folds(
    basis: np.ndarray, seen: np.ndarray, visible: np.ndarray, window: np.ndarray, sigma_px: float
) -> np.ndarray:
    """The basis (52, A, 3) with one smooth motion per place in the picture around the eyes.

    The head's upper lid is folded. A brow that rises would unfold it, and a lowered one push the fold over the rim, but
    the picture has no skin for either: there all vertices that lie at one place move like what is seen there.
    """
    inside, sources = np.nonzero(window > 0)[0], np.nonzero(visible)[0]
    if len(inside) == 0:
        return basis.copy()
    distance, nearest = cKDTree(seen[sources]).query(seen[inside], k=24)
    weight = np.exp(-0.5 * ((distance - distance[:, :1]) / sigma_px) ** 2)
    weight /= weight.sum(1, keepdims=True)
    smooth = np.einsum("ik,eikd->eid", weight, basis[:, sources[nearest]])
    result = basis.copy()
    share = window[inside][None, :, None]
    result[:, inside] = (basis[:, inside] * (1 - share) + smooth * share).astype(basis.dtype)
    return result


def _fan(rim: np.ndarray, centre: int, rest: np.ndarray) -> np.ndarray:
    """Triangles (M, 3) that close a rim around a centre vertex, facing forward."""
    fan = np.stack([rim, np.roll(rim, -1), np.full(len(rim), centre)], 1)
    a, b, c = (rest[fan[:, k]] for k in range(3))
    backward = np.cross(b - a, c - a)[:, 2].sum() < 0
    return fan[:, [1, 0, 2]] if backward else fan


def _view_directions(rest: np.ndarray, fit: Fit) -> np.ndarray:
    """Unit vectors (A, 3) from each point to the camera, head frame."""
    eye = -(FLIP @ fit.rotation).T @ fit.translation
    away = eye - rest
    return away / np.linalg.norm(away, axis=1, keepdims=True)


def _facing(head: HeadModel, rest: np.ndarray, triangles: np.ndarray, cover: np.ndarray, fit: Fit) -> np.ndarray:
    """Which triangles to draw: those the picture shows well, and all that may unfold."""
    a, b, c = (rest[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    facing = (normal * _view_directions(rest, fit)[triangles[:, 0]]).sum(1)
    return ((facing > GRAZING[0]) | _folds(head, (a + b + c) / 3)) & (cover[triangles] > 0).any(1)


def _visible(
    head: HeadModel, index: np.ndarray, rest: np.ndarray, seen: np.ndarray, normals: np.ndarray, triangles: np.ndarray,
    fit: Fit,
) -> np.ndarray:  # fmt: skip
    """(A,) bool: skin that faces the camera and that nothing hides."""
    width, height = (int(np.ceil(seen[:, k].max())) + 2 for k in range(2))
    depth = np.full((height, width), FAR, np.float32)
    draw_colours(
        seen, triangles, np.zeros_like(seen), np.zeros((height, width, 3), np.float32),
        np.ones((height, width), np.uint8), depth, 1,
    )  # fmt: skip
    column, row = (np.clip(np.floor(seen[:, k]).astype(int), 0, n - 1) for k, n in ((0, width), (1, height)))
    facing = (normals * _view_directions(rest, fit)).sum(1)
    visible = (seen[:, 2] < depth[row, column] + 0.12) & (facing > 0.18)
    inner = index[head.vertices_of("socket", "gums", "tongue", "upper_teeth", "lower_teeth")]
    visible[inner] = False
    return visible


def _well_seen(head: HeadModel, rest: np.ndarray, facing: np.ndarray) -> np.ndarray:
    """(A,) 0-1: skin the picture sees from in front, no ears; all around mouth and eyes, whose folds open later."""
    side = smoothstep((np.abs(rest[:, 0]) - EAR_FROM[0]) / 0.8) * smoothstep((EAR_FROM[1] - rest[:, 2]) / 0.8)
    seen = smoothstep((facing - GRAZING[0]) / (GRAZING[1] - GRAZING[0]))
    return np.where(_folds(head, rest), 1, seen * (1 - side)).astype(np.float32)


def _folds(head: HeadModel, points: np.ndarray) -> np.ndarray:
    """Which points (N, 3) lie around the mouth and the eyes."""
    marks = head.mean[head.landmark68]
    mouth = marks[60:68].mean(0)
    around = (np.abs(points[:, 0]) < 3.6) & (np.abs(points[:, 1] - mouth[1]) < 3.4) & (points[:, 2] > 6)
    for eye in (marks[36:42].mean(0), marks[42:48].mean(0)):
        around |= (np.abs(points[:, 0] - eye[0]) < 2.3) & (np.abs(points[:, 1] - eye[1]) < 1.5)
    return around


def _cover(seen: np.ndarray, fit: Fit) -> np.ndarray:
    """(A,) 0 outside the face's oval, rising to 1 inside it."""
    oval = fit.landmarks[list(OVAL), :2].astype(np.float32)
    width = float(np.ptp(fit.landmarks[:468, 0]))
    inside = np.array([cv2.pointPolygonTest(oval, (float(x), float(y)), True) for x, y in seen[:, :2]])
    return np.clip((inside / width - OVAL_FADE[0]) / (OVAL_FADE[1] - OVAL_FADE[0]), 0, 1).astype(np.float32)
