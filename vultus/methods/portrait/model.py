"""The portrait renderer as a method's renderer: performances in, frames of one photo or of a video out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from vultus.core.bases import ARKIT52
from vultus.core.errors import ControlError
from vultus.core.method import Look
from vultus.core.pose import degrees_from_matrix
from vultus.core.types import Footage, Frames, Performance, Playback, Portrait
from vultus.face.segment import person_mask
from vultus.motion.noise import soft_limit
from vultus.motion.rest import on_rest, rest_expression
from vultus.motion.retarget import retarget
from vultus.rendering.background import behind, composite, decontaminated, matte_from_mask
from vultus.rendering.canvas import lay_canvas
from vultus.rendering.footage.renderer import FootageFaces
from vultus.rendering.portrait import PortraitRenderer

TURN_FREE_DEG, TURN_LIMIT_DEG = 17.0, 26.0
"""Rotations beyond the first bend softly towards the second."""
PROFILE_FROM_DEG, PROFILE_FREE_DEG, PROFILE_LIMIT_DEG = 18.0, 2.0, 6.0
"""A face seen this far from the side cannot turn its hidden cheek forward by more than the last."""


_NOT_EYES = np.array([not name.startswith(("eyeBlink", "eyeLook")) for name in ARKIT52])
"""On footage lids blink and eyes look as they do in it."""


class PhotoRenderer:
    """Plays performances on one photo."""

    needs = ("expression",)

    def __init__(self, portrait: Portrait, look: Look) -> None:
        self.look = look
        self.portrait = portrait
        canvas = lay_canvas(portrait, look.crop, look.size)
        mask = person_mask(canvas.texture)
        self.keep = isinstance(look.background, str) and look.background == "keep"
        if not self.keep:
            height, width = canvas.picture.shape[:2]
            self.backdrop = behind(look.background, width, height)
            self.matte = (
                canvas.alpha / np.float32(255)
                if canvas.alpha is not None
                else matte_from_mask(canvas.picture, person_mask(canvas.picture))
            )
            mask = matte_from_mask(canvas.texture, mask)
            canvas = replace(
                canvas,
                texture=decontaminated(canvas.texture, mask),
                picture=decontaminated(canvas.picture, self.matte),
            )
        self.renderer = PortraitRenderer(canvas, portrait.fit, mask)
        self.rest = rest_expression(portrait.fit)
        self.own_deg = degrees_from_matrix(portrait.fit.rotation)

    def play(self, performances: Iterable[Performance], count: int | None = None) -> Frames:
        """See `core.method.Renderer`. Expression must be in the arkit52 basis."""
        height, width = self.renderer.canvas.picture.shape[:2]
        alpha = not self.keep and self.backdrop is None
        return Frames(self._frames(performances), self.look.fps, width, height, count, alpha)

    def _frames(self, performances: Iterable[Performance]) -> Iterator[np.ndarray]:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)  # the encoder wants the other core; more threads only wait for each other
        try:
            for performance in performances:
                for k in range(len(performance)):
                    yield self._frame(*self.state(performance, k))
        finally:
            cv2.setNumThreads(threads)

    def state(self, performance: Performance, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Absolute expression, rotation and translation relative to the photo, and gaze relative to it, of frame k."""
        if performance.expression is None or performance.basis != "arkit52":
            raise ControlError("the portrait method needs expressions in the arkit52 basis", performance.basis)
        zero = np.zeros(3, np.float32)
        rotation = zero if performance.rotation is None else performance.rotation[k]
        translation = zero if performance.translation is None else performance.translation[k]
        gaze = zero[:2] if performance.gaze is None else performance.gaze[k]
        expression = performance.expression[k]
        if performance.reference == "rest":
            expression = on_rest(self.rest, expression)
        else:
            rotation, gaze = rotation - self.own_deg, gaze - self.portrait.fit.gaze_deg
            translation = zero
        return expression, self._limited(rotation), translation, gaze

    def _limited(self, rotation_deg: np.ndarray) -> np.ndarray:
        limited = soft_limit(np.asarray(rotation_deg, np.float64), TURN_FREE_DEG, TURN_LIMIT_DEG)
        yaw = self.own_deg[0]
        if abs(yaw) > PROFILE_FROM_DEG and limited[0] * yaw < 0:
            limited[0] = soft_limit(limited[0], PROFILE_FREE_DEG, PROFILE_LIMIT_DEG)
        return limited

    def _frame(
        self, expression: np.ndarray, rotation: np.ndarray, translation: np.ndarray, gaze: np.ndarray
    ) -> np.ndarray:
        if self.keep:
            return self.renderer.frame(expression, rotation, translation, gaze)
        frame, moved = self.renderer.frame_and_matte(expression, rotation, translation, gaze)
        x, y, width, height = self.renderer.canvas.stage
        matte = self.matte.copy()
        stage = (slice(y, y + height), slice(x, x + width))
        matte[stage] = moved[stage]
        return composite(frame, matte, self.backdrop)


class FootageRenderer:
    """Plays performances on a video: mouth, jaw and cheeks are re-made, each frame from itself (`rendering.footage`).

    Only expressions are played, on top of the person's own resting look; head motion, eyes and blinks stay the video's
    unless the performance moves them. Frames without the face pass.
    """

    needs = ("expression",)

    def __init__(self, footage: Footage, look: Look) -> None:
        if look.crop != "full" or not (isinstance(look.background, str) and look.background == "keep"):
            raise ControlError("a video keeps its own frame and background", "--crop, --background", "leave them out")
        if look.size is not None:
            raise ControlError("a video keeps its own size", "--size", "leave it out")
        self.footage, self.look = footage, look
        self.faces = FootageFaces(footage)
        self.shown = np.zeros(0)

    def play(
        self, performances: Iterable[Performance], count: int | None = None, onto: Playback | None = None
    ) -> Frames:
        """See `core.method.FootageRenderer`; ends with the shorter of frames and performance.

        The performance is taken as a whole before the first frame: lips are chosen with a view to those that follow.
        """
        whole = self.footage.track
        onto = onto or Playback(self.footage.open(), np.arange(len(whole)))
        performance = retarget(Performance.concatenate(performances))
        if performance.expression is None or performance.basis != "arkit52":
            raise ControlError("the portrait method needs expressions in the arkit52 basis", performance.basis)
        length = min(len(performance), len(onto.order))
        order = onto.order[:length]
        wanted, expression = self.faces.resting(order), performance.expression
        for t in range(length):
            wanted[t] = on_rest(wanted[t], expression[t] * _NOT_EYES)
        plan = self.faces.plan(wanted, order)
        self.shown = plan.strength
        return replace(onto.frames, images=self.faces.frames(onto.frames, plan), count=length)
