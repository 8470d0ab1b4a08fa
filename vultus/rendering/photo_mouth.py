"""What a picture itself shows between its lips, and the colours around them."""

from __future__ import annotations

import cv2
import numpy as np

from vultus.core.types import Fit
from vultus.face.head import FLIP, HeadModel, project
from vultus.face.points import LIPS_INNER, LIPS_OUTER, lip_opening
from vultus.rendering.inpaint import push_pull
from vultus.rendering.surface import Pose, Surface

TEETH_SHOWING = 0.07
"""A picture whose lips are farther apart than this (in mouth widths) may show teeth."""
SUPERSAMPLE = 3
"""The mouth's box is drawn at this many times the stage's size."""


def skin_and_lip(texture: np.ndarray, fit: Fit) -> tuple[np.ndarray, np.ndarray, bool]:
    """Typical colours (3,) of cheeks and lips, and whether the picture is grey."""
    marks = fit.landmarks[:, :2]
    height, width = texture.shape[:2]
    column, row = (np.clip(marks[[50, 280, 101, 330], k].astype(int), 0, n - 1) for k, n in ((0, width), (1, height)))
    skin = np.median(texture[row, column].astype(np.float64), 0)
    lips, inner = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    cv2.fillPoly(lips, [marks[list(LIPS_OUTER)].astype(np.int32)], 1)
    cv2.fillPoly(inner, [marks[list(LIPS_INNER)].astype(np.int32)], 1)
    chosen = texture[(lips == 1) & (inner == 0)]
    lip = np.median(chosen.astype(np.float64), 0) if len(chosen) > 20 else skin * [0.8, 0.6, 0.6]
    return skin, lip, bool(texture.astype(np.float32).std(2).mean() < 4)


class PhotoMouth:
    """What the picture itself shows between the lips, on a plane fixed to the skull."""

    def __init__(self, own: np.ndarray, plane: np.ndarray, fit: Fit, pivot: np.ndarray) -> None:
        """`own` (h, w, 3) float32: the mouth's box of the picture; `plane` (4, 3) its corners in the head."""
        self.own, self.plane, self.fit, self.pivot = own, plane.astype(np.float32), fit, pivot
        self.teeth: np.ndarray | None = None
        """(h, w, 4) colour and cover of the upper row of teeth, where the picture shows one."""
        self.tooth_colour: np.ndarray | None = None

    @staticmethod
    def cut(texture: np.ndarray, fit: Fit, surface: Surface, head: HeadModel) -> PhotoMouth:
        """Cut the mouth out of the picture, and find the teeth in it if its lips are apart."""
        rim = fit.landmarks[list(LIPS_INNER), :2]
        span = float(np.ptp(rim[:, 0]))
        low = np.maximum(np.floor(rim.min(0) - 0.1 * span), 0).astype(int)
        high = np.minimum(np.ceil(rim.max(0) + 0.1 * span), texture.shape[1::-1]).astype(int)
        own = texture[low[1] : high[1], low[0] : high[0]].astype(np.float32)
        corners = _corners(own)
        to_camera = FLIP @ fit.rotation
        rays = np.concatenate([(corners + low - fit.center_px) / fit.focal_px, np.ones((4, 1))], 1) @ to_camera
        eye = -to_camera.T @ fit.translation
        depth = float(surface.rest[surface.index[head.vertices_of("upper_teeth")], 2].max())
        photo = PhotoMouth(own, eye + rays * ((depth - eye[2]) / rays[:, 2])[:, None], fit, surface.pivot)
        if lip_opening(fit.landmarks) >= TEETH_SHOWING:
            skin, _, _ = skin_and_lip(texture, fit)
            photo._find_teeth(rim - low, float(skin.mean()), span)
        return photo

    def _find_teeth(self, rim: np.ndarray, skin_brightness: float, span: float) -> None:
        inner = np.zeros(self.own.shape[:2], np.uint8)
        cv2.fillPoly(inner, [np.round(rim * 8).astype(np.int32)], 1, cv2.LINE_8, 3)
        if inner.sum() < 80:
            return
        brightness = self.own.mean(2)
        bright = (inner > 0) & (brightness > max(0.6 * skin_brightness, 0.6 * np.percentile(brightness[inner > 0], 90)))
        if bright.sum() < 0.25 * inner.sum():
            return
        self.tooth_colour = self.own[bright & (brightness > np.percentile(brightness[bright], 50))].mean(0)
        # Everything above the lowest tooth of each column belongs to the upper row, with the gaps between its teeth.
        rows = np.arange(len(inner))[:, None]
        lowest = np.where(bright.any(0), len(inner) - 1 - np.argmax(bright[::-1], 0), -1)
        kept = (inner > 0) & (rows <= lowest)
        filled = push_pull(self.own, kept & (cv2.erode(inner, np.ones((3, 3))) > 0))
        # Upwards the row goes on under the lip: the lip may rise.
        highest = np.where(kept.any(0), np.argmax(kept, 0), len(inner))
        cover = ((rows <= lowest) & (rows >= highest - 0.05 * span)).astype(np.float32)
        self.teeth = np.dstack([filled, cv2.GaussianBlur(cover, (0, 0), max(0.7, 0.008 * span))])

    def lay(self, inside: np.ndarray, own_share: float, pose: Pose, origin_px: np.ndarray) -> None:
        """Lay the picture's teeth over the drawn inside of a mouth.

        Args:
            inside: (h, w, 3) float32, supersampled; changed.
            own_share: 0-1, how much of the picture's mouth as a whole is shown.
            pose: of the head.
            origin_px: (2,) corner of the box in texture pixels.
        """
        moved = pose.apply(self.plane, np.ones(4, np.float32), self.pivot)
        seen = project(moved, self.fit.rotation, self.fit.translation, self.fit.focal_px, self.fit.center_px)[:, :2]
        seen = (seen - origin_px) * SUPERSAMPLE
        to_tile = cv2.getPerspectiveTransform(seen.astype(np.float32), _corners(self.own).astype(np.float32))
        half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        warp = np.linalg.inv(half) @ to_tile @ half
        size = inside.shape[1::-1]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        if self.teeth is not None:
            teeth = cv2.warpPerspective(self.teeth, warp, size, flags=flags)
            inside += (teeth[..., :3] - inside) * np.clip(teeth[..., 3:], 0, 1)
        if own_share > 0:
            own = cv2.warpPerspective(self.own, warp, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
            inside += (own - inside) * own_share


def _corners(image: np.ndarray) -> np.ndarray:
    """(4, 2) float64 corners of an image, clockwise from the first pixel's."""
    height, width = image.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
