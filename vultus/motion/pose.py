"""Head motion: made up to go with the voice, none, keyed by hand, or taken from a tracked video.

Every source gives `frames(energy)`: rotation (n, 3) in degrees (yaw, pitch, roll; signs: `core.pose`) and translation
(n, 3) in head units, offsets from the subject's own resting pose, for the next n frames.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Protocol

import numpy as np
from scipy.interpolate import PchipInterpolator

from vultus.core.controls import Pose
from vultus.core.errors import ControlError
from vultus.core.types import Performance
from vultus.motion.blink import to_and_fro
from vultus.motion.energy import VoiceEnergy
from vultus.motion.noise import SmoothNoise, frame_times, soft_limit

FREE_DEG, LIMIT_DEG = 15.0, 20.0
"""Rotations up to the first pass unchanged; beyond it they bend softly towards the second: what a photo can show."""
FREE_UNITS, LIMIT_UNITS = 1.0, 2.0
"""The same for translation, in head units (about cm)."""


class HeadMotion(Protocol):
    """Anything that moves the head, see the module's docstring."""

    def frames(self, energy: VoiceEnergy) -> tuple[np.ndarray, np.ndarray]: ...


class StillHead:
    """The head stays as it is on the photo."""

    def frames(self, energy: VoiceEnergy) -> tuple[np.ndarray, np.ndarray]:
        zero = np.zeros((len(energy), 3), np.float32)
        return zero, zero.copy()


class IdleHead:
    """Slow sway about all three axes, livelier while speaking, and a nod on every stressed syllable.

    Sway is smooth noise with a falling spectrum (.06-.9 Hz), so it never drifts; nods are the response of a damped
    spring to the voice's emphasis, with a little turn and tilt whose direction wanders. The motion starts from rest.
    """

    LIMIT_DEG = 6.0
    SWAY_DEG = np.array([1.5, 1.0, 0.8])
    SWAY_UNITS = np.array([0.10, 0.06, 0.12])
    QUIET_SHARE = 0.45
    """Share of the sway that remains in silence."""
    NOD_DEG = 3.2
    LEAN_DEG = 1.2
    NOD_HZ, DAMPING = 1.9, 0.75
    START_S = 1.0
    ACTIVITY_S = 0.8

    def __init__(self, fps: float, seed: int) -> None:
        rng = np.random.default_rng([seed, 0x90D])
        self._fps = fps
        self._frame = 0
        self._turn = SmoothNoise(3, 0.06, 0.9, 0.9, rng)
        self._shift = SmoothNoise(3, 0.05, 0.5, 0.9, rng)
        self._lean = SmoothNoise(2, 0.1, 0.5, 0.5, rng)
        self._activity = 0.0
        self._nod = np.zeros(2)  # position and velocity of the spring

    def frames(self, energy: VoiceEnergy) -> tuple[np.ndarray, np.ndarray]:
        """See `HeadMotion`; also independent of chunking."""
        time_s = frame_times(self._frame, len(energy), self._fps)
        self._frame += len(energy)
        activity, nod = self._respond(energy)
        start = np.clip(time_s / self.START_S, 0, 1)
        lively = (start * start * (3 - 2 * start) * (self.QUIET_SHARE + (1 - self.QUIET_SHARE) * activity))[:, None]
        rotation = self.SWAY_DEG * self._turn.at(time_s) * lively
        lean = self._lean.at(time_s) * nod[:, None]
        rotation += np.stack([self.LEAN_DEG * lean[:, 0], -self.NOD_DEG * nod, self.LEAN_DEG * lean[:, 1]], 1)
        translation = self.SWAY_UNITS * self._shift.at(time_s) * lively
        return soft_limit(rotation, 0.6 * self.LIMIT_DEG, self.LIMIT_DEG).astype(np.float32), translation.astype(
            np.float32
        )

    def _respond(self, energy: VoiceEnergy) -> tuple[np.ndarray, np.ndarray]:
        """Slow activity 0-1 and nod (about 0-1), both (n,); the spring is integrated in four steps a frame."""
        share = 1 - np.exp(-1 / (self._fps * self.ACTIVITY_S))
        omega, step_s = 2 * np.pi * self.NOD_HZ, 0.25 / self._fps
        activity, nod = np.empty(len(energy)), np.empty(len(energy))
        for i in range(len(energy)):
            self._activity += share * (min(1.0, 1.6 * energy.level[i]) - self._activity)
            for _ in range(4):
                pull = omega**2 * (energy.emphasis[i] - self._nod[0]) - 2 * self.DAMPING * omega * self._nod[1]
                self._nod[1] += step_s * pull
                self._nod[0] += step_s * self._nod[1]
            activity[i], nod[i] = self._activity, self._nod[0]
        return activity, nod


class KeyedHead:
    """Head motion through keys of time and yaw, pitch, roll: smooth, without overshoot, held before and after."""

    def __init__(self, fps: float, time_s: np.ndarray, rotation_deg: np.ndarray) -> None:
        self._fps = fps
        self._frame = 0
        self._span_s = (float(time_s[0]), float(time_s[-1]))
        self._first = rotation_deg[0]
        self._curve = PchipInterpolator(time_s, rotation_deg) if len(time_s) > 1 else None

    @classmethod
    def read(cls, path: Path, fps: float) -> KeyedHead:
        """Keys from a CSV file with the columns time_s, yaw, pitch, roll (degrees). Raises ControlError."""
        fix = "the first line is time_s,yaw,pitch,roll, every other one four numbers, times rising"
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                rows = [row for row in csv.reader(file) if row]
        except (OSError, UnicodeDecodeError, csv.Error):
            raise ControlError("the head keys cannot be read", path, fix) from None
        if not rows or [name.strip().lower() for name in rows[0]] != ["time_s", "yaw", "pitch", "roll"]:
            raise ControlError("these are no head keys", path, fix)
        try:
            table = np.array([[float(value) for value in row] for row in rows[1:]], np.float64)
        except ValueError:
            raise ControlError("the head keys hold something that is not a number", path, fix) from None
        if table.ndim != 2 or table.shape[1] != 4 or not np.isfinite(table).all():
            raise ControlError("the head keys lack rows or values", path, fix)
        if (np.diff(table[:, 0]) <= 0).any() or table[0, 0] < 0 or np.abs(table[:, 1:]).max() > 90:
            raise ControlError("times must rise from 0 s on and angles stay within 90 degrees", path, fix)
        return cls(fps, table[:, 0], table[:, 1:])

    def frames(self, energy: VoiceEnergy) -> tuple[np.ndarray, np.ndarray]:
        """See `HeadMotion`; limited to what a photo can show."""
        time_s = np.clip(frame_times(self._frame, len(energy), self._fps), *self._span_s)
        self._frame += len(energy)
        rotation = np.tile(self._first, (len(energy), 1)) if self._curve is None else self._curve(time_s)
        limited = soft_limit(rotation, FREE_DEG, LIMIT_DEG).astype(np.float32)
        return limited, np.zeros_like(limited)


class TrackedHead:
    """The head motion of a tracked video about its own median pose, limited to what a photo can show.

    Past the video's end it runs backwards and forwards again, so that the head never jumps.
    """

    def __init__(self, fps: float, performance: Performance) -> None:
        if performance.rotation is None or len(performance) == 0:
            raise ValueError("a performance that gives head motion needs its rotation")
        seen = performance.valid if performance.valid.any() else np.ones(len(performance), bool)
        source = performance.resampled(fps)
        turned = source.rotation - np.median(performance.rotation[seen], axis=0)
        self._rotation = soft_limit(turned, FREE_DEG, LIMIT_DEG).astype(np.float32)
        self._translation = np.zeros_like(self._rotation)
        if source.translation is not None and performance.translation is not None:
            moved = source.translation - np.median(performance.translation[seen], axis=0)
            self._translation = soft_limit(moved, FREE_UNITS, LIMIT_UNITS).astype(np.float32)
        self._frame = 0

    def frames(self, energy: VoiceEnergy) -> tuple[np.ndarray, np.ndarray]:
        """See `HeadMotion`."""
        at = to_and_fro(np.arange(self._frame, self._frame + len(energy)), len(self._rotation))
        self._frame += len(energy)
        return self._rotation[at], self._translation[at]


def head_motion(pose: Pose, fps: float, seed: int, tracked: Performance | None) -> HeadMotion:
    """The head motion a user asked for. `tracked` is the performance of a pose video, which the caller has tracked."""
    if pose.kind == "video":
        if tracked is None:
            raise ValueError("a pose from a video needs its tracked performance")
        return TrackedHead(fps, tracked)
    if pose.kind == "keys":
        assert pose.path is not None
        return KeyedHead.read(pose.path, fps)
    return StillHead() if pose.kind == "still" else IdleHead(fps, seed)
