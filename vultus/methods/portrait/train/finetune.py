"""The stage on real mouths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.methods.portrait.config import LipTrainConfig
from vultus.methods.portrait.lessons import FITTED, HOUSE_SD, SHUT, Batch, Lesson
from vultus.methods.portrait.train.lip_stage import LipStage, Material, heard, tensors, whole
from vultus.metrics.lips import closures, correlation
from vultus.motion.components import COMPONENTS
from vultus.perception.speech_net import Heard, SpeechNet
from vultus.training.stage import Run, Share

STRETCH_LIMITS = (0.8, 1.25)
"""How much faster real speech may be made."""
CLOSE, TUCK = (list(COMPONENTS).index(name) for name in ("close", "tuck"))
MEETING = 0.1
"""Weight of these components beyond which lips are on their way to meet, or to the teeth."""
FIND_BACK = 0.1
"""Slope on the gradient of components below 0."""


class FittedWeights(nn.Module):
    """Guesses fitted ARKit weights from each tower's hidden states; of use in training only."""

    def __init__(self, net: SpeechNet) -> None:
        super().__init__()
        heads = {name: nn.Conv1d(net.config.width, len(FITTED), 1) for name in net.towers}
        for head in heads.values():
            nn.init.zeros_(head.weight)
        self.heads = nn.ModuleDict(heads)

    def forward(self, towers: Mapping[str, Heard]) -> dict[str, Tensor]:
        """(B, len(FITTED), T) in units of each person's standard deviations, by tower."""
        return {name: head(towers[name].hidden) for name, head in self.heads.items()}


class Finetune(LipStage):
    """Real mouths: aperture and width as measured, and a little synthetic speech.

    What ships is the average of the weights on the way (Izmailov et al. 2018).
    """

    name = "finetune"
    needs: tuple[str, ...] = ("pretrain",)

    def __init__(self, net: SpeechNet, config: LipTrainConfig, material: Material) -> None:
        super().__init__(net, config, material)
        self.steps = config.finetune.steps
        self.fitted = FittedWeights(net)
        self._average: dict[str, Tensor] = {}

    @cached_property
    def _lessons(self) -> list[Lesson]:
        return self.material.lessons

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {"net": self.net, "fitted": self.fitted}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`."""
        return {"net": self.optimizer([self.net, self.fitted], self.config.finetune.lr, 0.05, 0.2)}

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
                faster = float(np.clip(np.exp(settings.stretch * rng.standard_normal()), *STRETCH_LIMITS))
                piece = self._lessons[index].cut(int(frames // 2 * STRETCH_LIMITS[1]), rng)
                batch.fill(row, piece.stretched(faster), rng)
            for row in range(real, real + synthetic):
                index = int(rng.integers(len(self.material.synthetic)))
                self.fill(batch, row, index, row - real < settings.negatives // share.count, rng)
            yield tensors(batch)
            step += 1

    def step(self, batch: dict[str, Tensor], run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        settings = self.config.finetune
        _hold_norms(self.net, settings.dropout)
        mel = batch["mel"]
        towers = run.modules["net"](heard(mel))
        fitted = run.modules["fitted"](towers)
        real = len(mel) - settings.synthetic * len(mel) // (settings.batch + settings.synthetic)
        losses = []
        for name, tower in towers.items():
            found = self._real_loss(tower.lips[:real], batch)
            error = fitted[name][:real] - batch["expression"][:real]
            found["fitted"] = settings.fitted * _mean(error.square(), batch["seen"][:real][:, None])
            if real < len(mel):
                rest = Heard(*(part[real:] for part in tower))
                remembered = self.synthetic_loss(rest, batch["phones"][real:], batch["components"][real:])
                found["remembered"] = settings.remembered * (remembered["phones"] + remembered["lips"])
                found["contact"] = settings.contact * self._contact_loss(rest.lips, batch["components"][real:])
            losses.append(found)
        shown = self.learn(losses, run)
        self._gather()
        return shown

    def _gather(self) -> None:
        """Take this step's weights into the average; at the end, take up the average."""
        settings, step = self.config.finetune, self._schedule.last_epoch
        if step < settings.average_from * self.steps:
            return
        for name, value in self.net.state_dict().items():
            kept = self._average.get(name, value).to(value.device)
            moves = value.is_floating_point()
            self._average[name] = torch.lerp(kept, value, 1 - settings.average_keep) if moves else value
        if step >= self.steps:
            self.net.load_state_dict(self._average)

    def _real_loss(self, lips: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Of the mouth that components (B, C, T) make, in the units of `lesson_of_clip`."""
        settings, count = self.config.finetune, len(lips)
        wanted, seen = batch["mouth"][:count], batch["seen"][:count][:, None]
        shut = batch["shut"][:count][:, None] * seen
        made = torch.einsum("kc,bct->bkt", self.mouth.to(lips), _weights(lips))
        made = made / torch.from_numpy(HOUSE_SD).to(lips)[:, None]
        error = made - wanted
        both = seen[..., 1:] * seen[..., :-1]
        made_power, wanted_power, product = _moments(made, wanted, seen)
        spread = torch.log((made_power.mean(0) + 0.01) / (wanted_power.mean(0) + 0.01))
        likeness = product / torch.sqrt(made_power * wanted_power + 0.05)
        return {
            "mouth": _mean(error.square(), seen),
            "velocity": settings.velocity * _mean(error.diff(dim=2).square(), both),
            "closure": settings.closure * _mean(functional.relu(made[:, :1] - SHUT).square(), shut),
            "spread": settings.spread * spread.square().mean(),
            "correlation": settings.correlation * (1 - likeness).mean(),
        }

    def _contact_loss(self, lips: Tensor, wanted: Tensor) -> Tensor:
        """Of synthetic speech: lips that do not meet in B, P and M, a lower lip that is not at the teeth in F and V."""
        made, shut = (torch.einsum("c,bct->bt", self.mouth[0].to(lips), _weights(part)) for part in (lips, wanted))
        parted = functional.relu(made / HOUSE_SD[0] - SHUT).square()
        meets = (wanted[:, CLOSE] > MEETING) & (shut < SHUT * float(HOUSE_SD[0]))
        tucks = wanted[:, TUCK] > MEETING
        away = functional.relu(1 - lips[:, TUCK] / wanted[:, TUCK].clamp_min(MEETING)).square()
        return _mean(parted, meets.to(lips)) + _mean(away, tucks.to(lips))

    def validate(self, run: Run) -> Mapping[str, float]:
        """Of the clips it was taught: an upper bound; `benchmarks.lips` leaves speakers out."""
        rows = []
        for lesson in self._lessons:
            assert lesson.mouth is not None and lesson.seen is not None
            lips = self.net(whole(lesson, run))["far"].lips[0]
            made = np.maximum(self.mouth.numpy() @ lips.clamp_min(0).cpu().numpy(), 0)
            measured, seen = lesson.mouth.T, lesson.seen > 0
            found = closures(made[0], measured[0], seen)
            rows.append([*(correlation(made[k][seen], measured[k][seen]) for k in (0, 1)), found.recall])
        aperture, width, recall = np.nanmean(rows, 0)
        return {"aperture_r": float(aperture), "width_r": float(width), "closure_recall": float(recall)}

    def state_dict(self) -> dict[str, Any]:
        """See `Stage`."""
        return {**super().state_dict(), "average": self._average}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Stage`."""
        super().load_state_dict(state)
        self._average = state["average"]


def _weights(lips: Tensor) -> Tensor:
    """Lip components as they will be played, never negative; what is held at 0 still learns to find back."""
    below = lips.clamp_max(0)
    return functional.relu(lips) + FIND_BACK * (below - below.detach())


def _hold_norms(net: SpeechNet, dropout: float) -> None:
    """Batch statistics stay those of pretraining: real clips are few."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eval()
        elif isinstance(module, nn.Dropout):
            module.p = dropout


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    weight = weight.expand_as(values)
    return (values * weight).sum() / weight.sum().clamp_min(1)


def _moments(a: Tensor, b: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Variances and covariance (B, K) of series (B, K, T) about each crop's mean, where weight (B, 1, T) is 1."""
    count = weight.sum(2, keepdim=True).clamp_min(1)
    a, b = ((series - (series * weight).sum(2, keepdim=True) / count) * weight for series in (a, b))
    power_a, power_b, product = ((one * other).sum(2) / count[..., 0] for one, other in ((a, a), (b, b), (a, b)))
    return power_a, power_b, product
