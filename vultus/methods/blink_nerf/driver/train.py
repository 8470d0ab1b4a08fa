"""Training of the driver: all its networks together, on pieces of the person's own video (section III.B and III.C)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vultus.core.errors import InputError
from vultus.methods.blink_nerf.driver.config import DriverConfig
from vultus.methods.blink_nerf.driver.model import MotionNet, divergence
from vultus.methods.blink_nerf.driver.units import action_units, eye_size, lip_gap
from vultus.methods.blink_nerf.person import Person
from vultus.metrics.lips import correlation, on_grid
from vultus.training.stage import Run, Share

Batch = dict[str, Tensor]
MOUTH = slice(48, 68)
SWAPS = 6
"""Other places of the clip whose voice held-out frames are made from, to compare."""
_WARM_UP = 50


def position_loss(made: Tensor, truth: Tensor) -> Tensor:
    """Equation 7: the L1 distance of landmarks (B, T, M, 3), its mean over landmarks and frames."""
    return (made - truth).abs().sum(-1).mean()


@dataclass(frozen=True)
class Lesson:
    """A person's clip as numbers; T frames."""

    audio: np.ndarray
    """(T, A)"""
    landmarks: np.ndarray
    """(T, 68, 3) head units."""
    au45: np.ndarray
    """(T,)"""
    units: np.ndarray
    """(T, 17)"""


class Motion:
    """The one stage of the driver."""

    name = "motion"
    needs: tuple[str, ...] = ()

    def __init__(self, config: DriverConfig, person: Person, net: MotionNet | None = None) -> None:
        """Raises InputError for a person without a whole piece to learn from."""
        self.config, self.person = config, person
        units = action_units(person.expression, person.au45)
        self._lesson = Lesson(*(np.array(a) for a in (person.audio, person.landmarks3d, person.au45, units)))
        self._starts = _whole_pieces(person, config.train.crop_frames + 1)
        if len(self._starts) == 0:
            fix = f"shots of {(config.train.crop_frames + 1) / person.fps:.0f} s or more are needed"
            raise InputError("no part of this clip is long enough to learn from", person.name, fix)
        self.net = net or fitted_motion(config, person)
        self.steps, self.done = config.train.steps, 0

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {"motion": self.net}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`."""
        train, eyes = self.config.train, list(self.net.eyes.parameters())
        others = [p for p in self.net.parameters() if p.requires_grad and all(p is not eye for eye in eyes)]
        groups = [{"params": others, "full": train.lr}, {"params": eyes, "full": train.eye_lr}]
        return {"motion": torch.optim.AdamW(groups, train.lr, weight_decay=1e-2)}

    def batches(self, start: int, share: Share) -> Iterator[Batch]:
        """See `Stage`. A piece holds one frame more than is learned: the eyes begin from it."""
        train, step = self.config.train, start
        while True:
            rng = np.random.default_rng((step, share.rank))
            first = rng.choice(self._starts, train.batch)
            frames = first[:, None] + np.arange(train.crop_frames + 1)
            yield {name: torch.from_numpy(values[frames]) for name, values in self._lesson.__dict__.items()}
            step += 1

    def step(self, batch: Batch, run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        optimizer = run.optimizers["motion"]
        for group in optimizer.param_groups:
            group["lr"] = group["full"] * self._rate()
        optimizer.zero_grad()
        losses = self.losses(batch)
        run.fabric.backward(torch.stack(list(losses.values())).sum())
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        optimizer.step()
        self.done += 1
        return {name: loss.detach() for name, loss in losses.items()}

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """What is minimised, by name: positions (equation 7), the autoencoder's two, action units, and the eyes'."""
        net, train = self.net, self.config.train
        audio, landmarks, au45, units = (batch[name] for name in ("audio", "landmarks", "au45", "units"))
        before, eyes = net.eye_states(landmarks[:, 0]), net.eye_states(landmarks[:, 1:])
        heard = net.hear(audio[:, 1:])
        made = net.landmarks(heard, eyes, au45[:, 1:])
        smooth = net.filter(heard.audio)
        sizes = torch.from_numpy(eye_size(landmarks[:, 1:].cpu().numpy())).to(made)
        normal_units = (heard.units - units[:, 1:]) / net.unit_spread
        return {
            "position": position_loss(made, landmarks[:, 1:]),
            "reconstruction": train.reconstruction * (heard.rebuilt - smooth.detach()).square().mean(),
            "divergence": train.divergence * divergence(heard.mean, heard.log_variance),
            "units": train.au * normal_units.square().mean(),
            "eyes": train.eyes * (net.eyes(before, au45[:, 1:]) - eyes).abs().mean(),
            "eye_size": train.eye_size * (net.eyes.sizes(eyes) - sizes).abs().mean(),
        }

    def validate(self, run: Run) -> Mapping[str, float]:
        """See `Stage`; `figures` on the held-out end, and with the voice of another place of the clip."""
        shifts = np.linspace(0, len(self.person), SWAPS + 2)[1:-1].astype(int)
        return figures(self.person, self.performed(), [self.performed(int(shift)) for shift in shifts])

    @torch.no_grad()
    def performed(self, shift: int = 0) -> Performed:
        """The held-out frames as the driver makes them, from the voice `shift` frames on, and the true blinks."""
        person, net, device = self.person, self.net, self.net.landmark_mean.device
        audio = torch.from_numpy(np.roll(self._lesson.audio, shift, 0)).to(device)[None]
        au45 = torch.from_numpy(self._lesson.au45).to(device)[None]
        heard = net.hear(audio)
        eyes = net.eyes(torch.zeros(1, 36, device=device), au45)
        landmarks = net.landmarks(heard, eyes, au45)
        landmarks[:, :, 36:48] = net.placed_eyes(eyes)
        part = person.test
        return Performed(landmarks[0, part].cpu().numpy(), heard.units[0, part].cpu().numpy())

    def _rate(self) -> float:
        train = self.config.train
        cosine = 0.5 * (1 + math.cos(math.pi * self.done / max(self.steps, 1)))
        return min(1.0, (self.done + 1) / _WARM_UP) * (train.final_lr + (1 - train.final_lr) * cosine)

    def state_dict(self) -> dict[str, Any]:
        """See `Stage`."""
        return {"done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Stage`."""
        self.done = state["done"]


@dataclass(frozen=True)
class Performed:
    """What the driver makes of held-out frames: landmarks (T, 68, 3) and action units (T, 17)."""

    landmarks: np.ndarray
    units: np.ndarray


def figures(person: Person, own: Performed, others: list[Performed]) -> dict[str, float]:
    """How well held-out frames are met: `own` from their voice, `others` from voices of other places (mean of them).

    Apertures and eyes by Pearson's r at lag 0; landmark distances (LMD) in pixels of a picture of 512, and those of the
    mean face; action units by their mean r and their mean absolute error.
    """
    part = person.test
    truth, au45 = person.landmarks3d[part], person.au45[part]
    units = action_units(person.expression[part], au45)
    px = 512 / person.size * person.focal_px / float(np.median(person.translation[part, 2]))
    off, off_mean = (np.linalg.norm(made - truth, axis=-1) * px for made in (own.landmarks, mean_face(person)))
    gap = lip_gap(truth)
    return {
        "aperture_r": followed(lip_gap(own.landmarks), gap, person.fps),
        "aperture_r_swapped": float(np.mean([followed(lip_gap(o.landmarks), gap, person.fps) for o in others])),
        "aperture_sd_ratio": float(lip_gap(own.landmarks).std() / max(gap.std(), 1e-6)),
        "eye_r": followed(eye_size(own.landmarks).mean(1), eye_size(truth).mean(1), person.fps),
        "lmd_px512": float(off.mean()),
        "lmd_mouth_px512": float(off[:, MOUTH].mean()),
        "lmd_mean_px512": float(off_mean.mean()),
        "lmd_mean_mouth_px512": float(off_mean[:, MOUTH].mean()),
        "au_r": _mean_r(own.units, units, person.fps),
        "au_r_shuffled": float(np.mean([_mean_r(other.units, units, person.fps) for other in others])),
        "au_mae": float(np.abs(own.units - units).mean()),
        "au_mae_shuffled": float(np.mean([np.abs(other.units - units).mean() for other in others])),
    }


def mean_face(person: Person) -> np.ndarray:
    """The mean landmarks (68, 3) of the frames that are learned from."""
    mean: np.ndarray = person.landmarks3d[person.train].mean(0)
    return mean


def followed(made: np.ndarray, truth: np.ndarray, fps: float) -> float:
    """Pearson's r of two series (T,) of frames, as mouths are compared (`metrics.lips`)."""
    count = int(len(truth) * 50 / fps)
    return correlation(*(on_grid(series[:, None], fps, count, 0.5 / fps)[:, 0] for series in (made, truth)))


def _mean_r(made: np.ndarray, truth: np.ndarray, fps: float) -> float:
    moving = [k for k in range(truth.shape[1]) if truth[:, k].std() > 1e-3]
    return float(np.mean([followed(made[:, k], truth[:, k], fps) for k in moving])) if moving else 0.0


def fitted_motion(config: DriverConfig, person: Person) -> MotionNet:
    """Networks that know a person's means, and of lips what least squares can tell."""
    net = MotionNet(person.audio.shape[1], config.net)
    net.fit(person, action_units(person.expression, person.au45))
    return net


def _whole_pieces(person: Person, count: int) -> np.ndarray:
    """First frames of all pieces of `count` frames to learn from that have a face throughout and no cut."""
    train = person.train
    valid, shot = np.asarray(person.valid[train]), np.asarray(person.shot[train])
    if len(valid) < count:
        return np.zeros(0, int)
    faces = np.convolve(valid, np.ones(count, int), "valid") == count
    same = shot[count - 1 :] == shot[: len(shot) - count + 1]
    return np.flatnonzero(faces & same)
