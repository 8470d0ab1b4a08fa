"""The look a photo's subject comes back to, and expressions on top of it."""

from __future__ import annotations

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.core.types import Fit
from vultus.face.points import lip_opening

REST_SHARE = {"mouthSmile": 0.4, "mouthFrown": 0.4, "mouthDimple": 0.4, "cheekSquint": 0.6, "noseSneer": 0.5}
"""How much of an open mouth's expression its subject keeps at rest; brows and eyes keep all, the other shapes nothing.

A wide smile would neither speak nor stand for a neutral face, but none at all would look like another person. What is
fitted to a shut mouth is rather the shape of that person's lips, and all of it is kept.
"""
SHUT_MOUTH, OPEN_MOUTH = 0.03, 0.09
"""Gaps between the lips, in mouth widths, up to which a mouth counts as shut, and from which as open."""
ROUNDING_GAIN = 2.0
"""Pucker and funnel of half a unit together leave nothing of a resting smile."""
OPPOSITE_GAIN = 1.5
"""An expression at two thirds leaves nothing of its opposite."""
_OPPOSITES = (
    ("mouthSmile", "mouthFrown"), ("mouthDimple", "mouthFrown"), ("cheekSquint", "mouthFrown"),
    ("mouthFrown", "mouthSmile"), ("browDown", "browInnerUp"), ("browDown", "browOuterUp"), ("browInnerUp", "browDown"),
    ("browOuterUp", "browDown"), ("eyeSquint", "eyeWide"), ("eyeWide", "eyeSquint"),
)  # fmt: skip
"""What gives way, and to what; on the same side of the face."""
_ROUNDING = [index_of("mouthPucker"), index_of("mouthFunnel")]
_CORNERS = np.array([name.startswith(("mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch")) for name in ARKIT52])


def rest_expression(fit: Fit) -> np.ndarray:
    """The look (52,) float32 to which a photo's subject returns between words."""
    opened = np.clip((lip_opening(fit.landmarks) - SHUT_MOUTH) / (OPEN_MOUTH - SHUT_MOUTH), 0, 1)
    share = np.ones(len(ARKIT52), np.float32)
    for k, name in enumerate(ARKIT52):
        if not name.startswith(("brow", "eye")):
            kept = next((value for start, value in REST_SHARE.items() if name.startswith(start)), 0.0)
            share[k] = 1 - opened * (1 - kept)
    return fit.expression.astype(np.float32) * share


def on_rest(rest: np.ndarray, expression: np.ndarray) -> np.ndarray:
    """An expression (52,) on top of a resting look (52,), of which what contradicts the expression gives way.

    Lips that round draw the corners in; a frown undoes a resting smile, raised brows resting frown lines, and so on.
    """
    rounding = ROUNDING_GAIN * float(expression[_ROUNDING].sum())
    yielding = np.where(_CORNERS, rounding, 0) + OPPOSITE_GAIN * (_OPPOSES @ expression)
    kept = rest * (1 - np.clip(yielding, 0, 1)).astype(np.float32)
    return kept + expression * (1 - kept)


def _sided(shape: str) -> dict[str, int]:
    """Side -> index of a shape; a shape without sides stands on both."""
    if shape in ARKIT52:
        return dict.fromkeys(("Left", "Right"), index_of(shape))
    return {side: index_of(shape + side) for side in ("Left", "Right")}


def _opposition() -> np.ndarray:
    """(52, 52) float32: 1 where the row gives way to the column."""
    matrix = np.zeros((len(ARKIT52), len(ARKIT52)), np.float32)
    for giving, taking in _OPPOSITES:
        for side, row in _sided(giving).items():
            matrix[row, _sided(taking)[side]] = 1
    return matrix


_OPPOSES = _opposition()
