"""Figures of a training run as CSV, one row a logged step, which a resumed run continues without a seam."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path


class CsvLog:
    """Appends rows of figures to a file. Rows after step `start`, left by a run that was killed, are dropped first."""

    def __init__(self, path: Path, start: int) -> None:
        self._path = path
        self._columns: list[str] = []
        if path.is_file():
            self._cut(start)

    def _cut(self, start: int) -> None:
        whole = [line for line in self._path.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]
        rows = list(csv.reader(whole))
        kept = rows[:1] + [row for row in rows[1:] if int(row[0]) <= start]
        partial = self._path.with_suffix(".part.csv")
        partial.write_text("".join(map(_line, kept)), encoding="utf-8")
        partial.replace(self._path)
        self._columns = rows[0][1:] if len(kept) > 1 else []

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Write one row; the first decides which columns there are. Raises ValueError if a later one has others."""
        if not figures:
            return
        if not self._columns:
            self._columns = list(figures)
            self._path.write_text(_line(["step", *self._columns]), encoding="utf-8")
        if set(figures) != set(self._columns):
            raise ValueError(f"{self._path} has the columns {self._columns}, not {list(figures)}")
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line([str(step), *(f"{figures[name]:.7g}" for name in self._columns)]))


def _line(row: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()
