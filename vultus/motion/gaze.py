"""Where the eyes look: fixations, fast saccades between them, and a frequent return to the viewer.

After EmoFace, section 3.3: every cycle draws a pause, a radius and an angle, and in 40 % of the
cycles the eyes go back to the centre. Ours differs in two points: pauses are longer (0.5-2 s; the paper's 15-45 frames
at 60 fps look nervous in a portrait close up), and moves take as long as real saccades of their size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vultus.core.controls import Gaze
from vultus.core.timeline import Timeline
from vultus.motion.noise import frame_times

RETURN_SHARE = 0.4
PAUSE_S = (0.5, 2.0)
RADIUS_DEG = (2.0, 6.0)
"""EmoFace's radius .1-.2 of the eyes' range, on an eye that turns about 30 degrees."""
VERTICAL_SHARE = 0.6
"""Eyes wander more sideways than up and down."""

_SWITCH_S = 0.08
"""Time of the move from one key of the user's timeline to the next."""


@dataclass(frozen=True)
class Saccade:
    """A move of the eyes from one fixation to the next. It lasts 21 ms + 2.2 ms a degree (main sequence)."""

    start_s: float
    from_deg: np.ndarray
    to_deg: np.ndarray

    @property
    def duration_s(self) -> float:
        return 0.021 + 0.0022 * float(np.hypot(*(self.to_deg - self.from_deg)))

    def at(self, time_s: np.ndarray) -> np.ndarray:
        """Direction (n, 2) in degrees from the start of the move on: a smooth ramp, then the new fixation."""
        x = np.clip((time_s - self.start_s) / self.duration_s, 0, 1)[:, None]
        return self.from_deg + (self.to_deg - self.from_deg) * x * x * (3 - 2 * x)


class GazeTrack:
    """Gaze of a performance under the user's timeline, frame by frame; seeded and independent of chunking."""

    def __init__(self, timeline: Timeline[Gaze], fps: float, seed: int) -> None:
        self._timeline = timeline
        self._fps = fps
        self._frame = 0
        self._rng = np.random.default_rng([seed, 0x6A2E])
        self._saccades = [Saccade(0.0, np.zeros(2), np.zeros(2))]
        self._next_s = self._rng.uniform(*PAUSE_S)

    def frames(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The next `count` frames: directions (count, 2) float32 in degrees (x towards image right, y up), and how far
        (count,) float32 0-1 the eyes are free to hold the viewer against the head's motion (0 where gaze is still)."""
        time_s = frame_times(self._frame, count, self._fps)
        self._frame += count
        natural = self._natural(time_s)
        gaze, free = np.zeros((count, 2)), np.zeros(count)
        shares = self._timeline.weights(time_s, _SWITCH_S)
        for (_, value), share in zip(self._timeline.keys, shares.T, strict=True):
            direction = natural if value.kind == "natural" else np.array(value.direction_deg)
            gaze += share[:, None] * direction
            free += share * (value.kind != "still")
        return gaze.astype(np.float32), free.astype(np.float32)

    def _natural(self, time_s: np.ndarray) -> np.ndarray:
        gaze = np.zeros((len(time_s), 2))
        if len(time_s) == 0:
            return gaze
        while self._next_s <= time_s[-1]:
            self._saccades.append(Saccade(self._next_s, self._saccades[-1].to_deg, self._target_deg()))
            self._next_s += self._rng.uniform(*PAUSE_S)
        edges = np.searchsorted(time_s, [saccade.start_s for saccade in self._saccades[1:]])
        for saccade, a, b in zip(self._saccades, [0, *edges], [*edges, len(time_s)], strict=True):
            gaze[a:b] = saccade.at(time_s[a:b])
        self._saccades = self._saccades[-1:]
        return gaze

    def _target_deg(self) -> np.ndarray:
        back, radius_deg, angle = self._rng.random(), self._rng.uniform(*RADIUS_DEG), self._rng.uniform(0, 2 * np.pi)
        if back < RETURN_SHARE:
            return np.zeros(2)
        return radius_deg * np.array([np.cos(angle), VERTICAL_SHARE * np.sin(angle)])
