"""Curves of MetaHuman controls read from tables: ours with a header, and EmoFace's rows of 174 bare numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from vultus.core.errors import InputError
from vultus.core.types import Performance
from vultus.face.metahuman import COLUMNS, COUNT
from vultus.face.tables import MAX_BYTES, Table
from vultus.face.timing import assemble, stated_fps

DATA_FPS = 60.0
"""Frame rate of the EmoFace data, whose files do not state it."""
ROTATION_COLUMNS = ("yaw", "pitch", "roll")
_OTHERS = ("frame", "time_s", "valid", *ROTATION_COLUMNS)
_FIRST_BYTES = 16_384
"""Room for a first row of 174 numbers."""


def is_metahuman(table: Table) -> bool:
    """Whether a table's columns are controls of the board."""
    return any(name.startswith("CTRL_") for name in table.names)


def read_metahuman(table: Table) -> Performance:
    """Controls, and yaw, pitch, roll in degrees where they are there; a control without a column rests at zero.

    Raises InputError for an unknown column, a missing clock, or what is no number.
    """
    unknown = next((name for name in table.names if name not in _OTHERS and name not in COLUMNS), None)
    if unknown is not None:
        raise InputError(f'the column "{unknown}" is no control of a MetaHuman', table.path, "export the table again")
    fps = stated_fps(table)
    if fps is None and "time_s" not in table:
        raise InputError('the column "time_s" is missing', table.path, "add it, or a first line: # fps=60")
    times_s = table.column("time_s") if "time_s" in table else np.arange(len(table.rows)) / (fps or DATA_FPS)
    channels = {"controls": table.columns(COLUMNS)}
    if all(name in table for name in ROTATION_COLUMNS):
        channels["rotation"] = table.columns(ROTATION_COLUMNS)
    valid = table.column("valid") > 0.5 if "valid" in table else np.ones(len(times_s), bool)
    return assemble(table, times_s, channels, valid, fps)


def is_bare_table(path: Path) -> bool:
    """Whether a file starts with a row of 174 numbers, as those of the EmoFace data do."""
    try:
        with path.open("rb") as file:
            cells = file.read(_FIRST_BYTES).split(b"\n", 1)[0].split(b",")
        return len(cells) == COUNT and all(_is_number(cell) for cell in cells)
    except OSError:  # whoever reads the file says it better
        return False


def read_bare_table(path: Path) -> Performance:
    """The performance of rows of 174 comma-separated numbers at 60 frames a second. Raises InputError."""
    return Performance(
        fps=DATA_FPS, valid=np.ones(len(rows := read_curves(path)), bool), controls=rows, source={"file": path.name}
    )


def read_curves(path: Path) -> np.ndarray:
    """Controls (T, 174) float32 of a file of T rows of 174 comma-separated numbers. Raises InputError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"the file is larger than {MAX_BYTES // 1_000_000} MB", path)
        values = np.loadtxt(path, delimiter=",", dtype=np.float32, ndmin=2, encoding="utf-8")
    except (ValueError, OSError) as error:  # UnicodeDecodeError is a ValueError
        raise InputError("this is no table of rig controls", path, f"expected rows of {COUNT} numbers") from error
    if values.shape[1] != COUNT or len(values) == 0:
        fix = f"expected rows of {COUNT}"
        raise InputError(f"the table has {len(values)} rows of {values.shape[1]} numbers", path, fix)
    if not np.isfinite(values).all():
        raise InputError("the table holds values that are not finite", path, "export it again")
    return values


def _is_number(cell: bytes) -> bool:
    return re.fullmatch(rb"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", cell) is not None
