"""Reading tables of numbers from CSV files that people and other programs wrote, with errors that name the cell."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vultus.core.errors import InputError

MAX_BYTES = 500_000_000
"""Largest performance file that is read: hours of video."""


@dataclass(frozen=True)
class Table:
    """A CSV file: its `#` comment lines, column names (blanks stripped) and rows of text, with their line numbers."""

    path: Path
    comments: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    @property
    def facts(self) -> dict[str, str]:
        """What the comments state as name=value."""
        return dict(re.findall(r"(\w+)=([^\s,]+)", " ".join(self.comments)))

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def column(self, name: str, parse: Callable[[str], float] = float) -> np.ndarray:
        """Column (T,) float64. Raises InputError when it is missing or holds something that is no finite number."""
        if name not in self.names:
            raise InputError(f'the column "{name}" is missing', self.path, f"its columns are {_some(self.names)}")
        index = self.names.index(name)
        values = np.empty(len(self.rows))
        for i, (row, line) in enumerate(zip(self.rows, self.lines, strict=True)):
            try:
                values[i] = parse(row[index])
            except ValueError:
                values[i] = np.nan
            if not np.isfinite(values[i]):
                raise InputError(f'"{row[index]}" in column "{name}" is not a number', f"{self.path}, line {line}")
        return values

    def columns(self, names: tuple[str, ...]) -> np.ndarray:
        """Columns (T, len(names)) float64; a column that the file does not have is zero."""
        zero = np.zeros(len(self.rows))
        return np.stack([self.column(name) if name in self.names else zero for name in names], 1)


def read_table(path: Path) -> Table:
    """Read a CSV file, separated by commas, semicolons or tabs. Raises InputError if it is no table or has no rows."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"the file is larger than {MAX_BYTES // 1_000_000} MB", path)
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", path) from error
    except UnicodeDecodeError as error:
        raise InputError("the file is not a text table", path, "give a CSV or npz performance file") from error
    lines = text.splitlines()
    comments = tuple(line.lstrip("# ").rstrip() for line in lines if line.startswith("#"))
    body = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not body:
        raise InputError("the file is empty", path)
    names = tuple(name.strip() for name in _split(body[0][1], path, body[0][0], _delimiter(body[0][1])))
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise InputError(f'the column "{doubled[0]}" occurs twice', path)
    if len(body) == 1:
        raise InputError("the file has a header but no rows", path)
    rows = [_split(line, path, number, _delimiter(body[0][1])) for number, line in body[1:]]
    for row, (number, _) in zip(rows, body[1:], strict=True):
        if len(row) != len(names):
            raise InputError(f"{len(row)} values where the header has {len(names)} columns", f"{path}, line {number}")
    return Table(path, comments, names, tuple(map(tuple, rows)), tuple(number for number, _ in body[1:]))


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _split(line: str, path: Path, number: int, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(line), delimiter=delimiter))
    except (csv.Error, StopIteration) as error:
        raise InputError("the line is not a row of a table", f"{path}, line {number}") from error


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:6]) + (" ..." if len(names) > 6 else "")
