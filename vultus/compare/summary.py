"""From figures of single clips to one figure a method, with the interval in which it lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vultus.compare.clip import COPY, NULLS, STILL, SWAPPED, ClipResult
from vultus.compare.measures import MEASURES, SYNC_MEASURES, Measure
from vultus.metrics.frechet import Moments, frechet_distance
from vultus.metrics.lips import bootstrap_interval

BLOCK_S = 1.0
"""The interval of a single clip is found by drawing stretches of so many seconds anew."""
DRAWS = 1000


@dataclass(frozen=True)
class Figure:
    """A mean over clips and its 95 % interval by bootstrap; NaN bounds where there is nothing to draw from."""

    mean: float
    low: float
    high: float
    clips: int
    """Clips that told it."""


def summarise(clips: Sequence[ClipResult], methods: Sequence[str]) -> dict[str, dict[str, Figure]]:
    """Measure -> method or null -> figure, for all that any clip told."""
    table: dict[str, dict[str, Figure]] = {}
    for measure in MEASURES:
        row = {}
        for name in (*methods, *NULLS):
            if name == SWAPPED and measure.name not in SYNC_MEASURES:
                continue
            figure = _figure(clips, name, measure)
            if figure is not None:
                row[name] = figure
        if row:
            table[measure.name] = row
    return table


def _figure(clips: Sequence[ClipResult], name: str, measure: Measure) -> Figure | None:
    told = [clip.values[name][measure.name] for clip in clips if measure.name in clip.values.get(name, {})]
    known = np.array([value for value in told if not np.isnan(value)])
    if not told:
        return None
    if len(known) == 0:
        return Figure(np.nan, np.nan, np.nan, 0)
    mean = float(known.mean())
    if len(known) > 1:
        return Figure(mean, *_interval(known), len(known))
    series = next(
        (clip.series[name][measure.name] for clip in clips if measure.name in clip.series.get(name, {})), None
    )
    bounds = (np.nan, np.nan) if series is None else block_interval(np.array(series), round(BLOCK_S * clips[0].fps))
    return Figure(mean, *bounds, 1)


def _interval(known: np.ndarray) -> tuple[float, float]:
    """Of values (n,), one a clip; of two identical clips PSNR is infinite, and so is its interval."""
    if np.isinf(known).any():
        return (float(known.mean()), float(known.mean())) if np.isinf(known).all() else (float(known.min()), np.inf)
    return bootstrap_interval(known)


def block_interval(series: np.ndarray, block: int) -> tuple[float, float]:
    """95 % interval of the mean of a series (T,) by drawing blocks of neighbours anew (Künsch 1989); NaN left out.

    (NaN, NaN) for a series of less than two blocks, or one that is not finite.
    """
    series = series[~np.isnan(series)]
    if len(series) < 2 * block or not np.isfinite(series).all():
        return float("nan"), float("nan")
    rng = np.random.default_rng(0)
    count = -(-len(series) // block)
    starts = rng.integers(0, len(series) - block + 1, (DRAWS, count))
    sums = np.concatenate([[0.0], np.cumsum(series)])
    means = (sums[starts + block] - sums[starts]).sum(1) / (count * block)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def frechet_row(real: Sequence[Moments], made: Mapping[str, Sequence[Moments]]) -> dict[str, Figure]:
    """FID of each method over all its pictures, and of the real ones against themselves; it has no interval."""
    theirs = Moments.joined(real)
    row = {
        name: Figure(frechet_distance(Moments.joined(parts), theirs), np.nan, np.nan, len(parts))
        for name, parts in made.items()
        if parts
    }
    return row | {COPY: Figure(0.0, np.nan, np.nan, len(real))}


def worse_than_still(measure: Measure, row: Mapping[str, Figure], method: str) -> bool:
    """Whether a method does no better than a still photo, by a measure that says which way is better."""
    if measure.better == "as reference" or method not in row or STILL not in row:
        return False
    here, still = row[method].mean, row[STILL].mean
    return bool(here <= still if measure.better == "higher" else here >= still)
