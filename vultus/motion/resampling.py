"""Curves brought from one frame rate to another as they come."""

from __future__ import annotations

import numpy as np


class Resampled:
    """Linear interpolation at the middles of the wanted frames; an equal rate passes unchanged."""

    def __init__(self, from_fps: float, fps: float) -> None:
        self._from_fps, self._fps = from_fps, fps
        self._curves: np.ndarray | None = None
        self._first = self._frame = 0

    def push(self, curves: np.ndarray) -> np.ndarray:
        """Take (n, K); return the (m, K) that became final."""
        if self._fps == self._from_fps:
            return curves
        self._curves = curves if self._curves is None else np.concatenate([self._curves, curves])
        last = self._first + len(self._curves) - 1
        return self._until(int(np.floor((last + 0.5) * self._fps / self._from_fps - 0.5 + 1e-6)) + 1)

    def finish(self, count: int) -> np.ndarray:
        """The remaining frames of `count` in all; the last curves are held."""
        if self._fps == self._from_fps or self._curves is None:
            return np.zeros((0, 0), np.float32)
        return self._until(count)

    def _until(self, frame: int) -> np.ndarray:
        assert self._curves is not None
        count = max(0, frame - self._frame)
        last = self._first + len(self._curves) - 1
        at = np.clip((self._frame + np.arange(count) + 0.5) * self._from_fps / self._fps - 0.5, 0, last)
        low = np.floor(at + 1e-6).astype(int)
        share = np.maximum(at - low, 0).astype(np.float32)[:, None]
        before, after = (self._curves[np.minimum(low + k, last) - self._first] for k in (0, 1))
        self._frame += count
        if count:
            stale = max(0, int(low[-1]) - self._first)
            self._curves = self._curves[stale:]
            self._first += stale
        return before * (1 - share) + after * share
