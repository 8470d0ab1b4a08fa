"""From how open the eyes are to AU45, calibrated to the person, and from AU45 to single blinks."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, grey_closing
from scipy.signal import find_peaks

from vultus.core.types import Performance

AU45_FULL = 5.0
"""AU45 of closed lids (OpenFace's scale)."""

_OPEN_PERCENTILE = 85
_LEAST_WIDEST = 0.2
_MAX_SHUT = 0.15
"""Share of the open eye above which the least opening seen is no blink."""
_BLINK_WINDOW_S = 0.6
"""Lids that are down for longer follow the gaze or a smile, or the person sleeps: `_LEAST_OPEN` tells which."""
_LEAST_OPEN = 0.4
"""Share of the person's open eye below which lids that stay down are shut, not just low."""
_DEAD_ZONE = 0.15
"""Closing below this share is squinting or noise, not a blink."""
_GAMMA = 0.7

MIN_DEPTH, FULL_DEPTH = 0.45, 0.85
"""Closures from which a lowering of the lids is a blink, and a full one; a smile's squint or a glance stays below."""
_VALLEY = 0.3
"""Between two blinks the lids must open by this much of a full closure: double blinks are two."""
_FOOT = 0.25
"""A blink starts and ends at this share of its depth."""


@dataclass(frozen=True)
class SeenBlink:
    """One blink seen in a video: frame numbers of its start, apex and end (inclusive), and its depth 0-1."""

    start: int
    apex: int
    end: int
    depth: float

    @property
    def full(self) -> bool:
        """Whether the lids met; otherwise it was a partial blink."""
        return self.depth >= FULL_DEPTH


def lid_closure(openness: np.ndarray, valid: np.ndarray, fps: float) -> np.ndarray:
    """How far each lid is shut (T, 2), 0-1, from openness (T, 2) (`face.gaze`), calibrated to the person.

    Open is how wide the eye stands before and after, any dip shorter than `_BLINK_WINDOW_S` left out (a grey-scale
    closing): lids follow the gaze and a smile, and that is no blink. It is held between `_LEAST_OPEN` and 1.1 times the
    person's open eye. Shut is the least opening seen, as long as that can be a blink. FaceMesh sees lids half shut as
    more open than they are: `_GAMMA` undoes that.
    """
    seen = openness[valid] if valid.any() else openness
    widest = np.maximum(np.percentile(seen, _OPEN_PERCENTILE, axis=0), _LEAST_WIDEST)
    steady = gaussian_filter1d(openness, 1.0, axis=0, mode="nearest")  # noise would lift the closing
    frames = 2 * round(_BLINK_WINDOW_S * fps / 2) + 1
    around = grey_closing(steady, size=(frames, 1), mode="nearest")
    open_now = np.clip(around, _LEAST_OPEN * widest, 1.1 * widest)
    least = np.clip(seen.min(0), 0, _MAX_SHUT * widest)
    shut = (open_now - openness) / (open_now - least)
    return (np.clip((shut - _DEAD_ZONE) / (1 - _DEAD_ZONE), 0, 1) ** _GAMMA).astype(np.float32)


def blink_events(au45: np.ndarray, valid: np.ndarray) -> list[SeenBlink]:
    """The blinks in AU45 (T,) on a scale of 0-5, in order; frames (T,) that are not `valid` have none.

    A blink is a peak of at least `MIN_DEPTH`; between two of them the lids open by `_VALLEY` or more. The video's ends
    count as open eyes, so that a blink cut off there is counted too.
    """
    closure = np.where(valid, np.clip(np.asarray(au45, np.float64) / AU45_FULL, 0, 1), 0)
    padded = np.concatenate([[0.0], closure, [0.0]])
    apexes: list[int] = []
    for peak in find_peaks(padded, height=MIN_DEPTH, prominence=_VALLEY)[0]:
        if apexes and padded[apexes[-1] : peak].min() > min(padded[apexes[-1]], padded[peak]) - _VALLEY:
            apexes[-1] = max(apexes[-1], int(peak), key=lambda at: padded[at])
        else:
            apexes.append(int(peak))
    valleys = [first + int(np.argmin(padded[first:second])) for first, second in itertools.pairwise(apexes)]
    bounds = [0, *valleys, len(padded) - 1]
    blinks = []
    for k, apex in enumerate(apexes):
        low = padded[bounds[k] : bounds[k + 1] + 1] < _FOOT * padded[apex]
        at = apex - bounds[k]
        before, after = np.nonzero(low[:at])[0], np.nonzero(low[at:])[0]
        start = bounds[k] + (before[-1] + 1 if len(before) else 0)
        end = apex + (after[0] - 1 if len(after) else len(low) - 1 - at)
        # one less, for the frame that was put before the first
        first, last = max(int(start) - 1, 0), min(int(end) - 1, len(closure) - 1)
        blinks.append(SeenBlink(first, apex - 1, last, float(padded[apex])))
    return blinks


def blinks_of(performance: Performance) -> list[SeenBlink]:
    """The blinks of a performance; none if it has no AU45."""
    return [] if performance.au45 is None else blink_events(performance.au45, performance.valid)


def blink_numbers(blinks: list[SeenBlink], frames: int) -> np.ndarray:
    """The number (T,), from 1, of the blink to which each frame belongs; 0 for none."""
    numbers = np.zeros(frames, int)
    for number, blink in enumerate(blinks, 1):
        numbers[blink.start : blink.end + 1] = number
    return numbers


def blink_rows(blinks: list[SeenBlink]) -> np.ndarray:
    """Blinks as rows (N, 4) float32 of start, apex and end frame and depth, for files."""
    rows = [(blink.start, blink.apex, blink.end, blink.depth) for blink in blinks]
    return np.array(rows, np.float32).reshape(-1, 4)
