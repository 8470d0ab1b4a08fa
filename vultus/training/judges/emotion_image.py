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
from vultus.perception.judges.emotion_image import INPUTS, gradients
from vultus.perception.judges.emotion_net import EmotionNet, EmotionNetConfig
from vultus.training.judges.drawn_faces import MARGIN_PX, Faces, photographed_people, prepared_people, rendered_people
from vultus.training.judges.emotion_stage import EmotionStage, Lessons, faded
from vultus.training.judges.face_lessons import altered
from vultus.training.stage import Stage

_PHOTOS_FROM, _CLIPS_FROM = 1000, 2000
"""Numbers of the first photographed and the first prepared person."""


@dataclass(frozen=True)
class EmotionImageConfig:
    """The people it learns from, and the network."""

    casts: tuple[tuple[int, int, int], ...]
    """Rendered people: a seed, the number of the first, and how many."""
    speakers: tuple[int, int]
    """Prepared speakers, in the order of their names: the first, and the one after the last."""
    hidden: tuple[int, ...] = (192, 96)
    dropout: float = 0.2
    photo_seed: int = 60
    photo_faces: int = 16
    alterations: int = 6
    """So often each face is altered (`face_lessons`) before the lessons, which take one of these."""
    source_shares: tuple[float, float, float] = (0.65, 0.1, 0.25)
    """Of a lesson's faces, how many are rendered people's, photographs', and prepared clips'."""
    share_at_level: tuple[float, float, float, float] = (0.0, 0.88, 0.96, 1.0)
    """As `emotion_stage.SHARE_AT_LEVEL`; with less, what it is unsure of it would call neutral."""
    lessons: Lessons = field(default_factory=lambda: Lessons(steps=2400, batch=256, lr=2e-3, weight_decay=0.05))

    @property
    def net(self) -> EmotionNetConfig:
        """Of the network."""
        return EmotionNetConfig(INPUTS, self.hidden, self.dropout)


_JUDGE = EmotionImageConfig(casts=((61, 0, 140), (62, 0, 70)), speakers=(0, 12))
PRESETS: dict[Role, EmotionImageConfig] = {
    "judge": _JUDGE,
    "teacher": replace(_JUDGE, casts=((62, 70, 70),), speakers=(12, 16), lessons=replace(_JUDGE.lessons, seed=1)),
}
"""Each role has its own rendered people and prepared speakers, the judge three times as many, as it is the one relied
on; photographs are too few to part."""


class ImageStage(EmotionStage):
    """Faces altered; every emotion as often."""

    def __init__(self, config: EmotionImageConfig, sources: list[Faces], held: Faces) -> None:
        super().__init__(EmotionNet(config.net), config.lessons)
        faces = Faces.joined(sources)
        rng = np.random.default_rng([config.lessons.seed, 0xA17])
        self._inputs = np.stack([_altered(faces.crops, rng) for _ in range(config.alterations)])
        self._shares = faded(faces.shares, faces.level, config.share_at_level)
        inner = slice(MARGIN_PX, -MARGIN_PX)
        seen = np.stack([gradients(np.ascontiguousarray(crop[inner, inner])) for crop in held.crops])
        self._held = seen, faded(held.shares, held.level, config.share_at_level)
        main = faces.shares.argmax(1)
        source = np.repeat(np.arange(len(sources)), [len(part) for part in sources])
        self._rows = [
            [np.flatnonzero((main == at) & (source == which)) for at in range(len(EMOTIONS))]
            for which in range(len(sources))
        ]
        chances = np.array(config.source_shares) * [len(part) > 0 for part in sources]
        self._chances = chances / chances.sum()
        self.net.expect(self._inputs[0].astype(np.float32), floor=0.01)

    def lesson(self, rng: np.random.Generator, count: int) -> tuple[torch.Tensor, np.ndarray]:
        """See `EmotionStage`."""
        sources = rng.choice(len(self._rows), size=count, p=self._chances)
        emotions = rng.integers(len(EMOTIONS), size=count)
        pools = [self._rows[source][at] for source, at in zip(sources, emotions, strict=True)]
        rows = [
            int(rng.choice(pool if len(pool) else self._rows[0][at])) for pool, at in zip(pools, emotions, strict=True)
        ]
        inputs = self._inputs[rng.integers(len(self._inputs), size=count), rows]
        return torch.from_numpy(inputs.astype(np.float32)), self._shares[rows]

    def held(self) -> tuple[torch.Tensor, np.ndarray]:
        """See `EmotionStage`: faces of people who are never in a lesson."""
        inputs, shares = self._held
        return torch.from_numpy(inputs), shares


def stages(config: EmotionImageConfig, data: Path) -> list[Stage]:
    """See `training.judges.JudgeModule`."""
    cache = faces_cache()
    pictures = sorted(path for path in data.iterdir() if path.suffix.lower() in SUFFIXES)
    rendered = Faces.joined([one for cast in config.casts for one in rendered_people(*cast, cache)])
    photos = list(photographed_people(pictures, config.photo_seed, config.photo_faces, _PHOTOS_FROM, cache))
    taught, held = _clip_faces(config, data, cache)
    nobody = Faces.of([], 0)
    sources = [rendered, *(Faces.joined([nobody, *faces]) for faces in (photos, taught))]
    return [ImageStage(config, sources, Faces.joined(held) if held else rendered)]


def _clip_faces(config: EmotionImageConfig, data: Path, cache: Path) -> tuple[list[Faces], list[Faces]]:
    """Faces of the prepared clips in a folder: those to learn from, and those of held people (split "val")."""
    if not (data / MANIFEST_FILE).is_file():
        return [], []
    clips = [clip for clip in prepared_clips(data) if clip.facts.emotion is not None and clip.has_pictures]
    speakers = sorted({clip.facts.speaker for clip in clips if clip.split == "train"})[slice(*config.speakers)]
    own = [clip for clip in clips if clip.split == "train" and clip.facts.speaker in speakers]
    held = [clip for clip in clips if clip.split == "val"]
    return list(prepared_people(own, _CLIPS_FROM, cache)), list(prepared_people(held, 2 * _CLIPS_FROM, cache))


def faces_cache() -> Path:
    """Where drawn faces are kept: `vultus/faces` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vultus" / "faces"


def _altered(crops: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What the network takes (n, INPUTS) float16 of crops, each altered, half of them mirrored."""
    faces = (altered(crop, bool(rng.random() < 0.5), rng) for crop in crops)
    return np.stack([gradients((255 * face).astype(np.uint8)).astype(np.float16) for face in faces])
