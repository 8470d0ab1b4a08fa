"""Curves for other programs: MetaHuman CSV and JSON, ARKit CSV, Live Link Face CSV, glTF. See docs/rig.md."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, get_args

from vultus.core.errors import ControlError, InputError
from vultus.core.files import check_file_target, whole_file
from vultus.core.types import Performance

Format = Literal["metahuman", "arkit", "livelink", "gltf"]
Writer = Callable[[Performance, BinaryIO], None]


@dataclass(frozen=True)
class ExportForm:
    """One form of file: how its name ends, and the function that writes it, as (module, name)."""

    suffix: str
    writer: tuple[str, str]


FORMS: dict[str, tuple[ExportForm, ...]] = {
    "metahuman": (
        ExportForm(".csv", ("vultus.face.exports.tables", "write_metahuman_csv")),
        ExportForm(".json", ("vultus.face.exports.tables", "write_metahuman_json")),
    ),
    "arkit": (ExportForm(".csv", ("vultus.face.exports.tables", "write_arkit_csv")),),
    "livelink": (ExportForm(".csv", ("vultus.face.exports.tables", "write_live_link_csv")),),
    "gltf": (ExportForm(".glb", ("vultus.face.exports.gltf", "write_glb")),),
}
"""Format -> its forms, the usual one first; modules are imported when they are used."""
assert set(FORMS) == set(get_args(Format))


def suffix_of(format: str) -> str:
    """How a file of a format is named unless the user says otherwise. Raises ControlError for an unknown format."""
    return _forms(format)[0].suffix


def check_export(path: Path, format: str) -> Path:
    """The path itself, if curves can be written there in that format. Raises ControlError, InputError."""
    suffixes = [form.suffix for form in _forms(format)]
    if path.suffix.lower() not in suffixes:
        fix = f"end the name in {' or '.join(suffixes)}"
        raise InputError(f'curves for {format} cannot be written as "{path.suffix}"', path, fix)
    return check_file_target(path)


def write_export(performance: Performance, path: Path, format: str) -> Path:
    """Write a performance for another program; the file appears only when it is whole. Returns its path.

    Raises InputError where the performance has neither ARKit weights nor controls, or the file cannot be written.
    """
    path = check_export(path, format)
    module, name = next(form.writer for form in _forms(format) if form.suffix == path.suffix.lower())
    writer: Writer = getattr(importlib.import_module(module), name)
    with whole_file(path) as file:
        writer(performance, file)
    return path


def _forms(format: str) -> tuple[ExportForm, ...]:
    if format not in FORMS:
        raise ControlError(f"there is no format {format!r}", "--format", f"choose {', '.join(FORMS)}")
    return FORMS[format]
