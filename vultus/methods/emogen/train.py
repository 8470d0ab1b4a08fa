"""Training in stages: those who teach, a base model if wanted, the generator (sections 2.4 and 2.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.methods.emogen.batches import Batch, cut, jittered, own_voice, some_frames
from vultus.methods.emogen.config import EMOTIONS, WINDOW, EmoGenConfig
from vultus.methods.emogen.data import Material, material
from vultus.methods.emogen.experts import EmotionDiscriminator, SyncExpert, agreement
from vultus.methods.emogen.layers import SpeechEncoder
from vultus.methods.emogen.losses import Perceptual, Weights, perceptual_loss, reconstruction_loss, total_loss
from vultus.methods.emogen.model import Generator, looked_at
from vultus.methods.emogen.teachers import EmotionStage, SyncStage, VoiceStage, WindowStage, learn, named
from vultus.training.stage import Run


def stages(config: EmoGenConfig, data: Path) -> list[Any]:
    """The stages, in order, on a folder of prepared clips. Raises InputError, MissingPartError."""
    faces = material(data, config.net.side, config.data)
    sync, emotion = SyncExpert(config.net), EmotionDiscriminator(config.net)
    perceptual = perceptual_loss(config.loss)
    chain: list[Any] = [SyncStage(config, faces, sync), EmotionStage(config, faces, emotion)]
    voice = None
    if config.train.voice != "off":
        voice = SpeechEncoder(config.net.speech_widths, config.net.speech_blocks, config.net.embedding)
        chain.append(VoiceStage(config, faces, voice))
    teachers = Teachers(sync, emotion, perceptual, voice)
    base = None
    if config.train.pre != "off":
        others = material(data, config.net.side, config.data, feeling=False)
        base = Generator(config.net, feeling=False)
        chain.append(GeneratorStage(config, others, base, replace(teachers, emotion=None)))
    chain.append(GeneratorStage(config, faces, Generator(config.net), teachers, base))
    return chain


@dataclass(frozen=True)
class Teachers:
    """Who teaches a generator, and whose speech encoder it listens with, if not its own."""

    sync: SyncExpert
    emotion: EmotionDiscriminator | None
    """None: the base model of section 2.4."""
    perceptual: Perceptual | None
    voice: SpeechEncoder | None


class GeneratorStage(WindowStage):
    """The generator by equation 1; without an emotion discriminator, the base model of section 2.4.

    The discriminator goes on learning from real windows, slowly (section 2.5).
    """

    def __init__(
        self,
        config: EmoGenConfig,
        material: Material,
        generator: Generator,
        teachers: Teachers,
        base: Generator | None = None,
    ) -> None:
        super().__init__(config, material, config.train.batch)
        self.generator, self.base = generator, base
        self.sync, self.perceptual = teachers.sync, teachers.perceptual
        self.emotion, self.voice = teachers.emotion, teachers.voice
        feeling = self.emotion is not None
        self.name = "generator" if feeling else "base"
        self.steps = config.train.steps if feeling else config.train.base_steps
        wanted = {"emotion": self.emotion, "voice": self.voice, "base": base}
        self.needs = ("sync", *(name for name, part in wanted.items() if part is not None))
        self.weights = Weights(config.loss, feeling=feeling)
        self._fixed_face = base is not None and config.train.pre == "frozen"
        self._done = 0

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`. The sync expert is done learning."""
        self.sync.requires_grad_(False)
        self.generator.face.requires_grad_(not self._fixed_face)
        self.generator.speech.requires_grad_(self.voice is None)
        found = {"generator": self.generator, "sync": self.sync}
        return found if self.emotion is None else found | {"emotion": self.emotion}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`. With PRE the face encoder is the base model's; the speech encoder may have learned alone."""
        if self.voice is not None:
            self.generator.speech.load_state_dict(self.voice.state_dict())
        if self.base is not None:
            self.generator.face.load_state_dict(self.base.face.state_dict())
        settings = self.config.train
        found = {"generator": self.adam(self.generator, settings.lr)}
        return found if self.emotion is None else found | {"emotion": self.adam(self.emotion, settings.emotion_lr)}

    def step(self, batch: Batch, run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        for part, still in ((self.generator.face, self._fixed_face), (self.generator.speech, self.voice is not None)):
            if still:
                part.eval()  # the statistics of its normalisation are fixed too
        dealt = self._dealt(batch)
        parts = self._losses(self._made(dealt, run), dealt, run)
        loss = total_loss(**parts, weights=self.weights.now)
        self._slow_down(run)
        learn(run, loss, "generator")
        shown = {name: value.detach() for name, value in parts.items()} | {"total": loss.detach()}
        if self.emotion is not None:
            told = self._felt([part["faces"] for part in dealt], dealt, run)
            learn(run, told, "emotion")
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
                found.setdefault("felt", []).append(named(run.modules["emotion"], made, batch["emotion"]))
        figures = {name: float(np.mean(values)) for name, values in found.items()}
        self.weights.validated(figures["sync"])
        return figures | {"alpha": self.weights.now[0]}

    def state_dict(self) -> dict[str, Any]:
        """See `Stage`."""
        return {"in_sync": self.weights.in_sync, "done": self._done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Stage`."""
        self.weights.in_sync, self._done = bool(state["in_sync"]), int(state["done"])
