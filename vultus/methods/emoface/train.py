"""Training of EmoFace (section 4.2): mean squared error of the controls, Adam, StepLR; one stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vultus.core.errors import ControlError
from vultus.face.metahuman import columns_of
from vultus.methods.emoface.config import EmoFaceConfig
from vultus.methods.emoface.data import Ear, Material, Utterance, levelled, material
from vultus.methods.emoface.model import EmoFaceNet, Wav2Vec2Ear, to_frames
from vultus.training.stage import Run, Share, shuffled

LEAST_SPREAD = 0.03
"""Standard deviation that every control is taken to have at least, where errors count in units of it."""

Batch = dict[str, Tensor]


def stages(config: EmoFaceConfig, data: Path, learned_from: Material | None = None) -> list[Curves]:
    """The one stage; what it learns from is made of `data` unless given."""
    if config.net.ear == "wav2vec2" and config.data.source == "synthetic":
        raise ControlError("wav2vec2 learns along, from recorded utterances", "data.source", "choose emoface")
    if config.net.ear == "wav2vec2":
        heard_by, ear = "", Wav2Vec2Ear(config.net.initialised)
    else:
        heard_by, ear = Ear(config.net).sha8, None
    learned_from = learned_from or material(config.net, config.data, data)
    return [Curves(config, learned_from, EmoFaceNet(config.net, heard_by), ear)]


class Curves:
    """From voice and emotion to curves. With `ear` the batch holds waveforms, without it the ear's states."""

    name = "curves"
    needs: tuple[str, ...] = ()

    def __init__(self, config: EmoFaceConfig, learned_from: Material, net: EmoFaceNet, ear: nn.Module | None) -> None:
        self.config, self.material, self.net, self.ear = config, learned_from, net, ear
        self.batch = min(config.train.batch, len(learned_from.train))
        self.round_steps = len(learned_from.train) // self.batch
        self.steps = config.train.rounds * self.round_steps

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {"net": self.net} if self.ear is None else {"net": self.net, "ear": self.ear}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`. The curves start from their mean (ours; the released code starts from zeros)."""
        mean = np.concatenate([utterance.controls for utterance in self.material.train]).mean(0)
        with torch.no_grad():
            self.net.out.bias.copy_(torch.from_numpy(mean))
        settings = self.config.train
        learning = [p for module in self.modules().values() for p in module.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(learning, settings.lr)
        self._schedule = torch.optim.lr_scheduler.StepLR(
            optimizer, settings.decay_rounds * self.round_steps, settings.decay
        )
        return {"net": optimizer}

    def batches(self, start: int, share: Share) -> Iterator[Batch]:
        """See `Stage`."""
        settings, step = self.config.train, start
        for chosen in shuffled(len(self.material.train), self.batch, settings.seed, start, share):
            rng = np.random.default_rng((settings.seed, step, share.rank))
            longest = settings.crop_frames
            if longest:
                longest = int(rng.integers(longest // 3, longest + 1))
            yield side_by_side([_piece(self.material.train[i], longest, rng) for i in chosen])
            step += 1

    def step(self, batch: Batch, run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        error = self._made(batch, run.modules) - batch["controls"]
        if self.config.train.balanced:
            error = error / self._spread.to(error)
        seen = batch["seen"][..., None]
        loss = (error.square() * seen).sum() / (seen.sum() * error.shape[-1])
        optimizer = run.optimizers["net"]
        optimizer.zero_grad()
        run.fabric.backward(loss)
        optimizer.step()
        self._schedule.step()
        return {"mse": loss.detach()}

    def validate(self, run: Run) -> Mapping[str, float]:
        """Mean absolute errors on held-out utterances, in pieces, of all controls, the mouth's, the eyes' (table 2)."""
        found = []
        for utterance in chain(*(_pieces(u, self.config.train.crop_frames) for u in self.material.val)):
            batch = {name: run.fabric.to_device(t) for name, t in side_by_side([utterance]).items()}
            made = self._made(batch, run.modules, alone=True)[0].cpu().numpy()
            found.append(list(mean_absolute_errors(made, utterance.controls).values()))
        return dict(zip(AREAS, np.mean(found, 0).tolist(), strict=True)) if found else {}

    def _made(self, batch: Batch, modules: Mapping[str, Any], alone: bool = False) -> Tensor:
        states = batch.get("states")
        if states is None:
            states = to_frames(modules["ear"](batch["waveform"]), batch["controls"].shape[1])
        lengths = batch["seen"].sum(1).long()
        return modules["net"](states, batch["emotion"], lengths, None if alone else batch["controls"])

    @cached_property
    def _spread(self) -> Tensor:
        """(174,) standard deviation of each control in what is learned from."""
        curves = np.concatenate([utterance.controls for utterance in self.material.train])
        return torch.from_numpy(np.maximum(curves.std(0), LEAST_SPREAD))

    def state_dict(self) -> dict[str, Any]:
        """See `Stage`."""
        return {"schedule": self._schedule.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Stage`."""
        self._schedule.load_state_dict(state["schedule"])


AREAS = ("full_face_mae", "mouth_mae", "eye_mae")
MOUTH_AREA = columns_of("jaw", "mouth", "teeth", "tongue")
EYE_AREA = columns_of("eye", "brow")
"""Controls of the paper's two areas; which ones it counted is not said."""


def mean_absolute_errors(made: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Of controls (T, 174) against true ones: all, the mouth's, the eyes' (tables 2 and 4)."""
    off = np.abs(np.asarray(made, np.float64) - truth).mean(0)
    return dict(zip(AREAS, (float(part.mean()) for part in (off, off[MOUTH_AREA], off[EYE_AREA])), strict=True))


def side_by_side(utterances: Sequence[Utterance]) -> Batch:
    """Utterances of any lengths as a batch padded with zeros: `controls`, `emotion`, `states` or `waveform`, `seen`."""
    longest = max(len(u.controls) for u in utterances)
    batch = {
        "controls": _padded([u.controls for u in utterances], longest),
        "emotion": _padded([u.emotion for u in utterances], longest),
        "seen": _padded([np.ones(len(u.controls), np.float32) for u in utterances], longest),
    }
    states = [u.states for u in utterances if u.states is not None]
    if len(states) == len(utterances):
        return batch | {"states": _padded(states, longest)}
    waveforms = [levelled(u.waveform) for u in utterances]
    return batch | {"waveform": _padded(waveforms, max(len(w) for w in waveforms))}


def _padded(arrays: Sequence[np.ndarray], length: int) -> Tensor:
    padded = np.zeros((len(arrays), length, *arrays[0].shape[1:]), np.float32)
    for row, array in zip(padded, arrays, strict=True):
        row[: len(array)] = array
    return torch.from_numpy(padded)


def _piece(utterance: Utterance, longest: int, rng: np.random.Generator) -> Utterance:
    """A piece of so many frames from a random place; all of it for 0, or of an utterance whose ear learns along."""
    count = len(utterance.controls)
    if longest == 0 or count <= longest or utterance.states is None:
        return utterance
    return _cut(utterance, int(rng.integers(0, count - longest + 1)), longest)


def _pieces(utterance: Utterance, longest: int) -> list[Utterance]:
    """All of an utterance in pieces of at most so many frames; as `_piece`."""
    if longest == 0 or utterance.states is None:
        return [utterance]
    return [_cut(utterance, start, longest) for start in range(0, len(utterance.controls), longest)]


def _cut(utterance: Utterance, start: int, count: int) -> Utterance:
    assert utterance.states is not None
    cut = slice(start, start + count)
    return Utterance(
        utterance.name, utterance.waveform[:0], utterance.controls[cut], utterance.emotion[cut], utterance.states[cut]
    )
