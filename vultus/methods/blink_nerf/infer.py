"""A trained person, rendered: under any condition and pose, turned on a table, or as depth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vultus.core.config import overlay
from vultus.core.errors import InputError
from vultus.core.pose import matrix_from_degrees
from vultus.core.types import Frames
from vultus.core.weights import load_weights
from vultus.methods.blink_nerf.conditioning import Condition, as_tensors
from vultus.methods.blink_nerf.config import PAPER
from vultus.methods.blink_nerf.model import BlinkNerf, Seen, Signals, pixel_places
from vultus.methods.blink_nerf.numerics import Precision, compile_in_place, counted_in
from vultus.methods.blink_nerf.torso import TorsoGuess

CHUNK = 16_384
"""Rays that are rendered at once."""
TURN_DEG, TURN_S = 6.0, 4.0
"""How far a turntable turns to both sides, and how long one round takes: farther, ear and neck were never seen."""
DEPTH_RANGE = 0.9
"""Share of a depth picture's grey levels that the head takes; what is empty is black."""


@dataclass(frozen=True)
class HeadPoses:
    """Where a head is in T frames, as `core.types.Fit` has it."""

    rotation: np.ndarray
    """(T, 3, 3)."""
    translation: np.ndarray
    """(T, 3) camera frame, head units."""

    def __len__(self) -> int:
        return len(self.translation)


class Painter:
    """Renders frames one by one; `samples` along a ray, as many as it was trained with unless given."""

    def __init__(self, net: BlinkNerf, size: int, samples: int | None = None, precision: Precision = "32-true") -> None:
        self.net, self.size, self.precision = net.eval(), size, precision
        self.samples = samples or net.config.train.samples
        self._place = torch.from_numpy(pixel_places(size))

    def picture(self, signals: Signals) -> np.ndarray:
        """The picture (S, S, 3) float32 in 0-1 of one frame's signals, B = 1."""
        seen = self.rays(signals)
        return torch.cat([part.colour for part in seen]).view(self.size, self.size, 3).cpu().numpy()

    def depth(self, signals: Signals) -> np.ndarray:
        """Distance (S, S) float32 from the camera in head units; infinite where there is no head."""
        return torch.cat([part.depth for part in self.rays(signals)]).view(self.size, self.size).cpu().numpy()

    @torch.no_grad()
    def rays(self, signals: Signals) -> list[Seen]:
        """What all rays of a frame see, row by row, in chunks."""
        codes, place = self.net.codes(signals), self._place.to(signals.au45.device)
        with counted_in(self.precision, place.device):
            return [self.net(signals, part[None], self.samples, codes=codes) for part in place.split(CHUNK)]


class TrainedPerson:
    """The radiance field of one person, from a folder of weights that training wrote. Runs on any torch device.

    `precision` is that of the field's networks; `compiled` has torch.compile make kernels of them at the first frame.
    """

    def __init__(
        self,
        net: BlinkNerf,
        device: str | torch.device = "cpu",
        precision: Precision = "32-true",
        compiled: bool = False,
    ) -> None:
        self.net, self.device, self.precision = net.eval().to(device), torch.device(device), precision
        if compiled:
            compile_in_place(net.field, device)

    @classmethod
    def load(
        cls,
        folder: str | Path,
        device: str | torch.device = "cpu",
        precision: Precision = "32-true",
        compiled: bool = False,
    ) -> TrainedPerson:
        """Raises InputError for anything but whole weights of this method."""
        tensors, card = load_weights(folder)
        if card.method != "blink_nerf":
            raise InputError(f"these are weights of {card.method}", folder, "give those of vultus train blink_nerf")
        mine = {name.removeprefix("net."): tensor for name, tensor in tensors.items() if name.startswith("net.")}
        net = BlinkNerf(overlay(PAPER, card.config), len(mine["conditioner.voice.mean"]))
        try:
            net.load_state_dict(mine, strict=True)
        except RuntimeError as error:
            raise InputError("the weights do not fit their card", folder, "train or fetch them again") from error
        return cls(net, device, precision, compiled)

    def frames(
        self,
        condition: Condition,
        poses: HeadPoses,
        fps: float,
        torso: np.ndarray | None = None,
        size: int | None = None,
    ) -> Frames:
        """The person doing what a condition says, under poses of as many frames.

        Args:
            torso: (T, K) its motion where it was tracked (`torso.torso_motion`); else guessed from the poses.
            size: side of the pictures in pixels; as it was trained, unless given.
        """
        signals = self.signals(condition, poses, fps, torso)
        painter = Painter(self.net, size or self.net.config.size, precision=self.precision)
        pictures = (_as_bytes(painter.picture(one)) for one in _each(signals))
        return Frames(pictures, fps, painter.size, painter.size, len(condition))

    def depths(self, condition: Condition, poses: HeadPoses, fps: float, size: int | None = None) -> Frames:
        """How far everything is, as grey pictures: the nearest point is white, nothing is black."""
        signals = self.signals(condition, poses, fps)
        painter = Painter(self.net, size or self.net.config.size, precision=self.precision)
        near, far = self.depth_range()
        pictures = (depth_picture(painter.depth(one), near, far) for one in _each(signals))
        return Frames(pictures, fps, painter.size, painter.size, len(condition))

    def signals(self, condition: Condition, poses: HeadPoses, fps: float, torso: np.ndarray | None = None) -> Signals:
        """All that T frames are rendered from. Raises ValueError if there are not as many of each."""
        if len(poses) != len(condition) or (torso is not None and len(torso) != len(condition)):
            raise ValueError(f"{len(condition)} frames of condition, {len(poses)} of poses")
        rotation, translation = (
            torch.from_numpy(np.array(a, np.float32)).to(self.device) for a in (poses.rotation, poses.translation)
        )
        known = Signals(rotation, translation, *as_tensors(condition, self.device), torch.empty(0))
        if torso is None:
            guess = TorsoGuess(self.net.torso_guess.cpu().numpy(), fps)
            torso = guess(self.net.backdrop_pose(known).cpu().numpy())
        return known._replace(torso=torch.from_numpy(np.array(torso, np.float32)).to(self.device))

    def at_rest(self, count: int) -> Condition:
        """A condition of `count` frames in which nothing happens: mean face, open eyes, mean voice."""
        voice = self.net.conditioner.voice.mean.cpu().numpy()
        rest = self.net.rest.cpu().numpy()
        return Condition(np.tile(rest, (count, 1, 1)), np.zeros(count, np.float32), np.tile(voice, (count, 1)))

    def turntable(self, fps: float, degrees: float = TURN_DEG, pitch_share: float = 0.5) -> HeadPoses:
        """One round of a turn about the head's middle, from its mean pose: yaw, and pitch by a share of it."""
        phase = 2 * np.pi * np.arange(max(1, round(TURN_S * fps))) / max(1, round(TURN_S * fps))
        turns = np.stack([degrees * np.sin(phase), pitch_share * degrees * np.cos(phase), 0 * phase], -1)
        return self.turned(turns)

    def turned(self, degrees: np.ndarray) -> HeadPoses:
        """The mean pose turned by yaw, pitch, roll (T, 3) in degrees (`core.pose`) about the head's middle."""
        from scipy.spatial.transform import Rotation

        mean = self.net.pose_mean.cpu().numpy().astype(np.float64)
        base, flip = Rotation.from_rotvec(mean[:3]).as_matrix(), np.diag([1.0, -1.0, -1.0])
        middle = self.net.middle.cpu().numpy().astype(np.float64)
        rotation = matrix_from_degrees(degrees) @ base
        translation = mean[3:] + flip @ base @ middle - (flip @ rotation @ middle[:, None])[..., 0]
        return HeadPoses(rotation.astype(np.float32), translation.astype(np.float32))

    def depth_range(self) -> tuple[float, float]:
        """Distances in head units between which the head lies in its mean pose."""
        reach = float(self.net.half_box[2])
        base = self.turned(np.zeros((1, 3)))
        middle = -(base.rotation[0] @ self.net.middle.cpu().numpy())[2] + base.translation[0, 2]
        return float(middle) - reach, float(middle) + reach


def depth_picture(depth: np.ndarray, near: float, far: float) -> np.ndarray:
    """Distances (H, W) as grey (H, W, 3) uint8: white at `near`, darker to `far`, black where infinite."""
    share = np.clip((far - np.where(np.isinf(depth), far, depth)) / (far - near), 0, 1)
    grey = np.where(np.isinf(depth), 0, (1 - DEPTH_RANGE) + DEPTH_RANGE * share)
    return np.repeat(_as_bytes(grey)[..., None], 3, axis=2)


def _each(signals: Signals) -> Iterator[Signals]:
    return (signals.at(slice(k, k + 1)) for k in range(len(signals.au45)))


def _as_bytes(picture: np.ndarray) -> np.ndarray:
    return np.clip(np.round(picture * 255), 0, 255).astype(np.uint8)
