"""Faces as people show emotions, not as `motion.emotion` acts them: displays drawn at random from action units.

Which units go with which emotion follows the tables of the literature: Ekman and Friesen's prototypes and
major variants (FACS Investigator's Guide, EMFACS), Du, Tao and Martinez 2014 (shares of actors that used each unit),
Ekman and Friesen 1986 and Matsumoto and Ekman 2004 (contempt: a corner tightened and raised on one side).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.core.controls import EMOTIONS, Emotion
from vultus.motion.compose import SpeechBlend
from vultus.motion.emotion import LEVEL_STRENGTH, expression_of
from vultus.motion.visemes import VISEMES, arkit_weights, targets

UNITS: Mapping[int, Mapping[str, float]] = {
    1: {"browInnerUp": 0.95}, 2: {"browOuterUp": 0.95}, 4: {"browDown": 0.95}, 5: {"eyeWide": 0.9},
    6: {"cheekSquint": 0.85, "eyeSquint": 0.4}, 7: {"eyeSquint": 0.8}, 9: {"noseSneer": 0.95, "mouthUpperUp": 0.15},
    10: {"mouthUpperUp": 0.65, "noseSneer": 0.2}, 12: {"mouthSmile": 0.95, "cheekSquint": 0.15, "mouthUpperUp": 0.35},
    14: {"mouthDimple": 0.9, "mouthSmile": 0.1}, 15: {"mouthFrown": 0.9}, 16: {"mouthLowerDown": 0.6},
    17: {"mouthShrugLower": 0.75, "mouthShrugUpper": 0.2}, 18: {"mouthPucker": 0.5}, 20: {"mouthStretch": 0.85},
    22: {"mouthFunnel": 0.5}, 23: {"mouthPress": 0.5, "mouthRollUpper": 0.25, "mouthRollLower": 0.25},
    24: {"mouthPress": 0.9}, 25: {"mouthLowerDown": 0.25, "mouthUpperUp": 0.12, "jawOpen": 0.05},
    26: {"jawOpen": 0.25}, 27: {"jawOpen": 0.55}, 29: {"jawForward": 0.4}, 43: {"eyeBlink": 0.3},
}  # fmt: skip
"""ARKit weights of each action unit at its strongest; a name without a side means both."""

Chances = Mapping[int, float]

DISPLAYS: Mapping[str, tuple[Chances, ...]] = {
    "neutral": ({},),
    "happy": (
        {12: 1.0, 6: 0.75, 25: 1.0, 26: 0.3, 7: 0.15, 2: 0.12, 1: 0.1, 14: 0.15},
        {12: 1.0, 6: 0.4, 25: 0.5, 14: 0.25, 17: 0.1},
        {12: 1.0, 6: 0.85, 25: 1.0, 26: 0.5, 16: 0.35, 10: 0.35, 1: 0.3, 2: 0.3},
    ),
    "sad": (
        {1: 1.0, 4: 0.75, 15: 0.8, 17: 0.4, 6: 0.2, 43: 0.35, 25: 0.15, 20: 0.12, 7: 0.15},
        {4: 0.9, 15: 1.0, 17: 0.7, 1: 0.4, 43: 0.4, 24: 0.15},
        {1: 1.0, 4: 0.6, 43: 0.7, 15: 0.45, 25: 0.2},
    ),
    "fear": (
        {1: 1.0, 2: 0.75, 4: 0.8, 5: 0.9, 20: 0.75, 25: 0.75, 26: 0.35, 7: 0.2},
        {1: 1.0, 4: 0.9, 5: 0.8, 7: 0.3, 20: 0.9, 25: 0.6, 16: 0.2},
    ),
    "angry": (
        {4: 1.0, 7: 0.75, 23: 0.6, 24: 0.5, 17: 0.3, 5: 0.25, 15: 0.15, 29: 0.15},
        {4: 1.0, 5: 0.5, 7: 0.5, 10: 0.5, 25: 0.9, 26: 0.4, 16: 0.4, 22: 0.3, 9: 0.15},
        {4: 1.0, 7: 0.8, 9: 0.2, 24: 0.3, 15: 0.3},
    ),
    "surprised": (
        {1: 1.0, 2: 1.0, 5: 0.8, 25: 0.8, 26: 0.7},
        {1: 1.0, 2: 1.0, 5: 0.7, 27: 0.9, 25: 0.8},
        {1: 1.0, 2: 1.0, 5: 0.85, 18: 0.12},
    ),
    "disgusted": (
        {9: 1.0, 10: 0.4, 4: 0.5, 7: 0.45, 6: 0.25, 17: 0.35, 15: 0.2, 25: 0.2},
        {10: 1.0, 9: 0.45, 17: 0.45, 4: 0.35, 7: 0.4, 15: 0.25, 16: 0.2, 25: 0.35},
        {10: 1.0, 9: 0.7, 25: 0.9, 26: 0.5, 16: 0.5, 4: 0.5, 7: 0.5},
    ),
    "contempt": (
        {14: 0.8, 12: 0.7, 10: 0.2, 43: 0.2, 7: 0.15},
        {12: 1.0, 14: 0.4, 10: 0.15, 2: 0.2, 1: 0.1},
        {14: 1.0, 24: 0.25, 17: 0.2, 4: 0.2, 43: 0.3},
        {10: 1.0, 14: 0.5, 12: 0.3, 7: 0.3},
    ),
}  # fmt: skip
"""Per emotion its variants, each with the chance of every unit; one variant is drawn, then its units."""

ONE_SIDED = frozenset({10, 12, 14, 2})
"""Units that contempt shows on one side."""

HOUSE_SHARE = 0.5
"""Share of displays that are acted as `motion.emotion` does: what we draw ourselves should be read, too."""
TALKING_SHARE, BLEND_SHARE, BOTH_SIDES = 0.6, 0.1, 0.12


@dataclass(frozen=True)
class Display:
    """One face: ARKit weights (52,), and what it shows: shares (8,) in the order of `EMOTIONS`, level 0-3."""

    expression: np.ndarray
    shares: np.ndarray
    level: float


def random_display(rng: np.random.Generator, emotion: str) -> Display:
    """A face that shows an emotion, or it and another; talking or silent, at some moment, with its person's habits."""
    silent = silent_display(rng, emotion, HOUSE_SHARE)
    weights = silent.expression
    if rng.random() < TALKING_SHARE:
        weights = SpeechBlend(25.0)(_lips(rng), np.tile(weights, (3, 1)), 1.0)[-1]
    return replace(silent, expression=_lived_in(rng, weights))


def silent_display(rng: np.random.Generator, emotion: str, house_share: float = 0.0) -> Display:
    """As `random_display`, before anything is said or the face does anything besides."""
    level = 0.0 if emotion == "neutral" else float(rng.uniform(0.8, 3.0))
    shares = np.zeros(len(EMOTIONS))
    shares[EMOTIONS.index(emotion)] = 1.0
    weights = _shown(rng, emotion, level, house_share)
    if emotion != "neutral" and rng.random() < BLEND_SHARE:
        other = str(rng.choice([name for name in EMOTIONS[1:] if name != emotion]))
        share = float(rng.uniform(0.3, 0.5))
        shares = (1 - share) * shares
        shares[EMOTIONS.index(other)] = share
        weights = (1 - share) * weights + share * _shown(rng, other, level, house_share)
    return Display(_asymmetric(rng, weights), shares, level)


def action_units(units: Mapping[int, float], side: str | None = None) -> np.ndarray:
    """ARKit weights (52,) of units at strengths 0-1; `side` "Left" or "Right" keeps those of `ONE_SIDED` to it."""
    weights = np.zeros(len(ARKIT52))
    for unit, strength in units.items():
        for name, full in UNITS[unit].items():
            for sided in (name,) if name in ARKIT52 else (name + "Left", name + "Right"):
                if side is None or unit not in ONE_SIDED or sided.endswith(side) or sided == name:
                    weights[index_of(sided)] += strength * full
    return np.clip(weights, 0, 1)


def _shown(rng: np.random.Generator, emotion: str, level: float, house_share: float) -> np.ndarray:
    if rng.random() < house_share:
        return _mirrored(rng, expression_of(Emotion(((emotion, 1.0),), level), level))
    variants = DISPLAYS[emotion]
    chances = variants[rng.integers(len(variants))]
    strength = float(np.interp(level, range(4), LEVEL_STRENGTH))
    units = {
        unit: strength * float(np.clip(rng.normal(0.85, 0.2), 0.3, 1.2))
        for unit, chance in chances.items()
        if rng.random() < chance
    }
    one_sided = emotion == "contempt" and rng.random() > BOTH_SIDES
    return action_units(units, str(rng.choice(("Left", "Right"))) if one_sided else None)


def _mirrored(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """Half of the time with Left and Right exchanged."""
    return weights[MIRROR] if rng.random() < 0.5 else weights


def _asymmetric(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """No face is quite symmetric, and no two people use each part as much."""
    return np.clip(weights * np.exp(rng.normal(0, 0.14, len(weights))), 0, 1)


def _lips(rng: np.random.Generator) -> np.ndarray:
    """Three frames (3, 52) of lips between two random sounds."""
    names = list(VISEMES)
    first, second = (targets(VISEMES[names[rng.integers(len(names))]][0]) for _ in range(2))
    share = rng.random()
    shape = (share * first + (1 - share) * second) * rng.uniform(0.6, 1.25)
    closing = float(rng.random()) if rng.random() < 0.15 else 0.0
    return np.tile(arkit_weights(np.concatenate([shape, [closing, 0.0]])[None]), (3, 1))


def _lived_in(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """With what faces do besides: a raised brow on a word, lids anywhere, a little of everything."""
    weights = weights + np.abs(rng.normal(0, 0.025, len(weights))) * _FREE
    lift = max(0.0, rng.normal(0.0, 0.1))
    for name, share in (("browInnerUp", 1.0), ("browOuterUpLeft", 0.7), ("browOuterUpRight", 0.7)):
        weights[index_of(name)] += lift * share
    lids = rng.uniform(0, 0.25) if rng.random() < 0.85 else rng.uniform(0.25, 1.0)
    for side in ("Left", "Right"):
        at = index_of("eyeBlink" + side)
        weights[at] = max(weights[at], lids)
        weights[index_of("eyeWide" + side)] *= 1 - lids
    return np.clip(weights, 0, 1)


def _twin(name: str) -> str:
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    return name.removesuffix("Right") + "Left" if name.endswith("Right") else name


MIRROR = np.array([index_of(_twin(name)) for name in ARKIT52])
"""Of each ARKit weight that of the other side."""
_FREE = np.array([not name.startswith(("eyeLook", "tongue", "jawOpen", "mouthClose")) for name in ARKIT52], float)
