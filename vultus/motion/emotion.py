"""Emotions as whole-face expressions: eight of them, three levels, mixed, blended along a timeline, never frozen.

The shapes follow the action units of prototypical displays (Ekman and Friesen's FACS): happy AU6+12, sad AU1+4+15+17,
fear AU1+2+4+5+7+20+26, angry AU4+5+7+9+23, surprised AU1+2+5+26, disgusted AU9+10+15+17, contempt AU12+14 on one side.
"""

from __future__ import annotations

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.core.controls import Emotion
from vultus.core.timeline import Timeline
from vultus.motion.noise import SmoothNoise, frame_times

EASE_S = 0.4
"""Time of the change from one key of an emotion timeline to the next."""

LEVEL_STRENGTH = (0.0, 0.45, 0.72, 1.0)
"""Share of the full shape at levels 0, 1, 2 and 3; linear in between."""

Shape = dict[str, float]

_SHAPES: dict[str, tuple[Shape, Shape]] = {
    "neutral": ({}, {}),
    "happy": (
        {"mouthSmile": 0.75, "cheekSquint": 0.65, "eyeSquint": 0.4, "mouthDimple": 0.15, "browOuterUp": 0.12},
        {"mouthUpperUp": 0.2, "mouthLowerDown": 0.12, "jawOpen": 0.06},
    ),
    "sad": (
        {"browInnerUp": 0.9, "browDown": 0.25, "mouthFrown": 0.75, "mouthShrugLower": 0.45, "eyeSquint": 0.2,
         "eyeBlink": 0.16, "mouthStretch": 0.08},
        {"mouthRollLower": 0.12, "mouthPress": 0.12, "cheekSquint": 0.2},
    ),
    "angry": (
        {"browDown": 0.95, "noseSneer": 0.4, "eyeSquint": 0.42, "eyeWide": 0.18, "mouthPress": 0.4, "mouthFrown": 0.38,
         "jawForward": 0.15, "mouthRollUpper": 0.1},
        {"mouthUpperUp": 0.12, "noseSneer": 0.3, "mouthFrown": 0.15, "eyeSquint": 0.1},
    ),
    "fear": (
        {"browInnerUp": 0.9, "browOuterUp": 0.35, "browDown": 0.2, "eyeWide": 0.85, "mouthStretch": 0.55,
         "mouthFrown": 0.2, "jawOpen": 0.05},
        {"jawOpen": 0.1, "mouthLowerDown": 0.3, "mouthUpperUp": 0.06},
    ),
    "surprised": (
        {"browInnerUp": 0.85, "browOuterUp": 0.9, "eyeWide": 0.8, "jawOpen": 0.16, "mouthFunnel": 0.12},
        {"jawOpen": 0.16, "mouthUpperUp": 0.08},
    ),
    "disgusted": (
        {"noseSneer": 0.9, "mouthUpperUp": 0.4, "browDown": 0.5, "eyeSquint": 0.45, "cheekSquint": 0.4,
         "mouthFrown": 0.4, "mouthShrugLower": 0.4},
        {"mouthUpperUp": 0.2, "mouthLowerDown": 0.2, "tongueOut": 0.06},
    ),
    "contempt": (
        {"mouthSmileLeft": 0.55, "mouthDimpleLeft": 0.6, "mouthUpperUpLeft": 0.14, "cheekSquintLeft": 0.35,
         "mouthLeft": 0.18, "eyeSquint": 0.28, "browDownLeft": 0.12, "browDownRight": 0.32, "browOuterUpLeft": 0.4,
         "mouthPressRight": 0.25},
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
