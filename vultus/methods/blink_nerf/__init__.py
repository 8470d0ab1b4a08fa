"""One person's radiance field, driven by a voice, that speaks and blinks.

After Y. Zhang, H. Yu, W. Liang, S. Zhang, "Audio-Driven Talking Face Generation with Blink Embedding and Hash Grid
Landmarks Encoding". See docs/methods/blink_nerf.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vultus.core.method import Method


class BlinkNerfMethod:
    """Learns one person from a prepared video (`vultus prepare person`); its weights are that person."""

    name = "blink_nerf"
    paper = (
        "Audio-Driven Talking Face Generation with Blink Embedding and Hash Grid Landmarks Encoding "
        "(Zhang, Yu, Liang, Zhang)"
    )

    @property
    def presets(self) -> Mapping[str, Any]:
        """See `core.method.Trainable`."""
        from vultus.methods.blink_nerf.config import PRESETS

        return PRESETS

    def stages(self, config: Any, data: Path) -> Sequence[Any]:
        """See `core.method.Trainable`; `data` is what `methods.blink_nerf.data.person_in` opens."""
        from vultus.methods.blink_nerf.train import stages

        return stages(config, data)

    def person(self, folder: Path) -> Method:
        """See `core.method.Personal`."""
        from vultus.methods.blink_nerf.speaking import SpeakingPerson

        return SpeakingPerson(folder, self.name, self.paper)


METHOD = BlinkNerfMethod()
