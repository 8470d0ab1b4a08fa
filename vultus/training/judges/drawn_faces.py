"""Faces to learn emotions from: rendered people and photographs show `facs` displays; prepared clips show their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from vultus.core.controls import EMOTIONS
from vultus.core.errors import InputError
from vultus.core.types import Performance
from vultus.data.clips import PreparedClip
from vultus.data.synthetic.clips import Actor
from vultus.data.synthetic.people import random_person, retaken
from vultus.data.synthetic.portraits import PortraitActor
from vultus.face import mediapipe_graphs
from vultus.face.landmarks import process_mesh
from vultus.perception.judges.emotion_image import INPUTS, face_inputs
from vultus.rendering.person.renderer import PersonRenderer
from vultus.training.judges.facs import Display, random_display

TURN_SD_DEG = (11.0, 6.0, 4.0)
"""Yaw, pitch and roll of the heads."""
GAZE_SD_DEG = (8.0, 4.0)
SIZES_PX = (128, 160, 224)
NEUTRAL_SHARE = 0.2
FORMAT = 2
CLIP_STEP = 8
"""Of so many frames of a clip, one is taken."""


@dataclass(frozen=True)
class Faces:
    """Faces of several people as the network sees them.

    `inputs` (n, INPUTS) as of `face_inputs`, `shares` (n, 8) shown, `level` (n,) 0-3, `person` (n,) a number.
    """

    inputs: np.ndarray
    shares: np.ndarray
    level: np.ndarray
    person: np.ndarray

    def __len__(self) -> int:
        return len(self.inputs)

    @staticmethod
    def joined(parts: Sequence[Faces]) -> Faces:
        """All of them; people keep their numbers."""
        names = ("inputs", "shares", "level", "person")
        return Faces(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def save(self, path: Path) -> None:
        """Into a .npz, whole or not at all."""
        partial = path.with_suffix(".part.npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        inputs = self.inputs.astype(np.float16)
        np.savez(partial, inputs=inputs, shares=self.shares, level=self.level, person=self.person)
        partial.replace(path)

    @staticmethod
    def load(path: Path) -> Faces:
        """What `save` wrote."""
        with np.load(path, allow_pickle=False) as data:
            inputs = data["inputs"].astype(np.float32)
            return Faces(inputs, data["shares"], data["level"], data["person"])


def rendered_people(seed: int, people: int, each: int, cache: Path) -> Iterator[Faces]:
    """Faces of people number 0, 1, ... of the set `seed`, drawn once (.5 s and `each` x 20 ms a person) and kept."""
    for number in range(people):

        def actor(rng: np.random.Generator, number: int = number) -> Actor:
            person = retaken(random_person(seed, number), int(rng.integers(1 << 30)))
            return PersonRenderer(person, int(rng.choice(SIZES_PX)))

        yield _kept(cache / f"person-{FORMAT}-{seed}-{number}-{each}.npz", actor, [seed, number], number, each)


def photographed_people(pictures: Sequence[Path], seed: int, each: int, first: int, cache: Path) -> Iterator[Faces]:
    """Faces of the people in pictures, made to act by the portrait renderer; numbered from `first` on.

    A picture that shows no usable face is left out.
    """
    for number, picture in enumerate(pictures):

        def actor(rng: np.random.Generator, picture: Path = picture) -> Actor:
            return PortraitActor(picture, 224)

        try:
            kept = cache / f"photo-{FORMAT}-{seed}-{picture.stem}-{each}.npz"
            yield _kept(kept, actor, [seed, number, 0xF0], first + number, each)
        except InputError:
            continue


def _kept(path: Path, build: Callable[[np.random.Generator], Actor], seed: list[int], number: int, each: int) -> Faces:
    if not path.is_file():
        rng = np.random.default_rng([*seed, 0xFACE])
        drawn(build(rng), rng, number, each).save(path)
    return Faces.load(path)


def drawn(actor: Actor, rng: np.random.Generator, number: int, count: int) -> Faces:
    """`count` faces of one actor, less those in which FaceMesh finds none. Raises InputError if it never finds one."""
    rows: list[tuple[np.ndarray, Display]] = []
    mesh = mediapipe_graphs.face_mesh(stream=False)
    try:
        for _ in range(count):
            neutral = rng.random() < NEUTRAL_SHARE
            display = random_display(rng, "neutral" if neutral else str(rng.choice(EMOTIONS[1:])))
            picture = np.ascontiguousarray(_picture(actor, display, rng))
            found = process_mesh(mesh, picture)
            if found:
                rows.append((face_inputs([picture], found[0][None])[0], display))
    finally:
        mesh.close()
    if not rows:
        raise InputError("no face is found in any drawing", f"person {number}", "use another picture")
    return Faces(
        np.stack([inputs for inputs, _ in rows]),
        np.stack([display.shares for _, display in rows]).astype(np.float32),
        np.array([display.level for _, display in rows], np.float32),
        np.full(len(rows), number),
    )


def _picture(actor: Actor, display: Display, rng: np.random.Generator) -> np.ndarray:
    still = Performance.neutral(1, 25.0)
    wanted = actor.absolute(
        replace(
            still,
            expression=display.expression[None].astype(np.float32),
            rotation=rng.normal(0, TURN_SD_DEG, (1, 3)).astype(np.float32),
            gaze=rng.normal(0, GAZE_SD_DEG, (1, 2)).astype(np.float32),
        )
    )
    assert wanted.expression is not None and wanted.rotation is not None and wanted.gaze is not None
    return actor.frame(wanted.expression[0], wanted.rotation[0], np.zeros(3, np.float32), wanted.gaze[0])


def prepared_people(clips: Sequence[PreparedClip], first: int, cache: Path) -> Iterator[Faces]:
    """Every eighth frame of prepared clips whose emotion is known, clip by clip; people numbered from `first` on."""
    speakers = sorted({clip.facts.speaker for clip in clips})
    mesh = None
    for clip in clips:
        stamp = crc32(f"{clip.folder.resolve()} {clip.facts.to_json()}".encode())
        path = cache / f"clip-{FORMAT}-{clip.facts.name.replace('/', '_')}-{stamp:08x}.npz"
        if not path.is_file():
            mesh = mesh or mediapipe_graphs.face_mesh(stream=False)
            _clip_faces(clip, mesh, 0).save(path)
        faces = Faces.load(path)
        yield replace(faces, person=np.full(len(faces), first + speakers.index(clip.facts.speaker)))
    if mesh is not None:
        mesh.close()


def _clip_faces(clip: PreparedClip, mesh: Any, number: int) -> Faces:
    rows = []
    for index, image in enumerate(clip.frames().images):
        if index % CLIP_STEP == CLIP_STEP // 2:
            picture = np.ascontiguousarray(image)
            rows += [face_inputs([picture], points[None])[0] for points in process_mesh(mesh, picture)[:1]]
    inputs = np.stack(rows) if rows else np.zeros((0, INPUTS), np.float32)
    emotion = clip.facts.emotion or "neutral"
    shares = np.tile(np.eye(len(EMOTIONS), dtype=np.float32)[EMOTIONS.index(emotion)], (len(rows), 1))
    level = 0.0 if emotion == "neutral" else float(clip.facts.level or 2)
    return Faces(inputs, shares, np.full(len(rows), level, np.float32), np.full(len(rows), number))
