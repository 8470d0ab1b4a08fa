"""The one stage in which each emotion encoder is trained: inputs with shares of emotions, cosine and entropy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vultus.core.controls import EMOTIONS
from vultus.perception.judges.emotion_net import emotion_losses
from vultus.training.judges import KEPT
from vultus.training.stage import Run, Share

SHARE_AT_LEVEL = (0.0, 0.65, 0.92, 1.0)
"""How much of what is shown at levels 0-3 is the emotion; the rest is neutral."""


@dataclass(frozen=True)
class Lessons:
    """How an encoder learns."""

    steps: int = 3000
    batch: int = 256
    lr: float = 2e-3
    weight_decay: float = 0.02
    cosine: float = 1.0
    """Weight of the cosine loss beside the entropy's 1."""
    seed: int = 0
    """Another number, other lessons; a role has its own."""


def faded(shares: np.ndarray, level: np.ndarray, share_at_level: tuple[float, ...] = SHARE_AT_LEVEL) -> np.ndarray:
    """Shares (n, 8) of what is shown at levels (n,) 0-3: the weaker, the more of it is neutral."""
    strength = np.interp(level, range(4), share_at_level)[:, None]
    return strength * shares + (1 - strength) * np.eye(len(EMOTIONS))[0]


class EmotionStage(ABC):
    """See `training.stage.Stage`. What the inputs are, and where they come from, is the encoder's own matter."""

    name = "encoder"
    needs: tuple[str, ...] = ()

    def __init__(self, net: torch.nn.Module, lessons: Lessons) -> None:
        self.net, self.lessons = net, lessons
        self.steps = lessons.steps

    @abstractmethod
    def lesson(self, rng: np.random.Generator, count: int) -> tuple[Any, np.ndarray]:
        """Inputs of the network for `count` samples, and their shares (count, 8)."""

    @abstractmethod
    def held(self) -> tuple[Any, np.ndarray]:
        """Inputs and shares of samples that are never in a lesson."""

    def modules(self) -> Mapping[str, torch.nn.Module]:
        """See `Stage`."""
        return {KEPT: self.net}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`."""
        settings = self.lessons
        adam = torch.optim.AdamW(self.net.parameters(), settings.lr, weight_decay=settings.weight_decay)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(adam, settings.lr, self.steps, pct_start=0.1)
        return {KEPT: adam}

    def batches(self, start: int, share: Share) -> Iterator[tuple[Any, Tensor]]:
        """See `Stage`."""
        step = start
        while True:
            rng = np.random.default_rng((self.lessons.seed, step, share.rank))
            inputs, shares = self.lesson(rng, self.lessons.batch // share.count)
            yield inputs, torch.from_numpy(shares.astype(np.float32))
            step += 1

    def losses(self, run: Run, inputs: Any, shares: Tensor) -> Mapping[str, Tensor]:
        """What is to become small, by name."""
        embedding, logits = run.modules[KEPT](inputs)[:2]
        return emotion_losses(embedding, logits, shares)

    def step(self, batch: tuple[Any, Tensor], run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        inputs, shares = batch
        losses = self.losses(run, inputs, shares)
        weights = {"cosine": self.lessons.cosine}
        run.optimizers[KEPT].zero_grad()
        run.fabric.backward(sum((weights.get(name, 1.0) * loss for name, loss in losses.items()), torch.tensor(0.0)))
        run.optimizers[KEPT].step()
        self._schedule.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def validate(self, run: Run) -> Mapping[str, float]:
        """Share of the held samples whose largest emotion is recognised, and their mean cosine."""
        inputs, shares = self.held()
        wanted = torch.from_numpy(shares.astype(np.float32)).to(run.fabric.device)
        embedding, logits = run.modules[KEPT](run.fabric.to_device(inputs))[:2]
        right = logits.argmax(1) == wanted.argmax(1)
        cosine = 1 - emotion_losses(embedding, logits, wanted)["cosine"]
        return {"accuracy": float(right.float().mean()), "cosine": float(cosine)}

    def state_dict(self) -> dict[str, Any]:
        """See `Stage`."""
        return {"schedule": self._schedule.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Stage`."""
        self._schedule.load_state_dict(state["schedule"])
