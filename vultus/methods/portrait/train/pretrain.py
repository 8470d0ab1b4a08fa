"""The stage on synthetic speech."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from vultus.methods.portrait.config import LipTrainConfig
from vultus.methods.portrait.lessons import Batch
from vultus.methods.portrait.train.lip_stage import LipStage, Material, heard, tensors, whole
from vultus.perception.speech_net import SpeechNet
from vultus.training.stage import Run, Share


class Pretrain(LipStage):
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
        return {"net": self.optimizer([self.net], self.config.pretrain.lr, 0.01, 0.15)}

    def batches(self, start: int, share: Share) -> Iterator[dict[str, Tensor]]:
        """See `Stage`."""
        settings, step = self.config.pretrain, start
        frames = round(settings.crop_s * 50) * 2
        lengths = np.array([len(lesson.mel) for lesson in self.material.synthetic], float)
        while True:
            rng = np.random.default_rng((settings.seed, step, share.rank))
            batch = Batch.empty(settings.batch // share.count, frames, self.config.net.components)
            for row, index in enumerate(rng.choice(len(lengths), len(batch.mel), p=lengths / lengths.sum())):
                self.fill(batch, row, index, row < settings.negatives // share.count, rng)
            yield tensors(batch)
            step += 1

    def step(self, batch: dict[str, Tensor], run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        losses = [
            self.synthetic_loss(tower, batch["phones"], batch["components"])
            for tower in run.modules["net"](heard(batch["mel"])).values()
        ]
        return self.learn(losses, run)

    def validate(self, run: Run) -> Mapping[str, float]:
        """Phone accuracy on what it was taught; `benchmarks.lips` has unseen voices."""
        right = total = 0
        for lesson in self.material.synthetic[:20]:
            assert lesson.phones is not None
            phones = self.net(whole(lesson, run))["far"].phones
            right += int((phones[0].argmax(0).cpu().numpy() == lesson.phones).sum())
            total += len(lesson.phones)
        return {"phone_accuracy": right / total}
