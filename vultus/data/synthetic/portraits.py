"""Clips of a user's own portraits, played by the portrait renderer, with the same kind of labels as rendered people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from vultus.core.errors import InputError
from vultus.core.files import existing_path
from vultus.core.pose import degrees_from_matrix
from vultus.core.types import Performance, Portrait
from vultus.face.fit import fit_face
from vultus.face.head import FLIP, embedded_head, project
from vultus.face.landmarks import select_face
from vultus.face.segment import person_mask
from vultus.motion.noise import soft_limit
from vultus.motion.rest import on_rest, rest_expression
from vultus.rendering.canvas import lay_canvas
from vultus.rendering.portrait import PortraitRenderer
from vultus.rendering.surface import head_pose
from vultus.video.read import read_image

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
FREE_DEG, LIMIT_DEG = 12.0, 18.0
"""Turns that a photo shows well pass; beyond the first they bend softly towards the second."""


class PortraitActor:
    """Plays performances on one picture; see `clips.Actor`.

    Labels of lids follow the model's lids; the portrait renderer paints its own, which lie within a few pixels.
    """

    def __init__(self, picture: Path, size: int) -> None:
        image, _ = read_image(picture)
        head = embedded_head()
        portrait = Portrait(image, fit_face(select_face(image, None, picture), head), name=picture.name)
        canvas = lay_canvas(portrait, "face", size)
        self.size = canvas.picture.shape[0]
        self._renderer = PortraitRenderer(canvas, portrait.fit, person_mask(canvas.texture))
        self._fit, self._head = self._renderer.fit, head
        self._rest = rest_expression(portrait.fit)
        self._own_deg = degrees_from_matrix(portrait.fit.rotation)
        self._own_gaze = np.asarray(portrait.fit.gaze_deg, np.float32)

    def absolute(self, performance: Performance) -> Performance:
        """The performance as this picture can show it, about its own pose, gaze and resting look."""
        expression, rotation, gaze = performance.expression, performance.rotation, performance.gaze
        assert expression is not None and rotation is not None and gaze is not None
        limited = soft_limit(rotation.astype(np.float64), FREE_DEG, LIMIT_DEG)
        return replace(
            performance,
            expression=np.stack([on_rest(self._rest, row) for row in expression]).astype(np.float32),
            rotation=(self._own_deg + limited).astype(np.float32),
            gaze=(self._own_gaze + 0.7 * gaze).astype(np.float32),
        )

    def frame(
        self, expression: np.ndarray, rotation_deg: np.ndarray, shift: np.ndarray, gaze_deg: np.ndarray
    ) -> np.ndarray:
        """See `PersonRenderer.frame`; all absolute."""
        return self._renderer.frame(expression, rotation_deg - self._own_deg, shift, gaze_deg - self._own_gaze)

    def landmarks68(self, expression: np.ndarray, rotation_deg: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """See `PersonRenderer.landmarks68`."""
        surface, fit, canvas = self._renderer.surface, self._fit, self._renderer.canvas
        pose = head_pose(fit, rotation_deg - self._own_deg, shift)
        points = pose.apply(surface.moved(expression), surface.follow, surface.pivot)
        chosen = points[surface.index[self._head.landmark68]]
        seen = project(chosen, fit.rotation, fit.translation, fit.focal_px, fit.center_px)
        seen[:, :2] += np.array(canvas.stage[:2]) - canvas.margin_px
        seen[:, 2] = (seen[:, 2] - seen[:, 2].mean()) * fit.focal_px / fit.translation[2]
        return seen

    def translation(self, rotation_deg: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """See `PersonRenderer.translation`."""
        fit, surface = self._fit, self._renderer.surface
        pose = head_pose(fit, rotation_deg - self._own_deg, shift)
        origin = pose.apply(np.zeros((1, 3), np.float32), np.ones(1, np.float32), surface.pivot)[0]
        return FLIP @ (FLIP @ fit.rotation @ origin + fit.translation)


def portraits_in(folder: str | Path) -> tuple[Path, ...]:
    """The pictures of a folder, in the order of their names. Raises InputError where there are none."""
    folder = existing_path(folder)
    found = [folder] if folder.is_file() else sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if not found:
        raise InputError("there are no pictures here", folder, f"give a folder of {', '.join(SUFFIXES)}")
    return tuple(found)
