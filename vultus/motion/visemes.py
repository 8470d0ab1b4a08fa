"""From phones to the pose of lips and jaw: targets, co-articulation, closures.

Targets are mouth apertures and widths, as z-scores over running speech, fitted to sixteen tracked talkers whose words
were recognised and aligned, and drawn towards values set by hand (docs/lips.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vultus.audio.phones import SILENCE
from vultus.core.bases import ARKIT52, index_of
from vultus.core.types import Phone

REACH_S = 0.3
"""A phone shapes the lips no further than this before its start and after its end."""


@dataclass(frozen=True)
class Viseme:
    """What one sound asks of the mouth, and how firmly it insists against its neighbours."""

    aperture_z: float
    """Inner-lip gap, in standard deviations of running speech."""
    width_z: float = 0.0
    """Distance of the mouth corners, likewise; negative is rounded."""
    dominance: float = 1.0
    """Weight on the opening: vowels 1, sounds made by the tongue little."""
    lip_dominance: float = 1.0
    """Weight on rounding and spreading."""
    funnel: float = 0.15
    """Share of the rounding that flares the lips instead of puckering them."""
    teeth: float = 0.0
    """Lips drawn off the teeth, 0-1."""
    tongue: float = 0.0
    """Tongue tip between the teeth, 0-1."""


VISEMES: dict[str, tuple[Viseme, ...]] = {
    "AA": (Viseme(1.25, -0.23, 0.86, 1.03),),
    "AE": (Viseme(1.49, 0.59, 0.99, 0.95, teeth=0.2),),
    "AH": (Viseme(0.27, 0.03, 0.72, 0.68),),
    "AO": (Viseme(-0.15, -1.36, 0.99, 0.99, funnel=0.3),),
    "AW": (
        Viseme(1.28, 0.12, 1.04, 1.02),
        Viseme(-0.43, -1.05, 0.98, 0.97, funnel=0.15),
    ),
    "AY": (
        Viseme(1.48, 0.04, 1.15, 1),
        Viseme(0.39, 0.76, 0.94, 1.01, teeth=0.3),
    ),
    "EH": (Viseme(0.8, 0.42, 1, 1),),
    "ER": (Viseme(-0.5, -0.35, 1.02, 1.03, funnel=0.3),),
    "EY": (
        Viseme(0.85, 0.41, 1.08, 0.98),
        Viseme(0.33, 0.83, 0.99, 1.02, teeth=0.3),
    ),
    "IH": (Viseme(0.24, 0.31, 1, 0.97, teeth=0.2),),
    "IY": (Viseme(0.4, 0.68, 0.93, 0.79, teeth=0.3),),
    "OW": (
        Viseme(-0.44, -0.84, 1, 1.01, funnel=0.25),
        Viseme(-0.79, -1.2, 1.08, 1.01, funnel=0.07),
    ),
    "OY": (
        Viseme(0.04, -1.45, 1, 1.08, funnel=0.3),
        Viseme(0.23, 0.72, 0.99, 0.95, teeth=0.3),
    ),
    "UH": (Viseme(-0.19, -0.74, 0.99, 1, funnel=0.15),),
    "UW": (Viseme(-0.78, -1.17, 1.05, 1, funnel=0.07),),
    "B": (Viseme(-0.73, -0.19, 0.81, 0.21),),
    "P": (Viseme(-0.68, -0.29, 0.79, 0.2),),
    "M": (Viseme(-0.7, -0.33, 0.78, 0.22, funnel=0.15),),
    "F": (Viseme(-0.94, 0.15, 0.9, 0.32),),
    "V": (Viseme(-0.78, -0.01, 0.82, 0.3),),
    "T": (Viseme(-0.09, 0.07, 0.48, 0.2, teeth=0.4),),
    "D": (Viseme(-0.09, 0.36, 0.46, 0.21, teeth=0.4),),
    "N": (Viseme(-0.35, 0.22, 0.47, 0.2, teeth=0.4),),
    "L": (Viseme(-0.24, -0.52, 0.52, 0.27, funnel=0.15, tongue=0.2),),
    "S": (Viseme(0.17, 0.49, 0.91, 0.35, teeth=0.9),),
    "Z": (Viseme(-0.11, 0.34, 0.87, 0.34, teeth=0.9),),
    "SH": (Viseme(0.07, -0.47, 0.9, 0.89, funnel=0.4, teeth=0.7),),
    "ZH": (Viseme(0.08, -0.55, 0.91, 0.89, funnel=0.4, teeth=0.7),),
    "CH": (Viseme(0.06, -0.45, 0.86, 0.89, funnel=0.4, teeth=0.7),),
    "JH": (Viseme(0.09, -0.45, 0.89, 0.88, funnel=0.4, teeth=0.7),),
    "TH": (Viseme(0.04, 0.09, 0.6, 0.2, teeth=0.3, tongue=1),),
    "DH": (Viseme(-0.13, 0.19, 0.61, 0.2, teeth=0.3, tongue=1),),
    "K": (Viseme(0.42, 0.22, 0.33, 0.15),),
    "G": (Viseme(0.29, 0.08, 0.34, 0.15),),
    "NG": (Viseme(0.25, 0.13, 0.34, 0.15),),
    "HH": (Viseme(1.01, -0.06, 0.39, 0.1),),
    "R": (Viseme(-0.46, -0.85, 0.66, 1.01, funnel=0.35),),
    "W": (Viseme(-1.14, -1.57, 1.38, 1.66, funnel=0.05),),
    "Y": (Viseme(0.1, 0.29, 0.6, 0.39, teeth=0.2),),
}
"""Every ARPAbet phone but SIL; diphthongs are two visemes, the first a little longer."""

SYMBOLS = (SILENCE, *sorted(VISEMES))
"""What speech networks tell apart, in the order of their outputs."""
CLOSING = frozenset("BPM")
TUCKING = frozenset("FV")
_BURST = {"P": 0.35, "B": 0.45}
"""Where in the phone the lips are shut; a stop's recognised span includes its release (measured)."""

_CLOSED_S, _CLOSING_S = 0.03, 0.06
"""Half the time of shut lips, and the flanks: the measured dip is .14 s wide; no frame at 25 fps misses it."""
_SPREAD_S = 0.05
"""How far a viseme's influence fades beyond its span (sd of a Gaussian)."""
_DIPHTHONG_TURN = 0.55

_PARTED = Viseme(-0.2, 0.25)
_PARTED_WEIGHT = 0.04
"""What the mouth tends to where no phone is near: lips a little apart, as measured in short pauses."""

_JAW, _JAW_PER_SD, _LEAST_JAW = 0.185, 0.19, 0.02
_ROUND, _WIDE = 0.55, 0.52
"""Weights of the mean mouth and of one standard deviation: with them motion is about as large as people's."""
_FUNNEL_GAP, _TEETH_GAP = 0.38, 0.05
"""How far flared lips, and lips off the teeth, part the mouth by themselves, in units of the jaw."""

ARTICULATORS = ("jaw", "round", "funnel", "wide", "teeth", "tongue", "close", "tuck")
"""Columns of `articulation`, all 0-1 but jaw (ARKit jawOpen) and round, funnel, wide (about ARKit weights)."""


def targets(viseme: Viseme) -> np.ndarray:
    """(6,) of a viseme: jaw, round, funnel, wide, teeth, tongue."""
    narrow, wide = max(0.0, -viseme.width_z), max(0.0, viseme.width_z)
    rounded, flared = _ROUND * narrow * (1 - viseme.funnel), _ROUND * narrow * viseme.funnel
    jaw = _JAW + _JAW_PER_SD * viseme.aperture_z - _FUNNEL_GAP * flared - _TEETH_GAP * viseme.teeth
    return np.array([max(jaw, _LEAST_JAW), rounded, flared, _WIDE * wide, viseme.teeth, viseme.tongue])


def articulation(phones: Sequence[Phone], time_s: np.ndarray) -> np.ndarray:
    """Mouth shapes (n, 8) (`ARTICULATORS`) at times (n,), blended from the phones around each.

    A weighted mean of viseme targets: a viseme's weight is its dominance within its span and fades beyond it, so that
    firm sounds colour their neighbours (after Cohen and Massaro's dominance functions). SIL has no shape of its own.
    """
    base = targets(_PARTED)
    total = np.full((len(time_s), 6), _PARTED_WEIGHT)
    blend = base * total
    close, tuck = np.zeros(len(time_s)), np.zeros(len(time_s))
    for phone in phones:
        near = slice(*np.searchsorted(time_s, (phone.start_s - REACH_S, phone.end_s + REACH_S)))
        if phone.symbol not in VISEMES or near.start == near.stop:
            continue
        for viseme, start_s, end_s in _spans(phone):
            weight = _influence(time_s[near], start_s, end_s)[:, None] * _insistence(viseme)
            blend[near] += weight * targets(viseme)
            total[near] += weight
        if phone.symbol in CLOSING:
            close[near] = np.maximum(close[near], _contact(time_s[near], phone))
        elif phone.symbol in TUCKING:
            tuck[near] = np.maximum(tuck[near], _contact(time_s[near], phone))
    return np.concatenate([blend / total, close[:, None], tuck[:, None]], axis=1)


def arkit_weights(shapes: np.ndarray) -> np.ndarray:
    """ARKit weights (n, 52) float32 of mouth shapes (n, 8). Closed lips have mouthClose equal to jawOpen."""
    jaw, rounded, funnel, wide, teeth, tongue, close, tuck = np.asarray(shapes, np.float64).T
    free = 1 - np.maximum(close, tuck)
    jaw = jaw * (1 - 0.45 * close) * (1 - 0.5 * tuck)
    weights = np.zeros((len(shapes), len(ARKIT52)))

    def put(name: str, value: np.ndarray) -> None:
        sides = (name,) if name in ARKIT52 else (name + "Left", name + "Right")
        for side in sides:
            weights[:, index_of(side)] = value

    put("jawOpen", jaw)
    put("mouthClose", jaw * np.maximum(close, 0.35 * tuck))
    put("mouthPucker", rounded * (1 - 0.3 * close))
    put("mouthFunnel", funnel * free)
    put("mouthStretch", 0.7 * wide * (1 - 0.5 * close))
    put("mouthSmile", 0.35 * wide * (1 - 0.5 * close))
    put("mouthLowerDown", (0.3 * jaw + 0.18 * teeth) * free)
    put("mouthUpperUp", (0.12 * jaw + 0.08 * teeth) * free + 0.14 * tuck)
    put("mouthRollLower", 0.12 * close + 0.5 * tuck)
    put("mouthRollUpper", 0.1 * close)
    put("mouthPress", 0.22 * close)
    put("mouthShrugUpper", 0.06 * close)
    put("tongueOut", 0.22 * tongue**2 * free)
    return np.clip(weights, 0, 1).astype(np.float32)


def _spans(phone: Phone) -> list[tuple[Viseme, float, float]]:
    visemes = VISEMES[phone.symbol]
    if len(visemes) == 1:
        return [(visemes[0], phone.start_s, phone.end_s)]
    turn_s = phone.start_s + _DIPHTHONG_TURN * (phone.end_s - phone.start_s)
    return [(visemes[0], phone.start_s, turn_s), (visemes[1], turn_s, phone.end_s)]


def _insistence(viseme: Viseme) -> np.ndarray:
    lips, opening = viseme.lip_dominance, viseme.dominance
    return np.array([opening, lips, lips, lips, opening, opening])


def _influence(time_s: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    """1 in the middle of a span, fading as a Gaussian past its edges; short sounds hardly reach their target."""
    length_s = end_s - start_s
    core_s = 0.25 * length_s
    outside_s = np.maximum(np.abs(time_s - 0.5 * (start_s + end_s)) - core_s, 0)
    return np.exp(-0.5 * (outside_s / _SPREAD_S) ** 2) * min(1.0, 0.4 + 6 * length_s)


def _contact(time_s: np.ndarray, phone: Phone) -> np.ndarray:
    """0-1 contact of the lips (or of lip and teeth) for one phone: shut for a moment, smooth flanks."""
    middle_s = phone.start_s + _BURST.get(phone.symbol, 0.5) * (phone.end_s - phone.start_s)
    held_s = max(_CLOSED_S, 0.3 * (phone.end_s - phone.start_s))
    x = np.clip((held_s + _CLOSING_S - np.abs(time_s - middle_s)) / _CLOSING_S, 0, 1)
    return x * x * (3 - 2 * x)
