"""Performance files: our own CSV (for people and spreadsheets) and npz (exact), and those of other trackers.

The CSV has one row a frame under a comment line `# vultus performance, fps=25, reference=camera`: `time_s`, `valid`,
the 52 ARKit weights, `yaw pitch roll` (degrees), `tx ty tz` (head units), `gaze_x gaze_y` (degrees), `AU45` (0-5) and
`blink`, which numbers the blinks seen in AU45 on their frames and is 0 between them; it is not read back. There are no
landmarks and no MetaHuman controls in it: npz holds them. Read as well: ARKit tables, Live Link Face, OpenFace
(`face.foreign`), MetaHuman controls (`face.metahuman_files`). Files for other programs: `face.exports`.
"""

from __future__ import annotations

import csv
import functools
import io
import json
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vultus.core.bases import BASES
from vultus.core.errors import InputError
from vultus.core.files import check_file_target, whole_file
from vultus.core.types import Performance
from vultus.face import foreign
from vultus.face.blinks import blink_numbers, blinks_of
from vultus.face.metahuman import COUNT
from vultus.face.metahuman_files import is_bare_table, read_bare_table
from vultus.face.rig_map import with_expression
from vultus.face.tables import MAX_BYTES, read_table

SUFFIXES = (".csv", ".npz")
"""What a performance can be written as."""

_NPZ_VERSION = 1
_CSV_CHANNELS: dict[str, tuple[str, ...]] = {
    "rotation": foreign.ROTATION_COLUMNS,
    "translation": foreign.TRANSLATION_COLUMNS,
    "gaze": foreign.GAZE_COLUMNS,
    "au45": ("AU45",),
}


def save_performance(performance: Performance, path: Path, **beside: np.ndarray) -> None:
    """Write a performance to `path`, .csv or .npz; the file appears only when it is whole. Raises InputError.

    `beside` are further arrays to keep in an .npz, under names that are no channel's; `load_performance` skips them.
    """
    path = check_target(Path(path))
    to_csv = path.suffix.lower() == ".csv"
    writer: Callable[[Performance, BinaryIO], None] = (
        _write_csv if to_csv else functools.partial(_write_npz, beside=beside)
    )
    with whole_file(path) as file:
        writer(performance, file)


def check_target(path: Path) -> Path:
    """The path itself, if a performance can be written there. Raises InputError."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f'a performance cannot be written as "{path.suffix}"', path, "end the name in .csv or .npz")
    return check_file_target(path)


def load_performance(path: Path) -> Performance:
    """Read a performance: our npz or CSV, a table of ARKit, Live Link Face, OpenFace, or of MetaHuman controls.

    Raises InputError naming the file and, where it can, the line and column.
    """
    path = Path(path)
    if path.suffix.lower() == ".npz":
        return _read_npz(path)
    if path.suffix.lower() not in (".csv", ".txt", ".tsv"):
        raise InputError(f'a performance cannot be read from "{path.suffix}"', path, "give a .csv or .npz file")
    if is_bare_table(path):
        return read_bare_table(path)
    table = read_table(path)
    for recognises, read in foreign.READERS:
        if recognises(table):
            return read(table)
    raise InputError(
        "the table's columns are not those of a performance",
        path,
        "give one made by vultus, ARKit, Live Link Face, OpenFace or EmoFace",
    )


def convert(performance: Performance, basis: str) -> Performance:
    """The performance with its expression in another basis.

    MetaHuman controls give an expression in arkit52 where there is none (`face.rig_map`). No pair of bases has a
    conversion: an expression of one cannot be had from the other without both head models. Raises InputError saying
    so, unless nothing is to be done.
    """
    if basis not in BASES:
        raise InputError(f'there is no expression basis "{basis}"', fix=f"there are {', '.join(BASES)}")
    if basis == "arkit52":
        performance = with_expression(performance)
    if performance.basis == basis or performance.expression is None:
        return performance
    raise InputError(
        f"an expression in {performance.basis} cannot be turned into {basis}",
        fix=f"use a performance recorded in {basis}: what vultus tracks is arkit52",
    )


def _write_csv(performance: Performance, file: BinaryIO) -> None:
    columns: dict[str, np.ndarray] = {}
    if performance.expression is not None:
        columns.update(zip(BASES[performance.basis], performance.expression.T, strict=True))
    for channel, names in _CSV_CHANNELS.items():
        if channel in performance.channels:
            columns.update(zip(names, getattr(performance, channel).reshape(len(performance), -1).T, strict=True))
    if performance.au45 is not None:
        columns["blink"] = blink_numbers(blinks_of(performance), len(performance))
    texts = [[f"{value:.6g}" for value in column] for column in columns.values()]
    times = [f"{i / performance.fps:.6f}" for i in range(len(performance))]
    table = io.StringIO()
    table.write(f"# vultus performance, fps={performance.fps:.12g}, reference={performance.reference}\n")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["time_s", "valid", *columns])
    writer.writerows(zip(times, performance.valid.astype(int), *texts, strict=True))
    file.write(table.getvalue().encode())


def _write_npz(performance: Performance, file: BinaryIO, beside: dict[str, np.ndarray]) -> None:
    facts = {
        "version": _NPZ_VERSION,
        "fps": performance.fps,
        "basis": performance.basis,
        "reference": performance.reference,
        "source": performance.source,
    }
    channels = {name: getattr(performance, name) for name in performance.channels}
    np.savez_compressed(file, valid=performance.valid, facts=np.array(json.dumps(facts)), **channels, **beside)


def _read_npz(path: Path) -> Performance:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise InputError(f"the file unpacks to more than {MAX_BYTES // 1_000_000} MB", path)
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
    except (zipfile.BadZipFile, ValueError, EOFError, zlib.error) as error:
        raise InputError("the file is not a readable npz archive", path) from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror or error})", path) from error
    missing = [name for name in ("valid", "facts") if name not in arrays]
    if missing:
        raise InputError(f'the array "{missing[0]}" is missing', path, "give a performance written by vultus")
    try:
        facts: dict[str, Any] = json.loads(str(arrays["facts"]))
        if facts["version"] != _NPZ_VERSION:
            raise InputError(f"the file has version {facts['version']}, not {_NPZ_VERSION}", path, "update vultus")
        channels = {name: arrays[name] for name in Performance.CHANNELS if name in arrays}
        return _checked(channels, arrays["valid"], facts, path)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"the performance is damaged ({error})", path) from error


def _checked(channels: dict[str, np.ndarray], valid: np.ndarray, facts: dict[str, Any], path: Path) -> Performance:
    if valid.dtype != bool or valid.ndim != 1:
        raise InputError('the array "valid" is not one boolean a frame', path)
    if facts["reference"] not in ("rest", "camera") or facts["basis"] not in BASES:
        raise InputError("the performance is damaged (unknown basis or reference)", path)
    shapes = {"rotation": (3,), "translation": (3,), "gaze": (2,), "au45": (), "landmarks": (68, 3)}
    shapes["controls"] = (COUNT,)
    for name, channel in channels.items():
        wrong_shape = channel.shape[1:] != shapes.get(name, channel.shape[1:])
        if channel.dtype.kind != "f" or wrong_shape or not np.isfinite(channel).all():
            raise InputError(f'the channel "{name}" holds something else than it should', path)
    return Performance(
        fps=float(facts["fps"]),
        valid=valid,
        basis=facts["basis"],
        reference=facts["reference"],
        source=facts["source"],
        **channels,
    )
