"""Curves as tables: MetaHuman controls (CSV, JSON), ARKit weights, and what Apple's app Live Link Face records."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.core.errors import InputError
from vultus.core.types import Performance
from vultus.face.foreign import (
    EYES_RADIANS,
    HEAD_RADIANS,
    LIVE_LINK_BASE_FPS,
    LIVE_LINK_SIGNS,
    LOOK_DEG,
    ROTATION_COLUMNS,
)
from vultus.face.metahuman import COLUMNS, CONTROLS
from vultus.face.rig_map import with_controls, with_expression

JSON_VERSION = 1

_EYE = ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")
LIVE_LINK_WEIGHTS: tuple[str, ...] = (
    *(f"Eye{what}{side}" for side in ("Left", "Right") for what in _EYE),
    *("JawForward", "JawRight", "JawLeft", "JawOpen"),
    *("MouthClose", "MouthFunnel", "MouthPucker", "MouthRight", "MouthLeft"),
    *(f"Mouth{what}{side}" for what in ("Smile", "Frown", "Dimple", "Stretch") for side in ("Left", "Right")),
    *("MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper"),
    *(f"Mouth{what}{side}" for what in ("Press", "LowerDown", "UpperUp") for side in ("Left", "Right")),
    *("BrowDownLeft", "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight"),
    *("CheekPuff", "CheekSquintLeft", "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight", "TongueOut"),
)
"""The 52 weights in the order of the app's files, which puts right before left for jaw and mouth."""
LIVE_LINK_HEADER = ("Timecode", "BlendShapeCount", *LIVE_LINK_WEIGHTS, *HEAD_RADIANS, *EYES_RADIANS)
"""All 63 columns; BlendShapeCount says 61, the values after it."""


def arkit_weights(performance: Performance) -> np.ndarray:
    """ARKit weights (T, 52) float32 0-1, with the eyeLook weights of the gaze where the performance has only that.

    Raises InputError where there are neither weights nor controls.
    """
    acted = with_expression(performance)
    if acted.expression is None or acted.basis != "arkit52":
        raise InputError("the performance has no ARKit weights to export", fix="use one made by vultus rig or track")
    weights = np.clip(acted.expression, 0, 1).astype(np.float32)
    looks = [i for i, name in enumerate(ARKIT52) if name.startswith("eyeLook")]
    if acted.gaze is not None and not weights[:, looks].any():
        across, up = (acted.gaze / LOOK_DEG).T
        for name, value in (("Out{}", across), ("In{}", -across), ("Up{}", up), ("Down{}", -up)):
            for side, sign in (("Left", 1), ("Right", -1 if name[0] in "OI" else 1)):
                weights[:, index_of("eyeLook" + name.format(side))] = np.clip(sign * value, 0, 1)
    return weights


def write_metahuman_csv(performance: Performance, file: BinaryIO) -> None:
    """A line `# vultus MetaHuman controls, fps=60`, then time_s, yaw pitch roll in degrees if known, 174 controls."""
    rig = with_controls(performance)
    assert rig.controls is not None
    names, values = [*COLUMNS], [rig.controls]
    if rig.rotation is not None:
        names, values = [*ROTATION_COLUMNS, *names], [rig.rotation, *values]
    _write_table(file, f"# vultus MetaHuman controls, fps={rig.fps:.12g}", ["time_s", *names], rig, values)


def write_metahuman_json(performance: Performance, file: BinaryIO) -> None:
    """An object: format, version, fps, controls (name, control, axis, low, high), values (T, 174), rotation_deg."""
    rig = with_controls(performance)
    assert rig.controls is not None
    board = [
        {"name": name, "control": name.rpartition("-")[0], "axis": c.axis, "low": c.low, "high": c.high}
        for name, c in zip(COLUMNS, CONTROLS, strict=True)
    ]
    document = {
        "format": "vultus MetaHuman controls",
        "version": JSON_VERSION,
        "fps": rig.fps,
        "controls": board,
        "values": np.round(rig.controls.astype(np.float64), 6).tolist(),
    }
    if rig.rotation is not None:
        document["rotation_deg"] = np.round(rig.rotation.astype(np.float64), 4).tolist()
    file.write(json.dumps(document, separators=(",", ":")).encode())


def write_arkit_csv(performance: Performance, file: BinaryIO) -> None:
    """time_s, the 52 weights under Apple's names, yaw pitch roll in degrees if known."""
    weights = arkit_weights(performance)
    names, values = [*ARKIT52], [weights]
    if performance.rotation is not None:
        names, values = [*names, *ROTATION_COLUMNS], [*values, performance.rotation]
    title = f"# vultus ARKit weights, fps={performance.fps:.12g}, reference={performance.reference}"
    _write_table(file, title, ["time_s", *names], performance, values)


def write_live_link_csv(performance: Performance, file: BinaryIO) -> None:
    """What the app would have recorded: time codes at 60 frames a second, 61 values, angles in radians."""
    acted = with_expression(performance)
    columns = dict(zip((name[0].upper() + name[1:] for name in ARKIT52), arkit_weights(acted).T, strict=True))
    weights = np.stack([columns[name] for name in LIVE_LINK_WEIGHTS], 1)
    turns = np.zeros((len(acted), 3)) if acted.rotation is None else np.radians(acted.rotation) / LIVE_LINK_SIGNS
    eyes = np.zeros((len(acted), 3))
    if acted.gaze is not None:
        eyes[:, :2] = np.radians(acted.gaze) / LIVE_LINK_SIGNS[:2]
    values = np.concatenate([weights, turns, eyes, eyes], 1)
    count = str(len(LIVE_LINK_HEADER) - 2)
    rows = (
        [time_code(i / acted.fps), count, *(f"{value:.10f}" for value in row + 0.0)] for i, row in enumerate(values)
    )
    _write_rows(file, [], LIVE_LINK_HEADER, rows)


def time_code(time_s: float) -> str:
    """hours:minutes:seconds:frames.thousandths of a frame, at 60 frames a second, as the app writes it."""
    ticks = round(time_s * LIVE_LINK_BASE_FPS * 1000)
    frames, thousandths = divmod(ticks, 1000)
    seconds, frames = divmod(frames, int(LIVE_LINK_BASE_FPS))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours % 24:02d}:{minutes:02d}:{seconds:02d}:{frames:02d}.{thousandths:03d}"


def _write_table(
    file: BinaryIO, title: str, header: list[str], performance: Performance, values: Sequence[np.ndarray]
) -> None:
    table = np.concatenate([np.asarray(part, np.float64) for part in values], 1)
    rows = ([f"{i / performance.fps:.6f}", *(f"{value:.6g}" for value in row)] for i, row in enumerate(table))
    _write_rows(file, [title], header, rows)


def _write_rows(file: BinaryIO, titles: list[str], header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    text.writelines(title + "\n" for title in titles)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    text.detach()  # flushes, and leaves the file open to whoever opened it
