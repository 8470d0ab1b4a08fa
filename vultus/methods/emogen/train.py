"""Training in stages: sync expert, emotion discriminator, base model if wanted, generator (sections 2.4 and 2.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.methods.emogen.batches import (
    Batch,
    cut,
    far_apart,
    fixed,
    jittered,
    own_voice,
    paired,
    side_by_side,
    some_frames,
)
from vultus.methods.emogen.config import EMOTIONS, WINDOW, EmoGenConfig
from vultus.methods.emogen.data import Material, material
from vultus.methods.emogen.experts import EmotionDiscriminator, SyncExpert, agreement, mutual_agreement
from vultus.methods.emogen.losses import Perceptual, Weights, perceptual_loss, reconstruction_loss, total_loss
from vultus.methods.emogen.model import Generator, looked_at
from vultus.training.stage import Run, Share


def stages(config: EmoGenConfig, data: Path) -> list[Any]:
    """The stages, in order, on a folder of prepared clips. Raises InputError, MissingPartError."""
    faces = material(data, config.net.side, config.data)
    sync, emotion = SyncExpert(config.net), EmotionDiscriminator(config.net)
    perceptual = perceptual_loss(config.loss)
    chain: list[Any] = [SyncStage(config, faces, sync), EmotionStage(config, faces, emotion)]
    base = None
    if config.train.pre != "off":
        others = material(data, config.net.side, config.data, feeling=False)
        base = Generator(config.net, feeling=False)
        chain.append(GeneratorStage(config, others, base, sync, perceptual))
    generator = Generator(config.net)
    chain.append(GeneratorStage(config, faces, generator, sync, perceptual, emotion, base))
    return chain


class _Stage:
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


class SyncStage(_Stage):
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
        _learn(run, "sync", loss)
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


class EmotionStage(_Stage):
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
        _learn(run, "emotion", loss)
        return {"cross_entropy": loss.detach()}

    def validate(self, run: Run) -> Mapping[str, float]:
        """Share of held-out windows that are named right."""
        right = [_named(run.modules["emotion"], batch["faces"], batch["emotion"]) for batch in self.held_out(run)]
        return {"accuracy": float(np.mean(right))}


class GeneratorStage(_Stage):
    """The generator by equation 1; without an emotion discriminator, the base model of section 2.4.

    The discriminator goes on learning from real windows, slowly (section 2.5).
    """

    def __init__(
        self,
        config: EmoGenConfig,
        material: Material,
        generator: Generator,
        sync: SyncExpert,
        perceptual: Perceptual | None,
        emotion: EmotionDiscriminator | None = None,
        base: Generator | None = None,
    ) -> None:
        super().__init__(config, material, config.train.batch)
        self.generator, self.sync, self.perceptual = generator, sync, perceptual
        self.emotion, self.base = emotion, base
        self.name = "base" if emotion is None else "generator"
        self.steps = config.train.base_steps if emotion is None else config.train.steps
        self.needs = ("sync",) if emotion is None else ("sync", "emotion", *(["base"] if base is not None else []))
        self.weights = Weights(config.loss, feeling=emotion is not None)
        self._fixed_face = base is not None and config.train.pre == "frozen"
        self._done = 0

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`. The sync expert is done learning."""
        self.sync.requires_grad_(False)
        self.generator.face.requires_grad_(not self._fixed_face)
        found = {"generator": self.generator, "sync": self.sync}
        return found if self.emotion is None else found | {"emotion": self.emotion}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`. With PRE the face encoder is the base model's."""
        if self.base is not None:
            self.generator.face.load_state_dict(self.base.face.state_dict())
        settings = self.config.train
        found = {"generator": self.adam(self.generator, settings.lr)}
        return found if self.emotion is None else found | {"emotion": self.adam(self.emotion, settings.emotion_lr)}

    def step(self, batch: Batch, run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        if self._fixed_face:
            self.generator.face.eval()  # the statistics of its normalisation are fixed too
        dealt = self._dealt(batch)
        parts = self._losses(self._made(dealt, run), dealt, run)
        loss = total_loss(**parts, weights=self.weights.now)
        self._slow_down(run)
        _learn(run, "generator", loss)
        shown = {name: value.detach() for name, value in parts.items()} | {"total": loss.detach()}
        if self.emotion is not None:
            told = self._felt([part["faces"] for part in dealt], dealt, run)
            _learn(run, "emotion", told)
            shown["told"] = told.detach()
        return shown

    def _dealt(self, batch: Batch) -> list[Batch]:
        """What is learned from in this step; the first part has whole windows where alpha is on."""
        some = self.config.train.first_frames
        if some == WINDOW:
            return [batch]
        chosen = torch.randperm(WINDOW)[:some].sort().values
        if not self.weights.in_sync:
            return [some_frames(batch, chosen)]
        whole = -(-len(batch["faces"]) // 4)
        return [cut(batch, slice(whole)), some_frames(cut(batch, slice(whole, None)), chosen)]

    def _slow_down(self, run: Run) -> None:
        """Set the generator's rate for this step."""
        settings = self.config.train
        for group in run.optimizers["generator"].param_groups:
            group["lr"] = settings.lr * settings.lr_fall ** (self._done / self.steps)
        self._done += 1

    def _made(self, dealt: Sequence[Batch], run: Run) -> list[Tensor]:
        """New faces for each part, all of them normalised together."""
        sizes = [part["faces"].shape[:2] for part in dealt]
        # of one part frames stay together, for the noise encoder
        shape = sizes[0] if len(sizes) == 1 else (sum(size.numel() for size in sizes), 1)

        def laid(parts: list[Tensor]) -> Tensor:
            return torch.cat([part.flatten(0, 1) for part in parts]).unflatten(0, shape)

        feeling = None
        if self.emotion is not None:
            rows = torch.eye(len(EMOTIONS), device=dealt[0]["faces"].device)
            felt = (rows[part["emotion"]][:, None] for part in dealt)
            feeling = laid([row.expand(*size, -1) for row, size in zip(felt, sizes, strict=True)])
        references, mels = (laid([part[name] for part in dealt]) for name in ("references", "mels"))
        made = run.modules["generator"](looked_at(references), mels, feeling).flatten(0, 1)
        split = torch.split(made, [size.numel() for size in sizes])
        return [faces.unflatten(0, size) for faces, size in zip(split, sizes, strict=True)]

    def _losses(self, made: Sequence[Tensor], dealt: Sequence[Batch], run: Run) -> dict[str, Tensor]:
        """The four losses of equation 1."""
        alpha, beta, _ = self.weights.now
        faces = torch.cat([some.flatten(0, 1) for some in made])[None]
        truth, given = (
            torch.cat([part[name].flatten(0, 1) for part in dealt])[None] for name in ("faces", "references")
        )
        zero = faces.new_zeros(())
        together = faces.new_ones(len(made[0]))
        sync = agreement(run.modules["sync"], made[0], own_voice(dealt[0]), together) if alpha else zero
        perceptual = zero
        if self.perceptual is not None and beta:
            chosen = slice(self.config.loss.perceptual_faces or None)
            perceptual = self.perceptual(faces[:, chosen], truth[:, chosen])
        return {
            "sync": sync,
            "perceptual": perceptual,
            "emotion": zero if self.emotion is None else self._felt(made, dealt, run),
            "reconstruction": reconstruction_loss(faces, truth, given, self.config.loss.changed),
        }

    def _felt(self, faces: Sequence[Tensor], dealt: Sequence[Batch], run: Run) -> Tensor:
        """The emotion discriminator's cross-entropy on faces of each part."""
        seen = map(jittered, faces) if self.config.data.jitter else faces
        told = torch.cat([run.modules["emotion"](some) for some in seen])
        return functional.cross_entropy(told, torch.cat([part["emotion"] for part in dealt]))

    def validate(self, run: Run) -> Mapping[str, float]:
        """Absolute difference, PSNR, sync loss and, by its own discriminator, emotions on held-out windows.

        The sync loss found here switches alpha on.
        """
        found: dict[str, list[float]] = {"l1": [], "psnr": [], "sync": []}
        for batch in self.held_out(run):
            (made,) = self._made([batch], run)
            found["l1"].append(float(functional.l1_loss(made, batch["faces"])))
            found["psnr"].append(float(-10 * torch.log10(functional.mse_loss(made, batch["faces"]) + 1e-10)))
            together = made.new_ones(len(made))
            found["sync"].append(float(agreement(run.modules["sync"], made, own_voice(batch), together)))
            if self.emotion is not None:
                named = _named(run.modules["emotion"], made, batch["emotion"])
                found.setdefault("felt", []).append(named)
        figures = {name: float(np.mean(values)) for name, values in found.items()}
        self.weights.validated(figures["sync"])
        return figures | {"alpha": self.weights.now[0]}

    def state_dict(self) -> dict[str, Any]:
        """See `Stage`."""
        return {"in_sync": self.weights.in_sync, "done": self._done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Stage`."""
        self.weights.in_sync, self._done = bool(state["in_sync"]), int(state["done"])


def _learn(run: Run, name: str, loss: Tensor) -> None:
    run.optimizers[name].zero_grad()
    run.fabric.backward(loss)
    run.optimizers[name].step()


def _named(judge: Any, faces: Tensor, emotion: Tensor) -> float:
    return float((judge(faces).argmax(1) == emotion).float().mean())
