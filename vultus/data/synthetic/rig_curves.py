"""ARKit weights as the 174 controls in which EmoFace keeps its curves: what its reader and its driver are tried on.

Only controls that an ARKit weight plainly stands for are filled; the others rest at zero.
"""

from __future__ import annotations

import numpy as np

from vultus.core.bases import index_of

CONTROLS = 174
LEFT, RIGHT = 29, 98
"""First column of the subject's left and right side; both sides list the same controls in the same order."""
_SIDED: dict[str, dict[int, float]] = {
    "browDown": {0: 1.0}, "browOuterUp": {3: 1.0}, "eyeBlink": {7: 1.0}, "cheekSquint": {8: 1.0},
    "eyeSquint": {14: 1.0}, "eyeWide": {10: -1.0}, "mouthDimple": {27: 1.0}, "mouthFrown": {23: 1.0},
    "mouthSmile": {24: 1.0}, "mouthStretch": {53: 1.0}, "mouthUpperUp": {62: 1.0}, "mouthLowerDown": {41: 1.0},
    "mouthPress": {42: 1.0, 43: 1.0}, "noseSneer": {68: 1.0},
}  # fmt: skip
"""ARKit name without its side -> offset of a control from its side's first column, and factor."""
_BOTH: dict[str, dict[int, float]] = {
    "browInnerUp": {2: 1.0}, "mouthFunnel": {28: 1.0, 29: 1.0}, "mouthPucker": {44: 1.0, 45: 1.0},
    "mouthRollLower": {35: 1.0}, "mouthRollUpper": {36: 1.0}, "mouthClose": {37: 1.0, 38: 1.0},
    "mouthShrugLower": {17: 1.0}, "mouthShrugUpper": {18: 1.0}, "cheekPuff": {55: 1.0},
}  # fmt: skip
"""ARKit names without a side -> offsets of controls on both sides."""
_MIDDLE: dict[str, dict[int, float]] = {
    "jawOpen": {4: 1.0}, "jawForward": {5: 1.0}, "jawLeft": {3: 1.0}, "jawRight": {3: -1.0}, "mouthLeft": {7: 1.0},
    "mouthRight": {7: -1.0}, "tongueOut": {22: 1.0},
}  # fmt: skip
_EYES, _FULL_TURN_DEG = (0, 1), 40.0


def controls_of(expression: np.ndarray, gaze_deg: np.ndarray) -> np.ndarray:
    """Controls (T, 174) float32 of ARKit weights (T, 52) and gaze (T, 2)."""
    controls = np.zeros((len(expression), CONTROLS), np.float32)
    for name, places in _MIDDLE.items():
        _add(controls, expression, name, places, 0)
    for first, side in ((LEFT, "Left"), (RIGHT, "Right")):
        for name, places in _SIDED.items():
            _add(controls, expression, name + side, places, first)
        for name, places in _BOTH.items():
            _add(controls, expression, name, places, first)
    controls[:, _EYES] = np.clip(gaze_deg / _FULL_TURN_DEG, -1, 1)
    return controls


def _add(controls: np.ndarray, expression: np.ndarray, name: str, places: dict[int, float], first: int) -> None:
    for offset, factor in places.items():
        controls[:, first + offset] += factor * expression[:, index_of(name)]
