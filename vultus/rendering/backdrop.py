"""What lies behind the face (hair, ears, neck, clothes, room): a sheet of rubber that the head pulls along.

The sheet is a coarse grid over the picture with the depth of the fitted head where it covers the picture, fading to a
plane behind it. Hair and neck follow the head; the room, and the picture's borders, stay.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import cKDTree

from vultus.core.types import Fit
from vultus.face.head import FLIP, HeadModel, project
from vultus.face.points import OVAL
from vultus.rendering.inpaint import push_pull, smoothstep
from vultus.rendering.raster import FAR, draw_colours, draw_surface
from vultus.rendering.surface import NECK_FADE, Pose, Surface
from vultus.rendering.texture import Texture

CELLS_PER_FACE = 28
"""Grid cells across the width of the face."""
ROOM_REACH = 0.32
"""How far outside the person the pull of the head fades out, in face widths."""
BORDER_FADE = 0.27
"""How far from the picture's left and right border it fades, in face widths."""
TOP_FADE = 0.2
"""Likewise from the upper border: hair that the picture cuts off stretches rather than shows what is not there."""
SKIN_REACH = 0.10
"""How far outside the face the skin's own motion fades out, in face widths."""
DEPTH_BLUR = 0.055
"""Blur of the sheet's depth, in face widths."""
SHRINK = 4
"""The inverse of the grid's motion is found at a quarter of the size: it is smooth."""


class Backdrop:
    """The grid, its motion, and the texture flow that results."""

    def __init__(
        self, head: HeadModel, fit: Fit, surface: Surface, person: np.ndarray, stage: tuple[int, int], margin: int
    ):
        """
        Args:
            head, fit: the head fitted in texture pixels.
            surface: the face in front.
            person: (h, w) float32 0-1 mask of the person over the texture.
            stage: width, height of the stage; margin: texture pixels around it.
        """
        self.fit, self.pivot = fit, surface.pivot
        self.stage, self.margin = stage, margin
        face_px = float(np.ptp(fit.landmarks[:468, 0]))
        cell = max(3.0, face_px / CELLS_PER_FACE)
        height, width = person.shape
        columns, rows = (np.linspace(0, n, int(np.ceil(n / cell)) + 1) for n in (width, height))
        x, y = np.meshgrid(columns, rows)
        self.uv = np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)
        self.triangles = _grid_triangles(len(rows), len(columns))
        self.attributes = np.ones((len(self.uv), 4), np.float32)
        self.attributes[:, :2] = Texture.lookup_position(self.uv)
        depth = self._depth(head, fit, width, height, face_px)
        near = np.clip(self.uv.astype(int), 0, [width - 1, height - 1])
        camera_z = depth[near[:, 1], near[:, 0]].astype(np.float64)
        rays = np.concatenate([(self.uv - fit.center_px) / fit.focal_px, np.ones((len(self.uv), 1))], 1)
        self.points = (((rays * camera_z[:, None]) - fit.translation) @ (FLIP @ fit.rotation)).astype(np.float32)
        self.follow = self._follow(head, surface, person, near, face_px)
        self._attach(surface, face_px)

    def _depth(self, head: HeadModel, fit: Fit, width: int, height: int, face_px: float) -> np.ndarray:
        """Camera depth (h, w) of the head where it is, easing to a plane behind it elsewhere."""
        vertices = head.vertices(fit.identity, fit.expression)
        seen = project(vertices, fit.rotation, fit.translation, fit.focal_px, fit.center_px).astype(np.float32)
        depth = np.full((height, width), FAR, np.float32)
        draw_colours(
            seen, head.triangles_of("skin"), np.zeros_like(seen), np.zeros((height, width, 3), np.float32),
            np.ones((height, width), np.uint8), depth, 1,
        )  # fmt: skip
        covered = cv2.erode((depth < FAR).astype(np.uint8), np.ones((5, 5))) > 0
        back = float((FLIP @ fit.rotation @ np.array([0, 0, -1.0]) + fit.translation)[2])
        distance = cv2.distanceTransform((~covered).astype(np.uint8), cv2.DIST_L2, 3)
        outward = push_pull(np.where(covered, depth, 0)[..., None], covered)[..., 0]
        near = np.exp(-distance / (0.27 * face_px))
        # Soft enough that the sheet stretches at the jaw, where neck lies far behind chin, rather than folds.
        return cv2.GaussianBlur((outward * near + back * (1 - near)).astype(np.float32), (0, 0), DEPTH_BLUR * face_px)

    def _follow(
        self, head: HeadModel, surface: Surface, person: np.ndarray, near: np.ndarray, face_px: float
    ) -> np.ndarray:
        chin = float(surface.rest[surface.index[head.landmark68[8]], 1])
        follow = smoothstep((self.points[:, 1] - (chin - NECK_FADE[1])) / (NECK_FADE[1] - NECK_FADE[0]))
        outside = (person < 0.3).astype(np.uint8)
        cv2.fillPoly(outside, [np.round(self.fit.landmarks[list(OVAL), :2]).astype(np.int32)], 0)
        away = cv2.distanceTransform(outside, cv2.DIST_L2, 5)[near[:, 1], near[:, 0]]
        follow = follow * np.exp(-((np.maximum(away - 0.035 * face_px, 0) / (ROOM_REACH * face_px)) ** 2))
        x, y = (self.uv - self.margin).T
        side = smoothstep((np.minimum(x, self.stage[0] - x) / face_px + 0.03) / BORDER_FADE)
        return (follow * side * smoothstep(y / face_px / TOP_FADE)).astype(np.float32)

    def _attach(self, surface: Surface, face_px: float) -> None:
        """Let grid points near the face follow the skin's expressions, less the farther they are."""
        seen = np.nonzero(surface.visible)[0]
        distance, nearest = cKDTree(surface.seen[seen]).query(self.uv, k=3)
        fade = np.exp(-((np.maximum(distance[:, 0] - 0.027 * face_px, 0) / (SKIN_REACH * face_px)) ** 2))
        self.attached = np.nonzero(fade > 1e-3)[0]
        weight = 1 / (distance[self.attached] + 2)
        weight /= weight.sum(1, keepdims=True)
        moves = np.einsum("gk,egkd->egd", weight, surface.basis[:, seen[nearest[self.attached]]])
        self.basis = (moves * fade[None, self.attached, None]).reshape(len(surface.basis), -1).astype(np.float32)

    def flow(self, offset: np.ndarray, pose: Pose) -> np.ndarray:
        """Texture lookup position (H, W, 2) float32 of every stage pixel.

        Args:
            offset: (52,) expression relative to the picture's.
            pose: the head's motion.
        """
        points = self.points.copy()
        points[self.attached] += (offset.astype(np.float32) @ self.basis).reshape(-1, 3)
        points = pose.apply(points, self.follow, self.pivot)
        seen = project(points, self.fit.rotation, self.fit.translation, self.fit.focal_px, self.fit.center_px)
        seen = seen.astype(np.float32)
        # One coarse pixel more on each side, cut off after enlarging: resizing repeats the border.
        width, height = self.stage
        across, down = -(-width // SHRINK) + 2, -(-height // SHRINK) + 2
        seen[:, :2] = (seen[:, :2] - self.margin) / SHRINK + 1
        coarse = np.zeros((down, across, 2), np.float32)
        depth = np.full((down, across), FAR, np.float32)
        unused = np.ones((down, across), np.float32)
        label = np.zeros((down, across), np.uint8)
        draw_surface(seen, self.triangles, self.attributes, coarse, unused, label, depth, False, 1)
        fine = cv2.resize(coarse, (across * SHRINK, down * SHRINK), interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(fine[SHRINK : SHRINK + height, SHRINK : SHRINK + width])


def _grid_triangles(rows: int, columns: int) -> np.ndarray:
    """Triangles (T, 3) int32 of a grid of points in row order."""
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1].ravel(), index[:-1, 1:].ravel(), index[1:, 1:].ravel(), index[1:, :-1].ravel()
    return np.concatenate([np.stack([a, d, c], 1), np.stack([a, c, b], 1)]).astype(np.int32)
