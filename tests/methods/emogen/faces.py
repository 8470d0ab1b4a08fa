"""Small weights, and clips as `vultus prepare` makes them, that lie in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from vultus.core.config import resolved
from vultus.core.types import SAMPLE_RATE
from vultus.core.weights import Card, save_weights
from vultus.methods.emogen.config import TINY, EmoGenConfig
from vultus.methods.emogen.model import Generator


def save_tiny(folder: Path, config: EmoGenConfig = TINY, method: str = "emogen") -> Path:
    """Random weights of a generator whose faces change with voice and emotion."""
    torch.manual_seed(4)
    generator = Generator(config.net)
    with torch.no_grad():
        for parameter in generator.parameters():
            if parameter.ndim > 1:  # as He has it for ReLU: what goes in comes through
                parameter.mul_(2.5)
        generator.output[-1].weight.mul_(4)
    tensors = {f"generator.{name}": tensor for name, tensor in generator.state_dict().items()}
    card = Card(method, "tiny", "0", resolved(config), "nothing", "MIT")
    return save_weights(folder, tensors, card)


@dataclass
class MadeClip:
    """Stands for `data.clips.PreparedClip`: an actor whose grey brightens with the voice, marked by a coloured bar."""

    actor: str
    emotion: str | None = "happy"
    split: str = "train"
    count: int = 20
    side: int = 64
    crop: str = "wav2lip"
    dataset: str = "crema_d"
    offset_ms: int | None = None
    invalid: tuple[int, ...] = ()
    has_pictures: bool = True
    level: int = field(default=100)

    @property
    def name(self) -> str:
        return f"{self.dataset}/{self.actor}/{self.emotion}"

    @property
    def facts(self) -> Any:
        return SimpleNamespace(
            speaker=self.actor, emotion=self.emotion, sound=True, crop=self.crop, dataset=self.dataset,
            av_offset_ms=self.offset_ms, av_confidence=None if self.offset_ms is None else 0.9,
        )  # fmt: skip

    def track(self) -> Any:
        valid = np.ones(self.count, bool)
        valid[list(self.invalid)] = False
        return SimpleNamespace(valid=valid)

    def frames(self) -> list[np.ndarray]:
        images = []
        for t in range(self.count):
            image = np.full((self.side, self.side, 3), self.level + t, np.uint8)
            image[:8] = (200, 30, 60)
            images.append(image)
        return images

    @property
    def waveform(self) -> np.ndarray:
        """A tone that climbs, so that every moment sounds different."""
        t = np.arange(self.count * SAMPLE_RATE // 25) / SAMPLE_RATE
        return (0.4 * np.sin(2 * np.pi * (200 + 600 * t) * t)).astype(np.float32)
