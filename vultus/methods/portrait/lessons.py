"""What the lips learn from, as arrays: log-mel with the phones, components or mouths that go with it, and batches."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from vultus.audio.features import BANDS, POWER_FLOOR, log_mel
from vultus.core.bases import index_of
from vultus.core.types import Phone, Speech
from vultus.data.sounds import knocks, music, noise
from vultus.data.spoken import training_speech
from vultus.methods.portrait.data import TalkClip
from vultus.metrics.lips import RATE_HZ, closure_moments, on_grid
from vultus.motion.components import components_of
from vultus.motion.energy import LoudnessStream
from vultus.motion.lips import MouthTrack
from vultus.motion.visemes import SYMBOLS

HOUSE_SD = np.array([0.047, 0.036], np.float32)
"""Standard deviations of aperture and width that all people are brought to: the means of the real clips' own."""
FITTED = (
    "jawOpen", "mouthClose", "mouthPucker", "mouthFunnel", "mouthSmileLeft", "mouthStretchLeft", "mouthLowerDownLeft",
    "mouthUpperUpLeft", "mouthRollLower", "mouthRollUpper", "mouthPressLeft", "mouthShrugUpper",
)  # fmt: skip
"""Fitted weights that the encoder is asked for beside the mouth, so that it learns more from each clip."""
SHUT = 0.3
"""Aperture in units of `HOUSE_SD` at which lips look closed."""

UNDER_DB = (6.0, 30.0)
"""How much softer what lies under a voice is."""
_SHUT_QUANTILE = 0.03
"""A person's lips are shut where their aperture is among this share of their smallest."""
_FARTHEST_SD, _LEAST_SD = 3.0, 1e-3
_RUN_UP = 6
"""States at the start of a cut that do not count: their past is missing."""
_NEGATIVES, _NEGATIVE_S = 480, 8.0


@dataclass(frozen=True)
class Lesson:
    """Log-mel `mel` (2 n, BANDS) and, for synthetic speech, `phones` (n,) and `components` (n, C) at 50 Hz.

    Of real people: `mouth` (n, 2) aperture above their shut lips and width about their mean, in units of `HOUSE_SD`;
    where it was `seen` (n,), and where their lips are `shut` (n,), 0 or 1; `expression` (n, len(FITTED)) as fitted,
    each weight about its mean, in units of its own standard deviation.
    """

    mel: np.ndarray
    phones: np.ndarray | None = None
    components: np.ndarray | None = None
    mouth: np.ndarray | None = None
    seen: np.ndarray | None = None
    shut: np.ndarray | None = None
    expression: np.ndarray | None = None

    def cut(self, longest: int, rng: np.random.Generator) -> Lesson:
        """A piece of at most so many states, from a random place."""
        states = len(self.mel) // 2
        length = min(longest, states)
        start = int(rng.integers(0, states - length + 1))
        pieces = {
            f.name: values[start : start + length]
            for f in fields(self)
            if f.name != "mel" and (values := getattr(self, f.name)) is not None
        }
        return Lesson(self.mel[2 * start : 2 * (start + length)], **pieces)

    def stretched(self, factor: float) -> Lesson:
        """The same said `factor` times as fast; the pitch stays."""
        states = len(self.mel) // 2
        left = max(1, round(states / factor))
        at = np.linspace(0, states - 1, left)
        changed: dict[str, Any] = {"mel": _resampled(self.mel, np.linspace(0, 2 * states - 1, 2 * left))}
        for name in ("phones", "shut", "seen"):
            values = getattr(self, name)
            changed[name] = None if values is None else values[np.round(at).astype(int)]
        for name in ("components", "mouth", "expression"):
            values = getattr(self, name)
            changed[name] = None if values is None else _resampled(values, at)
        return Lesson(**changed)


def _resampled(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Rows of values (n, ...) at fractional indices."""
    low = np.minimum(at.astype(int), len(values) - 2)
    share = (at - low)[:, None].astype(np.float32)
    return (values[low] * (1 - share) + values[low + 1] * share).astype(np.float32)


def synthetic_lessons(total_s: float, seed: int) -> list[Lesson]:
    """Lessons from so many seconds of synthetic speech (about 100 times faster than real time)."""
    return [lesson_of_speech(speech) for speech in training_speech(total_s, seed)]


def lesson_of_speech(speech: Speech) -> Lesson:
    """A lesson from speech whose phones are known, with the viseme table's lips."""
    if not speech.phones:
        raise ValueError("the phones of this speech are not known")
    mel = log_mel(speech.waveform)
    count = len(mel) // 2
    half_s = 0.5 / RATE_HZ  # the track's frames are of their middles, states of their starts
    later = [Phone(p.symbol, p.start_s + half_s if i else 0.0, p.end_s + half_s) for i, p in enumerate(speech.phones)]
    track = MouthTrack(RATE_HZ)
    head = track.push(later, LoudnessStream().push(speech.waveform))
    expression = np.concatenate([head, track.finish(count)])[:count]
    ends_s = np.array([phone.end_s for phone in speech.phones])
    at = np.minimum(np.searchsorted(ends_s, np.arange(count) / RATE_HZ, "right"), len(ends_s) - 1)
    symbols = np.array([SYMBOLS.index(phone.symbol) for phone in speech.phones], np.int64)
    return Lesson(mel[: 2 * count].astype(np.float16), symbols[at], components_of(expression))


def lesson_of_clip(clip: TalkClip) -> Lesson:
    """A lesson from a real person's measured mouth."""
    mel = log_mel(clip.waveform)
    count = min(len(mel) // 2, int(clip.duration_s * RATE_HZ))
    measured, seen = measured_mouth(clip, count)
    z = (measured - measured[seen].mean(0)) / measured[seen].std(0)
    aperture = np.maximum(z[:, 0] - np.quantile(z[seen, 0], _SHUT_QUANTILE), 0)
    width = np.clip(z[:, 1], -_FARTHEST_SD, _FARTHEST_SD)
    moments = np.zeros(count)
    moments[closure_moments(measured[:, 0], seen)] = 1
    shut = np.convolve(moments, np.ones(3), "same")
    return Lesson(
        mel[: 2 * count],
        mouth=np.stack([aperture, width], 1).astype(np.float32),
        seen=seen.astype(np.float32),
        shut=np.minimum(shut, 1).astype(np.float32),
        expression=_fitted(clip, count, seen),
    )


def _fitted(clip: TalkClip, count: int, seen: np.ndarray) -> np.ndarray:
    columns = [index_of(name) for name in FITTED]
    weights = on_grid(clip.expression[:, columns], clip.fps, count, clip.first_s + 0.5 / clip.fps)
    z = (weights - weights[seen].mean(0)) / (weights[seen].std(0) + _LEAST_SD)
    return np.clip(z, -_FARTHEST_SD, _FARTHEST_SD).astype(np.float32)


def measured_mouth(clip: TalkClip, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A clip's aperture and width (count, 2) on the comparison grid, smoothed, and where they were seen (count,)."""
    grid_s = np.arange(count) / RATE_HZ
    frame_s = clip.first_s + (np.arange(len(clip.valid)) + 0.5) / clip.fps  # a frame is seen around its middle
    mouths = on_grid(clip.mouth, clip.fps, count, frame_s[0])
    seen = np.interp(grid_s, frame_s, clip.valid.astype(float)) > 0.99
    return mouths, seen & (grid_s >= frame_s[0]) & (grid_s <= frame_s[-1])


def negatives(seed: int) -> list[np.ndarray]:
    """Log-mel (T, BANDS) of noise, knocks and, twice as much, of music, 8 seconds each."""
    rng = np.random.default_rng(seed)
    makers = (noise, knocks, music, music)
    return [log_mel(makers[i % 4](_NEGATIVE_S, rng)) for i in range(_NEGATIVES)]


@dataclass(frozen=True)
class Batch:
    """Lessons side by side, cut to one length; arrays as `Lesson`'s, time last, with silence where a lesson ends."""

    mel: np.ndarray
    phones: np.ndarray
    components: np.ndarray
    mouth: np.ndarray
    seen: np.ndarray
    shut: np.ndarray
    expression: np.ndarray

    @staticmethod
    def empty(rows: int, frames: int, components: int) -> Batch:
        """All silence; `frames` of log-mel, an even number."""
        states = frames // 2
        return Batch(
            np.full((rows, BANDS, frames), np.log(POWER_FLOOR), np.float32),
            np.zeros((rows, states), np.int64),
            np.zeros((rows, components, states), np.float32),
            np.zeros((rows, 2, states), np.float32),
            np.zeros((rows, states), np.float32),
            np.zeros((rows, states), np.float32),
            np.zeros((rows, len(FITTED), states), np.float32),
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Its arrays by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def fill(self, row: int, lesson: Lesson, rng: np.random.Generator) -> None:
        """Put a random cut of a lesson into a row."""
        piece = lesson.cut(self.mel.shape[2] // 2, rng)
        self._put(row, 0, piece)
        self.seen[row, :_RUN_UP] = 0

    def fill_after(self, row: int, sound: np.ndarray, lesson: Lesson, rng: np.random.Generator) -> None:
        """Noise or music (T, BANDS) without a voice in a row; now and then a lesson takes over from it."""
        frames = self.mel.shape[2]
        start = int(rng.integers(0, len(sound) - frames + 1))
        self.mel[row] = sound[start : start + frames].T
        if rng.random() < 0.4:
            at = 2 * int(rng.integers(20, frames // 2 - 20))
            self._put(row, at, lesson)

    def put_under(self, row: int, sound: np.ndarray, rng: np.random.Generator) -> None:
        """Noise or music (T, BANDS) under what a row has, `UNDER_DB` softer than its loudest moment."""
        frames = self.mel.shape[2]
        start = int(rng.integers(0, len(sound) - frames + 1))
        under = sound[start : start + frames].T
        level = self.mel[row].max() - under.max() - rng.uniform(*UNDER_DB) / 4.343
        self.mel[row] = np.logaddexp(self.mel[row], under + level)

    def _put(self, row: int, at: int, lesson: Lesson) -> None:
        """A lesson, as far as there is room, from log-mel frame `at` on; silence after it."""
        length = min(self.mel.shape[2] - at, len(lesson.mel))
        self.mel[row, :, at : at + length] = lesson.mel[:length].T
        self.mel[row, :, at + length :] = np.log(POWER_FLOOR)
        states = slice(at // 2, (at + length) // 2)
        for name in ("phones", "components", "mouth", "seen", "shut", "expression"):
            values = getattr(lesson, name)
            if values is not None:
                getattr(self, name)[row, ..., states] = values[: length // 2].T
