"""Small weights, and clips as `vultus prepare` makes them, that lie in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from vultus.core.config import resolved
from vultus.core.types import SAMPLE_RATE, FaceTrack, Footage, Frames, Performance
from vultus.core.weights import Card, save_weights
from vultus.face.points import FOOTAGE_POINTS, MOUTH_POINTS, OVAL
from vultus.methods.emogen.config import TINY, EmoGenConfig
from vultus.methods.emogen.model import Generator, looked_at

COUNT, FACELESS, SECOND, FPS, SIDE_PX = 14, 5, 9, 25.0, 128
"""Of the footage: frames, the one without a face, the first of the second shot; rate and size."""
RADIUS_PX = np.array([22.0, 28.0])


def save_tiny(folder: Path, config: EmoGenConfig = TINY, method: str = "emogen") -> Path:
    """Random weights of a generator whose faces change with voice and emotion."""
    torch.manual_seed(4)
    generator = Generator(config.net)
    with torch.no_grad():
        generator.output[-1].weight.mul_(10)
        for part in generator.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.momentum = None  # one look is all it takes
        faces, voices = (
            torch.rand(1, 32, 3, 1, 1).expand(-1, -1, -1, config.net.side, config.net.side),
            2 * torch.randn(1, 32, 1, 1, 1),
        )
        generator(looked_at(faces), voices + torch.randn(1, 32, 1, 80, 16), torch.eye(6)[torch.arange(32) % 6][None])
    tensors = {f"generator.{name}": tensor for name, tensor in generator.state_dict().items()}
    card = Card(method, "tiny", "0", resolved(config), "nothing", "MIT")
    return save_weights(folder, tensors, card)


@dataclass
class MadeClip:
    """Stands for `data.clips.PreparedClip`: an actor whose grey brightens with the voice, marked by a coloured bar."""

    actor: str
    emotion: str | None = "happy"
    split: str = "train"
    count: int = 20
    side: int = 64
    crop: str = "wav2lip"
    dataset: str = "crema_d"
    offset_ms: int | None = None
    invalid: tuple[int, ...] = ()
    has_pictures: bool = True
    level: int = field(default=100)
    yaw_deg: float = 0.0
    """Of the head in the first frame; a degree more in each."""
    eyes_px: tuple[float, float] = (32.0, 20.0)
    """The middle between them, in the source and in the clip."""
    labelled: dict[str, np.ndarray] | None = None
    first: int = 0

    @property
    def name(self) -> str:
        return f"{self.dataset}/{self.actor}/{self.emotion}"

    @property
    def facts(self) -> Any:
        return SimpleNamespace(
            speaker=self.actor, emotion=self.emotion, sound=True, crop=self.crop, dataset=self.dataset,
            av_offset_ms=self.offset_ms, av_confidence=None if self.offset_ms is None else 0.9, frames=self.count,
        )  # fmt: skip

    def track(self) -> Any:
        valid = np.ones(self.count, bool)
        valid[list(self.invalid)] = False
        turn = np.arange(self.count)[:, None] * np.float32([[1, 0, 0]]) + np.float32([self.yaw_deg, 0, 0])
        zeros = np.zeros((self.count, 2), np.float32)
        return SimpleNamespace(
            valid=valid, rotation=turn, au45=zeros[:, 0], gaze=zeros, landmarks=landmarks(self.count, self.eyes_px)
        )

    def labels(self) -> dict[str, np.ndarray] | None:
        return self.labelled

    @property
    def stop(self) -> int:
        return self.count

    @property
    def crop_from_source(self) -> np.ndarray:
        return np.repeat(np.eye(2, 3)[None], self.count, 0)

    def to_source(self, points: np.ndarray, frame: int) -> np.ndarray:
        return points

    def frames(self) -> list[np.ndarray]:
        images = []
        for t in range(self.count):
            image = np.full((self.side, self.side, 3), self.level + t, np.uint8)
            image[:8] = (200, 30, 60)
            images.append(image)
        return images

    @property
    def waveform(self) -> np.ndarray:
        """A tone that climbs, so that every moment sounds different."""
        t = np.arange(self.count * SAMPLE_RATE // 25) / SAMPLE_RATE
        return (0.4 * np.sin(2 * np.pi * (200 + 600 * t) * t)).astype(np.float32)


def landmarks(count: int, eyes_px: tuple[float, float], span_px: float = 20.0) -> np.ndarray:
    """68 points (count, 68, 3) whose eyes stand so far apart about a middle."""
    points = np.zeros((count, 68, 3), np.float32)
    points[:, 36:48, :2] = eyes_px
    points[:, 36:42, 0] -= span_px / 2
    points[:, 42:48, 0] += span_px / 2
    return points


def centers() -> np.ndarray:
    """(COUNT, 2) pixels: where the face is; it is elsewhere after the cut."""
    x = np.where(np.arange(COUNT) < SECOND, 50.0, 76.0)
    return np.stack([x, np.full(COUNT, 62.0)], 1)


def images() -> list[np.ndarray]:
    """(SIDE_PX, SIDE_PX, 3) frames of smooth colours, every one different."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    return [np.stack([x + t, y, (x + y) // 2], -1).astype(np.uint8) for t in range(COUNT)]


def frames_of(shown: list[np.ndarray]) -> Frames:
    """Those frames as a video."""
    return Frames(iter(shown), FPS, SIDE_PX, SIDE_PX, len(shown))


def made_track() -> FaceTrack:
    """A face that looks ahead in all frames but one: an ellipse of points."""
    valid = np.ones(COUNT, bool)
    valid[FACELESS] = False
    angle = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    rim = np.stack([np.sin(angle), -np.cos(angle)], 1) * RADIUS_PX
    points = np.repeat(centers()[:, None], len(FOOTAGE_POINTS), 1)
    points[:, [FOOTAGE_POINTS.index(k) for k in OVAL]] += rim
    zeros = np.zeros((COUNT, 3), np.float32)
    acted = Performance(FPS, valid, rotation=zeros, translation=zeros, reference="camera")
    departure = np.zeros((COUNT, len(MOUTH_POINTS), 2), np.float32)
    shot = (np.arange(COUNT) >= SECOND).astype(int)
    return FaceTrack(acted, points.astype(np.float32), departure, np.ones(COUNT, np.float32), shot)


def made_footage() -> Footage:
    """Frames and track together."""
    return Footage(lambda: frames_of(images()), made_track())
