"""What the stages of the lips share: what is learned from, one network, and the losses on synthetic speech."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.methods.portrait.config import LipTrainConfig
from vultus.methods.portrait.data import TalkClip, talk_clips
from vultus.methods.portrait.lessons import Batch, Lesson, lesson_of_clip, negatives, synthetic_lessons
from vultus.motion.components import mouth_of_components
from vultus.perception.hearing import distorted
from vultus.perception.speech_net import Heard, SpeechNet
from vultus.training.stage import Run

CLEAN_SHARE = 0.1
"""Share of the batches that are heard as they are."""
UNDER_SHARE = 0.2
"""Share of the synthetic lessons that have noise or music under them."""


class Material:
    """What is learned from, made when it is first asked for; `data` is the folder of the real clips."""

    def __init__(self, config: LipTrainConfig, data: Path) -> None:
        self._config, self._data = config, data
        self._left_out: frozenset[str] = frozenset()

    def without(self, speakers: frozenset[str]) -> Material:
        """The same without what real speakers of these names said; all else is made once and shared."""
        for made in ("synthetic", "negatives", "clips"):
            getattr(self, made)
        other = copy(self)
        other._left_out = speakers
        return other

    @cached_property
    def synthetic(self) -> list[Lesson]:
        """Synthetic speech."""
        return synthetic_lessons(self._config.pretrain.speech_s, self._config.pretrain.seed)

    @cached_property
    def negatives(self) -> list[np.ndarray]:
        """Log-mel (T, BANDS) of noise and music."""
        return negatives(self._config.pretrain.seed)

    @cached_property
    def clips(self) -> list[TalkClip]:
        """Real clips."""
        return list(talk_clips(self._data))

    @property
    def lessons(self) -> list[Lesson]:
        """Lessons from the real clips of all speakers that are not left out."""
        return [lesson_of_clip(clip) for clip in self.clips if clip.speaker not in self._left_out]


class LipStage:
    """What both stages share: one network, AdamW, and a rate that rises and falls once."""

    name: str
    needs: tuple[str, ...] = ()
    steps: int

    def __init__(self, net: SpeechNet, config: LipTrainConfig, material: Material) -> None:
        self.net, self.config, self.material = net, config, material
        self.mouth = torch.from_numpy(mouth_of_components())
        self._scales: tuple[Tensor, Tensor] | None = None

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {"net": self.net}

    def fill(self, batch: Batch, row: int, index: int, negative: bool, rng: np.random.Generator) -> None:
        """Put synthetic lesson `index` into a row, or noise or music that it may follow or speak over."""
        lesson = self.material.synthetic[index]
        sound = self.material.negatives[rng.integers(len(self.material.negatives))]
        if negative:
            batch.fill_after(row, sound, lesson, rng)
        else:
            batch.fill(row, lesson, rng)
            if rng.random() < UNDER_SHARE:
                batch.put_under(row, sound, rng)

    def optimizer(self, parts: list[nn.Module], lr: float, decay: float, rising: float) -> torch.optim.Optimizer:
        parameters = [parameter for part in parts for parameter in part.parameters()]
        optimizer = torch.optim.AdamW(parameters, lr, weight_decay=decay)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, self.steps, pct_start=rising)
        return optimizer

    def learn(self, losses: list[dict[str, Tensor]], run: Run) -> dict[str, Tensor]:
        """One step down the sum of all losses; returns the mean over towers of each."""
        optimizer = run.optimizers["net"]
        optimizer.zero_grad()
        run.fabric.backward(torch.stack([loss for tower in losses for loss in tower.values()]).sum())
        nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], 1.0)
        optimizer.step()
        self._schedule.step()
        return {name: torch.stack([tower[name] for tower in losses]).mean().detach() for name in losses[0]}

    def synthetic_loss(self, tower: Heard, phones: Tensor, wanted: Tensor) -> dict[str, Tensor]:
        """Of phones (B, T), lip components (B, C, T), their velocity, and of the mouth they make."""
        logits, lips = tower.phones, tower.lips
        unit, mouth_unit = (scale.to(lips) for scale in self._units())
        error = (lips - wanted) / unit
        mouth_error = torch.einsum("kc,bct->bkt", self.mouth.to(lips), lips - wanted) / mouth_unit
        return {
            "phones": functional.cross_entropy(logits, phones, label_smoothing=0.02),
            "lips": error.square().mean() + 2 * error.diff(dim=2).square().mean(),
            "mouth": mouth_error.square().mean() + 2 * mouth_error.diff(dim=2).square().mean(),
        }

    def _units(self) -> tuple[Tensor, Tensor]:
        """Standard deviations of the synthetic components (C, 1) and of the mouth they make (2, 1)."""
        if self._scales is None:
            shapes = np.concatenate([lesson.components for lesson in self.material.synthetic]).astype(np.float32)
            mouths = shapes @ self.mouth.numpy().T
            self._scales = torch.from_numpy(shapes.std(0) + 0.02)[:, None], torch.from_numpy(mouths.std(0))[:, None]
        return self._scales

    def state_dict(self) -> dict[str, Any]:
        """See `Stage`."""
        return {"schedule": self._schedule.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Stage`."""
        self._schedule.load_state_dict(state["schedule"])


def whole(lesson: Lesson, run: Run) -> Tensor:
    """A lesson's log-mel (1, BANDS, T)."""
    return run.fabric.to_device(torch.from_numpy(lesson.mel.astype(np.float32).T[None]))


def tensors(batch: Batch) -> dict[str, Tensor]:
    """A batch's arrays as tensors, by name."""
    return {name: torch.from_numpy(array) for name, array in batch.arrays().items()}


def heard(mel: Tensor) -> Tensor:
    """Log-mel as a batch is heard: mostly through rooms, noise and microphones."""
    return mel if torch.rand(()) < CLEAN_SHARE else distorted(mel)
