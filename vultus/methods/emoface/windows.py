"""A network that looks at whole windows, played on a stream: overlapping windows whose curves are blended.

Every window lies at a fixed place, so that nothing depends on how the stream was cut into chunks; memory holds one
window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vultus.core.types import SAMPLE_RATE
from vultus.methods.emoface.config import FPS
from vultus.motion.lips import frame_count
from vultus.perception.speech import RATE_HZ, SpeechStates, state_count

Curves = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""States (T, width) and emotions (T, 7) at 60 fps -> controls (T, 174)."""


@dataclass(frozen=True)
class Windows:
    """Frames of a window: `hop` that are its own, `past` before and `ahead` after them that it only looks at.

    Neighbours cross-fade over the first `fade` of a window's own frames; the earlier one reaches so far past its own.
    """

    past: int
    hop: int
    fade: int
    ahead: int

    @property
    def lookahead_frames(self) -> int:
        """Frames after one that must be there before it comes out, at most."""
        return self.hop + self.fade + self.ahead


FILE = Windows(past=40, hop=100, fade=20, ahead=40)
"""For files: 3.3 s long, each frame is computed twice."""
LIVE = Windows(past=150, hop=6, fade=6, ahead=12)
"""For a voice that is still speaking: .4 s behind the ear, at fifteen times the work."""


class WindowedCurves:
    """Controls of a stream of frames."""

    def __init__(self, curves: Curves, windows: Windows) -> None:
        self._curves, self._windows = curves, windows
        self._states: np.ndarray | None = None
        self._emotion: np.ndarray | None = None
        self._first = 0  # frame of _states[0]
        self._number = 0  # of the next window
        self._tail = np.zeros((0, 0), np.float32)  # the last window's curves past its own frames

    def push(self, states: np.ndarray, emotion: np.ndarray) -> np.ndarray:
        """Take frames (n, width), (n, 7); return the controls (m, 174) that became final."""
        self._keep(states, emotion)
        return self._run(ended=False)

    def finish(self) -> np.ndarray:
        """The remaining controls."""
        return self._run(ended=True)

    def _keep(self, states: np.ndarray, emotion: np.ndarray) -> None:
        if len(states) == 0:
            return
        if self._states is None or self._emotion is None:
            self._states, self._emotion = states, emotion
        else:
            self._states = np.concatenate([self._states, states])
            self._emotion = np.concatenate([self._emotion, emotion])

    def _run(self, ended: bool) -> np.ndarray:
        """Controls of all windows that are complete, or `ended`."""
        parts = [np.zeros((0, 0), np.float32)]
        size = self._windows
        while self._states is not None and self._emotion is not None:
            known = self._first + len(self._states)
            own, end = self._number * size.hop, (self._number + 1) * size.hop + size.fade + size.ahead
            if own >= known or (end > known and not ended):
                break
            start = max(0, own - size.past)
            piece = slice(start - self._first, min(end, known) - self._first)
            made = self._curves(self._states[piece], self._emotion[piece])[own - start :]
            parts.append(self._joined(made, min(size.hop, known - own)))
            self._number += 1
            self._forget(max(0, self._number * size.hop - size.past))
        filled = [part for part in parts if len(part)]
        return np.concatenate(filled) if filled else parts[0]

    def _joined(self, made: np.ndarray, count: int) -> np.ndarray:
        """A window's own `count` frames, faded in over what the one before it has left."""
        own, faded = made[:count].copy(), min(len(self._tail), count)
        if faded:
            share = ((np.arange(faded) + 1) / (self._windows.fade + 1)).astype(np.float32)[:, None]
            own[:faded] = self._tail[:faded] * (1 - share) + own[:faded] * share
        self._tail = made[count : count + self._windows.fade]
        return own

    def _forget(self, frame: int) -> None:
        assert self._states is not None and self._emotion is not None
        stale = min(frame - self._first, len(self._states))
        self._states, self._emotion = self._states[stale:], self._emotion[stale:]
        self._first += stale


class FrameStates:
    """States at 60 fps from states at 50 Hz as these come: linear interpolation at the frames' middles."""

    def __init__(self) -> None:
        self._states: np.ndarray | None = None
        self._first = self._frame = 0

    def push(self, states: SpeechStates) -> np.ndarray:
        """Take states; return the (m, width) of the frames between them."""
        if len(states):
            kept = [] if self._states is None else [self._states]
            self._states = np.concatenate([*kept, states.hidden])
        if self._states is None:
            return states.hidden
        last = self._first + len(self._states) - 1
        return self._until(int(np.floor(last * FPS / RATE_HZ - 0.5 + 1e-6)) + 1)

    def finish(self, samples: int) -> np.ndarray:
        """The remaining frames of a voice of so many samples."""
        return self._until(frame_count(samples, FPS))

    def _until(self, frame: int) -> np.ndarray:
        assert self._states is not None
        count = max(0, frame - self._frame)
        last = self._first + len(self._states) - 1
        at = np.minimum((self._frame + np.arange(count) + 0.5) * (RATE_HZ / FPS), last)
        low = np.floor(at + 1e-6).astype(int)
        share = np.maximum(at - low, 0).astype(np.float32)[:, None]
        before, after = (self._states[np.minimum(low + k, last) - self._first] for k in (0, 1))
        self._frame += count
        if count:
            stale = max(0, int(low[-1]) - self._first)
            self._states = self._states[stale:]
            self._first += stale
        return before * (1 - share) + after * share


Hear = Callable[[np.ndarray], np.ndarray]
"""A whole waveform (n,) -> its states (`state_count(n)`, width)."""


class InWindows:
    """An ear that needs all of what it hears, on a voice of any length (`perception.speech.Listener`).

    Windows are 10 s long and overlap by 2 s. Each gives the states of its middle; the first and the last give those of
    the voice's ends too.
    """

    WINDOW, MARGIN = 500, 50
    """States of a window, and of its two sides that others give."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._samples = np.zeros(0, np.float32)
        self._first = self._given = 0  # states before the kept samples; states given out

    @property
    def lookahead_s(self) -> float:
        """See `Listener`."""
        return self.WINDOW / RATE_HZ

    def push(self, samples: np.ndarray) -> SpeechStates:
        """See `Listener.push`."""
        self._samples = np.concatenate([self._samples, np.asarray(samples, np.float32)])
        parts = []
        step, length = SAMPLE_RATE // RATE_HZ, self.WINDOW * SAMPLE_RATE // RATE_HZ
        while len(self._samples) > length:  # more will come, or the rest is a window of its own
            parts.append(self._heard(self._samples[:length], self._first + self.WINDOW - self.MARGIN))
            gone = self.WINDOW - 2 * self.MARGIN
            self._samples = self._samples[gone * step :]
            self._first += gone
        return SpeechStates(np.concatenate(parts) if parts else np.zeros((0, 0), np.float32))

    def finish(self) -> SpeechStates:
        """See `Listener.finish`."""
        return SpeechStates(self._heard(self._samples, self._first + state_count(len(self._samples))))

    def _heard(self, samples: np.ndarray, until: int) -> np.ndarray:
        cut = slice(self._given - self._first, until - self._first)
        self._given = until
        return self._hear(samples)[cut]
