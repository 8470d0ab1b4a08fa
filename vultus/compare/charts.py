"""Charts drawn with Pillow: lines, bars and dots over one pair of axes, a legend, and round numbers at the ticks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

COLOURS = ((31, 96, 168), (214, 98, 26), (46, 139, 87), (150, 70, 160), (110, 110, 110))
"""Of the series, in turn; told apart by people who cannot tell red from green."""
_INK, _GRID, _PAPER = (40, 40, 40), (225, 225, 225), (255, 255, 255)
_MARGINS_PX = (64, 34, 16, 40)
"""Left, top, right, bottom."""
_TICKS = 5
_FONT_PX = 13


@dataclass(frozen=True)
class Series:
    """Points to draw: `x` (N,) and `y` (N,); a NaN in `y` breaks a line."""

    name: str
    x: np.ndarray
    y: np.ndarray
    kind: Literal["line", "bars", "dots"] = "line"
    width_px: int = 2


@dataclass(frozen=True)
class _Axes:
    """Where values lie on the paper."""

    box: tuple[int, int, int, int]
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, value: float) -> float:
        low, high = self.x_range
        return self.box[0] + (value - low) / (high - low) * (self.box[2] - self.box[0])

    def y(self, value: float) -> float:
        low, high = self.y_range
        return self.box[3] - (value - low) / (high - low) * (self.box[3] - self.box[1])


def chart(
    series: Sequence[Series],
    title: str,
    x_label: str,
    y_range: tuple[float, float] | None = None,
    size: tuple[int, int] = (960, 260),
) -> np.ndarray:
    """One chart (height, width, 3) uint8 RGB; `size` is width and height in pixels, `y_range` fits the data if None."""
    paper = Image.new("RGB", size, _PAPER)
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(_FONT_PX)
    left, top, right, bottom = _MARGINS_PX
    box = (left, top, size[0] - right, size[1] - bottom)
    axes = _Axes(box, _extent([s.x for s in series], 0.0), y_range or _extent([s.y for s in series], 0.05))
    _draw_grid(draw, font, axes)
    for number, one in enumerate(series):
        _draw_series(draw, axes, one, COLOURS[number % len(COLOURS)])
    draw.rectangle(box, outline=_INK)
    draw.text((left, 9), title, _INK, font)
    draw.text((box[2], size[1] - 8), x_label, _INK, font, anchor="rs")
    _draw_legend(draw, font, [s.name for s in series], box[2])
    return np.asarray(paper)


def stacked(charts: Sequence[np.ndarray]) -> np.ndarray:
    """Charts of one width below each other."""
    return np.concatenate(list(charts))


def round_ticks(low: float, high: float, about: int = _TICKS) -> list[float]:
    """Round numbers between `low` and `high`, about as many as asked: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _extent(values: Sequence[np.ndarray], room: float) -> tuple[float, float]:
    """Least and greatest finite value, with some room at either end; never empty."""
    known = np.concatenate([np.asarray(v, np.float64).ravel() for v in values])
    known = known[np.isfinite(known)]
    if len(known) == 0:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    return low - room * (high - low), high + room * (high - low)


def _draw_grid(draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, axes: _Axes) -> None:
    left, top, right, bottom = axes.box
    for value in round_ticks(*axes.x_range, about=2 * _TICKS):
        draw.line([(axes.x(value), top), (axes.x(value), bottom)], _GRID)
        draw.text((axes.x(value), bottom + 6), f"{value:.6g}", _INK, font, anchor="mt")
    for value in round_ticks(*axes.y_range):
        draw.line([(left, axes.y(value)), (right, axes.y(value))], _GRID)
        draw.text((left - 6, axes.y(value)), f"{value:.6g}", _INK, font, anchor="rm")


def _draw_series(draw: ImageDraw.ImageDraw, axes: _Axes, series: Series, colour: tuple[int, int, int]) -> None:
    points = [
        (axes.x(x), axes.y(min(max(y, axes.y_range[0]), axes.y_range[1]))) if math.isfinite(y) else None
        for x, y in zip(np.asarray(series.x, float), np.asarray(series.y, float), strict=True)
    ]
    if series.kind == "line":
        for a, b in itertools.pairwise(points):
            if a is not None and b is not None:
                draw.line([a, b], colour, series.width_px)
        return
    floor = axes.y(min(max(0.0, axes.y_range[0]), axes.y_range[1]))
    half = 0.45 * (axes.box[2] - axes.box[0]) / max(len(points), 1) if series.kind == "bars" else 3.0
    for point in (p for p in points if p is not None):
        if series.kind == "bars" and abs(point[1] - floor) >= 1:
            top, bottom = sorted((point[1], floor))
            draw.rectangle([point[0] - half, top, point[0] + half, bottom], colour)
        elif series.kind == "dots":
            draw.ellipse([point[0] - half, point[1] - half, point[0] + half, point[1] + half], colour)


def _draw_legend(
    draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, names: Sequence[str], right: int
) -> None:
    at = float(right)
    for number in reversed(range(len(names))):
        at -= draw.textlength(names[number], font)
        draw.text((at, 9), names[number], _INK, font)
        draw.rectangle([at - 18, 12, at - 6, 20], COLOURS[number % len(COLOURS)])
        at -= 32
