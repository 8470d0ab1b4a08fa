"""From rows at any times to frames at a steady rate."""

from __future__ import annotations

import numpy as np

from vultus.core.errors import InputError
from vultus.core.types import Performance, Reference
from vultus.face.tables import Table

_MAX_FRAMES = 2_000_000
_EVEN_FRAMES = 0.05
"""Times this close to a steady rate, in frames, are taken as they are; others are resampled."""
_CLOCK_DIGITS = 2e-3
"""Rounding of written times in seconds (OpenFace writes milliseconds)."""


def assemble(
    table: Table,
    times_s: np.ndarray,
    channels: dict[str, np.ndarray],
    valid: np.ndarray,
    fps: float | None = None,
    reference: Reference = "rest",
    basis: str = "arkit52",
) -> Performance:
    """A performance from channels (T, ...) at times (T,), which may stand in any order and need not be even.

    `fps` is the rate stated in the file, or None to take the median distance of the rows. Raises InputError when two
    rows share a time, or the times do not make a rate.
    """
    order = np.argsort(times_s, kind="stable")
    times_s, valid = times_s[order] - times_s[order[0]], valid[order]
    steps = np.diff(times_s)
    if len(steps) and steps.min() <= 0:
        line = table.lines[order[int(np.argmin(steps)) + 1]]
        raise InputError("two rows have the same time", f"{table.path}, line {line}")
    fps = fps or _rate(steps, table)
    channels = {name: channel[order].astype(np.float32) for name, channel in channels.items()}
    frames = times_s * fps
    even = np.abs(frames - np.arange(len(frames))).max() <= max(_EVEN_FRAMES, _CLOCK_DIGITS * fps)
    if not even:
        count = round(frames[-1]) + 1
        if count > _MAX_FRAMES:
            raise InputError(f"its times span {count} frames", table.path, f"the most is {_MAX_FRAMES}")
        channels = {name: _resample(channel, frames, count) for name, channel in channels.items()}
        valid = valid[_nearest(frames, count)]
    source = {"file": table.path.name}
    return Performance(fps=fps, valid=valid, basis=basis, reference=reference, source=source, **channels)


def stated_fps(table: Table) -> float | None:
    """The rate that a table's comments state as fps=..., or None. Raises InputError for an impossible one."""
    text = table.facts.get("fps")
    if text is None:
        return None
    try:
        fps = float(text)
    except ValueError:
        fps = float("nan")
    if not 0.1 <= fps <= 1000:
        raise InputError(f"the rate fps={text} is impossible", table.path, "write frames per second")
    return fps


def _rate(steps: np.ndarray, table: Table) -> float:
    """Frames per second from the distances of rows, rounded where the clock's digits do not tell it apart."""
    if not len(steps):
        raise InputError("one row alone has no frame rate", table.path, "add a comment line: # fps=25")
    step = float(np.median(steps))
    total = float(steps.mean()) if np.abs(steps - step).max() < 0.1 * step + _CLOCK_DIGITS else step
    fps = 1 / total
    whole = round(fps)
    fps = float(whole) if whole and abs(1 / whole - total) * len(steps) < _CLOCK_DIGITS else fps
    if not 0.1 <= fps <= 1000:
        raise InputError(f"its times make {fps:.3g} frames per second", table.path, "give times in seconds")
    return fps


def _resample(channel: np.ndarray, frames: np.ndarray, count: int) -> np.ndarray:
    """Channel (T, ...) at positions `frames` (T,), linearly interpolated to frames 0 ... count - 1."""
    flat = channel.reshape(len(channel), -1)
    wanted = np.arange(count)
    columns = [np.interp(wanted, frames, column) for column in flat.T]
    return np.stack(columns, 1).reshape(count, *channel.shape[1:]).astype(np.float32)


def _nearest(frames: np.ndarray, count: int) -> np.ndarray:
    """Index (count,) of the row nearest to each frame."""
    later = np.clip(np.searchsorted(frames, np.arange(count)), 1, len(frames) - 1)
    earlier = later - 1
    return np.where(np.arange(count) - frames[earlier] <= frames[later] - np.arange(count), earlier, later)
