"""How our judges (`perception.judges`) are trained: one module a judge, found by `vultus train` after the methods.

A module of `JUDGES` has

- `PRESETS`, a configuration for each `perception.judges.Role`: the same but for seeds and, where possible, clips. Its
  fields, as they stand in the card, rebuild the network;
- `stages(config, data)` as `core.method.Trainable`; the last stage's module named `net` is what is kept, others help
  it learn.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from vultus.core.errors import ControlError
from vultus.training.stage import Stage

JUDGES: dict[str, str] = {
    "emotion_image": "vultus.training.judges.emotion_image",
    "emotion_text": "vultus.training.judges.emotion_text",
    "emotion_voice": "vultus.training.judges.emotion_voice",
    "identity": "vultus.training.judges.identity",
    "perceptual": "vultus.training.judges.perceptual",
    "sync": "vultus.training.judges.sync",
}
"""The registry: name -> module, imported only when asked for."""

KEPT = "net"
"""The module of a judge's last stage whose weights are the judge."""


class JudgeModule(Protocol):
    """What a module of `JUDGES` offers."""

    PRESETS: Mapping[str, Any]

    def stages(self, config: Any, data: Path) -> Sequence[Stage]:
        """The stages, in order, of training on a folder of data."""
        ...


@dataclass(frozen=True)
class JudgeTraining:
    """A judge as something that can be trained (`core.method.Trainable`)."""

    name: str
    module: JudgeModule

    @property
    def presets(self) -> Mapping[str, Any]:
        """A configuration a role."""
        return self.module.PRESETS

    def stages(self, config: Any, data: Path) -> Sequence[Stage]:
        """See `core.method.Trainable`."""
        return self.module.stages(config, data)

    def kept(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """Of the tensors of the last stage, by "module.name", those of the judge, by name."""
        prefix = f"{KEPT}."
        return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def get_judge(name: str) -> JudgeTraining:
    """The judge of that name. Raises ControlError naming the ones there are."""
    if name not in JUDGES:
        raise ControlError(f"there is no judge {name!r}", "train", f"choose {', '.join(JUDGES)}")
    return JudgeTraining(name, cast(JudgeModule, importlib.import_module(JUDGES[name])))
