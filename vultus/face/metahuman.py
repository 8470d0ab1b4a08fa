"""The 174 controls of a MetaHuman's face board, in the order of the EmoFace data: names, ranges, sides, mirror images.

Ranges are those of Epic's board, whose controls are sliders (Y) or, where both axes are there, squares. Two names stand
twice in the authors' list, CTRL_C_tongue_tip-translateX and -translateY. The list is alphabetical, and on the board
CTRL_C_tongue_roll stands before the tip, so the first pair is taken to be the roll's; nothing here depends on it but
the names in exports (`COLUMNS`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Side = Literal["left", "right", "middle"]

# `.x` is translateX, anything else translateY; `~` marks a range of -1 to 1, where others run from 0 to 1.
_MIDDLE = """
    eye.x~ eye.y~ eye_parallelLook jaw.x~ jaw jaw_fwdBack~ jaw_openExtreme mouth.x~ mouth.y~ mouth_lipShiftD~
    mouth_lipShiftU~ mouth_stickyD mouth_stickyU neck_swallow teethD.x~ teethD.y~ teethU.x~ teethU.y~ teeth_fwdBackD~
    teeth_fwdBackU~ tongue.x~ tongue.y~ tongue_inOut~ tongue_narrowWide~ tongue_press tongue_tip.x~ tongue_tip.y~
    tongue_tip.x~ tongue_tip.y~
"""
_SIDED = """
    brow_down brow_lateral brow_raiseIn brow_raiseOut ear_up eye.x~ eye.y~ eye_blink~ eye_cheekRaise eye_eyelidD~
    eye_eyelidU~ eye_faceScrunch eye_lidPress eye_pupil~ eye_squintInner eyelashes_tweakerIn~ eyelashes_tweakerOut~
    jaw_ChinRaiseD jaw_ChinRaiseU jaw_chinCompress jaw_clench mouth_corner.x~ mouth_corner.y~ mouth_cornerDepress
    mouth_cornerPull mouth_cornerSharpnessD~ mouth_cornerSharpnessU~ mouth_dimple mouth_funnelD mouth_funnelU
    mouth_lipBiteD mouth_lipBiteU mouth_lipSticky mouth_lipsBlow mouth_lipsPressU mouth_lipsRollD~ mouth_lipsRollU~
    mouth_lipsTogetherD mouth_lipsTogetherU mouth_lipsTowardsTeethD mouth_lipsTowardsTeethU mouth_lowerLipDepress
    mouth_pressD mouth_pressU mouth_purseD mouth_purseU mouth_pushPullD~ mouth_pushPullU~ mouth_sharpCornerPull
    mouth_stickyInnerD mouth_stickyInnerU mouth_stickyOuterD mouth_stickyOuterU mouth_stretch mouth_stretchLipsClose
    mouth_suckBlow~ mouth_thicknessD~ mouth_thicknessU~ mouth_tightenD mouth_tightenU mouth_towardsD mouth_towardsU
    mouth_upperLipRaise neck_mastoidContract neck_stretch nose.x~ nose.y~ nose_nasolabialDeepen nose_wrinkleUpper
"""
_REST = """
    lookAtSwitch neckCorrectivesMultiplyerD neckCorrectivesMultiplyerM neckCorrectivesMultiplyerU
    neck_digastricUpDown~ neck_throatExhaleInhale~ neck_throatUpDown~
"""
_AREAS = ("eye", "jaw", "mouth", "teeth", "tongue", "brow", "ear", "nose", "neck")
"""Parts of the face as the paper lists them; lashes and the look-at switch belong to the eye."""
_SIDEWAYS = ("eye.x", "jaw.x", "mouth.x", "mouth_lipShiftD", "mouth_lipShiftU", "teethD.x", "teethU.x", "tongue.x")
"""Controls that a mirror turns round, besides those of the tongue's tip and roll."""


@dataclass(frozen=True)
class Control:
    """One number of the board: `name` as in the data ("CTRL_L_brow_down-translateY"), its range, and where it acts."""

    name: str
    low: float
    high: float
    side: Side
    area: str

    @property
    def control(self) -> str:
        """The board's control without its axis: "CTRL_L_brow_down"."""
        return self.name.rpartition("-")[0]

    @property
    def axis(self) -> str:
        """ "X" or "Y"."""
        return self.name[-1]


def _read(words: str, prefix: str, side: Side) -> list[Control]:
    controls = []
    for word in words.split():
        stem, dot, axis = word.rstrip("~").partition(".")
        part = next((area for area in _AREAS if stem.startswith(area)), "eye")
        name = f"CTRL_{prefix}{stem}-translate{axis.upper() if dot else 'Y'}"
        controls.append(Control(name, -1.0 if word.endswith("~") else 0.0, 1.0, side, part))
    return controls


CONTROLS: tuple[Control, ...] = (
    *_read(_MIDDLE, "C_", "middle"),
    *_read(_SIDED, "L_", "left"),
    *_read(_SIDED, "R_", "right"),
    *_read(_REST, "", "middle"),
)
"""All 174, in the order of a row of curves; left and right are the subject's."""
COUNT = len(CONTROLS)
NAMES: tuple[str, ...] = tuple(control.name for control in CONTROLS)
"""The authors' names; two of them occur twice."""
_ROLL = [i for i, name in enumerate(NAMES) if name in NAMES[i + 1 :]]
COLUMNS: tuple[str, ...] = tuple(
    name.replace("tongue_tip", "tongue_roll") if i in _ROLL else name for i, name in enumerate(NAMES)
)
"""Names that are all different, for tables with a header."""
LOW = np.array([control.low for control in CONTROLS], np.float32)
HIGH = np.array([control.high for control in CONTROLS], np.float32)

_INDEX = {name: i for i, name in enumerate(COLUMNS)}


def index_of(word: str, side: Side = "middle") -> int:
    """Place of a control in a row, by its short name: `index_of("brow_down", "left")`, `index_of("jaw.x")`.

    Raises KeyError for an unknown one.
    """
    stem, dot, axis = word.partition(".")
    ending = f"{stem}-translate{axis.upper() if dot else 'Y'}"
    prefix = {"left": "CTRL_L_", "right": "CTRL_R_", "middle": "CTRL_C_"}[side]
    return _INDEX[prefix + ending] if prefix + ending in _INDEX else _INDEX["CTRL_" + ending]


def columns_of(*areas: str) -> np.ndarray:
    """Places (n,) of the controls of some areas: eye jaw mouth teeth tongue brow ear nose neck."""
    unknown = set(areas) - set(_AREAS)
    if unknown:
        raise KeyError(f"there are no areas {sorted(unknown)}, only {', '.join(_AREAS)}")
    return np.array([i for i, control in enumerate(CONTROLS) if control.area in areas])


def _mirror_tables() -> tuple[np.ndarray, np.ndarray]:
    other = {"left": ("_L_", "_R_"), "right": ("_R_", "_L_"), "middle": ("", "")}
    source = np.array([_INDEX[name.replace(*other[c.side])] for name, c in zip(COLUMNS, CONTROLS, strict=True)])
    sign = np.ones(COUNT, np.float32)
    sign[[index_of(word) for word in (*_SIDEWAYS, "tongue_roll.x", "tongue_tip.x")]] = -1
    sign[[index_of("eye.x", "left"), index_of("eye.x", "right")]] = -1
    return source, sign


MIRROR, MIRROR_SIGN = _mirror_tables()
"""The control (174,) that does on the other side what each does, and the sign (174,) with which."""
PAIRS: tuple[tuple[int, int], ...] = tuple((i, int(MIRROR[i])) for i, c in enumerate(CONTROLS) if c.side == "left")
"""The 69 symmetric pairs: places of left and right (figure 8 of the paper)."""


def mirrored(controls: np.ndarray) -> np.ndarray:
    """Curves (..., 174) of the same face seen in a mirror."""
    return controls[..., MIRROR] * MIRROR_SIGN
