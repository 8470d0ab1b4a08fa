"""From phones to the pose of lips and jaw: targets, co-articulation, closures.

Targets are mouth apertures and widths, as z-scores over running speech. The figures of some phones (AA, AE, AO, ER, UW,
B, P, M and F) are measured on tracked talkers; the rest are set by hand in between.
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
    funnel: float = 0.3
    """Share of the rounding that flares the lips instead of puckering them."""
    teeth: float = 0.0
    """Lips drawn off the teeth, 0-1."""
    tongue: float = 0.0
    """Tongue tip between the teeth, 0-1."""


_AA, _AO, _EH = Viseme(1.2), Viseme(0.11, -1.36, funnel=0.6), Viseme(0.7, 0.3)
_IY, _UW = Viseme(0.3, 0.8, teeth=0.3), Viseme(-0.6, -1.3, funnel=0.15)
_ALVEOLAR = Viseme(0.1, 0.15, 0.45, 0.2, teeth=0.4)
_SIBILANT = Viseme(-0.05, 0.35, 0.9, 0.35, teeth=0.9)
_POSTALVEOLAR = Viseme(0.05, -0.55, 0.9, 0.9, funnel=0.8, teeth=0.7)
_VELAR = Viseme(0.3, 0.1, 0.35, 0.15)
_BILABIAL = Viseme(-0.7, -0.1, 0.8, 0.2)
_LABIODENTAL = Viseme(-0.93, 0.0, 0.9, 0.3)
_DENTAL = Viseme(0.1, 0.0, 0.6, 0.2, teeth=0.3, tongue=1.0)

VISEMES: dict[str, tuple[Viseme, ...]] = {
    "AA": (_AA,), "AE": (Viseme(1.2, 0.5, teeth=0.2),), "AH": (Viseme(0.2, 0.0, 0.8, 0.7),), "AO": (_AO,),
    "AW": (_AA, Viseme(-0.4, -1.1)), "AY": (_AA, _IY), "EH": (_EH,), "ER": (Viseme(-0.48, -0.5, funnel=0.6),),
    "EY": (_EH, _IY), "IH": (Viseme(0.2, 0.3, teeth=0.2),), "IY": (_IY,), "OW": (Viseme(-0.3, -0.9, funnel=0.5), _UW),
    "OY": (_AO, _IY), "UH": (Viseme(-0.3, -0.8),), "UW": (_UW,),
    "B": (_BILABIAL,), "P": (_BILABIAL,), "M": (_BILABIAL,), "F": (_LABIODENTAL,), "V": (_LABIODENTAL,),
    "T": (_ALVEOLAR,), "D": (_ALVEOLAR,), "N": (_ALVEOLAR,), "L": (Viseme(0.0, -0.3, 0.5, 0.25, tongue=0.2),),
    "S": (_SIBILANT,), "Z": (_SIBILANT,), "SH": (_POSTALVEOLAR,), "ZH": (_POSTALVEOLAR,), "CH": (_POSTALVEOLAR,),
    "JH": (_POSTALVEOLAR,), "TH": (_DENTAL,), "DH": (_DENTAL,), "K": (_VELAR,), "G": (_VELAR,), "NG": (_VELAR,),
    "HH": (Viseme(0.9, 0.0, 0.4, 0.1),), "R": (Viseme(-0.05, -0.7, 0.6, 1.0, funnel=0.7),),
    "W": (Viseme(-0.65, -1.6, 1.1, 1.6, funnel=0.1),), "Y": (Viseme(0.15, 0.4, 0.6, 0.4, teeth=0.2),),
}  # fmt: skip
"""Every ARPAbet phone but SIL; diphthongs are two visemes, the first a little longer."""

SYMBOLS = (SILENCE, *sorted(VISEMES))
"""What speech networks tell apart, in the order of their outputs."""
CLOSING = frozenset("BPM")
TUCKING = frozenset("FV")
_BURST = {"P": 0.35, "B": 0.45}
"""Where in the phone the lips are shut; a stop's recognised span includes its release (measured)."""

_CLOSED_S, _CLOSING_S = 0.03, 0.06
"""Half the time of shut lips, and the flanks: the measured dip is .14 s wide; no frame at 25 fps misses it."""
_SPREAD_S = 0.055
"""How far a viseme's influence fades beyond its span (sd of a Gaussian)."""
_DIPHTHONG_TURN = 0.55

_PARTED = Viseme(-0.2, 0.25)
_PARTED_WEIGHT = 0.04
"""What the mouth tends to where no phone is near: lips a little apart, as measured in short pauses."""

ARTICULATORS = ("jaw", "round", "funnel", "wide", "teeth", "tongue", "close", "tuck")
"""Columns of `articulation`, all 0-1 but jaw (ARKit jawOpen) and round, funnel, wide (about ARKit weights)."""


def targets(viseme: Viseme) -> np.ndarray:
    """(6,) of a viseme: jaw, round, funnel, wide, teeth, tongue."""
    jaw = max(0.02, 0.155 + 0.115 * viseme.aperture_z)
    narrow, wide = max(0.0, -viseme.width_z), max(0.0, viseme.width_z)
    return np.array([
        jaw, 0.42 * narrow * (1 - viseme.funnel), 0.42 * narrow * viseme.funnel, 0.4 * wide, viseme.teeth, viseme.tongue
    ])  # fmt: skip


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
