"""Pictures of people who do not exist, several of each: what our perceptual judge learns from.

A person is drawn in `LOOKS` looks (hair, beard, glasses, make-up and clothes change, the face does not) and in each
`TAKES` times, in another light, before another backdrop, turned otherwise and with another expression. FaceMesh finds
the points, as it will in real pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vultus.core.bases import index_of
from vultus.core.controls import EMOTIONS, Emotion
from vultus.data.synthetic.people import random_person, retaken
from vultus.face import mediapipe_graphs
from vultus.face.landmarks import process_mesh
from vultus.motion.emotion import expression_of
from vultus.rendering.person.appearance import Appearance
from vultus.rendering.person.renderer import PersonRenderer

LOOKS, TAKES = 2, 5
SIZE_PX = 128
VIEW_HEIGHT = (24.0, 32.0)
"""Head units that a picture's height shows: closer than in clips, as only the face counts."""
TURN_SD_DEG = (13.0, 7.0, 5.0)
GAZE_SD_DEG = (10.0, 5.0)
STRANGER = 1_000_000
"""Hair, glasses and make-up of another look are those of a person numbered from here on."""


@dataclass(frozen=True)
class Sitter:
    """One person: `pictures` (n, SIZE_PX, SIZE_PX, 3) uint8 RGB, `landmarks` (n, 478, 3) in their pixels.

    `take` (n,) counts a person's pictures, look after look, those included in which no face was found.
    """

    pictures: np.ndarray
    landmarks: np.ndarray
    take: np.ndarray


def sitters(folder: Path, people: int, seed: int = 0) -> Iterator[Sitter]:
    """Persons 0, 1, ... of the set `seed`, drawn once (two seconds a person) and kept in `folder`."""
    for number in range(people):
        kept = folder / f"sitter-{seed}-{number:04d}.npz"
        if not kept.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            drawn = draw_sitter(seed, number)
            partial = kept.with_suffix(".part.npz")
            np.savez_compressed(partial, pictures=drawn.pictures, landmarks=drawn.landmarks, take=drawn.take)
            partial.replace(kept)
        with np.load(kept, allow_pickle=False) as data:
            yield Sitter(data["pictures"], data["landmarks"], data["take"])


def draw_sitter(seed: int, number: int) -> Sitter:
    """One person; the same arguments, the same pictures. Those in which FaceMesh finds no face are left out."""
    mesh: Any = mediapipe_graphs.face_mesh(stream=False, min_detection=0.4)
    seen: list[tuple[np.ndarray, np.ndarray, int]] = []
    try:
        poses = _poses(random_person(seed, number), np.random.default_rng([seed, number, 0x517]))
        for take, picture in enumerate(poses):
            found = process_mesh(mesh, picture)
            if found:
                seen.append((picture, found[0], take))
    finally:
        mesh.close()
    pictures = np.array([picture for picture, _, _ in seen], np.uint8).reshape(-1, SIZE_PX, SIZE_PX, 3)
    landmarks = np.array([points for _, points, _ in seen], np.float32).reshape(-1, 478, 3)
    return Sitter(pictures, landmarks, np.array([take for _, _, take in seen], int))


def _poses(person: Appearance, rng: np.random.Generator) -> Iterator[np.ndarray]:
    for look in range(LOOKS):
        dressed = _closer(retaken(_restyled(person, rng) if look else person, int(rng.integers(1 << 30))), rng)
        renderer = PersonRenderer(dressed, SIZE_PX)
        for _ in range(TAKES):
            taken = _closer(retaken(dressed, int(rng.integers(1 << 30))), rng)
            renderer.take(taken.light, taken.camera, taken.backdrop)
            turn, gaze = rng.normal(0, TURN_SD_DEG), rng.normal(0, GAZE_SD_DEG)
            yield renderer.frame(_expression(rng), turn, np.zeros(3), gaze)


def _restyled(person: Appearance, rng: np.random.Generator) -> Appearance:
    """The same face with the hairdo, beard, glasses and make-up of another person of the same hair colour."""
    other = random_person(int(rng.integers(1 << 30)), STRANGER + int(rng.integers(1 << 20)))
    hair = replace(other.hair, colour=person.hair.colour, grey=person.hair.grey)
    hair = replace(hair, brow_thickness=person.hair.brow_thickness, recession=person.hair.recession)
    skin = replace(person.skin, lip_colour=other.skin.lip_colour, eye_shadow=other.skin.eye_shadow)
    return replace(person, hair=hair, skin=skin, wear=other.wear)


def _closer(person: Appearance, rng: np.random.Generator) -> Appearance:
    return replace(person, camera=replace(person.camera, view_height=float(rng.uniform(*VIEW_HEIGHT))))


def _expression(rng: np.random.Generator) -> np.ndarray:
    """(52,) ARKit weights: an emotion at some level, a mouth in the middle of a word, lids anywhere."""
    weights = np.array(expression_of(Emotion(((str(rng.choice(EMOTIONS)), 1.0),)), float(rng.uniform(0, 2.5))))
    said = {"jawOpen": rng.beta(1, 4), "mouthPucker": rng.beta(1, 5), "mouthStretchLeft": 0.3 * rng.beta(1, 4)}
    said["mouthStretchRight"] = said["mouthStretchLeft"]
    said["eyeBlinkLeft"] = said["eyeBlinkRight"] = rng.beta(1, 6)
    for name, value in said.items():
        weights[index_of(name)] += value
    return np.clip(weights, 0, 1).astype(np.float32)
