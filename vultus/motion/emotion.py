"""Emotions as whole-face expressions: eight of them, three levels, mixed, blended along a timeline, never frozen.

The shapes follow the action units of prototypical displays (Ekman and Friesen's FACS): happy AU6+12, sad AU1+4+15+17,
fear AU1+2+4+5+7+20+26, angry AU4+5+7+23+24, surprised AU1+2+5+26, disgusted AU9+10+15+17, contempt AU12+14 on one side.
"""

from __future__ import annotations

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.core.controls import Emotion
from vultus.core.timeline import Timeline
from vultus.motion.noise import SmoothNoise, frame_times

EASE_S = 0.4
"""Time of the change from one key of an emotion timeline to the next."""

LEVEL_STRENGTH = (0.0, 0.62, 0.81, 1.0)
"""Share of the full shape at levels 0, 1, 2 and 3; linear in between. At less than half of it, few displays can be told
from a strange person's resting face."""

Shape = dict[str, float]

_SHAPES: dict[str, tuple[Shape, Shape]] = {
    "neutral": ({}, {}),
    "happy": (
        {"mouthSmile": 0.9, "cheekSquint": 0.7, "eyeSquint": 0.35, "mouthDimple": 0.15, "browOuterUp": 0.1},
        {"mouthUpperUp": 0.3, "mouthLowerDown": 0.2, "jawOpen": 0.06},
    ),
    "sad": (
        {"browInnerUp": 1.0, "browDown": 0.3, "mouthFrown": 0.9, "mouthShrugLower": 0.5, "eyeSquint": 0.2,
         "eyeBlink": 0.2},
        {"mouthRollLower": 0.12, "mouthPress": 0.12, "cheekSquint": 0.2},
    ),
    "angry": (
        {"browDown": 1.0, "noseSneer": 0.3, "eyeSquint": 0.5, "eyeWide": 0.35, "mouthPress": 0.7, "mouthFrown": 0.5,
         "jawForward": 0.25, "mouthRollUpper": 0.3, "mouthRollLower": 0.25},
        {"mouthUpperUp": 0.1, "mouthLowerDown": 0.2, "noseSneer": 0.1, "mouthFrown": 0.15},
    ),
    "fear": (
        {"browInnerUp": 0.95, "browOuterUp": 0.25, "browDown": 0.45, "eyeWide": 0.95, "mouthStretch": 0.95,
         "mouthFrown": 0.25, "mouthLowerDown": 0.15},
        {"jawOpen": 0.1, "mouthLowerDown": 0.3, "mouthUpperUp": 0.06},
    ),
    "surprised": (
        {"browInnerUp": 0.9, "browOuterUp": 1.0, "eyeWide": 0.7, "jawOpen": 0.26, "mouthFunnel": 0.2},
        {"jawOpen": 0.18, "eyeWide": 0.15, "mouthUpperUp": 0.08},
    ),
    "disgusted": (
        {"noseSneer": 0.95, "mouthUpperUp": 0.45, "browDown": 0.45, "eyeSquint": 0.45, "cheekSquint": 0.4,
         "mouthFrown": 0.45, "mouthShrugLower": 0.4},
        {"mouthUpperUp": 0.12, "mouthLowerDown": 0.2, "tongueOut": 0.06},
    ),
    "contempt": (
        {"mouthSmileLeft": 0.75, "mouthDimpleLeft": 0.8, "mouthUpperUpLeft": 0.25, "cheekSquintLeft": 0.45,
         "mouthLeft": 0.3, "eyeSquint": 0.3, "browDownLeft": 0.05, "browDownRight": 0.4, "browOuterUpLeft": 0.6,
         "mouthPressRight": 0.3},
        {"noseSneerLeft": 0.3, "mouthUpperUpLeft": 0.1},
    ),
}  # fmt: skip
"""Per emotion: the shape at level 3, and what is added above level 1.5 only. A name without a side means both."""


def expression_of(emotion: Emotion, intensity: float) -> np.ndarray:
    """ARKit weights (52,) float64 0-1 of an emotion or mix at its own level, or at `intensity` (0-3) if it has none."""
    level = intensity if emotion.level is None else emotion.level
    strength = np.interp(level, range(4), LEVEL_STRENGTH)
    extra = np.clip((level - 1.5) / 1.5, 0, 1)
    weights = np.zeros(len(ARKIT52))
    for name, share in emotion.mix:
        shape, strong = _SHAPES[name]
        weights += share * (strength * _vector(shape) + extra * _vector(strong))
    return np.clip(weights, 0, 1)


class EmotionTrack:
    """The emotional expression of a performance, frame by frame; seeded and independent of chunking.

    A held emotion lives: each part of the face grows and shrinks slowly by about a tenth.
    """

    VARIATION = 0.09

    def __init__(self, timeline: Timeline[Emotion], intensity: float, fps: float, seed: int) -> None:
        self._timeline = timeline
        self._expressions = np.stack([expression_of(emotion, intensity) for _, emotion in timeline.keys])
        self._fps = fps
        self._frame = 0
        self._life = SmoothNoise(len(_PARTS), 0.07, 0.6, 0.8, np.random.default_rng([seed, 0xE30]))

    def frames(self, count: int) -> np.ndarray:
        """The next `count` frames: ARKit weights (count, 52) float64 0-1."""
        time_s = frame_times(self._frame, count, self._fps)
        self._frame += count
        weights = self._timeline.weights(time_s, EASE_S) @ self._expressions
        return np.clip(weights * (1 + self.VARIATION * self._life.at(time_s))[:, _PART_OF], 0, 1)


_PARTS = ("brow", "eye", "cheek", "nose", "jaw", "mouth", "tongue")
_PART_OF = np.array([next(i for i, part in enumerate(_PARTS) if name.startswith(part)) for name in ARKIT52])
"""Part of the face (index into `_PARTS`) that each ARKit weight belongs to."""


def _vector(shape: Shape) -> np.ndarray:
    weights = np.zeros(len(ARKIT52))
    for name, weight in shape.items():
        for side in (name,) if name in ARKIT52 else (name + "Left", name + "Right"):
            weights[index_of(side)] += weight
    return weights
