"""Performances out of CSV tables: ours, ARKit's, Live Link Face's, OpenFace's, each with its own axes and clock."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import cast

import numpy as np

from vultus.core.bases import ARKIT52, BASES, index_of
from vultus.core.errors import InputError
from vultus.core.pose import degrees_from_matrix, matrix_from_degrees
from vultus.core.types import Performance, Reference
from vultus.face.head import FLIP
from vultus.face.metahuman_files import is_metahuman, read_metahuman
from vultus.face.tables import Table
from vultus.face.timing import assemble, stated_fps

ROTATION_COLUMNS = ("yaw", "pitch", "roll")
TRANSLATION_COLUMNS = ("tx", "ty", "tz")
GAZE_COLUMNS = ("gaze_x", "gaze_y")

_CLOCK_COLUMNS = ("time_s", "timestamp", "time")
HEAD_RADIANS = ("HeadYaw", "HeadPitch", "HeadRoll")
EYES_RADIANS = tuple(f"{side}Eye{angle}" for side in ("Left", "Right") for angle in ("Yaw", "Pitch", "Roll"))
"""Columns of Live Link Face after the weights."""
LIVE_LINK_BASE_FPS = 60.0
"""Frames a second in which Live Link Face counts time, unless set to 30."""
LIVE_LINK_SIGNS = (-1.0, -1.0, 1.0)
"""Its yaw, pitch and roll, times this, are ours (`core.pose`)."""
LOOK_DEG = 30.0
"""Gaze at eyeLook... = 1: ARKit does not say; about the range of its eyes."""
_MILLIMETRES = 10.0
"""Millimetres in a head unit."""

_ARKIT_OF_AU: dict[str, tuple[str, ...]] = {
    "AU01": ("browInnerUp",), "AU02": ("browOuterUpLeft", "browOuterUpRight"),
    "AU04": ("browDownLeft", "browDownRight"), "AU05": ("eyeWideLeft", "eyeWideRight"),
    "AU06": ("cheekSquintLeft", "cheekSquintRight"), "AU07": ("eyeSquintLeft", "eyeSquintRight"),
    "AU09": ("noseSneerLeft", "noseSneerRight"), "AU10": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "AU12": ("mouthSmileLeft", "mouthSmileRight"), "AU14": ("mouthDimpleLeft", "mouthDimpleRight"),
    "AU15": ("mouthFrownLeft", "mouthFrownRight"), "AU17": ("mouthShrugLower",),
    "AU20": ("mouthStretchLeft", "mouthStretchRight"), "AU23": ("mouthPressLeft", "mouthPressRight"),
    "AU26": ("jawOpen",), "AU45": ("eyeBlinkLeft", "eyeBlinkRight"),
}  # fmt: skip
"""The blend shapes that show an action unit of the Facial Action Coding System, 5 of intensity being 1 of weight."""


def read_arkit(table: Table) -> Performance:
    """Our own CSV, or any table of ARKit weights with a time column in seconds.

    A column that is missing is zero; translation and AU45 are absent if none of their columns is there. Rows may stand
    in any order of time; uneven times are resampled. The first row is the start.
    """
    facts = table.facts
    basis = "bfm64" if any(name in table for name in BASES["bfm64"]) else "arkit52"
    columns = _rename(table, basis)
    clock = next((name for name in _CLOCK_COLUMNS if name in table), None)
    if clock is None:
        raise InputError('the column "time_s" is missing', table.path, "add the time of each row in seconds")
    values = {name: table.column(column) for name, column in columns.items()}
    zero = np.zeros(len(table.rows))

    def gather(names: tuple[str, ...]) -> np.ndarray:
        return np.stack([values.get(name, zero) for name in names], 1)

    expression = gather(BASES[basis])
    has_gaze = any(name in values for name in GAZE_COLUMNS)
    channels = {
        "expression": expression,
        "rotation": gather(ROTATION_COLUMNS) + _head_degrees(table),
        "gaze": gather(GAZE_COLUMNS) if has_gaze else _eye_degrees(table, expression, basis),
    }
    if any(name in values for name in TRANSLATION_COLUMNS):
        channels["translation"] = gather(TRANSLATION_COLUMNS)
    if "AU45" in values:
        channels["au45"] = values["AU45"]
    valid = table.column("valid") > 0.5 if "valid" in table else np.ones(len(table.rows), bool)
    reference = facts.get("reference", "rest")
    if reference not in ("rest", "camera"):
        raise InputError(f'the reference "{reference}" is unknown', table.path, "write reference=rest or =camera")
    return assemble(table, table.column(clock), channels, valid, stated_fps(table), cast(Reference, reference), basis)


def read_live_link(table: Table) -> Performance:
    """A Live Link Face CSV: weights 0-1, angles in radians, time codes hours:minutes:seconds:frames.

    In the app's recordings positive yaw turns to the subject's right, positive pitch looks down (its eye angles against
    its eyeLook weights say so), and positive roll tilts the crown towards image right, as one mirror makes of ARKit's.
    """
    frames = table.column("Timecode", lambda text: float(_time_code(text)[3]))
    seconds = table.column("Timecode", lambda text: float(_time_code(text)[2]))
    base_fps = 30.0 if np.ptp(seconds) >= 1 and frames.max() < 30 else LIVE_LINK_BASE_FPS
    times = table.column("Timecode", lambda text: _seconds(text, base_fps))
    times = times + 86400.0 * np.cumsum(np.diff(times, prepend=times[0]) < -43200)  # past midnight
    capitals = tuple(name[0].upper() + name[1:] for name in ARKIT52)
    missing = [name for name in capitals[:51] if name not in table]
    if missing:
        raise InputError(
            f'the column "{missing[0]}" is missing', table.path, "export the file from Live Link Face again"
        )
    expression = table.columns(capitals)
    channels = {
        "expression": expression,
        "rotation": _head_degrees(table),
        "gaze": _eye_degrees(table, expression, "arkit52"),
    }
    return assemble(table, times, channels, np.ones(len(times), bool), None, "camera", "arkit52")


def read_openface(table: Table) -> Performance:
    """An OpenFace CSV: pose, gaze, action units, landmarks, validity. Its column names start with a blank.

    OpenFace's camera looks along z with y down; its rotation is Rx @ Ry @ Rz in that frame, in radians; its gaze angles
    are those of the camera, positive to image right and down; its translation is in millimetres.
    """
    names = ("timestamp", "pose_Rx", "pose_Ry", "pose_Rz")
    times, rx, ry, rz = (table.column(name) for name in names)
    rotation = FLIP @ _openface_matrix(rx, ry, rz) @ FLIP
    channels = {
        "expression": np.zeros((len(times), len(ARKIT52))),
        "rotation": degrees_from_matrix(rotation),
        "translation": table.columns(("pose_Tx", "pose_Ty", "pose_Tz")) @ FLIP / _MILLIMETRES,
    }
    for unit, shapes in _ARKIT_OF_AU.items():
        if f"{unit}_r" in table:
            weights = np.clip(table.column(f"{unit}_r") / 5, 0, 1)
            channels["expression"][:, [index_of(shape) for shape in shapes]] = weights[:, None]
    if "AU45_r" in table:
        channels["au45"] = np.clip(table.column("AU45_r"), 0, 5)
    if "gaze_angle_x" in table and "gaze_angle_y" in table:
        channels["gaze"] = _gaze_in_head(table.column("gaze_angle_x"), -table.column("gaze_angle_y"), rotation)
    if "x_0" in table and "y_67" in table:
        flat = [table.columns(tuple(f"{axis}_{i}" for i in range(68))) for axis in "xy"]
        channels["landmarks"] = np.stack([*flat, np.zeros_like(flat[0])], 2)
    valid = table.column("success") > 0.5 if "success" in table else np.ones(len(times), bool)
    return assemble(table, times, channels, valid, None, "camera", "arkit52")


def _is_arkit(table: Table) -> bool:
    known = {_arkit_key(name) for name in (*ARKIT52, *BASES["bfm64"])} | set(ROTATION_COLUMNS) | set(GAZE_COLUMNS)
    return any(_arkit_key(name) in known or name in known for name in table.names)


READERS: tuple[tuple[Callable[[Table], bool], Callable[[Table], Performance]], ...] = (
    (is_metahuman, read_metahuman),
    (lambda table: "Timecode" in table and any(n.lower() == "blendshapecount" for n in table.names), read_live_link),
    (lambda table: "pose_Rx" in table or "AU45_r" in table, read_openface),
    (_is_arkit, read_arkit),
)
"""How to tell a table and how to read it, in order of precedence."""


def _arkit_key(name: str) -> str:
    """One spelling for eyeBlinkLeft, EyeBlinkLeft and eyeBlink_L."""
    return re.sub(r"_L$", "Left", re.sub(r"_R$", "Right", name)).lower()


def _rename(table: Table, basis: str) -> dict[str, str]:
    """Our name -> the table's column, for all value columns. Raises InputError for a column that is nothing we know."""
    ours = {_arkit_key(name): name for name in BASES[basis]}
    own = (*ROTATION_COLUMNS, *TRANSLATION_COLUMNS, *GAZE_COLUMNS, "AU45")
    other = (*_CLOCK_COLUMNS, "valid", "frame", "blink", *HEAD_RADIANS, *EYES_RADIANS)
    renamed: dict[str, str] = {}
    for column in table.names:
        name = column if column in own else ours.get(_arkit_key(column))
        if name is not None:
            renamed[name] = column
        elif column not in other:
            near = difflib.get_close_matches(column, [*BASES[basis], *own, *other], 1)
            raise InputError(
                f'the column "{column}" is unknown', table.path, f"did you mean {near[0]}" if near else None
            )
    return renamed


def _head_degrees(table: Table) -> np.ndarray:
    """Yaw, pitch, roll (T, 3) in our signs from the app's head angles in radians; zero where there are none."""
    return np.degrees(table.columns(HEAD_RADIANS)) * LIVE_LINK_SIGNS


def _eye_degrees(table: Table, expression: np.ndarray, basis: str) -> np.ndarray:
    """Gaze (T, 2) from ARKit's eye angles if the table has them, else from the eyeLook weights."""
    if any(name in table for name in EYES_RADIANS):
        left, right = (np.degrees(table.columns((f"{s}EyeYaw", f"{s}EyePitch"))) for s in ("Left", "Right"))
        return (left + right) / 2 * LIVE_LINK_SIGNS[:2]
    if basis != "arkit52":
        return np.zeros((len(expression), 2))
    look = {name: expression[:, index_of(f"eyeLook{name}")] for name in
            ("InLeft", "OutLeft", "InRight", "OutRight", "UpLeft", "UpRight", "DownLeft", "DownRight")}  # fmt: skip
    across = look["OutLeft"] - look["InLeft"] + look["InRight"] - look["OutRight"]
    upward = look["UpLeft"] + look["UpRight"] - look["DownLeft"] - look["DownRight"]
    return np.stack([across, upward], 1) * (LOOK_DEG / 2)


def _gaze_in_head(across: np.ndarray, upward: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Gaze (T, 2) in degrees relative to heads (T, 3, 3), from angles (T,) in radians relative to the camera."""
    direction = np.stack([np.tan(across), np.tan(upward), np.ones_like(across)], 1)
    x, y, z = np.einsum("tji,tj->it", rotation, direction)
    return np.degrees(np.stack([np.arctan2(x, z), np.arctan2(y, np.hypot(x, z))], 1))


def _openface_matrix(rx: np.ndarray, ry: np.ndarray, rz: np.ndarray) -> np.ndarray:
    """OpenFace's Rx @ Ry @ Rz (T, 3, 3), angles (T,) in radians; `matrix_from_degrees` has pitch and roll reversed."""
    degrees, zero = np.degrees([rx, ry, rz]), np.zeros_like(rx)
    about_x = matrix_from_degrees(np.stack([zero, -degrees[0], zero], 1))
    about_y = matrix_from_degrees(np.stack([degrees[1], zero, zero], 1))
    about_z = matrix_from_degrees(np.stack([zero, zero, -degrees[2]], 1))
    return about_x @ about_y @ about_z


def _seconds(code: str, base_fps: float) -> float:
    """Seconds of a time code hh:mm:ss:ff or hh:mm:ss:ff.fff. Raises ValueError when it is none."""
    hours, minutes, seconds, frames = _time_code(code)
    return 3600 * hours + 60 * minutes + seconds + frames / base_fps


def _time_code(code: str) -> tuple[float, float, float, float]:
    """Hours, minutes, seconds and frames of a time code. Raises ValueError when it is none."""
    hours, minutes, seconds, frames = (float(part) for part in code.replace(";", ":").split(":"))
    return hours, minutes, seconds, frames
