"""Savitzky-Golay smoothing of curves as they come (EmoFace, section 3.1.3: 15 frames, polynomial order 3)."""

from __future__ import annotations

import numpy as np

WINDOW_FRAMES, ORDER = 15, 3


class SavitzkyGolay:
    """Smooths curves frame by frame, `lookahead` frames behind; the same as filtering the whole at once.

    At both ends a polynomial is fitted to the first and last window (scipy's mode "interp"). Curves shorter than a
    window are fitted by the longest odd window that they fill, and left alone if that is no longer than the order.
    """

    def __init__(self, window: int = WINDOW_FRAMES, order: int = ORDER) -> None:
        if window % 2 == 0 or window <= order:
            raise ValueError(f"a window must be odd and longer than the order, not {window} with order {order}")
        self.window, self.order = window, order
        self._kept: np.ndarray | None = None
        self._begun = False

    @property
    def lookahead(self) -> int:
        """Frames that must follow before a frame comes out."""
        return self.window // 2

    def push(self, frames: np.ndarray) -> np.ndarray:
        """Take frames (n, K); return those that became final, (m, K) float32."""
        kept = frames if self._kept is None else np.concatenate([self._kept, frames])
        if len(kept) < self.window:
            self._kept = kept
            return kept[:0].astype(np.float32)
        middle = self._smooth(kept)
        first = [] if self._begun else [self._ends(kept[: self.window])[: self.lookahead]]
        self._begun = True
        self._kept = kept[len(kept) - self.window + 1 :]
        return np.concatenate([*first, middle]).astype(np.float32)

    def finish(self) -> np.ndarray:
        """The remaining frames; the curves have ended."""
        kept, self._kept = self._kept, None
        if kept is None:
            return np.zeros((0, 0), np.float32)
        if not self._begun:
            return self._ends(kept).astype(np.float32)
        # The last window's fit needs its first frame back, which the filter has let go: it is kept as well.
        return self._ends(np.concatenate([self._last_gone, kept]))[-self.lookahead :].astype(np.float32)

    def _smooth(self, kept: np.ndarray) -> np.ndarray:
        """The middle of every whole window in `kept` (n, K): (n - window + 1, K)."""
        weights = _projection(self.window, self.order)[self.lookahead]
        self._last_gone = kept[len(kept) - self.window : len(kept) - self.window + 1]
        windows = np.lib.stride_tricks.sliding_window_view(kept.astype(np.float64), self.window, axis=0)
        return windows @ weights

    def _ends(self, frames: np.ndarray) -> np.ndarray:
        """All of one window (n, K) as the polynomial that fits it."""
        length = len(frames) if len(frames) % 2 else len(frames) - 1
        if length <= self.order:
            return frames.astype(np.float64)
        fit = _projection(length, self.order)
        if length == len(frames):
            return fit @ frames.astype(np.float64)
        return np.concatenate([fit[: length // 2 + 1] @ frames[:length], fit[length // 2 :] @ frames[1:]])


def smooth(curves: np.ndarray, window: int = WINDOW_FRAMES, order: int = ORDER) -> np.ndarray:
    """Curves (T, K) smoothed as a whole, float32."""
    stream = SavitzkyGolay(window, order)
    return np.concatenate([part for part in (stream.push(curves), stream.finish()) if part.size or not len(curves)])


def _projection(length: int, order: int) -> np.ndarray:
    """(length, length): samples at even steps to the least-squares polynomial's values at the same places."""
    powers = np.vander(np.linspace(-1, 1, length), order + 1)
    return powers @ np.linalg.pinv(powers)
