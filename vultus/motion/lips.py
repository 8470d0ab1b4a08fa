"""Lips that speak: samples of a voice in, ARKit mouth weights out, frame by frame."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from vultus.audio.phones import SILENCE, PhoneStream
from vultus.core.bases import ARKIT52
from vultus.core.types import SAMPLE_RATE, Phone
from vultus.motion.energy import LoudnessStream
from vultus.motion.noise import frame_times
from vultus.motion.visemes import REACH_S, arkit_weights, articulation


class LipMotion(Protocol):
    """Anything that turns a voice into lip motion as it arrives.

    The frames of all calls together do not depend on how the samples were cut into chunks, and number
    `frame_count(samples, fps)`. Weights are ARKit's, 0-1; channels that speech does not move are 0.
    """

    @property
    def fps(self) -> float: ...

    @property
    def lookahead_s(self) -> float:
        """A frame is out at the latest when this much of the voice past its time has been pushed."""
        ...

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take (n,) float32 samples, mono, 16 kHz; return the (frames, 52) float32 weights that became final."""
        ...

    def finish(self) -> np.ndarray:
        """The remaining (frames, 52) float32 weights; the voice has ended."""
        ...


def frame_count(samples: int, fps: float) -> int:
    """Frames that cover a voice of so many samples: its last moment is still shown."""
    return int(np.ceil(samples * fps / SAMPLE_RATE - 1e-6))


class PhoneLips:
    """Lips from recognised phones and a fitted viseme table. No training, no text, any language."""

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self._recogniser = PhoneStream()
        self._loudness = LoudnessStream()
        self._mouth = MouthTrack(fps)
        self._samples = 0

    @property
    def lookahead_s(self) -> float:
        """See `LipMotion`. Long, because phones are recognised in windows of about three seconds."""
        return PhoneStream.lookahead_s + REACH_S

    def push(self, samples: np.ndarray) -> np.ndarray:
        """See `LipMotion.push`."""
        self._samples += len(samples)
        levels = self._loudness.push(samples)
        return self._mouth.push(self._recogniser.push(samples), levels)

    def finish(self) -> np.ndarray:
        """See `LipMotion.finish`."""
        levels = self._loudness.finish()
        head = self._mouth.push(self._recogniser.finish(), levels)
        tail = self._mouth.finish(frame_count(self._samples, self.fps))
        return np.concatenate([head, tail])


class MouthTrack:
    """ARKit weights from phones and loudness as they become known; holds about a second of either.

    `push` takes phones in order and without gaps from 0 s, and loudness (n,) 0-1 at 100 Hz, and returns frames that no
    later phone can change.
    """

    SHORT_PAUSE_S = 0.5
    """In shorter pauses the mouth only passes from sound to sound; in longer ones it comes to rest."""
    LINGER_S, SETTLE_S = 0.3, 0.9
    """After a sound the lips stay for a moment, then close; they are at rest `SETTLE_S` after it."""
    OPEN_AHEAD_S = 0.2
    """How long before a sound the resting lips begin to move."""
    QUIET_GAIN, LOUD_GAIN = 0.72, 1.1
    _LOUDNESS_LAG_S = 0.05

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._frame = 0
        self._phones: list[Phone] = []
        self._levels = np.zeros(0)
        self._first_level = 0  # index of _levels[0] on the 100 Hz grid

    def push(self, phones: list[Phone], levels: np.ndarray) -> np.ndarray:
        """(frames, 52) float32 that became final."""
        for phone in phones:
            joins = self._phones and phone.symbol == SILENCE == self._phones[-1].symbol
            start_s = self._phones.pop().start_s if joins else phone.start_s
            self._phones.append(Phone(phone.symbol, start_s, phone.end_s))
        self._levels = np.concatenate([self._levels, levels])
        known_s = self._phones[-1].end_s if self._phones else 0.0
        ready = int(np.floor((known_s - REACH_S) * self._fps - 0.5)) + 1
        return self._emit(ready)

    def finish(self, count: int) -> np.ndarray:
        """(frames, 52) float32 up to frame `count`, the end of the voice; a last pause settles as if it went on."""
        if self._phones and self._phones[-1].symbol == SILENCE:
            self._phones.append(replace(self._phones.pop(), end_s=np.inf))
        return self._emit(count)

    def _emit(self, until: int) -> np.ndarray:
        time_s = frame_times(self._frame, max(0, until - self._frame), self._fps)
        if len(time_s) == 0:
            return np.zeros((0, len(ARKIT52)), np.float32)
        shapes = articulation(self._phones, time_s) * (1 - self._rest(time_s))[:, None]
        shapes[:, :5] *= self._gain(time_s)[:, None]
        self._frame = until
        self._forget(time_s[-1])
        return arkit_weights(shapes)

    def _rest(self, time_s: np.ndarray) -> np.ndarray:
        """0 while speaking to 1 with the mouth at rest, by the pause each moment lies in."""
        rest = np.zeros(len(time_s))
        for phone in self._phones:
            short = phone.start_s > 0 and phone.end_s - phone.start_s < self.SHORT_PAUSE_S
            if phone.symbol != SILENCE or short:
                continue
            inside = (time_s >= phone.start_s) & (time_s < phone.end_s)
            settled = np.ones(len(time_s))
            if phone.start_s > 0:  # before the first word the mouth has been at rest for long
                settled = _smooth((time_s - phone.start_s - self.LINGER_S) / (self.SETTLE_S - self.LINGER_S))
            opening = _smooth((phone.end_s - time_s) / self.OPEN_AHEAD_S)
            rest = np.where(inside, np.minimum(settled, opening), rest)
        return rest

    def _gain(self, time_s: np.ndarray) -> np.ndarray:
        """Louder is wider: a factor on the opening from the loudness around each moment."""
        if len(self._levels) == 0:
            return np.ones(len(time_s))
        grid_s = (np.arange(len(self._levels)) + self._first_level + 0.5) / 100
        level = np.interp(time_s + self._LOUDNESS_LAG_S, grid_s, self._levels)
        return self.QUIET_GAIN + (self.LOUD_GAIN - self.QUIET_GAIN) * np.clip((level - 0.3) / 0.6, 0, 1)

    def _forget(self, time_s: float) -> None:
        self._phones = [phone for phone in self._phones if phone.end_s + REACH_S > time_s] or self._phones[-1:]
        stale = int(np.clip((time_s - 0.2) * 100 - self._first_level, 0, len(self._levels)))
        self._levels = self._levels[stale:]
        self._first_level += stale


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
