"""Our own: one photo, textured onto a fitted 3D head and played in real time on two CPU cores at 512 pixels."""

from __future__ import annotations

from vultus.core.controls import Controls
from vultus.core.method import Driver, Look, Renderer
from vultus.core.types import Footage, Performance, Portrait


class PortraitMethod:
    """The embedded default: needs no training and no weights."""

    name = "portrait"
    paper = "none (see docs/methods/portrait.md)"
    controls = frozenset(
        {"emotion", "intensity", "pose", "blink", "blink_rate", "gaze", "lip_scale", "expression_scale", "seed"}
    )

    def driver(
        self, controls: Controls, fps: float, pose_source: Performance | None, blink_source: Performance | None
    ) -> Driver:
        """See `core.method.Method`."""
        from vultus.methods.portrait.infer import PortraitDriver

        return PortraitDriver(controls, fps, pose_source, blink_source)

    def renderer(self, subject: Portrait | Footage, look: Look) -> Renderer:
        """See `core.method.Method`."""
        from vultus.methods.portrait.model import FootageRenderer, PhotoRenderer

        return PhotoRenderer(subject, look) if isinstance(subject, Portrait) else FootageRenderer(subject, look)


METHOD = PortraitMethod()
