"""The report: a table for people who have not read the papers, and JSON with everything in it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vultus.compare.clip import NULLS, ClipResult
from vultus.compare.measures import ARROWS, MEASURES, Measure
from vultus.compare.summary import Figure, worse_than_still

_NAME_WIDTH = 26
_HOW_TO_READ = """\
↑ higher is better, ↓ lower is better, ≈ the nearer to the copied reference the better. In brackets: the range in which
the mean of such clips lies with 95 % probability. Three columns say what a figure is worth: "copied reference" is the
real clip against itself, the best there is; "still photo" is its first frame, held; "swapped voice" is the real
picture with somebody else's voice. A figure marked ! is no better than the still photo's. Rows called ..._vultus are
our own small networks' opinion: compare it with nothing outside vultus."""


@dataclass(frozen=True)
class Report:
    """What `evaluate` found."""

    methods: list[str]
    clips: list[ClipResult]
    table: dict[str, dict[str, Figure]]
    """Measure -> method or null -> figure."""
    unavailable: dict[str, str]
    """Measure -> why it could not be computed."""
    failed: dict[str, str]
    """Clip -> why it could not be measured at all."""
    notes: list[str]
    every: int
    """Networks looked at every so manieth frame."""

    @property
    def duration_s(self) -> float:
        """Seconds of real clips."""
        return sum(clip.duration_s for clip in self.clips)

    def value(self, measure: str, method: str | None = None) -> float:
        """The mean of a measure, of the first method unless named. Raises KeyError where it was not measured."""
        return self.table[measure][self.methods[0] if method is None else method].mean

    def text(self) -> str:
        """The table, row by row, with what each means."""
        return "".join(f"{line.rstrip()}\n" for line in self._lines())

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain values; infinite is "inf", unknown is null."""
        return {
            "vultus": version("vultus"),
            "clips": len(self.clips),
            "seconds": round(self.duration_s, 3),
            "networks_see_every_nth_frame": self.every,
            "measures": [self._measure_json(measure) for measure in MEASURES],
            "by_clip": {c.name: {n: _plain(values) for n, values in c.values.items()} for c in self.clips},
            "failed": self.failed,
            "notes": self.notes,
        }

    def save(self, path: str | Path) -> Path:
        """Write the JSON, whole or not at all; returns its path."""
        path = Path(path)
        partial = path.with_name(f"{path.stem}.part.json")
        try:
            partial.write_text(
                json.dumps(self.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8"
            )
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return path

    def _measure_json(self, measure: Measure) -> dict[str, Any]:
        row = self.table.get(measure.name, {})
        found = {
            name: _plain({"mean": f.mean, "low": f.low, "high": f.high, "clips": f.clips}) for name, f in row.items()
        }
        return {
            "name": measure.name,
            "group": measure.group,
            "unit": measure.unit,
            "better": measure.better,
            "meaning": measure.meaning,
            "unavailable": self.unavailable.get(measure.name),
            "figures": found,
        }

    def _lines(self) -> Iterator[str]:
        count = f"{len(self.clips)} clip{'s' if len(self.clips) != 1 else ''}"
        yield f"{count}, {self.duration_s:.0f} s; mean [95 % interval]; networks look at every {_nth(self.every)} frame"
        yield ""
        columns = [*self.methods, *NULLS]
        cells = {m.name: self._cells(m, columns) for m in MEASURES if m.name in self.table}
        widths = [max(len(name), *(len(row[k]) for row in cells.values())) for k, name in enumerate(columns)]
        header = "  ".join(f"{name:>{width}}" for name, width in zip(columns, widths, strict=True))
        group = ""
        for measure in MEASURES:
            if measure.group != group:
                group = measure.group
                yield f"{group.upper():<{_NAME_WIDTH}}  {header}"
            yield from self._row(measure, cells, widths)
        yield ""
        yield _HOW_TO_READ
        for heading, lines in (
            ("Not measured:", [f"{n}: {why}" for n, why in self.failed.items()]),
            ("Notes:", self.notes),
        ):
            if lines:
                yield ""
                yield heading
                yield from (f"  {line}" for line in lines)

    def _row(self, measure: Measure, cells: Mapping[str, list[str]], widths: Sequence[int]) -> Iterator[str]:
        name = f"{ARROWS[measure.better]} {measure.name}"
        if measure.name in cells:
            figures = "  ".join(f"{cell:>{width}}" for cell, width in zip(cells[measure.name], widths, strict=True))
            yield f"{name:<{_NAME_WIDTH}}  {figures}"
        else:
            yield f"{name:<{_NAME_WIDTH}}  unavailable: {self.unavailable.get(measure.name, 'no clip told')}"
        unit = f" [{measure.unit}]" if measure.unit else ""
        yield f"    {measure.meaning}{unit}"

    def _cells(self, measure: Measure, columns: Sequence[str]) -> list[str]:
        row = self.table[measure.name]
        return [
            _cell(row.get(name), measure.decimals) + ("!" if worse_than_still(measure, row, name) else "")
            if name in self.methods
            else _cell(row.get(name), measure.decimals, interval=False)
            for name in columns
        ]


def _cell(figure: Figure | None, decimals: int, interval: bool = True) -> str:
    if figure is None:
        return ""
    text = _number(figure.mean, decimals)
    if interval and not math.isnan(figure.low):
        text += f" [{_number(figure.low, decimals)}, {_number(figure.high, decimals)}]"
    return text


def _number(value: float, decimals: int) -> str:
    if math.isnan(value):
        return "-"
    return "same" if math.isinf(value) else f"{value:.{decimals}f}"


def _nth(number: int) -> str:
    return {1: "", 2: "2nd", 3: "3rd"}.get(number, f"{number}th")


def _plain(values: Mapping[str, float]) -> dict[str, float | int | str | None]:
    """Floats as JSON can hold them."""
    return {name: None if math.isnan(v) else "inf" if math.isinf(v) else v for name, v in values.items()}
