"""What comes onto predicted curves afterwards: blinks and gaze, as the paper adds them or as the user wants them."""

from __future__ import annotations

import numpy as np

from vultus.core.bases import ARKIT52
from vultus.core.controls import Controls
from vultus.core.types import Performance
from vultus.face.rig_map import controls_of
from vultus.methods.emoface.config import FPS
from vultus.motion.blink import lid_motion
from vultus.motion.noise import frame_times
from vultus.motion.rig_eyes import BLINK_COLUMNS, EYE_COLUMNS, RigBlinks, RigGaze

SWITCH_S = 0.08
"""Time of the move from one key of the user's gaze timeline to the next."""


class Lids:
    """Blinks on curves at 60 fps: the paper's where they are natural, those of a video or of given times otherwise."""

    def __init__(self, controls: Controls, tracked: Performance | None) -> None:
        natural = controls.blink.kind == "natural"
        self._natural = RigBlinks(FPS, controls.seed, controls.blink_rate) if natural else None
        self._given = None if natural else lid_motion(controls.blink, FPS, controls.seed, None, tracked)

    def apply(self, curves: np.ndarray) -> None:
        """Close the eyes in the next frames (n, 174), in place: the openness that is there times that of the blink."""
        if self._natural is not None:
            self._natural.apply(curves)
        if self._given is not None:
            closed = self._given.frames(len(curves))
            for side, column in enumerate(BLINK_COLUMNS):
                curves[:, column] = 1 - (1 - curves[:, column]) * (1 - closed[:, side])


class Gazes:
    """Gaze on curves at 60 fps under the user's timeline; natural and still eyes keep what the network looks at."""

    def __init__(self, controls: Controls) -> None:
        self._timeline = controls.gaze
        self._natural = RigGaze(FPS, controls.seed)
        self._frame = 0

    def apply(self, curves: np.ndarray) -> None:
        """Move the eyes in the next frames (n, 174), in place."""
        count, columns = len(curves), list(EYE_COLUMNS)
        natural, predicted = self._natural.frames(count), curves[:, columns]
        shares = self._timeline.weights(frame_times(self._frame, count, FPS), SWITCH_S)
        self._frame += count
        looked = np.zeros((count, 2))
        for (_, value), share in zip(self._timeline.keys, shares.T, strict=True):
            aim = {"natural": predicted + natural, "still": predicted}.get(value.kind)
            looked += share[:, None] * (_towards(value.direction_deg) if aim is None else aim)
        curves[:, columns] = np.clip(looked, -1, 1)


def _towards(direction_deg: tuple[float, float]) -> np.ndarray:
    """x and y (2,) of CTRL_C_eye."""
    rest = np.zeros((1, len(ARKIT52)), np.float32)
    return controls_of(rest, np.array([direction_deg], np.float32))[0, list(EYE_COLUMNS)]
