"""Training of the perceptual judge: how far was this picture distorted? It learns from rendered pictures only.

`vultus train perceptual DATA OUT`: DATA is any folder; the pictures are drawn into DATA/faces in the first run, two
seconds a person, and kept there.
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

from vultus.perception.judges.perceptual_net import PerceptualNet, PerceptualNetConfig
from vultus.training.judges.distortions import KINDS, MOST, distorted_picture
from vultus.training.judges.face_pictures import sitters
from vultus.training.stage import Run, Share, Stage

FACES_FOLDER = "faces"
CROP_PX = 64
STEPS_APART = 1.3
"""In each pair of one kind, the larger amount is at least this many times the smaller."""
LEAST = 0.15
"""Smallest amount that is learned from."""
LEAST_ERROR = 1e-6
"""Mean squared, of pictures in 0-1: what changes less is no lesson."""
RANK, RANK_MARGIN = 1.0, 0.15
"""Weight of the order of amounts against the amounts themselves, and the log ratio that it should be clear by."""
HELD_OUT = 0.1
"""Share of the people, the last ones, that validation is for."""


@dataclass(frozen=True)
class PerceptualConfig:
    """Everything a perceptual judge is made of."""

    net: PerceptualNetConfig = field(default_factory=PerceptualNetConfig)
    people: int = 30
    people_seed: int = 0
    """Of the set of rendered people."""
    steps: int = 400
    batch: int = 12
    """Pictures; of each, one kind of distortion is seen in two amounts."""
    lr: float = 3e-3
    seed: int = 0


PRESETS: dict[str, PerceptualConfig] = {"judge": PerceptualConfig(seed=1), "teacher": PerceptualConfig(seed=2)}


def stages(config: PerceptualConfig, data: Path) -> Sequence[Stage]:
    """The one stage there is."""
    albums = [sitter.pictures for sitter in sitters(data / FACES_FOLDER, config.people, config.people_seed)]
    known = max(1, round((1 - HELD_OUT) * len(albums)))
    learned, held_out = (
        torch.from_numpy(np.concatenate(part)).permute(0, 3, 1, 2).contiguous()
        for part in (albums[:known], albums[known:] or albums)
    )
    torch.manual_seed(config.seed)
    return [Amounts(config, learned, held_out)]


class Amounts:
    """Distances become the amounts of `distortions`: in order within a kind, and comparable between kinds."""

    name = "amounts"
    needs: tuple[str, ...] = ()

    def __init__(self, config: PerceptualConfig, pictures: Tensor, held_out: Tensor) -> None:
        self.config, self.steps = config, config.steps
        self.pictures, self.held_out = pictures, held_out
        self.net = PerceptualNet(config.net)

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {"net": self.net}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`."""
        optimizer = torch.optim.AdamW(self.net.parameters(), self.config.lr, weight_decay=1e-3)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.config.lr, total_steps=self.steps, pct_start=0.15
        )
        return {"net": optimizer}

    def batches(self, start: int, share: Share) -> Iterator[dict[str, Tensor]]:
        """See `Stage`: pictures `plain` (B, 3, CROP_PX, CROP_PX), `little` and `more` distorted, amounts (B, 2)."""
        step = start
        while True:
            rng = np.random.default_rng((self.config.seed, step, share.rank))
            rows = [_pair(self.pictures, rng) for _ in range(self.config.batch // share.count)]
            plain, little, more, amounts = zip(*rows, strict=True)
            yield {
                "plain": torch.stack(plain), "little": torch.stack(little), "more": torch.stack(more),
                "amounts": torch.tensor(amounts),
            }  # fmt: skip
            step += 1

    def step(self, batch: dict[str, Tensor], run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        twice = torch.cat([batch["plain"], batch["plain"]])
        found = run.modules["net"](twice, torch.cat([batch["little"], batch["more"]]))
        logs = torch.log(found.clamp_min(1e-4)).view(2, -1).T  # (B, 2)
        losses = {
            "amount": functional.smooth_l1_loss(logs, torch.log(batch["amounts"]), beta=0.3),
            "order": RANK * functional.relu(RANK_MARGIN - (logs[:, 1] - logs[:, 0])).mean(),
        }
        optimizer = run.optimizers["net"]
        optimizer.zero_grad()
        run.fabric.backward(losses["amount"] + losses["order"])
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        optimizer.step()
        self._schedule.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def validate(self, run: Run) -> Mapping[str, float]:
        """On people not learned from: share of pairs in order, and how far log distances are from log amounts."""
        rng = np.random.default_rng(7)
        rows = [_pair(self.held_out, rng) for _ in range(140)]
        plain, little, more, amounts = zip(*rows, strict=True)
        net, put = run.modules["net"], run.fabric.to_device
        found = torch.stack([net(put(torch.stack(plain)), put(torch.stack(part))) for part in (little, more)], 1)
        logs = torch.log(found.clamp_min(1e-4)).cpu()
        error = (logs - torch.log(torch.tensor(amounts))).abs()
        return {"in_order": float((logs[:, 1] > logs[:, 0]).float().mean()), "log_error": float(error.mean())}

    def state_dict(self) -> dict[str, Any]:
        """See `Stage`."""
        return {"schedule": self._schedule.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Stage`."""
        self._schedule.load_state_dict(state["schedule"])


def _pair(pictures: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, tuple[float, float]]:
    """A piece of a picture, the same piece distorted a little and more, and the amounts."""
    size = pictures.shape[2]
    while True:
        top, left = (int(rng.integers(0, size - CROP_PX + 1)) for _ in range(2))
        whole = pictures[int(rng.integers(len(pictures)))].float() / 255
        kind = str(rng.choice(list(KINDS)))
        more = float(np.exp(rng.uniform(np.log(LEAST * STEPS_APART), np.log(MOST))))
        little = more / float(np.exp(rng.uniform(np.log(STEPS_APART), np.log(more / LEAST))))
        seed = int(rng.integers(1 << 31))
        # Distorted before they are cut: what is shifted in comes from the picture and not from its edge.
        worse = [distorted_picture(kind, whole, amount, seed) for amount in (little, more)]
        cuts = [part[:, top : top + CROP_PX, left : left + CROP_PX] for part in (whole, *worse)]
        if float((cuts[1] - cuts[0]).square().mean()) > LEAST_ERROR:  # a patch may lie elsewhere, or fit in unseen
            return cuts[0], cuts[1], cuts[2], (little, more)
