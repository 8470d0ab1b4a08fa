"""One photo as a face that moves: the picture's own pixels on a fitted head, frame by frame, on one CPU core.

A frame is drawn in five steps: paint the eyes into the texture; move the surface; find which texture position every
pixel of the stage shows (backdrop first, face over it); look the texture up; draw the inside of the mouth. At the
picture's own pose and expression the result is the picture.
"""

from __future__ import annotations

import cv2
import numpy as np

from vultus.core.bases import index_of
from vultus.core.controls import MAX_GAZE_DEG
from vultus.core.types import Fit
from vultus.face.head import HeadModel, embedded_head, project
from vultus.rendering.backdrop import Backdrop
from vultus.rendering.canvas import Canvas
from vultus.rendering.eyes import Eye, EyeState
from vultus.rendering.light import Relight
from vultus.rendering.lips import close_lips
from vultus.rendering.mouth import Mouth, seat_teeth
from vultus.rendering.raster import FAR, draw_surface
from vultus.rendering.surface import MovedSurface, build_surface, head_pose
from vultus.rendering.texture import Texture, look_up_mask

OUTLINE_JUMP = 6.0
"""Neighbouring pixels that show texture positions farther apart than this (lookup units) lie on different surfaces."""
_JAW, _CLOSE = index_of("jawOpen"), index_of("mouthClose")


class PortraitRenderer:
    """Plays expressions, poses and gaze on one picture.

    Args:
        canvas: the picture at output size and its stage.
        fit: the head fitted to the portrait's image.
        person: (h, w) float32 0-1 mask of the person over the canvas's texture.
        head: the embedded head, unless a test brings another.
    """

    def __init__(self, canvas: Canvas, fit: Fit, person: np.ndarray, head: HeadModel | None = None) -> None:
        head = head or embedded_head()
        self.canvas, self.fit = canvas, canvas.to_texture(fit)
        eye_units = self._pixels_per_unit(head)
        self.eyes = [Eye(canvas.texture, self.fit, k, eye_units) for k in (0, 1)]
        self.surface = seat_teeth(head, build_surface(head, self.fit, self.eyes))
        self.closing, self.closing_counts = close_lips(head, self.surface)
        self.mouth = Mouth(head, self.surface, self.fit, canvas.texture)
        self.backdrop = Backdrop(head, self.fit, self.surface, person, canvas.stage[2:], canvas.margin_px)
        self.relight = Relight(self.surface, self.fit)
        self.person = person
        self._texture = Texture(canvas.texture)
        self._drawn = np.unique(self.surface.skin)

    @property
    def rest_expression(self) -> np.ndarray:
        """(52,) the picture's own expression."""
        return self.surface.expression

    def frame(
        self, expression: np.ndarray, rotation_deg: np.ndarray, translation: np.ndarray, gaze_deg: np.ndarray
    ) -> np.ndarray:
        """The picture (H, W, 3) uint8 RGB with another face.

        Args:
            expression: (52,) ARKit weights, absolute.
            rotation_deg: (3,) yaw, pitch, roll added to the picture's own.
            translation: (3,) head units along the picture's axes (x right, y up, z towards the viewer).
            gaze_deg: (2,) added to the picture's own gaze: x towards image right, y up.
        """
        stage, _ = self._draw(expression, rotation_deg, translation, gaze_deg)
        x, y, width, height = self.canvas.stage
        picture = self.canvas.picture.copy()
        picture[y : y + height, x : x + width] = stage
        return picture

    def frame_and_matte(
        self, expression: np.ndarray, rotation_deg: np.ndarray, translation: np.ndarray, gaze_deg: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `frame`, and the person's mask (H, W) float32 0-1 moved along; the room outside the stage is 0."""
        stage, flow = self._draw(expression, rotation_deg, translation, gaze_deg)
        x, y, width, height = self.canvas.stage
        picture = self.canvas.picture.copy()
        picture[y : y + height, x : x + width] = stage
        matte = np.zeros(picture.shape[:2], np.float32)
        matte[y : y + height, x : x + width] = look_up_mask(self.person, flow)
        return picture, matte

    def _draw(
        self, expression: np.ndarray, rotation_deg: np.ndarray, translation: np.ndarray, gaze_deg: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The stage (h, w, 3) uint8 and the lookup positions (h, w, 2) behind it."""
        expression = np.clip(np.asarray(expression, np.float32), 0, 1)
        # mouthClose seals lips that the jaw has opened; more of it would push one lip through the other.
        own = self.surface.expression
        expression[_CLOSE] = min(expression[_CLOSE], expression[_JAW] + max(own[_CLOSE] - own[_JAW], 0))
        gaze = np.clip(gaze_deg, -np.array(MAX_GAZE_DEG), MAX_GAZE_DEG)
        self._paint_eyes(expression, gaze)
        pose = head_pose(self.fit, np.asarray(rotation_deg, np.float64), translation)
        away = self._away(expression)
        points = self.surface.moved(expression) + self.closing * np.float32(away)
        self.mouth.lower_tongue(points, float(expression[index_of("tongueOut")]))
        posed = pose.apply(points, self.surface.follow, self.surface.pivot)
        screen = project(posed, self.fit.rotation, self.fit.translation, self.fit.focal_px, self.fit.center_px)
        screen = screen.astype(np.float32)
        screen[:, :2] -= self.canvas.margin_px
        attributes = np.empty((len(points), 4), np.float32)
        attributes[:, :2] = self.surface.lookup
        attributes[:, 2] = self.surface.shade * self.relight.ratio(posed)
        attributes[:, 3] = self.surface.cover
        moved = MovedSurface(points, screen, attributes, pose)

        flow = self.backdrop.flow(expression - self.surface.expression, pose)
        size = flow.shape[:2]
        shade, depth, label = np.ones(size, np.float32), np.full(size, FAR, np.float32), np.zeros(size, np.uint8)
        draw_surface(screen, self.surface.skin, attributes, flow, shade, label, depth, True, 1)
        stage = self._texture.look_up(flow)
        self._apply_shade(stage, shade, screen)
        self._smooth_outline(stage, flow, screen)
        self.mouth.draw(moved, self._texture, stage, flow, self.canvas.margin_px, max(0.0, 1.0 - 4.0 * away))
        return stage, flow

    def _face_box(self, screen: np.ndarray, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Rows and columns of the drawn skin on a stage of a shape (H, W, ...)."""
        used = screen[self._drawn, :2]
        x0, y0 = np.clip(np.floor(used.min(0)).astype(int) - 1, 0, shape[1::-1])
        x1, y1 = np.clip(np.ceil(used.max(0)).astype(int) + 2, 0, shape[1::-1])
        return slice(y0, y1), slice(x0, x1)

    def _apply_shade(self, stage: np.ndarray, shade: np.ndarray, screen: np.ndarray) -> None:
        """Multiply the face's box of the stage by its shade."""
        box = self._face_box(screen, stage.shape)
        if stage[box].size:
            cv2.multiply(stage[box], cv2.merge([shade[box]] * 3), dst=stage[box], dtype=cv2.CV_8U)

    def _smooth_outline(self, stage: np.ndarray, flow: np.ndarray, screen: np.ndarray) -> None:
        """Soften the steps where the face ends in front of something else, that is, where the flow jumps."""
        box = self._face_box(screen, stage.shape)
        part, across = stage[box], flow[box][..., 0]
        if min(across.shape) < 3:
            return
        jump = np.zeros(across.shape, np.uint8)
        jump[:, 1:] = np.abs(across[:, 1:] - across[:, :-1]) > OUTLINE_JUMP
        jump[1:] |= np.abs(across[1:] - across[:-1]) > OUTLINE_JUMP
        if jump.any():
            soft = cv2.dilate(jump, np.ones((2, 2), np.uint8), anchor=(1, 1)).astype(bool)
            part[soft] = cv2.GaussianBlur(part, (3, 3), 0)[soft]

    def _paint_eyes(self, expression: np.ndarray, gaze_deg: np.ndarray) -> None:
        for eye, side in zip(self.eyes, ("Right", "Left"), strict=True):
            closure, wide, squint = (float(expression[index_of(f"eye{n}{side}")]) for n in ("Blink", "Wide", "Squint"))
            eye.paint(self._texture.pixels, EyeState(closure, wide, squint, (float(gaze_deg[0]), float(gaze_deg[1]))))
            self._texture.refresh(eye.box)

    def _away(self, expression: np.ndarray) -> float:
        """0 at the picture's own mouth, 1 at a mouth at least as far from it as the neutral one is."""
        own = float(self.closing_counts @ self.surface.expression)
        away = float(self.closing_counts @ np.abs(expression - self.surface.expression))
        return min(1.0, away / max(own, 0.05))

    def _pixels_per_unit(self, head: HeadModel) -> float:
        eyes = head.eye_centres(head.vertices(self.fit.identity))
        depth = project(eyes, self.fit.rotation, self.fit.translation, self.fit.focal_px, self.fit.center_px)[:, 2]
        return float(self.fit.focal_px / depth.mean())
