"""Our own: one photo or video, textured onto a fitted 3D head and played in real time on two CPU cores."""

from __future__ import annotations

from collections.abc import Sequence

from vultus.core.controls import Controls
from vultus.core.method import Driver, Look, Renderer
from vultus.core.types import Footage, Performance, Phone, Portrait


class PortraitMethod:
    """The embedded default: needs no training and no weights."""

    name = "portrait"
    paper = "none (see docs/methods/portrait.md)"
    controls = frozenset(
        {"emotion", "intensity", "pose", "blink", "blink_rate", "gaze", "lip_scale", "expression_scale", "seed"}
    )

    def driver(
        self,
        controls: Controls,
        fps: float,
        pose_source: Performance | None,
        blink_source: Performance | None,
        phones: Sequence[Phone] | None = None,
    ) -> Driver:
        """See `core.method.Method`. Known phones drive the lips by the viseme table."""
        from vultus.methods.portrait.infer import PortraitDriver
        from vultus.motion.known_phones import KnownPhoneLips

        lips = None if phones is None else KnownPhoneLips(fps, phones)
        return PortraitDriver(controls, fps, pose_source, blink_source, lips)

    def renderer(self, subject: Portrait | Footage, look: Look) -> Renderer:
        """See `core.method.Method`."""
        from vultus.methods.portrait.model import FootageRenderer, PhotoRenderer

        return PhotoRenderer(subject, look) if isinstance(subject, Portrait) else FootageRenderer(subject, look)


METHOD = PortraitMethod()
