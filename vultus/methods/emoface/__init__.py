"""EmoFace: a voice and an emotion in, 60 frames a second of a MetaHuman's 174 controls out.

After C. Liu, Q. Lin, Z. Zeng, Y. Pan, "EmoFace: Audio-driven Emotional 3D Face Animation". A driver; see
docs/methods/emoface.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vultus.core.controls import Controls
from vultus.core.method import Driver, Look, Renderer
from vultus.core.types import Footage, Performance, Phone, Portrait


class EmoFaceMethod:
    """Its curves play on the default method's renderer, or leave for Unreal by `vultus rig`."""

    name = "emoface"
    paper = "EmoFace: Audio-driven Emotional 3D Face Animation (Liu, Lin, Zeng, Pan)"
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
        """See `core.method.Method`; known phones are not used."""
        from vultus.methods.emoface.infer import EmoFaceDriver

        return EmoFaceDriver(controls, fps, pose_source, blink_source)

    @property
    def presets(self) -> Mapping[str, Any]:
        """See `core.method.Trainable`."""
        from vultus.methods.emoface.config import PRESETS

        return PRESETS

    def stages(self, config: Any, data: Path) -> Sequence[Any]:
        """See `core.method.Trainable`; `data` has the layout of `methods.emoface.data`, or any for synthetic speech."""
        from vultus.methods.emoface.train import stages

        return stages(config, data)

    def renderer(self, subject: Portrait | Footage, look: Look) -> Renderer:
        """See `core.method.Method`."""
        from vultus.methods import DEFAULT_METHOD, get_method

        return get_method(DEFAULT_METHOD).renderer(subject, look)


METHOD = EmoFaceMethod()
