"""Faces to learn emotions from: rendered people and photographs show `facs` displays; prepared clips show their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from vultus.core.bases import ARKIT52
from vultus.core.controls import EMOTIONS
from vultus.core.errors import InputError
from vultus.data.clips import PreparedClip
from vultus.data.synthetic.people import random_person, retaken
from vultus.data.synthetic.portraits import PortraitActor
from vultus.face import mediapipe_graphs
from vultus.face.landmarks import process_mesh
from vultus.perception.judges.emotion_image import aligned, straight
from vultus.perception.judges.face_reader import CROP_PX, POINTS
from vultus.rendering.person.renderer import PersonRenderer
from vultus.training.judges.babble import performed
from vultus.training.judges.facs import Display

MARGIN_PX = 8
"""So much more than the network sees is kept on every side of a face, for lessons to move it about."""
KEPT_PX = (CROP_PX[0] + 2 * MARGIN_PX, CROP_PX[1] + 2 * MARGIN_PX)
PERSON_PX, PHOTO_PX = 128, 224
CLOSE_SHARE, CLOSE_VIEW = 0.35, (18.0, 28.0)
"""Share of performances seen from nearer than clips are, and the heights of those views, head units."""
BUILDS, EACH = 10, 3
"""Faces of so many builds share one skin and hair; each performs once, and so many moments of it are drawn."""
PHOTO_ROUNDS = 40
"""Performances of each photograph."""
NEUTRAL_SHARE = 0.16
PERSON_HOUSE_SHARE, PHOTO_HOUSE_SHARE = 0.7, 0.3
"""Share of performances that are our own acting; the others hold a display from action units, as real people's do."""
FORMAT = 6
FIELDS = ("crops", "points", "shares", "level", "person", "expression")
CLIP_STEP = 12
"""Of so many frames of a clip, one is taken."""
STRANGER = 1_000_000
"""Other builds are those of people numbered from here on."""


@dataclass(frozen=True)
class Row:
    """One face laid straight, FaceMesh's points in it, what it shows, and who it is."""

    crop: np.ndarray
    points: np.ndarray
    display: Display
    person: int
    expression: np.ndarray


@dataclass(frozen=True)
class Faces:
    """Faces laid straight, of several people.

    `crops` (n, *KEPT_PX reversed) uint8 grey, `points` (n, 468, 2) in pixels of the crop less its margin,
    `shares` (n, 8) shown, `level` (n,) 0-3, `person` (n,) a number, `expression` (n, 52).
    """

    crops: np.ndarray
    points: np.ndarray
    shares: np.ndarray
    level: np.ndarray
    person: np.ndarray
    expression: np.ndarray

    def __len__(self) -> int:
        return len(self.crops)

    @staticmethod
    def joined(parts: Sequence[Faces]) -> Faces:
        """All of them; people keep their numbers."""
        return Faces(*(np.concatenate([getattr(part, name) for part in parts]) for name in FIELDS))

    @staticmethod
    def of(rows: Sequence[Row]) -> Faces:
        """Faces from rows."""
        return Faces(
            np.array([row.crop for row in rows], np.uint8).reshape(-1, KEPT_PX[1], KEPT_PX[0]),
            np.array([row.points for row in rows], np.float16).reshape(-1, POINTS, 2),
            np.array([row.display.shares for row in rows], np.float32).reshape(-1, len(EMOTIONS)),
            np.array([row.display.level for row in rows], np.float32),
            np.array([row.person for row in rows], np.int64),
            np.array([row.expression for row in rows], np.float16).reshape(-1, len(ARKIT52)),
        )

    def save(self, path: Path) -> None:
        """Into a .npz, whole or not at all."""
        partial = path.with_suffix(".part.npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(partial, **{name: getattr(self, name) for name in FIELDS})
        partial.replace(path)

    @staticmethod
    def load(path: Path) -> Faces:
        """What `save` wrote."""
        with np.load(path, allow_pickle=False) as data:
            return Faces(**{name: data[name] for name in FIELDS})


def rendered_people(seed: int, first: int, people: int, cache: Path) -> Iterator[Faces]:
    """Faces of people number `first`, `first` + 1, ... of the set `seed`, drawn once (2 s a person) and kept."""
    for number in range(first, first + people):

        def draw(rng: np.random.Generator, number: int = number) -> Faces:
            return Faces.of(list(_rendered(seed, number, rng)))

        yield _kept(cache / f"person-{FORMAT}-{seed}-{number}.npz", draw, [seed, number])


def photographed_people(pictures: Sequence[Path], seed: int, cache: Path) -> Iterator[Faces]:
    """Faces of the people in pictures, made to act by the portrait renderer.

    A picture that shows no usable face is left out.
    """
    for number, picture in enumerate(pictures):

        def draw(rng: np.random.Generator, number: int = number, picture: Path = picture) -> Faces:
            return Faces.of(list(_photographed(PortraitActor(picture, PHOTO_PX), number, rng)))

        try:
            yield _kept(cache / f"photo-{FORMAT}-{seed}-{picture.stem}.npz", draw, [seed, number, 0xF0])
        except InputError:
            continue


def _kept(path: Path, draw: Callable[[np.random.Generator], Faces], seed: list[int]) -> Faces:
    if not path.is_file():
        draw(np.random.default_rng([*seed, 0xFACE])).save(path)
    return Faces.load(path)


def _rendered(seed: int, number: int, rng: np.random.Generator) -> Iterator[Row]:
    """A few moments of a performance by each build; FaceMesh finds the points, as it will in clips."""
    actor = PersonRenderer(random_person(seed, number), PERSON_PX)
    mesh = mediapipe_graphs.face_mesh(stream=False)
    try:
        for build in range(BUILDS):
            if build:
                actor.reshape(random_person(seed, STRANGER + BUILDS * number + build).identity)
            taken = retaken(actor.person, int(rng.integers(1 << 30)))
            camera = replace(taken.camera, view_height=float(rng.uniform(*CLOSE_VIEW)))
            actor.take(taken.light, camera if rng.random() < CLOSE_SHARE else taken.camera, taken.backdrop)
            yield from _moments(actor, rng, mesh, BUILDS * number + build, PERSON_HOUSE_SHARE)
    finally:
        mesh.close()


def _photographed(actor: PortraitActor, number: int, rng: np.random.Generator) -> Iterator[Row]:
    mesh = mediapipe_graphs.face_mesh(stream=False)
    try:
        for _ in range(PHOTO_ROUNDS):
            yield from _moments(actor, rng, mesh, number, PHOTO_HOUSE_SHARE)
    finally:
        mesh.close()


def _moments(
    actor: PersonRenderer | PortraitActor, rng: np.random.Generator, mesh: Any, person: int, house_share: float
) -> Iterator[Row]:
    emotion = "neutral" if rng.random() < NEUTRAL_SHARE else str(rng.choice(EMOTIONS[1:]))
    acted, display = performed(emotion, house_share, rng)
    shown = actor.absolute(acted)
    expression, rotation, shift, gaze = shown.expression, shown.rotation, shown.translation, shown.gaze
    assert expression is not None and rotation is not None and shift is not None and gaze is not None
    assert acted.expression is not None
    for k in ((np.arange(EACH) + rng.random(EACH)) / EACH * len(acted)).astype(int):
        picture = actor.frame(expression[k], rotation[k], shift[k], gaze[k])
        for points in process_mesh(mesh, np.ascontiguousarray(picture))[:1]:
            yield Row(aligned(picture, points, MARGIN_PX), straight(points), display, person, acted.expression[k])


def prepared_people(clips: Sequence[PreparedClip], cache: Path) -> Iterator[Faces]:
    """Every twelfth frame of prepared clips whose emotion is known, clip by clip; people numbered by name."""
    speakers = sorted({clip.facts.speaker for clip in clips})
    for clip in clips:
        stamp = crc32(f"{clip.folder.resolve()} {clip.facts.to_json()}".encode())
        path = cache / f"clip-{FORMAT}-{clip.facts.name.replace('/', '_')}-{stamp:08x}.npz"
        if not path.is_file():
            _clip_faces(clip).save(path)
        faces = Faces.load(path)
        yield replace(faces, person=np.full(len(faces), speakers.index(clip.facts.speaker)))


def _clip_faces(clip: PreparedClip) -> Faces:
    emotion = clip.facts.emotion or "neutral"
    level = 0.0 if emotion == "neutral" else float(clip.facts.level or 2)
    shown = Display(np.zeros(0), np.eye(len(EMOTIONS))[EMOTIONS.index(emotion)], level)
    mesh = mediapipe_graphs.face_mesh(stream=False)
    try:
        rows = [
            Row(aligned(image, points, MARGIN_PX), straight(points), shown, 0, np.zeros(len(ARKIT52)))
            for index, image in enumerate(clip.frames().images)
            if index % CLIP_STEP == CLIP_STEP // 2
            for points in process_mesh(mesh, np.ascontiguousarray(image))[:1]
        ]
    finally:
        mesh.close()
    return Faces.of(rows)
