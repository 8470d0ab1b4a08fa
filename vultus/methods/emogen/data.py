"""Windows of five frames and their voice, from prepared clips (section 2.1); actors are in one split only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from vultus.core.errors import InputError
from vultus.data.clips import PreparedClip
from vultus.data.crops import cut
from vultus.data.manifest import prepared_clips
from vultus.methods.emogen.augment import NOTHING, draw
from vultus.methods.emogen.config import EMOTIONS, FPS, WINDOW, DataConfig
from vultus.methods.emogen.mel import first_row, mel_of, windows
from vultus.methods.emogen.stance import Stance

SURE = 0.5
"""Confidence from which a clip's measured offset between lips and sound is taken out."""
LOOKED_AT = 8
"""So many other clips of an actor are looked through for a head that is held alike."""
SAME_DEG = 0.5
"""Clips that come so near to the one that is held most alike are as good: one of them is chosen."""
FAR_S = 0.4
"""A wrong voice begins so far from the right one at least, where the clip is long enough."""


@dataclass(frozen=True)
class TalkingFace:
    """One clip as it is learned from."""

    actor: str
    emotion: int
    """Index into `EMOTIONS`; -1 where there is no label."""
    frames: np.ndarray
    """(T, S, S, 3) uint8."""
    prepared: np.ndarray
    """(T, P, P, 3): the same in the size that they were prepared in."""
    mel: np.ndarray
    """(m, 80) float32."""
    starts: np.ndarray
    """(n,) int, at least one: first frames of the windows in which the face is seen throughout."""
    offset_s: float = 0.0
    """So much later than their sound lips move."""

    def voices(self, start: int, count: int = WINDOW) -> np.ndarray:
        """Mel pictures (count, 80, 16) around frames `start` to `start + count`; the middle one is the window's."""
        middle_s = (np.arange(start, start + count) + 0.5) / FPS - self.offset_s
        return windows(self.mel, first_row(middle_s))


@dataclass(frozen=True)
class Window:
    """One sample: five frames, what else there is of the actor, the voice around each frame, the emotion."""

    faces: np.ndarray
    """(5, S, S, 3) float32 in 0-1."""
    references: np.ndarray
    """The same."""
    mels: np.ndarray
    """(5, 80, 16)."""
    emotion: int
    wrong_mel: np.ndarray
    """(80, 16) from elsewhere in the clip."""
    start: int
    """First of the frames in its clip."""


class Shelf:
    """Clips of one split, read when asked for; the last ones asked for stay in memory."""

    def __init__(self, clips: Sequence[PreparedClip], side: int, kept: int) -> None:
        self.clips, self.side, self.kept = tuple(clips), side, kept
        self._held: dict[int, TalkingFace] = {}
        self._stances: dict[int, Stance] = {}

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, number: int) -> TalkingFace:
        face = self._held.pop(number, None) or talking_face(self.clips[number], self.side)
        self._held[number] = face
        while len(self._held) > self.kept:
            self._held.pop(next(iter(self._held)))
        return face

    @cached_property
    def by_actor(self) -> dict[str, list[int]]:
        """Actor -> numbers of the clips."""
        found: dict[str, list[int]] = {}
        for number, clip in enumerate(self.clips):
            found.setdefault(clip.facts.speaker, []).append(number)
        return found

    def window(self, number: int, rng: np.random.Generator, config: DataConfig, augment: bool) -> Window:
        """A random window of a clip, augmented if asked."""
        face = self[number]
        start, wrong = _two_starts(face.starts, rng)
        chosen, away = self._reference(number, start, rng, config)
        shown = face.frames[start : start + WINDOW]
        if config.reference == "pose":
            shown = np.stack([self._laid(face, number, start + k, chosen, away + k) for k in range(WINDOW)])
        given = self[chosen].frames[away : away + WINDOW]
        change = draw(self.side, rng) if augment else NOTHING
        return Window(
            change(shown), change(given), face.voices(start), face.emotion, face.voices(wrong)[WINDOW // 2], start
        )

    def _reference(self, number: int, start: int, rng: np.random.Generator, config: DataConfig) -> tuple[int, int]:
        """A clip of the actor and the first frame of what is to be looked at there."""
        own = self.by_actor[self.clips[number].facts.speaker]
        if config.reference == "pose":
            return self._alike(number, start, [other for other in own if other != number] or own, rng)
        other = int(rng.choice(own)) if config.reference == "actor" else number
        return other, int(rng.choice(self[other].starts))

    def _alike(self, number: int, start: int, others: list[int], rng: np.random.Generator) -> tuple[int, int]:
        """Of some other clips, one in which head and eyes are held most alike, and the window's first frame."""
        middle, found = WINDOW // 2, []
        for other in rng.permutation(others)[:LOOKED_AT].tolist():
            stance = self.stance(other)
            starts = window_starts(np.isfinite(stance.held).all(1))
            away_deg, frame = self.stance(number).most_alike(start + middle, stance, starts + middle)
            found.append((away_deg, other, frame - middle))
        least_deg = min(found)[0]
        alike = [(other, away) for away_deg, other, away in found if away_deg <= least_deg + SAME_DEG]
        return alike[int(rng.integers(len(alike)))]

    def _laid(self, face: TalkingFace, number: int, frame: int, other: int, there: int) -> np.ndarray:
        """A frame (S, S, 3) with the head where it stands in a frame of another clip, as references do when played."""
        onto = self.side / face.prepared.shape[1] * self.stance(number).onto(frame, self.stance(other), there)
        return cut(face.prepared[frame], onto, self.side, self.side)

    def counterpart(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """For every frame of a clip one of the actor's next clip (T, S, S, 3) that is held most alike, and the clip's
        own frames laid over those: what it would be if the actor in the other video said and felt the same.

        Of an actor with one clip: the same clip from its middle on, and its own frames as they are.
        """
        face, own = self[number], self.by_actor[self.clips[number].facts.speaker]
        other = own[(own.index(number) + 1) % len(own)]
        if other == number:
            return np.roll(face.frames, len(face.frames) // 2, axis=0), face.frames
        stance, seen = self.stance(number), np.nonzero(np.isfinite(self.stance(other).held).all(1))[0]
        there = [stance.most_alike(t, self.stance(other), seen)[1] for t in range(len(face.frames))]
        laid = [self._laid(face, number, t, other, place) for t, place in enumerate(there)]
        return self[other].frames[there], np.stack(laid)

    def stance(self, number: int) -> Stance:
        """How the head is held in a clip."""
        if number not in self._stances:
            self._stances[number] = Stance.of(self.clips[number])
        return self._stances[number]


@dataclass(frozen=True)
class Material:
    """What is learned from and what is not."""

    train: Shelf
    val: Shelf
    test: Shelf | None


def material(data: Path, side: int, config: DataConfig, *, feeling: bool = True) -> Material:
    """The clips of a prepared folder that show one of the six emotions; without `feeling`, those of the base model.

    Raises InputError where there are none, where clips are cropped otherwise, and for an actor in two splits.
    """
    clips = prepared_clips(data, None if feeling else config.base_dataset)
    chosen = [clip for clip in clips if _usable(clip) and (not feeling or clip.facts.emotion in EMOTIONS)]
    if not chosen:
        what = "shows one of the six emotions with a voice" if feeling else "has a voice"
        raise InputError(f"no prepared clip here {what}", data, "prepare CREMA-D: vultus prepare crema_d RAW OUT")
    strange = next((clip for clip in chosen if clip.facts.crop != "wav2lip"), None)
    if strange is not None:
        raise InputError(f"this clip is cropped as {strange.facts.crop}", strange.name, "prepare with --crop wav2lip")
    train, val, test = actors_apart(chosen, config, data)
    shelves = [Shelf(part, side, config.kept_clips) for part in (train, val, test)]
    return Material(shelves[0], shelves[1], shelves[2] if test else None)


def _usable(clip: PreparedClip) -> bool:
    """Whether it has pictures, a voice, and a stretch of frames in which the face is seen."""
    return clip.has_pictures and clip.facts.sound and len(window_starts(clip.track().valid)) > 0


def actors_apart(
    clips: Sequence[PreparedClip], config: DataConfig, where: Path
) -> tuple[list[PreparedClip], list[PreparedClip], list[PreparedClip]]:
    """Clips to train, validate and test on. No actor is in two of them. Raises InputError otherwise.

    Where the data have no validation split, `val_actors` of the training actors are held out, by the seed.
    """
    parts: dict[str, list[PreparedClip]] = {"train": [], "val": [], "test": []}
    for clip in clips:
        parts[clip.split].append(clip)
    if not parts["val"] and config.val_actors:
        actors = sorted({_actor(clip) for clip in parts["train"]})
        if len(actors) <= config.val_actors:
            what = f"{len(actors)} actors are too few to hold out {config.val_actors}"
            raise InputError(what, where, "prepare more, or lower data.val_actors")
        held = set(np.random.default_rng(config.seed).permutation(actors)[: config.val_actors].tolist())
        parts["val"] = [clip for clip in parts["train"] if _actor(clip) in held]
        parts["train"] = [clip for clip in parts["train"] if _actor(clip) not in held]
    seen: dict[str, str] = {}
    for split, some in parts.items():
        for clip in some:
            if seen.setdefault(_actor(clip), split) != split:
                what = f"the actor {clip.facts.speaker} is in the splits {seen[_actor(clip)]} and {split}"
                raise InputError(what, where, "prepare the set again")
    if not parts["train"]:
        raise InputError("no clip here is for training", where, "prepare more")
    return parts["train"], parts["val"] or parts["train"], parts["test"]


def _actor(clip: PreparedClip) -> str:
    return f"{clip.facts.dataset}/{clip.facts.speaker}"


def window_starts(valid: np.ndarray) -> np.ndarray:
    """First frames (n,) of the windows in which all frames are valid (T,)."""
    if len(valid) < WINDOW:
        return np.zeros(0, int)
    return np.nonzero(np.lib.stride_tricks.sliding_window_view(valid, WINDOW).all(1))[0]


def talking_face(clip: PreparedClip, side: int) -> TalkingFace:
    """Read a clip into memory."""
    prepared = np.stack(list(clip.frames()))
    frames = np.stack([_sized(image, side) for image in prepared])
    facts = clip.facts
    emotion = EMOTIONS.index(facts.emotion) if facts.emotion in EMOTIONS else -1
    known = facts.av_offset_ms is not None and facts.av_confidence is not None and facts.av_confidence >= SURE
    offset_s = (facts.av_offset_ms or 0) / 1000 if known else 0.0
    starts = window_starts(clip.track().valid)
    return TalkingFace(facts.speaker, emotion, frames, prepared, mel_of(clip.waveform), starts, offset_s)


def _sized(image: np.ndarray, side: int) -> np.ndarray:
    if image.shape[:2] == (side, side):
        return image.copy()
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if len(image) > side else cv2.INTER_CUBIC)


def _two_starts(starts: np.ndarray, rng: np.random.Generator) -> tuple[int, int]:
    """Two windows of a clip, `FAR_S` apart or as far as can be."""
    start = int(rng.choice(starts))
    away = np.abs(starts - start)
    far = starts[away >= min(FAR_S * FPS, away.max())]
    return start, int(rng.choice(far))
