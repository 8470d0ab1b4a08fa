"""From ARKit's 52 weights to a MetaHuman's 174 controls and back.

There: each weight moves the controls that Epic's own pose asset (PA_MetaHuman_ARKit_Mapping) gives it, linearly and
without that asset's rounding noise; opposite weights (jaw left and right, blink and wide) share a control and leave
their difference. Lips close as in Epic's blueprint: lipsTogether = mouthClose / jawOpen, since the board counts a share
of the opening where ARKit counts a distance; what mouthClose has beyond jawOpen presses the lips. Three things of
Epic's are left out because their sums pass the end of a control and could not be undone: pucker's funnel (.75), the
inner brow's part in a raised outer one, the upper lip's part (.5) in a rolled lower one.

Back: every weight is read from its controls by fixed factors such that there and back gives the same again; controls
that nothing comes from on the way there (corners, bites, sticky lips, lid tweaks, ...) add what they look like.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from vultus.core.bases import ARKIT52
from vultus.core.bases import index_of as weight
from vultus.core.errors import InputError
from vultus.core.types import Performance
from vultus.face.metahuman import COUNT, HIGH, LOW, Side, index_of

Terms = dict[str, float]
"""Short name of a control -> factor; in `READ` a name ending in ~ stands for the control's negative part."""

THERE: dict[str, Terms] = {
    "browDown": {"brow_down": 1}, "browOuterUp": {"brow_raiseOut": 1}, "cheekSquint": {"eye_cheekRaise": 1},
    "eyeBlink": {"eye_blink": 1}, "eyeWide": {"eye_blink": -1}, "eyeSquint": {"eye_squintInner": 1},
    "eyeLookUp": {"eye.y": 1}, "eyeLookDown": {"eye.y": -1}, "noseSneer": {"nose.y": 1},
    "mouthSmile": {"mouth_cornerPull": 1}, "mouthFrown": {"mouth_cornerDepress": 1}, "mouthDimple": {"mouth_dimple": 1},
    "mouthStretch": {"mouth_stretch": 1}, "mouthPress": {"mouth_pressU": 1, "mouth_pressD": 1},
    "mouthLowerDown": {"mouth_lowerLipDepress": 1}, "mouthUpperUp": {"mouth_upperLipRaise": 1},
    "browInnerUp": {"brow_raiseIn": 1, "brow_lateral": 1}, "cheekPuff": {"mouth_suckBlow": 1, "mouth_lipsBlow": 1},
    "mouthFunnel": {"mouth_funnelU": 1, "mouth_funnelD": 1},
    "mouthPucker": {"mouth_purseU": 1, "mouth_purseD": 1, "mouth_towardsU": 0.412, "mouth_towardsD": 0.412},
    "mouthRollLower": {"mouth_lipsRollD": 1}, "mouthRollUpper": {"mouth_lipsRollU": 1},
    "mouthShrugLower": {"jaw_ChinRaiseD": 1}, "mouthShrugUpper": {"jaw_ChinRaiseU": 1},
    "jawOpen": {"jaw": 1}, "jawForward": {"jaw_fwdBack": -1}, "jawLeft": {"jaw.x": -1}, "jawRight": {"jaw.x": 1},
    "mouthLeft": {"mouth.x": 1}, "mouthRight": {"mouth.x": -1},
    "tongueOut": {"tongue_inOut": -0.769, "tongue.y": -0.826, "tongue_roll.y": -0.247, "tongue_narrowWide": 0.628},
}  # fmt: skip
"""ARKit name without its side -> the controls it moves. Sideways looks are `_LOOKS`, mouthClose is `_close_lips`."""

READ: dict[str, Terms] = {
    "browDown": {"brow_down": 1}, "browOuterUp": {"brow_raiseOut": 1}, "browInnerUp": {"brow_raiseIn": 1},
    "cheekSquint": {"eye_cheekRaise": 1, "eye_faceScrunch": 0.5},
    "eyeBlink": {"eye_blink": 1, "eye_eyelidU": 0.4, "eye_lidPress": 0.3},
    "eyeWide": {"eye_blink~": 1, "eye_eyelidU~": 0.7},
    "eyeSquint": {"eye_squintInner": 1, "eye_eyelidD": 0.5, "eye_faceScrunch": 0.5},
    "eyeLookUp": {"eye.y": 1}, "eyeLookDown": {"eye.y~": 1},
    "noseSneer": {"nose.y": 1, "nose_wrinkleUpper": 0.6, "nose_nasolabialDeepen": 0.3},
    "mouthSmile": {"mouth_cornerPull": 1, "mouth_sharpCornerPull": 0.6, "mouth_corner.y": 0.5},
    "mouthFrown": {"mouth_cornerDepress": 1, "mouth_corner.y~": 0.5}, "mouthDimple": {"mouth_dimple": 1},
    "mouthStretch": {"mouth_stretch": 1, "mouth_stretchLipsClose": 0.6, "mouth_corner.x": 0.3},
    "mouthPress": {"mouth_pressU": 0.5, "mouth_pressD": 0.5, "mouth_tightenU": 0.3, "mouth_tightenD": 0.3},
    "mouthLowerDown": {"mouth_lowerLipDepress": 1}, "mouthUpperUp": {"mouth_upperLipRaise": 1},
    "cheekPuff": {"mouth_suckBlow": 1},
    "mouthFunnel": {"mouth_funnelU": 0.5, "mouth_funnelD": 0.5, "mouth_pushPullU": 0.15, "mouth_pushPullD": 0.15},
    "mouthPucker": {"mouth_purseU": 0.418, "mouth_purseD": 0.418, "mouth_towardsU": 0.199, "mouth_towardsD": 0.199,
                    "mouth_corner.x~": 0.3},
    "mouthRollLower": {"mouth_lipsRollD": 1, "mouth_lipBiteD": 0.7, "mouth_lipsTowardsTeethD": 0.3},
    "mouthRollUpper": {"mouth_lipsRollU": 1, "mouth_lipBiteU": 0.7, "mouth_lipsTowardsTeethU": 0.3},
    "mouthShrugLower": {"jaw_ChinRaiseD": 1, "jaw_chinCompress": 0.3}, "mouthShrugUpper": {"jaw_ChinRaiseU": 1},
    "jawOpen": {"jaw": 1, "jaw_openExtreme": 0.3}, "jawForward": {"jaw_fwdBack~": 1},
    "jawLeft": {"jaw.x~": 1}, "jawRight": {"jaw.x": 1}, "mouthLeft": {"mouth.x": 1}, "mouthRight": {"mouth.x~": 1},
    "tongueOut": {"tongue_inOut~": 1.3},
}  # fmt: skip
"""ARKit name without its side -> what it is read from; names that act on both sides take the mean of the two."""

_LOOKS: dict[str, tuple[Side, int]] = {
    "eyeLookOutLeft": ("left", 1), "eyeLookInLeft": ("left", -1), "eyeLookInRight": ("right", 1),
    "eyeLookOutRight": ("right", -1),
}  # fmt: skip
"""Looking aside: the eye whose x moves, and its sign; + is towards the subject's left, in the picture to the right."""
TURN_DEG = np.array([[40.0, 40.0], [30.0, 40.0]], np.float32)
"""Turn of the eyes at 1: [towards the subject's left, right], [up, down], from Epic's eye drivers."""
_SEALS = ("mouth_lipsTogetherU", "mouth_lipsTogetherD")
_STICKY = ("mouth_stickyInnerU", "mouth_stickyInnerD", "mouth_stickyOuterU", "mouth_stickyOuterD")
_LEAST_JAW = 0.02
"""An opening of the jaw below this counts as this: the share closed of next to nothing would be noise."""


def controls_of(expression: np.ndarray, gaze_deg: np.ndarray | None = None) -> np.ndarray:
    """Controls (T, 174) float32 of ARKit weights (T, 52) 0-1.

    With `gaze_deg` (T, 2) (x towards image right, y up) both eyes follow it by CTRL_C_eye, and the eyeLook weights,
    which say the same, are left out; without, each eye follows its weights.
    """
    weights = np.asarray(expression, np.float32)
    if gaze_deg is not None:
        weights = weights * ~_LOOK_WEIGHTS
    controls = weights @ _there_matrix()
    _close_lips(controls, weights)
    if gaze_deg is not None:
        controls[:, [index_of("eye.x"), index_of("eye.y")]] = _eye_controls(gaze_deg)
    return np.clip(controls, LOW, HIGH)


def arkit_of(controls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ARKit weights (T, 52) 0-1 and gaze (T, 2) in degrees, the mean of both eyes, float32, of controls (T, 174)."""
    controls = np.asarray(controls, np.float32)
    parts = np.concatenate([np.maximum(controls, 0), np.maximum(-controls, 0)], 1)
    weights = np.clip(parts @ _read_matrix(), 0, 1)
    weights[:, weight("mouthClose")] = _closed(controls, weights[:, weight("jawOpen")])
    both, left, right = (
        controls[:, [index_of("eye.x", side), index_of("eye.y", side)]] for side in ("middle", "left", "right")
    )
    return weights, _degrees(both + (left + right) / 2)


def with_controls(performance: Performance) -> Performance:
    """The performance with the channel `controls`, its own or those of its ARKit weights and gaze.

    Raises InputError where it has neither.
    """
    if performance.controls is not None:
        return performance
    if performance.expression is None or performance.basis != "arkit52":
        raise InputError(
            "the performance has no ARKit weights to make rig controls of", fix="track or generate it anew"
        )
    return replace(performance, controls=controls_of(performance.expression, performance.gaze))


def with_expression(performance: Performance) -> Performance:
    """The performance with the channel `expression`, its own or that of its controls, which give gaze and AU45 too."""
    if performance.expression is not None or performance.controls is None:
        return performance
    expression, gaze = arkit_of(performance.controls)
    lids = expression[:, [weight("eyeBlinkLeft"), weight("eyeBlinkRight")]].mean(1)
    return replace(
        performance,
        expression=expression,
        basis="arkit52",
        gaze=gaze if performance.gaze is None else performance.gaze,
        au45=5 * lids if performance.au45 is None else performance.au45,
    )


def _sided(table: dict[str, Terms]) -> dict[str, tuple[tuple[str, Side, float], ...]]:
    """Full ARKit name -> (control's short name, side, factor) of a table whose names have no sides."""
    full: dict[str, tuple[tuple[str, Side, float], ...]] = {}
    endings: dict[str, Side] = {"Left": "left", "Right": "right"}
    for name, terms in table.items():
        if name in ARKIT52:
            full[name] = tuple((word, side, factor) for word, factor in terms.items() for side in _sides(word))
            continue
        for ending, side in endings.items():
            full[name + ending] = tuple((word, side, factor) for word, factor in terms.items())
    return full


def _sides(word: str) -> tuple[Side, ...]:
    """ "middle" for a control that exists once, both sides for others; eyes and noses are asked for by side only."""
    try:
        index_of(word.rstrip("~"), "middle")
    except KeyError:
        return ("left", "right")
    return ("middle",)


@cache
def _there_matrix() -> np.ndarray:
    matrix = np.zeros((len(ARKIT52), COUNT), np.float32)
    for name, terms in _sided(THERE).items():
        for word, side, factor in terms:
            matrix[weight(name), index_of(word, side)] = factor
    for name, (side, sign) in _LOOKS.items():
        matrix[weight(name), index_of("eye.x", side)] = sign
    return matrix


@cache
def _read_matrix() -> np.ndarray:
    """(348, 52): positive parts of the controls, then negative ones, to weights."""
    matrix = np.zeros((2 * COUNT, len(ARKIT52)), np.float32)
    for name, terms in _sided(READ).items():
        one_name = name in READ
        for word, side, factor in terms:
            row = index_of(word.rstrip("~"), side) + (COUNT if word.endswith("~") else 0)
            matrix[row, weight(name)] = factor / (2 if one_name and side != "middle" else 1)
    for name, (side, sign) in _LOOKS.items():
        matrix[index_of("eye.x", side) + (COUNT if sign < 0 else 0), weight(name)] = 1
    return matrix


_LOOK_WEIGHTS = np.array([name.startswith("eyeLook") for name in ARKIT52])


def _close_lips(controls: np.ndarray, weights: np.ndarray) -> None:
    """Set the controls (T, 174) that close the lips, in place."""
    close, jaw = weights[:, weight("mouthClose")], weights[:, weight("jawOpen")]
    seal = np.minimum(close, jaw) / np.maximum(jaw, _LEAST_JAW)
    for side in ("left", "right"):
        controls[:, [index_of(word, side) for word in _SEALS]] = seal[:, None]
        controls[:, index_of("mouth_lipsPressU", side)] = np.maximum(close - jaw, 0)


def _closed(controls: np.ndarray, jaw: np.ndarray) -> np.ndarray:
    """mouthClose (T,) of controls (T, 174) under a jaw (T,) open so far."""
    seal, sticky, press = (
        np.mean([controls[:, index_of(word, side)] for word in words for side in ("left", "right")], 0)
        for words in (_SEALS, _STICKY, ("mouth_lipsPressU",))
    )
    share = np.clip(seal + 0.5 * sticky, 0, 1)
    return np.clip(np.maximum(jaw, _LEAST_JAW) * share * (jaw > 0) + np.maximum(press, 0), 0, 1)


def _eye_controls(gaze_deg: np.ndarray) -> np.ndarray:
    """x and y (T, 2) of CTRL_C_eye for gaze (T, 2)."""
    return np.where(gaze_deg >= 0, gaze_deg / TURN_DEG[:, 0], gaze_deg / TURN_DEG[:, 1])


def _degrees(turns: np.ndarray) -> np.ndarray:
    return np.where(turns >= 0, turns * TURN_DEG[:, 0], turns * TURN_DEG[:, 1]).astype(np.float32)
