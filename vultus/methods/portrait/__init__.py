"""Our own: one photo, textured onto a fitted 3D head and played in real time on two CPU cores at 512 pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vultus.core.controls import Controls
from vultus.core.method import Driver, Look, Renderer
from vultus.core.types import Footage, Performance, Phone, Portrait


class PortraitMethod:
    """The embedded default. What can be trained are its lips; trained ones ship with it."""

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

    @property
    def presets(self) -> Mapping[str, Any]:
        """See `core.method.Trainable`: how the lips are trained."""
        from vultus.methods.portrait.config import TRAINING

        return TRAINING

    def stages(self, config: Any, data: Path) -> Sequence[Any]:
        """See `core.method.Trainable`; `data` is the folder of the clips of `methods.portrait.data`."""
        from vultus.methods.portrait.train import Material, stages

        return stages(config, Material(config, data))

    def renderer(self, subject: Portrait | Footage, look: Look) -> Renderer:
        """See `core.method.Method`."""
        from vultus.methods.portrait.model import FootageRenderer, PhotoRenderer

        return PhotoRenderer(subject, look) if isinstance(subject, Portrait) else FootageRenderer(subject, look)


METHOD = PortraitMethod()
