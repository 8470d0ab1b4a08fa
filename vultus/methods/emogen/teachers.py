"""Stages that come before the generator: sync expert, emotion discriminator, speech encoder (sections 2.4 and 2.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.methods.emogen.batches import Batch, far_apart, fixed, jittered, own_voice, paired, side_by_side, spoken
from vultus.methods.emogen.config import WINDOW, EmoGenConfig
from vultus.methods.emogen.data import Material
from vultus.methods.emogen.experts import EmotionDiscriminator, SyncExpert, agreement, mutual_agreement
from vultus.methods.emogen.layers import SpeechEncoder
from vultus.methods.emogen.stance import MOUTH_NUMBERS
from vultus.training.stage import Run, Share

MOUTH_SCALE = 0.05
"""A movement of the mouth's points, in spans from eye to eye, that counts as 1 when they are learned."""
_WINDOWS_A_STRETCH = 3
"""So many windows of the other experts are taken to cost what a stretch of speech does."""
GAIN = 0.4
"""Voices are made louder or softer by up to 5 dB when the speech encoder learns alone."""


class WindowStage:
    """What the stages share: batches by the number of their step, windows to validate on, Adam."""

    needs: tuple[str, ...] = ()
    group = 1
    """Windows of a clip that lie side by side in a batch."""

    def __init__(self, config: EmoGenConfig, material: Material, batch: int) -> None:
        self.config, self.material, self.batch = config, material, batch

    def batches(self, start: int, share: Share) -> Iterator[Batch]:
        """See `Stage`."""
        settings, shelf, step = self.config.train, self.material.train, start
        count = max(1, self.batch // share.count)
        while True:
            rng = np.random.default_rng((settings.seed, step, share.rank))
            chosen = np.repeat(rng.integers(len(shelf), size=max(1, count // self.group)), self.group)
            augment = self.config.data.augment
            some = [shelf.window(int(number), rng, self.config.data, augment) for number in chosen]
            yield side_by_side(some)
            step += 1

    def held_out(self, run: Run) -> Iterator[Batch]:
        """The windows that are validated on, in batches: always the same, never augmented."""
        yield from fixed(self.material.val, self.config, run)

    def adam(self, module: nn.Module, lr: float) -> torch.optim.Optimizer:
        """Adam as section 2.5 has it, on what may learn."""
        learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
        return torch.optim.Adam(learning, lr, self.config.train.betas)

    def state_dict(self) -> dict[str, Any]:
        """See `Stage`."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Stage`."""


class SyncStage(WindowStage):
    """The sync expert: half of the pairs have a voice from elsewhere in the clip; BCE on the cosine."""

    name = "sync"

    def __init__(self, config: EmoGenConfig, material: Material, sync: SyncExpert) -> None:
        super().__init__(config, material, config.train.expert_batch)
        self.sync, self.steps, self.group = sync, config.train.sync_steps, config.train.sync_group

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {"sync": self.sync}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`."""
        return {"sync": self.adam(self.sync, self.config.train.expert_lr)}

    def step(self, batch: Batch, run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        if self.group > 1:
            apart = far_apart(batch, self.group)
            loss = mutual_agreement(run.modules["sync"], batch["faces"], own_voice(batch), apart)
        else:
            together = (torch.rand(len(batch["faces"])) < 0.5).to(batch["faces"])
            loss = agreement(run.modules["sync"], batch["faces"], paired(batch, together), together)
        learn(run, loss, "sync")
        return {"bce": loss.detach()}

    def validate(self, run: Run) -> Mapping[str, float]:
        """Loss and share told right, of windows with their own voice and with another."""
        losses, right = [], []
        for batch in self.held_out(run):
            for truth in (1.0, 0.0):
                together = torch.full((len(batch["faces"]),), truth, device=batch["faces"].device)
                mel = paired(batch, together)
                losses.append(float(agreement(run.modules["sync"], batch["faces"], mel, together)))
                told = run.modules["sync"](batch["faces"], mel) > 0.5
                right.append(float((told == together.bool()).float().mean()))
        return {"bce": float(np.mean(losses)), "right": float(np.mean(right))}


class EmotionStage(WindowStage):
    """The emotion discriminator, taught to name the emotion of real windows; so is EmoAcc's classifier, on its own."""

    name = "emotion"

    def __init__(self, config: EmoGenConfig, material: Material, emotion: EmotionDiscriminator) -> None:
        super().__init__(config, material, config.train.expert_batch)
        self.emotion, self.steps = emotion, config.train.emotion_steps

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {"emotion": self.emotion}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`."""
        return {"emotion": self.adam(self.emotion, self.config.train.expert_lr)}

    def step(self, batch: Batch, run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        some = int(torch.randint(self.config.train.first_frames, WINDOW + 1, ()))
        faces = batch["faces"][:, :some]
        told = run.modules["emotion"](jittered(faces) if self.config.data.jitter else faces)
        loss = functional.cross_entropy(told, batch["emotion"])
        learn(run, loss, "emotion")
        return {"cross_entropy": loss.detach()}

    def validate(self, run: Run) -> Mapping[str, float]:
        """Share of held-out windows that are named right."""
        right = [named(run.modules["emotion"], batch["faces"], batch["emotion"]) for batch in self.held_out(run)]
        return {"accuracy": float(np.mean(right))}


class VoiceStage(WindowStage):
    """The speech encoder alone: how the points of a mouth move, from the voice around a frame (ours)."""

    name = "voice"

    def __init__(self, config: EmoGenConfig, material: Material, voice: SpeechEncoder) -> None:
        super().__init__(config, material, config.train.expert_batch)
        self.voice, self.steps = voice, config.train.voice_steps
        self.mouth = nn.Linear(config.net.embedding, MOUTH_NUMBERS)

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {"voice": self.voice, "mouth": self.mouth}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`."""
        lr = self.config.train.expert_lr
        return {"voice": self.adam(self.voice, lr), "mouth": self.adam(self.mouth, lr)}

    def batches(self, start: int, share: Share) -> Iterator[Batch]:
        """See `Stage`."""
        step, shelf = start, self.material.train
        while True:
            rng = np.random.default_rng((self.config.train.seed, step, share.rank))
            chosen = rng.integers(len(shelf), size=max(1, self.batch // _WINDOWS_A_STRETCH // share.count))
            yield spoken(shelf, chosen, rng, GAIN)
            step += 1

    def step(self, batch: Batch, run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        told, wanted = self._told(batch, run)
        loss = functional.mse_loss(told, wanted)
        learn(run, loss, "voice", "mouth")
        return {"mse": loss.detach()}

    def _told(self, batch: Batch, run: Run) -> tuple[Tensor, Tensor]:
        """Where the points are told to be and where they are (n, 40), in the scale that is learned; of frames seen."""
        seen = batch["mouth"].isfinite().all(1)
        heard = run.modules["voice"](batch["mels"][seen]).flatten(1)
        return run.modules["mouth"](heard), batch["mouth"][seen] / MOUTH_SCALE

    def validate(self, run: Run) -> Mapping[str, float]:
        """Mean squared error, and correlation of all movements told with those seen."""
        shelf = self.material.val
        pairs = []
        for number in range(len(shelf)):
            batch = spoken(shelf, np.array([number]), np.random.default_rng(number), 0.0)
            pairs.append(self._told({name: run.fabric.to_device(part) for name, part in batch.items()}, run))
        told, wanted = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        together = torch.corrcoef(torch.stack([told.flatten(), wanted.flatten()]))[0, 1]
        return {"mse": float(functional.mse_loss(told, wanted)), "r": float(together)}


def learn(run: Run, loss: Tensor, *names: str) -> None:
    """One step of the optimizers of these names."""
    for name in names:
        run.optimizers[name].zero_grad()
    run.fabric.backward(loss)
    for name in names:
        run.optimizers[name].step()


def named(judge: Any, faces: Tensor, emotion: Tensor) -> float:
    """Share of videos (B, T, 3, S, S) whose emotion (B,) a judge names."""
    return float((judge(faces).argmax(1) == emotion).float().mean())
