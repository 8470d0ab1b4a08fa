"""One person's radiance field, driven by a voice, that speaks and blinks.

After Y. Zhang, H. Yu, W. Liang, S. Zhang, "Audio-Driven Talking Face Generation with Blink Embedding and Hash Grid
Landmarks Encoding". See docs/methods/blink_nerf.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vultus.core.method import Person
from vultus.core.weights import require_torch

ASSETS = Path(__file__).parents[2] / "assets"


def shipped_people() -> dict[str, Path]:
    """The weights of people who come with vultus, none of whom exists, by name: the preset in the folder's name."""
    return {folder.name.split("-")[1]: folder for folder in sorted(ASSETS.glob("blink_nerf-*/"))}


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

    @property
    def people(self) -> Mapping[str, Path]:
        """See `core.method.Personal`."""
        return shipped_people()

    def person(self, folder: Path) -> Person:
        """See `core.method.Personal`; a folder of that name comes first. Raises MissingPartError without torch."""
        require_torch(self.name)
        from vultus.methods.blink_nerf.speaking import SpeakingPerson

        known = {} if folder.exists() else shipped_people()
        return SpeakingPerson(known.get(str(folder), folder), self.name, self.paper)


METHOD = BlinkNerfMethod()
