"""What a user may ask of a performance: emotion, head pose, blinks, gaze and how strongly the face moves.

Emotion and gaze are timelines (`core.timeline`). Each value has a text form; `parse_*` reads it, `str()` writes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from vultus.core.errors import ControlError, InputError
from vultus.core.files import existing_file
from vultus.core.timeline import Timeline

EMOTIONS: tuple[str, ...] = ("neutral", "angry", "contempt", "disgusted", "fear", "happy", "sad", "surprised")
"""MEAD's eight emotions, in alphabetical order after neutral."""

EMOTION_ALIASES: dict[str, str] = {
    "neu": "neutral", "calm": "neutral",
    "ang": "angry", "anger": "angry",
    "contemptuous": "contempt",
    "dis": "disgusted", "disgust": "disgusted",
    "fea": "fear", "fearful": "fear", "afraid": "fear",
    "hap": "happy", "happiness": "happy", "joy": "happy",
    "sadness": "sad",
    "sur": "surprised", "surprise": "surprised",
}  # fmt: skip
"""Spellings of CREMA-D (ANG DIS FEA HAP NEU SAD), EmoFace (surprise, disgusted, ...) and everyday English."""

MAX_LEVEL = 3.0
MAX_GAZE_DEG = (30.0, 20.0)
"""Largest gaze to the side and up or down; beyond it the iris leaves the eye opening."""

MAX_BLINK_RATE = 60.0
MAX_SCALE = 3.0


@dataclass(frozen=True)
class Emotion:
    """A mix of emotions and how strongly it shows.

    `mix` holds (name, share) with distinct names of `EMOTIONS`; shares are positive and sum to 1. `level` is 0-3
    (1-3 are MEAD's levels); None takes `Controls.intensity`.
    """

    mix: tuple[tuple[str, float], ...] = (("neutral", 1.0),)
    level: float | None = None

    def __str__(self) -> str:
        text = self.mix[0][0] if len(self.mix) == 1 else ",".join(f"{name}:{share!r}" for name, share in self.mix)
        return text if self.level is None else f"{text}@{self.level!r}"


@dataclass(frozen=True)
class Pose:
    """Where head motion comes from: made up to go with the voice, none, a tracked video, or a CSV file of keys."""

    kind: Literal["idle", "still", "video", "keys"] = "idle"
    path: Path | None = None

    def __str__(self) -> str:
        return self.kind if self.path is None else str(self.path)


@dataclass(frozen=True)
class Blink:
    """Where blinks come from: natural random ones, none, a tracked video, or times in seconds of closed lids."""

    kind: Literal["natural", "none", "video", "times"] = "natural"
    path: Path | None = None
    times_s: tuple[float, ...] = ()

    def __str__(self) -> str:
        if self.kind == "times":
            return ",".join(repr(time_s) for time_s in self.times_s)
        return self.kind if self.path is None else str(self.path)


@dataclass(frozen=True)
class Gaze:
    """Natural wandering, eyes still in the head, or a fixed direction in degrees (x towards image right, y up)."""

    kind: Literal["natural", "still", "fixed"] = "natural"
    direction_deg: tuple[float, float] = (0.0, 0.0)

    def __str__(self) -> str:
        return f"{self.direction_deg[0]!r},{self.direction_deg[1]!r}" if self.kind == "fixed" else self.kind


@dataclass(frozen=True)
class Controls:
    """Everything a user may set about a performance. The defaults are those of the command line."""

    emotion: Timeline[Emotion] = field(default_factory=lambda: Timeline.constant(Emotion()))
    intensity: float = 2.0
    """Level 0-3 of every emotion key that sets none itself; 2 is MEAD's middle level."""
    pose: Pose = Pose()
    blink: Blink = Blink()
    blink_rate: float | None = None
    """Mean number of natural blinks a minute, 0-60; None keeps the published distribution, about 30."""
    gaze: Timeline[Gaze] = field(default_factory=lambda: Timeline.constant(Gaze()))
    lip_scale: float = 1.0
    """Factor 0-3 on speech movements of lips and jaw; closures stay closed."""
    expression_scale: float = 1.0
    """Factor 0-3 on emotional expression."""
    seed: int = 0

    def __post_init__(self) -> None:
        _check_range("--intensity", self.intensity, MAX_LEVEL)
        _check_range("--lip-scale", self.lip_scale, MAX_SCALE)
        _check_range("--expression-scale", self.expression_scale, MAX_SCALE)
        if self.blink_rate is not None:
            _check_range("--blink-rate", self.blink_rate, MAX_BLINK_RATE)
            if self.blink.kind != "natural":
                fix = "leave it out, or choose --blink natural"
                raise ControlError(f"only natural blinks have a rate, not {self.blink}", "--blink-rate", fix)
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise ControlError(f"{self.seed!r} is not a seed", "--seed", "give a whole number >= 0")

    @classmethod
    def parse(cls, **options: Any) -> Controls:
        """Controls from option values as a user writes them: text (emotion, pose, blink, gaze) or numbers (the rest).

        Raises ControlError, one sentence that says what is allowed.
        """
        known = {f.name for f in fields(cls)}
        for name in options:
            if name not in known:
                raise ControlError(f"there is no control {name!r}", None, f"controls are {', '.join(sorted(known))}")
        readers: dict[str, Any] = {
            "emotion": parse_emotions,
            "pose": parse_pose,
            "blink": parse_blink,
            "gaze": parse_gazes,
        }
        read: dict[str, Any] = {name: readers[name](value) if isinstance(value, str) and name in readers else value
                for name, value in options.items()}  # fmt: skip
        return cls(**read)


def parse_emotions(text: str) -> Timeline[Emotion]:
    """Emotions over time: `happy`, `happy@2.5`, `happy:0.5,surprised:0.5@3`, or a timeline of those."""
    return Timeline.parse(text, parse_emotion, "--emotion")


def parse_emotion(text: str) -> Emotion:
    """One emotion or mix, with an optional level 0-3 after `@`; shares are brought to a sum of 1."""
    where = "--emotion"
    body, at, level_text = text.partition("@")
    level = _number(level_text, where, f"the level after @ must be a number from 0 to {MAX_LEVEL:g}") if at else None
    if level is not None:
        _check_range(where, level, MAX_LEVEL, "level ")
    shares: dict[str, float] = {}
    for part in body.split(","):
        name_text, colon, share_text = part.partition(":")
        name = EMOTION_ALIASES.get(name_text.lower(), name_text.lower())
        if name not in EMOTIONS:
            raise ControlError(f"{name_text!r} is not an emotion", where, f"emotions are {', '.join(EMOTIONS)}")
        fix = "a share must be a positive number, as in happy:0.5,sad:0.5"
        share = _number(share_text, where, fix) if colon else 1.0
        if not 0 < share < 1e6:
            raise ControlError(f"the share {share:g} of {name} is too small or too large", where, fix)
        if name in shares:
            raise ControlError(f"{name} is named twice in one mix", where, "name each emotion once")
        shares[name] = share
    total = sum(shares.values())
    return Emotion(tuple((name, share / total) for name, share in shares.items()), level)


def parse_gazes(text: str) -> Timeline[Gaze]:
    """Gaze over time: `natural`, `still`, `X,Y` in degrees, or a timeline of those."""
    return Timeline.parse(text, parse_gaze, "--gaze")


def parse_gaze(text: str) -> Gaze:
    """One gaze value. Raises ControlError."""
    if text in ("natural", "still"):
        return Gaze("natural" if text == "natural" else "still")
    fix = f"it is natural, still or X,Y in degrees within {MAX_GAZE_DEG[0]:g},{MAX_GAZE_DEG[1]:g}"
    parts = text.split(",")
    if len(parts) != 2:
        raise ControlError(f"{text!r} is not a gaze", "--gaze", fix)
    x_deg, y_deg = (_number(part, "--gaze", fix) for part in parts)
    if not (abs(x_deg) <= MAX_GAZE_DEG[0] and abs(y_deg) <= MAX_GAZE_DEG[1]):
        raise ControlError(f"{text!r} looks too far aside", "--gaze", fix)
    return Gaze("fixed", (x_deg, y_deg))


def parse_pose(text: str) -> Pose:
    """`idle`, `still`, a video, or a CSV file of keys; the file must exist. Raises ControlError."""
    if text in ("idle", "still"):
        return Pose("idle" if text == "idle" else "still")
    path = _file(text, "--pose", "it is idle, still, a video, or a CSV file with time_s,yaw,pitch,roll")
    return Pose("keys" if path.suffix.lower() == ".csv" else "video", path)


def parse_blink(text: str) -> Blink:
    """`natural`, `none`, times in seconds such as `1.0,2.5`, or a video; the file must exist. Raises ControlError."""
    if text in ("natural", "none"):
        return Blink("natural" if text == "natural" else "none")
    fix = "it is natural, none, a video, or times in seconds such as 1.0,2.5"
    try:
        times_s = sorted(float(part) for part in text.split(","))
    except ValueError:
        return Blink("video", _file(text, "--blink", fix))
    if not all(math.isfinite(t) and t >= 0 for t in times_s):
        raise ControlError(f"{text!r} holds a time before 0 s or one that is not finite", "--blink", fix)
    return Blink("times", times_s=tuple(times_s))


def _file(text: str, where: str, fix: str) -> Path:
    try:
        return existing_file(text)
    except InputError as error:
        raise ControlError(f"{text[:80]!r}: {error.what}", where, fix) from error


def _number(text: str, where: str, fix: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ControlError(f"{text!r} is not a number", where, fix) from None


def _check_range(where: str, value: Any, high: float, what: str = "") -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= high:
        raise ControlError(f"{what}{value!r} is out of range", where, f"give a number from 0 to {high:g}")
