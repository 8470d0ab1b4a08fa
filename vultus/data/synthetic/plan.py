"""Which clips a synthetic set holds: who says what, in which emotion; decided by the seed before anything is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from vultus.core.controls import EMOTION_ALIASES, EMOTIONS
from vultus.core.errors import ControlError
from vultus.core.method import MAX_FPS
from vultus.core.types import DEFAULT_FPS

LayoutName = Literal["synthetic", "mead", "crema_d", "voxceleb2", "lrs2", "hdtf", "emoface"]
SIZES_PX = (64, 1024)
SECONDS = (0.5, 600.0)
MAX_CLIPS = 1_000_000
LEVELS = (1, 2, 3)


def _check(option: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise ControlError(f"{value:g} is out of range", option, f"choose {low:g} to {high:g}")


@dataclass(frozen=True)
class SynthesisOptions:
    """What to make. The defaults are those of the command line. Raises ControlError for values out of range."""

    people: int = 20
    clips_per_person: int = 10
    seconds: float = 4.0
    size: int = 128
    fps: float = DEFAULT_FPS
    seed: int = 0
    emotions: tuple[str, ...] = EMOTIONS
    portraits: Path | None = None
    layout: LayoutName = "synthetic"
    workers: int | None = None
    levels: tuple[int, ...] = LEVELS
    """Strengths of the emotions but neutral, which has none."""
    alike: bool = False
    """Whether all clips of a person have the same place, light, clothes and movements of head, eyes and lids, so that
    they differ in what is said and felt alone."""

    def __post_init__(self) -> None:
        _check("--people", self.people, 1, MAX_CLIPS)
        _check("--clips-per-person", self.clips_per_person, 1, MAX_CLIPS // self.people)
        _check("--seconds", self.seconds, *SECONDS)
        _check("--size", self.size, *SIZES_PX)
        _check("--fps", self.fps, 5, MAX_FPS)
        _check("--seed", self.seed, 0, 2**31 - 1)
        if self.size % 2:
            raise ControlError(f"{self.size} is odd", "--size", "videos want an even number of pixels")
        if not self.levels or not set(self.levels) <= set(LEVELS):
            raise ControlError(f"{self.levels} are no levels", "--levels", "choose of 1, 2, 3")
        if self.workers is not None:
            _check("--workers", self.workers, 0, 1024)


DEFAULT_SYNTHESIS = SynthesisOptions()


@dataclass(frozen=True)
class ClipPlan:
    """One clip to be made. `person` and `take` count from 0; `portrait` replaces the rendered person."""

    person: int
    take: int
    feminine: bool
    emotion: str
    level: int
    seed: int
    text: str | None = None
    """What is said, where a layout prescribes it."""
    portrait: Path | None = None


def plan_clips(options: SynthesisOptions, portraits: Sequence[Path] = ()) -> list[ClipPlan]:
    """All clips, person by person; emotions and levels take turns, so that each comes as often as the others."""
    cases = [(e, level) for e in options.emotions for level in ((1,) if e == "neutral" else options.levels)]
    plans = []
    for person in range(options.people):
        order = np.random.default_rng([options.seed, person, 0x0DE]).permutation(len(cases))
        for take in range(options.clips_per_person):
            emotion, level = cases[order[take % len(cases)]]
            rng = np.random.default_rng([options.seed, person, take, 0xC11])
            portrait = portraits[person % len(portraits)] if portraits else None
            feminine = bool((person + options.seed) % 2)
            plans.append(
                ClipPlan(person, take, feminine, emotion, level, int(rng.integers(1 << 31)), portrait=portrait)
            )
    return plans


def parse_emotions(text: str) -> tuple[str, ...]:
    """Emotions from "happy,sad" or "all". Raises ControlError."""
    if text == "all":
        return EMOTIONS
    names = [EMOTION_ALIASES.get(name.strip().lower(), name.strip().lower()) for name in text.split(",")]
    for name in names:
        if name not in EMOTIONS:
            raise ControlError(f"{name!r} is not an emotion", "--emotions", f"choose all, or of {', '.join(EMOTIONS)}")
    return tuple(dict.fromkeys(names))
