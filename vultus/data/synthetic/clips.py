"""One rendered clip: frames, voice, and the truth about every frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from vultus.core.controls import EMOTIONS
from vultus.core.types import DEFAULT_FPS, Frames, Performance, Speech
from vultus.data.synthetic.acting import Acting, act
from vultus.data.synthetic.people import is_feminine, random_person
from vultus.data.synthetic.voices import say, voice_of
from vultus.rendering.person.appearance import Appearance
from vultus.rendering.person.renderer import PersonRenderer

DEFAULT_SIZE, DEFAULT_SECONDS = 256, 4.0
"""Side in pixels and length of a clip unless asked otherwise."""


@dataclass(frozen=True)
class RenderedClip:
    """`frames` are drawn as they are asked for, once; `truth` holds every channel but rig controls, exactly."""

    frames: Frames
    truth: Performance
    speech: Speech
    text: str


class Actor(Protocol):
    """Somebody who can be drawn: a rendered person, or a portrait."""

    size: int

    def absolute(self, performance: Performance) -> Performance:
        """A performance as this actor shows it: every channel absolute, translation still relative to rest."""
        ...

    def frame(
        self, expression: np.ndarray, rotation_deg: np.ndarray, shift: np.ndarray, gaze_deg: np.ndarray
    ) -> np.ndarray:
        """One picture (size, size, 3) uint8 RGB."""
        ...

    def landmarks68(self, expression: np.ndarray, rotation_deg: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """The 68 points (68, 3) of a frame in its pixels."""
        ...

    def translation(self, rotation_deg: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """(3,) where the head's origin is before the camera."""
        ...


def rendered_clip(
    seed: int,
    *,
    person: Appearance | None = None,
    acting: Acting | None = None,
    seconds: float = DEFAULT_SECONDS,
    fps: float = DEFAULT_FPS,
    size: int = DEFAULT_SIZE,
) -> RenderedClip:
    """A clip of a person who speaks, and what is true of it; the same arguments, the same clip.

    `truth` is absolute ("camera") under a camera of focal length `person.camera.focal` frame heights: rotation in
    degrees, translation of the head's origin, gaze relative to the head, landmarks (T, 68, 3) in pixels. Expression
    weights are those drawn on top of a relaxed face with shut lips.

    Args:
        seed: chooses person, voice, text, emotion and motion, as far as they are not given.
        person, acting: what to show instead of what the seed would choose.
        size: side of the square frames in pixels.

    Raises MissingPartError where eSpeak NG is not installed.
    """
    rng = np.random.default_rng([seed, 0xC11])
    person = person or random_person(seed, 0)
    acting = acting or random_acting(rng)
    speech, text = say(voice_of(seed, 0, is_feminine(seed, 0)), seconds, rng)
    return play(PersonRenderer(person, size), act(speech, acting, fps), speech, text)


def random_acting(rng: np.random.Generator, emotion: str | None = None, level: int | None = None) -> Acting:
    """An emotion at a level (chosen unless given) with random liveliness, mostly facing the camera."""
    swing = rng.uniform(0.3, 1.8)
    return Acting(
        emotion=emotion or EMOTIONS[rng.integers(len(EMOTIONS))],
        level=level or int(rng.integers(1, 4)),
        view_deg=(float(rng.normal(0, 7)), float(rng.normal(0, 3.5)), float(rng.normal(0, 2.5))),
        sway_deg=(4.5 * swing, 2.5 * swing, 2.0 * swing),
        gaze_swing=float(rng.uniform(1.0, 2.5)),
        seed=int(rng.integers(1 << 31)),
    )


def play(actor: Actor, performance: Performance, speech: Speech, text: str) -> RenderedClip:
    """A performance (as `acting.act` makes it) by somebody: frames to come, and the truth about them."""
    shown = actor.absolute(performance)
    expression, rotation, shift = shown.expression, shown.rotation, shown.translation
    assert expression is not None and rotation is not None and shift is not None
    poses = list(zip(expression, rotation, shift, strict=True))
    landmarks = np.stack([actor.landmarks68(*pose) for pose in poses])
    translation = np.stack([actor.translation(turn, moved) for _, turn, moved in poses])
    truth = replace(shown, landmarks=landmarks.astype(np.float32), translation=translation.astype(np.float32))
    frames = Frames(_images(actor, shown), shown.fps, actor.size, actor.size, len(shown))
    return RenderedClip(frames, truth, speech, text)


def _images(actor: Actor, shown: Performance) -> Iterator[np.ndarray]:
    expression, rotation, shift, gaze = shown.expression, shown.rotation, shown.translation, shown.gaze
    assert expression is not None and rotation is not None and shift is not None and gaze is not None
    for k in range(len(shown)):
        yield actor.frame(expression[k], rotation[k], shift[k], gaze[k])
