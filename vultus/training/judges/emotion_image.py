"""`vultus train emotion_image DATA OUT`: emotions of faces, from rendered people and photographs that act them.

Most people are drawn for the purpose (`drawn_faces`) and kept in the user's cache. DATA may hold photographs, and
prepared clips of a synthetic set, of which those of held people (split "val") tell how far it has come.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.core.bases import ARKIT52
from vultus.core.controls import EMOTIONS
from vultus.data.manifest import MANIFEST_FILE, prepared_clips
from vultus.data.synthetic.portraits import SUFFIXES
from vultus.perception.judges import Role
from vultus.perception.judges.emotion_image import mirrored
from vultus.perception.judges.emotion_net import emotion_losses
from vultus.perception.judges.face_net import FaceNet, FaceNetConfig
from vultus.perception.judges.face_reader import contrasts
from vultus.training.judges import KEPT
from vultus.training.judges.drawn_faces import MARGIN_PX, Faces, photographed_people, prepared_people, rendered_people
from vultus.training.judges.emotion_stage import EmotionStage, Lessons, faded
from vultus.training.judges.face_lessons import altered
from vultus.training.judges.facs import MIRROR
from vultus.training.stage import Run, Stage

LEAST_SPREAD = 0.05
"""ARKit weights that spread less count as if they spread so far."""


@dataclass(frozen=True)
class EmotionImageConfig:
    """The people it learns from, and the network."""

    casts: tuple[tuple[int, int, int], ...]
    """Rendered people: a seed, the number of the first, and how many."""
    net: FaceNetConfig = field(default_factory=FaceNetConfig)
    photo_seed: int = 60
    alterations: int = 4
    """So often each face is altered (`face_lessons`) before the lessons, which take one of these."""
    photo_share: float = 0.35
    """Of a lesson's faces, how many are photographs'."""
    expression_weight: float = 2.0
    """Of the loss of telling the ARKit weights that are shown: they teach more than eight names do."""
    share_at_level: tuple[float, float, float, float] = (0.0, 0.97, 1.0, 1.0)
    """As `emotion_stage.SHARE_AT_LEVEL`; with less, what it is unsure of it would call neutral."""
    lessons: Lessons = field(default_factory=lambda: Lessons(steps=1600, batch=128, lr=2e-3, weight_decay=0.05))


_JUDGE = EmotionImageConfig(casts=((61, 0, 584),))
PRESETS: dict[Role, EmotionImageConfig] = {
    "judge": _JUDGE,
    "teacher": replace(_JUDGE, casts=((62, 0, 134),), lessons=replace(_JUDGE.lessons, steps=1200, seed=1)),
}
"""Each role has its own rendered people, the judge more of them, as it is the one relied on; photographs are too few
to part."""


class ImageStage(EmotionStage):
    """Faces altered; every emotion as often. What the face does is learned beside what it shows."""

    net: FaceNet

    def __init__(self, config: EmotionImageConfig, sources: list[Faces], held: Faces) -> None:
        torch.manual_seed(config.lessons.seed)
        super().__init__(FaceNet(config.net), config.lessons)
        self.expressions = nn.Linear(config.net.features, len(ARKIT52))
        self.config, faces = config, Faces.joined(sources)
        rng = np.random.default_rng([config.lessons.seed, 0xA17])
        self._mirrored = rng.random((config.alterations, len(faces))) < 0.5
        self._seen = np.stack([_altered(faces.crops, mirrored, rng) for mirrored in self._mirrored])
        self._points, self._expressions = _both_ways(faces)
        self._shares = faded(faces.shares, faces.level, config.share_at_level)
        self._held = _plainly(held.crops), held.points, faded(held.shares, held.level, config.share_at_level)
        main = faces.shares.argmax(1)
        source = np.repeat(np.arange(len(sources)), [len(part) for part in sources])
        self._rows = [
            [np.flatnonzero((main == at) & (source == which)) for at in range(len(EMOTIONS))]
            for which in range(len(sources))
        ]
        self.net.expect(self._points[:, source == 0].reshape(-1, *self._points.shape[2:]))

    def lesson(self, rng: np.random.Generator, count: int) -> tuple[tuple[Tensor, ...], np.ndarray]:
        """See `EmotionStage`; the inputs are contrasts, points, and the expressions that are shown."""
        wanted = zip(
            (rng.random(count) < self.config.photo_share).astype(int),
            rng.integers(len(EMOTIONS), size=count),
            strict=True,
        )
        pools = [self._rows[source][at] if len(self._rows[source][at]) else self._rows[0][at] for source, at in wanted]
        rows = np.array([rng.choice(pool) for pool in pools])
        drawn = rng.integers(len(self._seen), size=count)
        way = self._mirrored[drawn, rows].astype(int)
        inputs = self._seen[drawn, rows], self._points[way, rows], self._expressions[way, rows]
        return tuple(torch.from_numpy(part) for part in inputs), self._shares[rows]

    def losses(self, run: Run, inputs: Any, shares: Tensor) -> Mapping[str, Tensor]:
        """See `EmotionStage`."""
        faces, points, expressions = inputs
        embedding, logits, features = run.modules[KEPT]((faces, points))
        told = functional.smooth_l1_loss(run.modules["expressions"](features), expressions)
        return {**emotion_losses(embedding, logits, shares), "expression": self.config.expression_weight * told}

    def held(self) -> tuple[tuple[Tensor, ...], np.ndarray]:
        """See `EmotionStage`: faces of people who are never in a lesson."""
        seen, points, shares = self._held
        return (torch.from_numpy(seen), torch.from_numpy(points.astype(np.float32))), shares

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {KEPT: self.net, "expressions": self.expressions}


def stages(config: EmotionImageConfig, data: Path) -> list[Stage]:
    """See `training.judges.JudgeModule`."""
    cache = faces_cache()
    pictures = sorted(path for path in data.iterdir() if path.suffix.lower() in SUFFIXES)
    rendered = Faces.joined([one for cast in config.casts for one in rendered_people(*cast, cache)])
    photos = Faces.joined([Faces.of([]), *photographed_people(pictures, config.photo_seed, cache)])
    held = _held_faces(data, cache)
    return [ImageStage(config, [rendered, photos], Faces.joined(held) if held else rendered)]


def _held_faces(data: Path, cache: Path) -> list[Faces]:
    """Faces of the prepared clips of held people in a folder."""
    if not (data / MANIFEST_FILE).is_file():
        return []
    clips = [clip for clip in prepared_clips(data) if clip.facts.emotion is not None and clip.has_pictures]
    return list(prepared_people([clip for clip in clips if clip.split == "val"], cache))


def faces_cache() -> Path:
    """Where drawn faces are kept: `vultus/faces` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vultus" / "faces"


def _altered(crops: np.ndarray, mirrored: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Contrasts (n, height, width) int8 of crops, each altered, some mirrored."""
    faces = (altered(crop, bool(one), rng) for crop, one in zip(crops, mirrored, strict=True))
    return np.stack([contrasts((255 * face).astype(np.uint8)) for face in faces])


def _plainly(crops: np.ndarray) -> np.ndarray:
    """Contrasts (n, height, width) int8 of crops as they are."""
    inner = slice(MARGIN_PX, -MARGIN_PX)
    return np.stack([contrasts(np.ascontiguousarray(crop[inner, inner])) for crop in crops])


def _both_ways(faces: Faces) -> tuple[np.ndarray, np.ndarray]:
    """Points (2, n, 468, 2) and expressions (2, n, 52), of middle 0 and spread 1: as they are, and mirrored."""
    points = faces.points.astype(np.float32)
    shown = faces.expression.astype(np.float32)
    middle, spread = shown.mean(0), np.maximum(shown.std(0), LEAST_SPREAD)
    return np.stack([points, mirrored(points)]), np.stack(
        [(shown - middle) / spread, (shown[:, MIRROR] - middle) / spread]
    )
