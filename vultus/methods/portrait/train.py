"""Training of the lips: first on synthetic speech, whose phones are known, then on measured mouths of real people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from vultus.methods.portrait.config import LipTrainConfig
from vultus.methods.portrait.data import TalkClip, talk_clips
from vultus.methods.portrait.lessons import (
    HOUSE_SD,
    SHUT,
    Batch,
    Lesson,
    lesson_of_clip,
    negatives,
    synthetic_lessons,
)
from vultus.metrics.lips import closures, correlation
from vultus.motion.components import mouth_of_components
from vultus.perception.hearing import distorted
from vultus.perception.speech_net import SpeechNet
from vultus.training.stage import Run, Share, Stage

CLEAN_SHARE = 0.1
"""Share of the batches that are heard as they are."""


class Material:
    """What is learned from, made when it is first asked for; `data` is the folder of the real clips."""

    def __init__(self, config: LipTrainConfig, data: Path) -> None:
        self._config, self._data = config, data
        self._left_out: frozenset[str] = frozenset()

    def without(self, speakers: frozenset[str]) -> Material:
        """The same without what real speakers of these names said."""
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


def stages(config: LipTrainConfig, material: Material) -> list[Stage]:
    """Both stages of one network."""
    net = SpeechNet(config.net)
    return [Pretrain(net, config, material), Finetune(net, config, material)]


class _LipStage:
    """What both stages share: one network, AdamW, and a rate that rises and falls once."""

    name: str
    needs: tuple[str, ...] = ()
    steps: int

    def __init__(self, net: SpeechNet, config: LipTrainConfig, material: Material) -> None:
        self.net, self.config, self.material = net, config, material
        self.mouth = torch.from_numpy(mouth_of_components())
        self._scales: tuple[Tensor, Tensor] | None = None

    def modules(self) -> Mapping[str, torch.nn.Module]:
        """See `Stage`."""
        return {"net": self.net}

    def _fill(self, batch: Batch, row: int, index: int, negative: bool, rng: np.random.Generator) -> None:
        """Put synthetic lesson `index` into a row, or noise or music that it may follow."""
        lesson = self.material.synthetic[index]
        if negative:
            sound = self.material.negatives[rng.integers(len(self.material.negatives))]
            batch.fill_after(row, sound, lesson, rng)
        else:
            batch.fill(row, lesson, rng)

    def _optimizer(self, lr: float, decay: float, rising: float) -> torch.optim.Optimizer:
        optimizer = torch.optim.AdamW(self.net.parameters(), lr, weight_decay=decay)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, self.steps, pct_start=rising)
        return optimizer

    def _learn(self, loss: Tensor, run: Run) -> None:
        optimizer = run.optimizers["net"]
        optimizer.zero_grad()
        run.fabric.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        optimizer.step()
        self._schedule.step()

    def _synthetic_loss(self, logits: Tensor, lips: Tensor, phones: Tensor, wanted: Tensor) -> dict[str, Tensor]:
        """Of phones (B, T), lip components (B, C, T), their velocity, and of the mouth they make."""
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


class Pretrain(_LipStage):
    """Synthetic speech: phones and the viseme table's lips, through all kinds of rooms; rest in noise and music."""

    name = "pretrain"

    def __init__(self, net: SpeechNet, config: LipTrainConfig, material: Material) -> None:
        super().__init__(net, config, material)
        self.steps = config.pretrain.steps

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`."""
        lessons = self.material.synthetic[::10]
        self.net.expect(
            np.concatenate([lesson.mel for lesson in lessons]).astype(np.float32),
            np.concatenate([lesson.components for lesson in lessons]),
        )
        return {"net": self._optimizer(self.config.pretrain.lr, 0.01, 0.15)}

    def batches(self, start: int, share: Share) -> Iterator[dict[str, Tensor]]:
        """See `Stage`."""
        settings, step = self.config.pretrain, start
        frames = round(settings.crop_s * 50) * 2
        lengths = np.array([len(lesson.mel) for lesson in self.material.synthetic], float)
        while True:
            rng = np.random.default_rng((settings.seed, step, share.rank))
            batch = Batch.empty(settings.batch // share.count, frames, self.config.net.components)
            for row, index in enumerate(rng.choice(len(lengths), len(batch.mel), p=lengths / lengths.sum())):
                self._fill(batch, row, index, row < settings.negatives // share.count, rng)
            yield _tensors(batch)
            step += 1

    def step(self, batch: dict[str, Tensor], run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        mel = batch["mel"]
        heard = mel if torch.rand(()) < CLEAN_SHARE else distorted(mel)
        logits, lips = run.modules["net"](heard)
        losses = self._synthetic_loss(logits, lips, batch["phones"], batch["components"])
        self._learn(sum(losses.values(), torch.zeros((), device=mel.device)), run)
        return {name: loss.detach() for name, loss in losses.items()}

    def validate(self, run: Run) -> Mapping[str, float]:
        """Phone accuracy on what it was taught; `benchmarks.lips` has unseen voices."""
        right = total = 0
        for lesson in self.material.synthetic[:20]:
            logits, _ = self.net(_whole(lesson, run))
            right += int((logits[0].argmax(0).cpu().numpy() == lesson.phones).sum())
            total += len(lesson.phones)
        return {"phone_accuracy": right / total}


class Finetune(_LipStage):
    """Real mouths: aperture and width as measured, and a little synthetic speech."""

    name = "finetune"
    needs = ("pretrain",)

    def __init__(self, net: SpeechNet, config: LipTrainConfig, material: Material) -> None:
        super().__init__(net, config, material)
        self.steps = config.finetune.steps

    @cached_property
    def _lessons(self) -> list[Lesson]:
        return self.material.lessons

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`."""
        return {"net": self._optimizer(self.config.finetune.lr, 0.05, 0.2)}

    def batches(self, start: int, share: Share) -> Iterator[dict[str, Tensor]]:
        """See `Stage`."""
        settings, step = self.config.finetune, start
        frames = round(settings.crop_s * 50) * 2
        weight = np.array([len(lesson.mel) for lesson in self._lessons], float) ** 0.7
        while True:
            rng = np.random.default_rng((settings.seed, step, share.rank))
            real, synthetic = settings.batch // share.count, settings.synthetic // share.count
            batch = Batch.empty(real + synthetic, frames, self.config.net.components)
            for row, index in enumerate(rng.choice(len(weight), real, p=weight / weight.sum())):
                batch.fill(row, self._lessons[index], rng)
            for row in range(real, real + synthetic):
                index = int(rng.integers(len(self.material.synthetic)))
                self._fill(batch, row, index, row - real < settings.negatives // share.count, rng)
            yield _tensors(batch)
            step += 1

    def step(self, batch: dict[str, Tensor], run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        settings = self.config.finetune
        _hold_norms(self.net, settings.dropout)
        mel = batch["mel"]
        heard = mel if torch.rand(()) < CLEAN_SHARE else distorted(mel)
        logits, lips = run.modules["net"](heard)
        real = len(mel) - settings.synthetic * len(mel) // (settings.batch + settings.synthetic)
        losses = self._real_loss(lips[:real], batch)
        phones, wanted = batch["phones"][real:], batch["components"][real:]
        if len(phones):
            remembered = self._synthetic_loss(logits[real:], lips[real:], phones, wanted)
            losses["remembered"] = settings.remembered * (0.5 * remembered["phones"] + remembered["lips"])
        self._learn(sum(losses.values(), torch.zeros((), device=mel.device)), run)
        return {name: loss.detach() for name, loss in losses.items()}

    def _real_loss(self, lips: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Of the mouth that components (B, C, T) make, in the units of `lesson_of_clip`."""
        settings, count = self.config.finetune, len(lips)
        wanted, seen = batch["mouth"][:count], batch["seen"][:count][:, None]
        shut = batch["shut"][:count][:, None] * seen
        lips = functional.leaky_relu(lips, 0.1)  # there are no negative weights; what is held at 0 must find back
        made = torch.einsum("kc,bct->bkt", self.mouth.to(lips), lips) / torch.from_numpy(HOUSE_SD).to(lips)[:, None]
        error = made - wanted
        both = seen[..., 1:] * seen[..., :-1]
        variances = [_variance(series, seen) for series in (made, wanted)]
        return {
            "mouth": _mean(error.square(), seen),
            "velocity": settings.velocity * _mean(error.diff(dim=2).square(), both),
            "closure": settings.closure * _mean(functional.relu(made[:, :1] - SHUT).square(), shut),
            "spread": settings.spread * torch.log((variances[0] + 0.01) / (variances[1] + 0.01)).square().mean(),
        }

    def validate(self, run: Run) -> Mapping[str, float]:
        """Of the clips it was taught: an upper bound; `benchmarks.lips` leaves speakers out."""
        rows = []
        for lesson in self._lessons:
            _, lips = self.net(_whole(lesson, run))
            made = np.maximum(self.mouth.numpy() @ lips[0].cpu().numpy(), 0)
            measured, seen = lesson.mouth.T, lesson.seen > 0
            found = closures(made[0], measured[0], seen)
            rows.append([*(correlation(made[k][seen], measured[k][seen]) for k in (0, 1)), found.recall])
        aperture, width, recall = np.nanmean(rows, 0)
        return {"aperture_r": float(aperture), "width_r": float(width), "closure_recall": float(recall)}


def _whole(lesson: Lesson, run: Run) -> Tensor:
    """A lesson's log-mel (1, BANDS, T)."""
    return run.fabric.to_device(torch.from_numpy(lesson.mel.astype(np.float32).T[None]))


def _tensors(batch: Batch) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in batch.arrays().items()}


def _hold_norms(net: SpeechNet, dropout: float) -> None:
    """Batch statistics stay those of pretraining: real clips are few."""
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.eval()
        elif isinstance(module, torch.nn.Dropout):
            module.p = dropout


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    weight = weight.expand_as(values)
    return (values * weight).sum() / weight.sum().clamp_min(1)


def _variance(series: Tensor, weight: Tensor) -> Tensor:
    """Variance (K,) of series (B, K, T) about each crop's mean, where weight (B, 1, T) is 1."""
    count = weight.sum(2, keepdim=True).clamp_min(1)
    centred = series - (series * weight).sum(2, keepdim=True) / count
    return ((centred.square() * weight).sum(2) / count[..., 0]).mean(0)
