"""Faces to learn emotions from: rendered people and photographs show `facs` displays; prepared clips show their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np

from vultus.core.controls import EMOTIONS
from vultus.core.errors import InputError
from vultus.core.types import Performance
from vultus.data.clips import PreparedClip
from vultus.data.synthetic.acting import lids_follow
from vultus.data.synthetic.people import random_person, retaken
from vultus.data.synthetic.portraits import PortraitActor
from vultus.face import mediapipe_graphs
from vultus.face.landmarks import process_mesh
from vultus.perception.judges.emotion_image import CROP_PX, aligned
from vultus.rendering.person.renderer import PersonRenderer
from vultus.training.judges.facs import Display, random_display

MARGIN_PX = 8
"""So much more than the network sees is kept on every side of a face, for lessons to move it about."""
KEPT_PX = (CROP_PX[0] + 2 * MARGIN_PX, CROP_PX[1] + 2 * MARGIN_PX)
TURN_SD_DEG = (11.0, 6.0, 4.0)
"""Yaw, pitch and roll of the heads."""
GAZE_SD_DEG = (8.0, 4.0)
PERSON_PX, PHOTO_PX = 128, 224
BUILDS, EACH = 4, 6
"""Faces of so many builds share one skin and hair, and so many pictures are drawn of each."""
NEUTRAL_SHARE = 0.16
FORMAT = 4
FIELDS = ("crops", "shares", "level", "person")
CLIP_STEP = 12
"""Of so many frames of a clip, one is taken."""
STRANGER = 1_000_000
"""Other builds are those of people numbered from here on."""


@dataclass(frozen=True)
class Faces:
    """Faces laid straight, of several people.

    `crops` (n, *KEPT_PX reversed) uint8 grey, `shares` (n, 8) shown, `level` (n,) 0-3, `person` (n,) a number.
    """

    crops: np.ndarray
    shares: np.ndarray
    level: np.ndarray
    person: np.ndarray

    def __len__(self) -> int:
        return len(self.crops)

    @staticmethod
    def joined(parts: Sequence[Faces]) -> Faces:
        """All of them; people keep their numbers."""
        return Faces(*(np.concatenate([getattr(part, name) for part in parts]) for name in FIELDS))

    @staticmethod
    def of(rows: Sequence[tuple[np.ndarray, Display]], person: int) -> Faces:
        """One person's crops with what they show."""
        shown = [display for _, display in rows]
        return Faces(
            np.array([crop for crop, _ in rows], np.uint8).reshape(-1, KEPT_PX[1], KEPT_PX[0]),
            np.array([display.shares for display in shown], np.float32).reshape(-1, len(EMOTIONS)),
            np.array([display.level for display in shown], np.float32),
            np.full(len(rows), person),
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
    """Faces of people number `first`, `first` + 1, ... of the set `seed`, drawn once (1.5 s a person) and kept."""
    for number in range(first, first + people):

        def draw(rng: np.random.Generator, number: int = number) -> Faces:
            return Faces.of(list(_rendered(seed, number, rng)), number)

        yield _kept(cache / f"person-{FORMAT}-{seed}-{number}.npz", draw, [seed, number])


def photographed_people(pictures: Sequence[Path], seed: int, each: int, first: int, cache: Path) -> Iterator[Faces]:
    """Faces of the people in pictures, made to act by the portrait renderer; numbered from `first` on.

    A picture that shows no usable face is left out.
    """
    for number, picture in enumerate(pictures):

        def draw(rng: np.random.Generator, number: int = number, picture: Path = picture) -> Faces:
            return Faces.of(list(_photographed(PortraitActor(picture, PHOTO_PX), each, rng)), first + number)

        try:
            kept = cache / f"photo-{FORMAT}-{seed}-{picture.stem}-{each}.npz"
            yield _kept(kept, draw, [seed, number, 0xF0])
        except InputError:
            continue


def _kept(path: Path, draw: Callable[[np.random.Generator], Faces], seed: list[int]) -> Faces:
    if not path.is_file():
        draw(np.random.default_rng([*seed, 0xFACE])).save(path)
    return Faces.load(path)


def _rendered(seed: int, number: int, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, Display]]:
    """The true places of FaceMesh's points lay these faces straight; lessons add what FaceMesh would err."""
    actor = PersonRenderer(retaken(random_person(seed, number), int(rng.integers(1 << 30))), PERSON_PX)
    for build in range(BUILDS):
        if build:
            actor.reshape(random_person(seed, STRANGER + BUILDS * number + build).identity)
        for index in range(EACH):
            if index % 2 == 0:
                taken = retaken(actor.person, int(rng.integers(1 << 30)))
                actor.take(taken.light, taken.camera, taken.backdrop)
            display = _display(rng)
            still = _still(display, rng)
            assert still.expression is not None and still.rotation is not None and still.gaze is not None
            expression, rotation, shift = still.expression[0], still.rotation[0], np.zeros(3, np.float32)
            picture = actor.frame(expression, rotation, shift, still.gaze[0])
            yield aligned(picture, actor.landmarks478(expression, rotation, shift), MARGIN_PX), display


def _photographed(actor: PortraitActor, each: int, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, Display]]:
    mesh = mediapipe_graphs.face_mesh(stream=False)
    try:
        for _ in range(each):
            display = _display(rng)
            still = actor.absolute(_still(display, rng))
            assert still.expression is not None and still.rotation is not None and still.gaze is not None
            picture = actor.frame(still.expression[0], still.rotation[0], np.zeros(3, np.float32), still.gaze[0])
            for points in process_mesh(mesh, np.ascontiguousarray(picture))[:1]:
                yield aligned(picture, points, MARGIN_PX), display
    finally:
        mesh.close()


def _display(rng: np.random.Generator) -> Display:
    return random_display(rng, "neutral" if rng.random() < NEUTRAL_SHARE else str(rng.choice(EMOTIONS[1:])))


def _still(display: Display, rng: np.random.Generator) -> Performance:
    """One frame of a display, the head and eyes somewhere."""
    gaze = rng.normal(0, GAZE_SD_DEG, (1, 2)).astype(np.float32)
    expression = display.expression[None].astype(np.float32)
    lids_follow(expression, gaze)
    rotation = rng.normal(0, TURN_SD_DEG, (1, 3)).astype(np.float32)
    return replace(Performance.neutral(1, 25.0), expression=expression, rotation=rotation, gaze=gaze)


def prepared_people(clips: Sequence[PreparedClip], first: int, cache: Path) -> Iterator[Faces]:
    """Every twelfth frame of prepared clips whose emotion is known, clip by clip; people numbered from `first` on."""
    speakers = sorted({clip.facts.speaker for clip in clips})
    for clip in clips:
        stamp = crc32(f"{clip.folder.resolve()} {clip.facts.to_json()}".encode())
        path = cache / f"clip-{FORMAT}-{clip.facts.name.replace('/', '_')}-{stamp:08x}.npz"
        if not path.is_file():
            _clip_faces(clip).save(path)
        faces = Faces.load(path)
        yield replace(faces, person=np.full(len(faces), first + speakers.index(clip.facts.speaker)))


def _clip_faces(clip: PreparedClip) -> Faces:
    emotion = clip.facts.emotion or "neutral"
    level = 0.0 if emotion == "neutral" else float(clip.facts.level or 2)
    shown = Display(np.zeros(0), np.eye(len(EMOTIONS))[EMOTIONS.index(emotion)], level)
    mesh = mediapipe_graphs.face_mesh(stream=False)
    try:
        rows = [
            (aligned(image, points, MARGIN_PX), shown)
            for index, image in enumerate(clip.frames().images)
            if index % CLIP_STEP == CLIP_STEP // 2
            for points in process_mesh(mesh, np.ascontiguousarray(image))[:1]
        ]
    finally:
        mesh.close()
    return Faces.of(rows, 0)
