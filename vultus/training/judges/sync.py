"""Training of the judge of sync: lips and sound of one moment closer than those of other moments and other clips.

Stage `synthetic` learns from rendered people, whose lips and phones are known exactly; `real`, where some real speakers
are given to it, from their tracked lips too. The shipped weights know no real person, so that all real clips can test
them. `vultus train sync DATA OUT`, DATA a folder of `vultus prepare` with synthetic clips and real ones to validate on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.core.errors import InputError
from vultus.perception.hearing import distorted
from vultus.perception.judges.sync import MOST_ROWS, SyncJudge
from vultus.perception.judges.sync_net import SyncNet, SyncNetConfig, similarity
from vultus.training.judges.sync_clips import Half, SyncClip, of_half, sync_clips
from vultus.training.judges.sync_trials import TRIAL_ROWS, separation
from vultus.training.stage import Run, Share, Stage

STRETCH_SD, STRETCH_LIMITS = 0.12, (0.8, 1.25)
"""Logarithm of how much faster a clip is said."""
GAIN_SD, JITTER = 0.15, 0.25
"""Of the numbers of the mouth: their scale, and the most tracking noise, in standard deviations."""
CLEAN_SHARE = 0.1
"""Batches that are heard as they are, not through rooms and noise."""
WINDOWS = (8, 20, 45)
"""Rows over which similarity is averaged before it must tell: .3 to 1.8 s."""
NEIGHBOUR = 0.1
"""Share of the target on either neighbour of the true offset: 40 ms are nothing to quarrel about."""
PULL = 0.05
"""Weight decay."""


@dataclass(frozen=True)
class LessonConfig:
    """Of one stage."""

    steps: int
    real: int
    """Real clips in a batch."""
    synthetic: int
    lr: float


@dataclass(frozen=True)
class SyncConfig:
    """Everything a judge of sync is made of."""

    net: SyncNetConfig = field(default_factory=SyncNetConfig)
    first: LessonConfig = LessonConfig(600, 0, 24, 3e-3)
    second: LessonConfig = LessonConfig(300, 14, 10, 1.5e-3)
    crop_rows: int = 90
    half: Half = "none"
    """Real speakers that are learned from, in a second stage; the others are for validation."""
    seed: int = 0


PRESETS: dict[str, SyncConfig] = {
    "judge": SyncConfig(seed=1),
    "teacher": SyncConfig(seed=2),
}


def stages(config: SyncConfig, data: Path) -> Sequence[Stage]:
    """The stages of one network. Raises InputError unless `data` holds synthetic clips, and real ones if asked for."""
    clips = sync_clips(data)
    synthetic = [clip for clip in clips if clip.synthetic]
    real, unseen = of_half([clip for clip in clips if not clip.synthetic], config.half)
    if not synthetic or (config.half != "none" and not real):
        fix = "prepare a folder of `vultus synthesize` into it, and real clips"
        raise InputError(f"there are {len(synthetic)} synthetic and {len(real)} real clips to learn from", data, fix)
    torch.manual_seed(config.seed)
    parts, taught = (SyncNet(config.net), Sharpness()), (real, synthetic, unseen or real or synthetic)
    first = Contrast("synthetic", (), config, config.first, parts, taught)
    return [first] if not real else [first, Contrast("real", ("synthetic",), config, config.second, parts, taught)]


class Sharpness(nn.Module):
    """The learned scale of similarities before the softmax; of use in training only."""

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(1.5))

    def forward(self, similarities: Tensor) -> Tensor:
        """The same shape, scaled."""
        return similarities * self.log_scale.exp()


class Contrast:
    """InfoNCE (van den Oord et al. 2018) over the offsets within a clip and over the other clips of a batch."""

    def __init__(
        self,
        name: str,
        needs: tuple[str, ...],
        config: SyncConfig,
        lesson: LessonConfig,
        parts: tuple[SyncNet, Sharpness],
        clips: tuple[list[SyncClip], list[SyncClip], list[SyncClip]],
    ) -> None:
        self.name, self.needs, self.steps = name, needs, lesson.steps
        self.config, self.lesson = config, lesson
        self.net, self.sharpness = parts
        self.real, self.synthetic, self.held_out = clips

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {"net": self.net, "sharpness": self.sharpness}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`."""
        learning = [*self.net.parameters(), *self.sharpness.parameters()]
        optimizer = torch.optim.AdamW(learning, self.lesson.lr, weight_decay=PULL)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.lesson.lr, total_steps=self.steps, pct_start=0.15
        )
        return {"net": optimizer}

    def batches(self, start: int, share: Share) -> Iterator[dict[str, Tensor]]:
        """See `Stage`: mouths (B, NUMBERS, rows) and mel (B, BANDS, 4 rows)."""
        pools = [(self.real, self.lesson.real), (self.synthetic, self.lesson.synthetic)]
        step = start
        while True:
            rng = np.random.default_rng((self.config.seed, step, share.rank))
            cuts = [cut for clips, count in pools for cut in self._cuts(clips, count // share.count, rng)]
            mouths, mels = zip(*cuts, strict=True)
            yield {"mouth": torch.from_numpy(np.stack(mouths)), "mel": torch.from_numpy(np.stack(mels))}
            step += 1

    def _cuts(
        self, clips: list[SyncClip], count: int, rng: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        if count == 0:
            return
        weight = np.array([len(clip.mouth) for clip in clips], float) ** 0.7  # a long clip is still one speaker
        for index in rng.choice(len(clips), count, p=weight / weight.sum()):
            faster = float(np.clip(np.exp(STRETCH_SD * rng.standard_normal()), *STRETCH_LIMITS))
            mouth, mel = clips[index].cut(self.config.crop_rows, faster, rng)
            gain = np.exp(GAIN_SD * rng.standard_normal((len(mouth), 1)))
            noise = JITTER * rng.uniform() * rng.standard_normal(mouth.shape)
            yield (gain * mouth + noise).astype(np.float32), mel

    def step(self, batch: dict[str, Tensor], run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        mel = batch["mel"] if torch.rand(()) < CLEAN_SHARE else distorted(batch["mel"])
        seen, heard = run.modules["net"](batch["mouth"], mel)
        loss = self.loss(seen, heard, run)
        optimizer = run.optimizers["net"]
        optimizer.zero_grad()
        run.fabric.backward(loss)
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        optimizer.step()
        self._schedule.step()
        return {"contrast": loss.detach()}

    def loss(self, seen: Tensor, heard: Tensor, run: Run) -> Tensor:
        """Cross-entropy of the true offset, from embeddings (B, C, T), mean over windows and their lengths."""
        count = len(seen)
        others = torch.einsum("bct,dct->bdt", seen, heard)
        others = others.masked_fill(torch.eye(count, dtype=torch.bool, device=seen.device)[..., None], -1e4)
        found = torch.cat([similarity(seen, heard, MOST_ROWS), others], 1)  # (B, offsets + clips, T)
        target = torch.zeros(found.shape[1], device=seen.device)
        target[MOST_ROWS - 1], target[MOST_ROWS], target[MOST_ROWS + 1] = NEIGHBOUR, 1 - 2 * NEIGHBOUR, NEIGHBOUR
        losses = []
        for window in WINDOWS:
            mean = functional.avg_pool1d(found, window, window // 2)
            likely = functional.log_softmax(run.modules["sharpness"](mean * window**0.5), 1)
            losses.append(-torch.einsum("k,bkt->bt", target, likely).mean())
        return torch.stack(losses).mean()

    def validate(self, run: Run) -> Mapping[str, float]:
        """In sync against 200 ms off (`sync_trials`), on real speakers not learned from where there are any."""
        judge = SyncJudge(self.net.cpu())
        products = [judge.products(clip.mouth, clip.mel, TRIAL_ROWS) for clip in self.held_out]
        run.fabric.to_device(self.net)
        return {"auc_1s": separation(products, 1.0), "auc_3s": separation(products, 3.0)}

    def state_dict(self) -> dict[str, Any]:
        """See `Stage`."""
        return {"schedule": self._schedule.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Stage`."""
        self._schedule.load_state_dict(state["schedule"])
