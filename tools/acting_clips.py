"""Faces that act every movement, for `teach_expressions.py`: rendered people and portraits, and what they do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from vultus.animate import open_portrait
from vultus.core.bases import ARKIT52, index_of
from vultus.core.controls import EMOTIONS, Emotion
from vultus.core.method import Look
from vultus.core.types import DEFAULT_FPS, Frames, Performance
from vultus.data.synthetic.clips import rendered_clip
from vultus.data.synthetic.people import random_person
from vultus.face.leaks import COLUMNS, MOVEMENTS
from vultus.methods.portrait.model import PhotoRenderer
from vultus.motion.emotion import expression_of
from vultus.rendering.person.renderer import PersonRenderer

ACTING_SEED, PORTRAIT_SEED, PHOTO_SEED, LIPS_SEED, BROWS_SEED, SPEAKING_SEED = 9000, 9100, 9200, 9400, 9600, 100
ACTING_FRAMES, PORTRAIT_FRAMES, PART_FRAMES, SPEAKING_S, SIZE, PHOTO_SIZE = 160, 300, 150, 5.0, 256, 512
PEAKS = {
    "jawOpen": 0.6, "mouthClose": 0.5, "jawForward": 0.5, "jawLeft": 0.5, "jawRight": 0.5, "cheekPuff": 0.6,
}  # fmt: skip
DEFAULT_PEAK = 0.9
EVERYTHING = (tuple(range(len(MOVEMENTS))), (2, 6))
"""Which movements come by turns, and how many frames, at least and less than, lie between the starts of two."""
LIPS = (
    tuple(k for k, name in enumerate(MOVEMENTS) if name.startswith(("mouth", "jawOpen", "cheek", "noseSneer")))
    + 2 * (MOVEMENTS.index("mouthPress"), MOVEMENTS.index("mouthLowerDown")),
    (3, 8),
)
"""Those about the mouth, and most often the two to which FaceMesh's points answer least."""
BROWS = (
    tuple(
        k
        for k, name in enumerate(MOVEMENTS)
        if name.startswith(("brow", "eye", "cheekSquint", "noseSneer", "mouthSmile", "jawOpen"))
    )
    + 2 * (MOVEMENTS.index("browDown"),),
    (3, 8),
)
"""Those about brows and eyes, and most often brows drawn down."""


def acting(rng: np.random.Generator, count: int, what: tuple[tuple[int, ...], tuple[int, int]]) -> Performance:
    """Movements in a random order, several at a time, over passing emotions; blinks, turns and glances.

    `what` is `EVERYTHING`, `LIPS` or `BROWS`.
    """
    expression = _pulses(rng, count, *what) + _moods(rng, count)
    for name in ("mouthLeft", "jawLeft"):  # nobody goes both ways
        pair = [index_of(name), index_of(name.replace("Left", "Right"))]
        expression[:, pair] -= expression[:, pair].min(1, keepdims=True)
    jaw, close = index_of("jawOpen"), index_of("mouthClose")
    expression[:, jaw] = np.minimum(expression[:, jaw], 0.7)
    expression[:, close] = np.minimum(expression[:, close], expression[:, jaw])
    shut = np.zeros(count)
    for start in range(int(rng.integers(10, 40)), count - 8, int(rng.integers(35, 70))):
        shut[start : start + 6] = [0.4, 0.9, 1, 0.8, 0.5, 0.2]
    for side in ("Left", "Right"):
        lid = index_of("eyeBlink" + side)
        expression[:, lid] = shut + (1 - shut) * expression[:, lid]
        expression[:, index_of("eyeWide" + side)] *= 1 - shut
        expression[:, index_of("eyeSquint" + side)] *= 1 - 0.6 * shut
    sway = gaussian_filter1d(rng.normal(size=(count, 3)), 0.5 * DEFAULT_FPS, axis=0, mode="wrap")
    rotation = sway / np.abs(sway).max(0) * (16, 11, 8) * rng.uniform(0.3, 1)
    gaze, frame = np.zeros((count, 2)), 0
    while frame < count:
        pause = int(rng.integers(8, 30))
        gaze[frame : frame + pause] = rng.uniform(-1, 1, 2) * (16, 8)
        frame += pause
    return replace(
        Performance.neutral(count, DEFAULT_FPS), expression=np.clip(expression, 0, 1).astype(np.float32),
        rotation=rotation.astype(np.float32), gaze=gaze.astype(np.float32), au45=(5 * shut).astype(np.float32),
    )  # fmt: skip


def _pulses(rng: np.random.Generator, count: int, movements: tuple[int, ...], pause: tuple[int, int]) -> np.ndarray:
    """One movement after the other, each for about half a second, the next begun before it ends; some one-sided."""
    expression, deck, start = np.zeros((count, len(ARKIT52))), [], 2
    while start < count - 4:
        deck = deck or list(rng.permutation(movements))
        movement = deck.pop()
        length = min(int(rng.integers(8, 19)), count - start)
        peak = PEAKS.get(MOVEMENTS[movement], DEFAULT_PEAK)
        curve = np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 1.5 * rng.uniform(0.25, 1) * peak
        sides = np.ones(2)
        if rng.random() < 0.3:
            sides[rng.integers(2)] = rng.random()
        for share, column in zip(sides, COLUMNS[movement], strict=False):
            part = expression[start : start + length, column]
            np.maximum(part, share * curve, out=part)
        start += int(rng.integers(*pause))
    return expression


def _moods(rng: np.random.Generator, count: int) -> np.ndarray:
    """An emotion now and then."""
    expression, start = np.zeros((count, len(ARKIT52))), 0
    while start < count:
        length = int(rng.integers(25, 50))
        mood = Emotion(((EMOTIONS[rng.integers(len(EMOTIONS))], 1.0),), float(rng.uniform(0, 3)))
        if rng.random() < 0.5:
            on = np.zeros(count)
            on[start : start + length] = 1
            expression += gaussian_filter1d(on, 2.0)[:, None] * expression_of(mood, 2.0) * rng.uniform(0.3, 1)
        start += length
    return expression


def acting_person(number: int) -> tuple[Frames, Performance]:
    """A rendered person who acts."""
    return _person(ACTING_SEED + number, number, acting(_rng(ACTING_SEED, number), ACTING_FRAMES, EVERYTHING))


def acting_portrait(picture: Path | np.ndarray, number: int) -> tuple[Frames, Performance]:
    """A portrait that acts."""
    return _portrait(picture, acting(_rng(PORTRAIT_SEED, number), PORTRAIT_FRAMES, EVERYTHING))


def acting_photo(number: int) -> tuple[Frames, Performance]:
    """A photo of a rendered person that acts: what the portrait renderer makes of a face, and nobody's."""
    return acting_portrait(_photo(PHOTO_SEED + number, number), PHOTO_SEED + number)


def acting_lips(number: int) -> tuple[Frames, Performance]:
    """A photo of a rendered person, or each third time the person, of whom mostly the mouth acts."""
    return _part(LIPS_SEED, number, LIPS)


def acting_brows(number: int) -> tuple[Frames, Performance]:
    """The same for brows and eyes."""
    return _part(BROWS_SEED, number, BROWS)


def _part(seed: int, number: int, what: tuple[tuple[int, ...], tuple[int, int]]) -> tuple[Frames, Performance]:
    asked = acting(_rng(seed, number), PART_FRAMES, what)
    if number % 3 == 2:
        return _person(seed + number, number, asked)
    return _portrait(_photo(seed + number, number), asked)


def _person(seed: int, number: int, asked: Performance) -> tuple[Frames, Performance]:
    renderer = PersonRenderer(random_person(seed, number), SIZE)
    assert asked.expression is not None and asked.rotation is not None and asked.gaze is not None
    rows = zip(asked.expression, asked.rotation, asked.gaze, strict=True)
    images = (renderer.frame(weights, turn, np.zeros(3, np.float32), gaze) for weights, turn, gaze in rows)
    return Frames(images, DEFAULT_FPS, SIZE, SIZE, len(asked)), asked


def _portrait(picture: Path | np.ndarray, asked: Performance) -> tuple[Frames, Performance]:
    renderer = PhotoRenderer(open_portrait(picture), Look(crop="face", size=PHOTO_SIZE))
    assert asked.rotation is not None
    asked = replace(asked, rotation=0.9 * asked.rotation)
    return renderer.play([asked], len(asked)), asked


def _photo(seed: int, number: int) -> np.ndarray:
    """A still picture of a rendered person."""
    still = np.zeros(3, np.float32)
    renderer = PersonRenderer(random_person(seed, number), PHOTO_SIZE)
    return renderer.frame(np.zeros(len(ARKIT52), np.float32), still, still, np.zeros(2, np.float32))


def speaking_person(number: int) -> tuple[Frames, Performance]:
    """A rendered person who speaks."""
    clip = rendered_clip(SPEAKING_SEED + number, seconds=SPEAKING_S, size=SIZE)
    return clip.frames, clip.truth


def _rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)
