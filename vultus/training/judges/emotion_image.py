"""`vultus train emotion_image DATA OUT`: emotions of faces, from rendered people and photographs that act them.

Most people are drawn for the purpose (`drawn_faces`) and kept in the user's cache. DATA may hold prepared clips of a
synthetic set, and photographs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from vultus.core.controls import EMOTIONS
from vultus.data.manifest import MANIFEST_FILE, prepared_clips
from vultus.data.synthetic.portraits import SUFFIXES
from vultus.perception.judges import Role
from vultus.perception.judges.emotion_image import INPUTS, POINT_INPUTS, mirrored_columns
from vultus.perception.judges.emotion_net import EmotionNet, EmotionNetConfig
from vultus.training.judges.drawn_faces import Faces, photographed_people, prepared_people, rendered_people
from vultus.training.judges.emotion_stage import EmotionStage, Lessons, faded
from vultus.training.stage import Stage

_CAST, _PHOTOS_FROM, _CLIPS_FROM = 200, 1000, 2000
"""Numbers of people: of each further cast, and of the first photographed and the first prepared one."""


@dataclass(frozen=True)
class EmotionImageConfig:
    """The network, the people it learns from, and what is done to their faces."""

    hidden: tuple[int, ...] = (128, 64)
    dropout: float = 0.25
    casts: tuple[tuple[int, int, int], ...] = ((42, 10, 40), (41, 10, 40), (44, 18, 14))
    """Rendered people: a seed, how many of it, and how many faces of each."""
    photo_seed: int = 40
    photo_faces: int = 40
    exchange: float = 0.7
    """Share of faces whose build is exchanged for another person's."""
    blend: float = 0.6
    """Up to so much of the difference of two more builds is added."""
    strength: tuple[float, float] = (0.75, 1.35)
    """Factor on the expression."""
    noise: float = 0.3
    """Standard deviation of what is added to every number, in its own."""
    clip_share: float = 0.5
    """Share of a lesson that comes from prepared clips, if there are any."""
    tilt_deg: float = 3.0
    """Standard deviation of the error of pose that is left."""
    lessons: Lessons = field(default_factory=lambda: Lessons(steps=900, batch=128, lr=2e-3, weight_decay=0.05))

    @property
    def net(self) -> EmotionNetConfig:
        """Of the network."""
        return EmotionNetConfig(INPUTS, self.hidden, self.dropout)


PRESETS: dict[Role, EmotionImageConfig] = {
    "judge": EmotionImageConfig(),
    "teacher": replace(EmotionImageConfig(), lessons=replace(EmotionImageConfig().lessons, seed=1)),
}
"""There are too few people to give each role its own: roles differ in their seeds alone."""


class ImageStage(EmotionStage):
    """Faces in other builds, mirrored, weaker or stronger, with noise; every emotion as often."""

    def __init__(self, config: EmotionImageConfig, drawn: Faces, clips: Faces | None, held: Faces) -> None:
        super().__init__(EmotionNet(config.net), config.lessons)
        self.config = config
        self._held = held.inputs, faded(held.shares, held.level)
        faces = drawn if clips is None else Faces.joined([drawn, clips])
        self._shares = faded(faces.shares, faces.level)
        people, self._person = np.unique(faces.person, return_inverse=True)
        self._builds = np.stack([_build(faces, person) for person in people])
        self._moves = faces.inputs - self._builds[self._person]
        self._middle, self._sd = faces.inputs.mean(0), faces.inputs.std(0)
        main, from_clips = faces.shares.argmax(1), np.arange(len(faces)) >= len(drawn)
        self._kinds = [
            [np.flatnonzero((main == at) & (from_clips == which)) for at in range(len(EMOTIONS))]
            for which in ((False,) if clips is None else (False, True))
        ]
        self.net.expect(faces.inputs, floor=0.01)

    def lesson(self, rng: np.random.Generator, count: int) -> tuple[torch.Tensor, np.ndarray]:
        """See `EmotionStage`."""
        config = self.config
        kinds = (rng.random(count) < config.clip_share) & (len(self._kinds) > 1)
        emotions = rng.integers(len(EMOTIONS), size=count)
        rows = np.array([rng.choice(self._kinds[int(k)][e]) for k, e in zip(kinds, emotions, strict=True)])
        others = rng.integers(len(self._builds), size=(3, count))
        exchanged = rng.random(count) < config.exchange
        own = np.where(exchanged, others[0], self._person[rows])
        share = (rng.uniform(0, config.blend, count) * exchanged)[:, None]
        builds = self._builds[own] + share * (self._builds[others[1]] - self._builds[others[2]])
        inputs = builds + rng.uniform(*config.strength, (count, 1)) * self._moves[rows]
        inputs[:, :POINT_INPUTS] = _tilted(inputs[:, :POINT_INPUTS], rng, config.tilt_deg)
        inputs += config.noise * self._sd * rng.standard_normal(inputs.shape)
        columns, signs = mirrored_columns()  # FaceMesh's mean face is not symmetric: about it is mirrored
        mirrored = rng.random(count) < 0.5
        inputs[mirrored] = self._middle + (inputs[mirrored] - self._middle)[:, columns] * signs
        return torch.from_numpy(inputs.astype(np.float32)), self._shares[rows]

    def held(self) -> tuple[torch.Tensor, np.ndarray]:
        """See `EmotionStage`: faces of people who are never in a lesson."""
        inputs, shares = self._held
        return torch.from_numpy(inputs), shares


def stages(config: EmotionImageConfig, data: Path) -> list[Stage]:
    """See `training.judges.JudgeModule`."""
    cache = faces_cache()
    pictures = sorted(path for path in data.iterdir() if path.suffix.lower() in SUFFIXES)
    drawn = list(photographed_people(pictures, config.photo_seed, config.photo_faces, _PHOTOS_FROM, cache))
    for place, (seed, people, faces) in enumerate(config.casts):
        cast = rendered_people(seed, people, faces, cache)
        drawn += [replace(one, person=one.person + place * _CAST) for one in cast]
    taught, held = _clip_faces(data, cache)
    clips = Faces.joined(taught) if taught else None
    everyone = Faces.joined(drawn)
    return [ImageStage(config, everyone, clips, Faces.joined(held) if held else everyone)]


def _clip_faces(data: Path, cache: Path) -> tuple[list[Faces], list[Faces]]:
    """Faces of the prepared clips in a folder: those to learn from, and those of held people (split "val")."""
    if not (data / MANIFEST_FILE).is_file():
        return [], []
    clips = [clip for clip in prepared_clips(data) if clip.facts.emotion is not None and clip.has_pictures]
    parts = [[clip for clip in clips if clip.split == split] for split in ("train", "val")]
    taught, held = (list(prepared_people(part, _CLIPS_FROM + i * 500, cache)) for i, part in enumerate(parts))
    return taught, held


def faces_cache() -> Path:
    """Where drawn faces are kept: `vultus/faces` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vultus" / "faces"


def _build(faces: Faces, person: int) -> np.ndarray:
    """What a person's face is like at rest, (INPUTS,): the mean of its neutral faces, or the median of all."""
    own = faces.person == person
    resting = own & (faces.shares[:, 0] == 1)
    return faces.inputs[resting].mean(0) if resting.sum() >= 3 else np.median(faces.inputs[own], axis=0)


def _tilted(points: np.ndarray, rng: np.random.Generator, sd_deg: float) -> np.ndarray:
    """Points (n, POINT_INPUTS) each turned by small random angles, about first order, and scaled a little."""
    x, y, z = (points[:, axis::3] for axis in range(3))
    middle = [axis.mean(1, keepdims=True) for axis in (x, y, z)]
    x, y, z = (axis - mean for axis, mean in zip((x, y, z), middle, strict=True))
    yaw, pitch, roll = np.radians(rng.normal(0, sd_deg, (3, len(points), 1)))
    size = np.exp(rng.normal(0, 0.015, (len(points), 1)))
    turned = (x + yaw * z - roll * y, y - pitch * z + roll * x, z - yaw * x + pitch * y)
    result = np.empty_like(points)
    for axis, (values, mean) in enumerate(zip(turned, middle, strict=True)):
        result[:, axis::3] = size * values + mean
    return result
