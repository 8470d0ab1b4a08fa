"""One face from its parts: speech, emotion, emphasis and blinks share channels; here is who gives way to whom.

Lip channels are all whose name starts with jaw, mouth or tongue. On them emotion gives way to speech while the lips
articulate: corner channels (smile, frown, dimple, stretch, left, right) keep most of their weight, openers and shapers
(jaw, upper and lower lip, funnel, pucker, roll, press, shrug) little, and none at a closure, so that B, P and M close
in every emotion. Rounding pulls the corners in. Everything above the mouth is emotion's own, but for blinks.
"""

from __future__ import annotations

import numpy as np

from vultus.core.bases import ARKIT52, index_of

CORNER_KEPT, OPENER_KEPT = 0.75, 0.25
"""Share of emotion's weight on corner channels and on the other lip channels while the lips articulate."""
CORNER_KEPT_CLOSED = 0.8
"""Share of that which corners keep at a closure: less would make a smile flicker, more would part the lips."""
ROUNDING_PULL = 0.6

_CORNER_NAMES = ("mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch", "mouthLeft", "mouthRight")
_CORNERS = np.array([name.startswith(_CORNER_NAMES) for name in ARKIT52])
_LIPS = np.array([name.startswith(("jaw", "mouth", "tongue")) for name in ARKIT52])
_OPENERS = _LIPS & ~_CORNERS
_JAW, _CLOSE = index_of("jawOpen"), index_of("mouthClose")
_TUCK = index_of("mouthRollLower")
_ROUND = [index_of("mouthPucker"), index_of("mouthFunnel")]
_MAX_JAW = 0.6


class SpeechBlend:
    """Joins speech and emotion, frame by frame. Stateful: emotion gives way fast and comes back slowly."""

    ATTACK_S, RELEASE_S = 0.06, 0.25

    def __init__(self, fps: float) -> None:
        self._attack = 1 - np.exp(-1 / (fps * self.ATTACK_S))
        self._release = 1 - np.exp(-1 / (fps * self.RELEASE_S))
        self._busy = 0.0

    def __call__(self, lips: np.ndarray, emotion: np.ndarray, lip_scale: float) -> np.ndarray:
        """Weights (n, 52) float64 from lips (n, 52) and emotion (n, 52); `lip_scale` widens or narrows speech."""
        lips = np.asarray(lips, np.float64)
        busy = self._articulating(lips)[:, None]
        closed = np.maximum(closure(lips), _tucked(lips))[:, None]
        spoken = lips * lip_scale
        spoken[:, _JAW] = np.minimum(spoken[:, _JAW], _MAX_JAW)
        spoken[:, _CLOSE] = np.minimum(spoken[:, _CLOSE], spoken[:, _JAW])
        rounding = np.clip(2 * spoken[:, _ROUND].sum(1), 0, 1)[:, None]
        corner = 1 - busy * (1 - CORNER_KEPT)
        corner = corner * (1 - ROUNDING_PULL * rounding) * (1 - closed * (1 - CORNER_KEPT_CLOSED))
        opener = (1 - busy * (1 - OPENER_KEPT)) * (1 - closed)
        kept = np.where(_CORNERS, corner, np.where(_OPENERS, opener, 1.0))
        return np.clip(spoken + kept * emotion, 0, 1)

    def _articulating(self, lips: np.ndarray) -> np.ndarray:
        """(n,) 0 with resting lips to 1 in running speech, following the lips' own activity."""
        active = np.clip((lips[:, _JAW] + lips[:, _ROUND].sum(1)) / 0.06, 0, 1)
        busy = np.empty(len(lips))
        for i, now in enumerate(active):
            self._busy += (self._attack if now > self._busy else self._release) * (now - self._busy)
            busy[i] = self._busy
        return busy


def closure(lips: np.ndarray) -> np.ndarray:
    """How far lips that articulate are pressed shut, (n,) 0-1: mouthClose up to jawOpen, which seals them."""
    jaw, close = lips[:, _JAW], lips[:, _CLOSE]
    return np.where(jaw > 0.01, np.clip((close / np.maximum(jaw, 0.01) - 0.5) / 0.45, 0, 1), 0.0)


def _tucked(lips: np.ndarray) -> np.ndarray:
    """How far the lower lip is drawn under the upper teeth (F, V), (n,) 0-1; a closure rolls it in much less."""
    return np.clip((lips[:, _TUCK] - 0.15) / 0.3, 0, 1)


def add_emphasis(weights: np.ndarray, emphasis: np.ndarray, amount: float) -> None:
    """Raise the brows a little on stressed syllables, in place: weights (n, 52), emphasis (n,) 0-1."""
    lift = amount * emphasis
    for name, share in (("browInnerUp", 1.0), ("browOuterUpLeft", 0.7), ("browOuterUpRight", 0.7)):
        column = weights[:, index_of(name)]
        weights[:, index_of(name)] = column + lift * share * (1 - column)


def add_blinks(weights: np.ndarray, closed: np.ndarray) -> None:
    """Close the lids, in place: weights (n, 52), closed (n, 2) 0-1 left and right. Full blinks are full in any emotion.

    Lids that close neither squint nor gape: eyeSquint and eyeWide give way, or they would close past the lower lid or
    not at all.
    """
    for side, name in enumerate(("Left", "Right")):
        shut = closed[:, side]
        lid = index_of("eyeBlink" + name)
        weights[:, lid] = shut + (1 - shut) * weights[:, lid]
        weights[:, index_of("eyeWide" + name)] *= 1 - shut
        weights[:, index_of("eyeSquint" + name)] *= 1 - 0.6 * shut
