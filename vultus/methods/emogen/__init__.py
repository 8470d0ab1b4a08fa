"""EmoGen: a video, a voice and one of six emotions in, the same video with the face re-generated out.

After S. Goyal, Y. Yu, S. Bhagat, Y. Yin, S. Uppal, R. R. Shah, "Emotionally Enhanced Talking Face Generation". See
docs/methods/emogen.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vultus.core.controls import Controls
from vultus.core.method import Driver, Look, Renderer
from vultus.core.types import Footage, Performance, Phone, Portrait


class EmoGenMethod:
    """One network from voice and pixels to pixels."""

    name = "emogen"
    paper = "Emotionally Enhanced Talking Face Generation (Goyal et al.)"
    controls = frozenset({"emotion"})

    def driver(
        self,
        controls: Controls,
        fps: float,
        pose_source: Performance | None,
        blink_source: Performance | None,
        phones: Sequence[Phone] | None = None,
    ) -> Driver:
        """See `core.method.Method`; the driver only listens. Raises MissingPartError where there are no weights."""
        from vultus.methods.emogen.infer import EmoGenDriver
        from vultus.methods.emogen.weights import chosen_face_maker

        driver = EmoGenDriver(controls, fps)
        chosen_face_maker()  # before anybody waits for what could not be shown
        return driver

    @property
    def presets(self) -> Mapping[str, Any]:
        """See `core.method.Trainable`."""
        from vultus.methods.emogen.config import PRESETS

        return PRESETS

    def stages(self, config: Any, data: Path) -> Sequence[Any]:
        """See `core.method.Trainable`; `data` is a folder of prepared clips, cropped as Wav2Lip does."""
        from vultus.methods.emogen.train import stages

        return stages(config, data)

    def renderer(self, subject: Portrait | Footage, look: Look) -> Renderer:
        """See `core.method.Method`. Raises MissingPartError where there are no weights."""
        from vultus.methods.emogen.renderers import FootageRenderer, PhotoRenderer
        from vultus.methods.emogen.weights import chosen_face_maker

        maker = chosen_face_maker()
        if isinstance(subject, Portrait):
            return PhotoRenderer(subject, look, maker)
        return FootageRenderer(subject, look, maker)


METHOD = EmoGenMethod()
