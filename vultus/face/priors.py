"""What the fit believes before it looks: which landmarks to trust, and which expressions are likely.

The numbers were set on simulated speech (landmarks made by the head model, with noise and bias) and on rendered video
that was tracked again; lengths are pixels of a face crop scaled to 512.
"""

from __future__ import annotations

import numpy as np

from vultus.core.bases import ARKIT52
from vultus.face.points import LEFT_EYE, LIPS, RIGHT_EYE

_SILHOUETTE = (454, 323, 361, 127, 356, 93, 234, 132, 288, 58, 447, 366, 137, 389, 162, 227, 264, 401, 172, 397, 136,
               177, 368, 251, 21, 10, 338, 297, 332, 284, 109, 67, 103, 54)  # fmt: skip
_NOSTRILS = (238, 239, 309, 459, 241, 461)
GAPS = tuple((upper, lower, 3.0) for upper, lower in
              ((159, 145), (158, 153), (160, 144), (386, 374), (385, 380), (387, 373))) + tuple(
    (upper, lower, 12.0) for upper, lower in
    ((13, 14), (82, 87), (312, 317), (81, 178), (311, 402), (61, 291), (78, 308),
     (0, 13), (14, 17), (37, 82), (267, 312), (87, 84), (317, 314)))  # fmt: skip
"""Points whose difference counts on its own, and its weight: gaps of lids and lips, mouth width, lip thickness."""

FIXED = tuple(name for name in ARKIT52 if name.startswith("eyeLook")) + ("tongueOut",)
"""Held at zero: gaze is a channel of its own, and landmarks do not show the tongue."""
IDENTITY_RIDGE = 7.0
"""Quadratic penalty on an identity weight, in standard deviations."""
_RIDGE = {
    "jawOpen": 20.0, "mouthPucker": 50.0, "browDown": 50.0, "browInnerUp": 50.0, "mouthSmile": 60.0,
    "mouthFunnel": 80.0, "mouthLowerDown": 400.0, "mouthUpperUp": 300.0, "mouthPress": 200.0, "mouthFrown": 1500.0,
    "mouthStretch": 400.0, "mouthRollLower": 500.0, "mouthRollUpper": 500.0, "mouthDimple": 800.0, "cheekSquint": 800.0,
    "noseSneer": 800.0, "mouthShrugLower": 2000.0, "mouthShrugUpper": 3000.0, "mouthLeft": 1500.0, "mouthRight": 1500.0,
    "jawLeft": 3000.0, "jawRight": 3000.0, "mouthClose": 8000.0, "cheekPuff": 20000.0, "jawForward": 20000.0,
}  # fmt: skip
"""Quadratic penalty by name, without Left or Right: little on what speech uses, much on what landmarks hardly show."""
_DEFAULT_RIDGE = 100.0
SPARSE = 5.0
"""Linear penalty on every expression weight, so that noise does not leave all of them slightly on."""
_PAIR = 1000.0
"""Penalty on left minus right of an expression: the far side of a turned face is seen badly."""
_ONE_WAY = ("jawLeft", "mouthLeft")
"""Movements whose Right is the opposite and not the twin."""


def landmark_weights(spread: np.ndarray | None) -> np.ndarray:
    """How much each skin point (468,) counts; `spread` (468,) head units is how uncertain its place on the model is."""
    weights = np.ones(468) if spread is None else 1 / (1 + (spread / 0.3) ** 2)
    weights[list(RIGHT_EYE + LEFT_EYE)] *= 2.5
    weights[list(LIPS)] *= 1.8
    unreliable = list(_SILHOUETTE + _NOSTRILS)
    weights[unreliable] = np.minimum(weights[unreliable], 0.25)
    return weights


def expression_penalty(active: np.ndarray) -> np.ndarray:
    """Quadratic penalty (K, K) on the ARKit weights with indices `active` (K,): by name, and on left minus right."""
    names = [ARKIT52[i] for i in active]
    penalty = np.diag([_ridge(name) for name in names])
    for a, name in enumerate(names):
        twin = name.removesuffix("Left") + "Right"
        if name.endswith("Left") and twin in names and name not in _ONE_WAY:
            b = names.index(twin)
            penalty[[a, b], [a, b]] += _PAIR
            penalty[[a, b], [b, a]] -= _PAIR
    return penalty


def _ridge(name: str) -> float:
    return _RIDGE.get(name) or _RIDGE.get(name.removesuffix("Left").removesuffix("Right"), _DEFAULT_RIDGE)
