"""Blinks and gaze for rig curves, as EmoFace adds them to what its network predicts (sections 3.2 and 3.3).

`motion.blink` and `motion.gaze` are ours, for faces seen close up; these two follow the paper.

Blinks: intervals are 60 s over rates drawn as `motion.blink` draws them (log-normal, cut at 100 a minute so that the
cut distribution has the published moments); within 13 frames at 60 fps the openness of the eye, one minus the blink
control, is multiplied by a curve that falls to zero and rises again. The paper gives no numbers for the curve; ours
shuts in 5 frames and opens in 8.
Gaze: each cycle lasts 15-45 frames; in 40 % of the cycles the eyes go to the centre, else to a radius of .1-.2 of their
range at any angle. Moves are linear ramps; their length is not in the paper, the authors' released code takes 5 frames.
"""

from __future__ import annotations

import numpy as np

from vultus.face.metahuman import index_of
from vultus.motion.blink import draw_rates, published_rate

RIG_FPS = 60.0
"""Frames a second that the paper's frame counts refer to."""
SHUT_FRAME, BLINK_FRAMES = 4, 13
CYCLE_FRAMES = (15, 45)
RADIUS = (0.1, 0.2)
"""Of the range of CTRL_C_eye."""
RETURN_SHARE = 0.4
RAMP_FRAMES = 5
EYE_COLUMNS = (index_of("eye.x"), index_of("eye.y"))
BLINK_COLUMNS = (index_of("eye_blink", "left"), index_of("eye_blink", "right"))


def blink_curve() -> np.ndarray:
    """Factors (13,) on the eye's openness, one a frame at 60 fps; the fifth is 0."""
    frame = np.arange(BLINK_FRAMES)
    down = np.clip((frame + 1) / (SHUT_FRAME + 1), 0, 1)
    up = np.clip((frame - SHUT_FRAME) / (BLINK_FRAMES - SHUT_FRAME), 0, 1)
    return np.where(frame <= SHUT_FRAME, 1 - _eased(down), _eased(up))


class RigBlinks:
    """The blinks of rig curves: `apply` continues where it stopped, seeded and independent of chunking.

    `rate` sets the mean number of blinks a minute (0: none) by stretching all intervals; None keeps the published one.
    """

    def __init__(self, fps: float, seed: int, rate: float | None = None) -> None:
        self._fps = fps
        self._rng = np.random.default_rng([seed, 0x5B1])
        self._stretch = 1.0 if rate is None else np.inf if rate == 0 else published_rate() / rate
        self._frame = 0
        self._start_s = self.interval_s() * self._rng.uniform(0.3, 1.0)
        self._curve = np.append(blink_curve(), 1.0)

    def interval_s(self) -> float:
        """Seconds from the start of one blink to the start of the next, drawn anew; a blink ends before the next."""
        return max(60 / float(draw_rates(1, self._rng)[0]) * self._stretch, BLINK_FRAMES / RIG_FPS)

    def factors(self, count: int) -> np.ndarray:
        """Factors (count,) 0-1 on the openness of the next frames."""
        factors = np.ones(count)
        while True:
            start = int(np.ceil(min(self._start_s, 1e9) * self._fps)) - self._frame  # a frame, so that one sees it shut
            end = start + int(np.ceil(BLINK_FRAMES * self._fps / RIG_FPS))
            near = np.arange(max(start, 0), max(min(end, count), 0))
            factors[near] *= np.interp((near - start) * RIG_FPS / self._fps, np.arange(BLINK_FRAMES + 1), self._curve)
            if end > count:
                break  # what is left of this blink belongs to the next call
            self._start_s += self.interval_s()
        self._frame += count
        return factors

    def apply(self, controls: np.ndarray) -> None:
        """Close the eyes in the next frames of controls (n, 174), in place."""
        factors = self.factors(len(controls))
        for column in BLINK_COLUMNS:
            controls[:, column] = 1 - (1 - controls[:, column]) * factors


class RigGaze:
    """The gaze of rig curves: `apply` continues where it stopped, seeded and independent of chunking."""

    def __init__(self, fps: float, seed: int) -> None:
        self._fps = fps
        self._rng = np.random.default_rng([seed, 0x56A])
        self._frame = 0
        self._from, self._to = np.zeros(2), np.zeros(2)
        self._start_s = 0.0
        self._next_s = self._cycle_s()

    def target(self) -> np.ndarray:
        """Where the eyes go next, (2,) in CTRL_C_eye's range, drawn anew."""
        back, radius, angle = self._rng.random(), self._rng.uniform(*RADIUS), self._rng.uniform(0, 2 * np.pi)
        return np.zeros(2) if back < RETURN_SHARE else radius * np.array([np.cos(angle), np.sin(angle)])

    def frames(self, count: int) -> np.ndarray:
        """x and y (count, 2) of CTRL_C_eye in the next frames: + is towards the subject's left, and up."""
        gaze = np.empty((count, 2))
        for i in range(count):
            time_s = self._frame / self._fps
            if time_s >= self._next_s:
                self._start_s, self._from, self._to = self._next_s, self._to, self.target()
                self._next_s += self._cycle_s()
            share = min(1.0, (time_s - self._start_s) * RIG_FPS / RAMP_FRAMES)
            gaze[i] = self._from + (self._to - self._from) * share
            self._frame += 1
        return gaze

    def apply(self, controls: np.ndarray) -> None:
        """Set the gaze of the next frames of controls (n, 174), in place."""
        controls[:, EYE_COLUMNS] = self.frames(len(controls))

    def _cycle_s(self) -> float:
        return float(self._rng.integers(CYCLE_FRAMES[0], CYCLE_FRAMES[1], endpoint=True)) / RIG_FPS


def _eased(x: np.ndarray) -> np.ndarray:
    return x * x * (3 - 2 * x)
