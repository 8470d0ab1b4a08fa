"""Blinks from the eye aspect ratio alone, as EmoFace found them (section 3.2): a support vector machine on windows of
seven frames at 30 frames a second, or a threshold.

`face.blinks` is what tracking uses; it knows the person's head. These detectors need nothing but EAR (equation 3,
`face.points.eye_aspect_ratio`), any 68-point tracker's, and serve to count blinks in other people's data.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

EAR_FPS = 30.0
"""Frames per second of the windows: the paper's."""
WINDOW = 7
"""The frame itself, three before and three after (section 3.2)."""
LEAST_OPEN = 0.2
"""An eye is never taken to be less open than this EAR when a window is measured by its own widest frame."""
EAR_THRESHOLD = 0.2
"""The usual threshold on EAR for a shut eye (Cech and Soukupova 2016)."""
LEAST_FRAMES = 2
"""Only consecutive frames count as a blink (section 3.2)."""
ASSET = "blink_svm.json"


def windows(ear: np.ndarray) -> np.ndarray:
    """Windows (T, 7) around each frame of EAR (T,); past the ends the first or last frame is repeated."""
    half = WINDOW // 2
    padded = np.pad(np.asarray(ear, np.float64), half, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, WINDOW)


def relative(window: np.ndarray) -> np.ndarray:
    """Windows (N, 7) over their own widest frame, or over `LEAST_OPEN` where that is wider.

    How open a person's open eye is differs by a factor of two among people and trackers; a window that lies in a blink
    holds open frames to compare with.
    """
    return window / np.maximum(window.max(-1, keepdims=True), LEAST_OPEN)


def features(window: np.ndarray) -> np.ndarray:
    """What the machine looks at (N, 7): the relative middle frame, then the six around it in rising order.

    The paper gives it EAR itself. Relative and sorted, a linear machine is right where EAR alone leaves it at .86
    (docs/metrics.md): when the lids go down and up again does not matter, only that they do.
    """
    own = relative(window)
    return np.concatenate([own[:, WINDOW // 2, None], np.sort(np.delete(own, WINDOW // 2, axis=1), axis=1)], axis=1)


@dataclass(frozen=True)
class BlinkSvm:
    """A linear support vector machine on `features` of windows: shut where the margin is positive."""

    weights: np.ndarray
    """(7,)"""
    bias: float

    def margin(self, window: np.ndarray) -> np.ndarray:
        """Signed margin (N,) of raw EAR windows (N, 7)."""
        return features(window) @ self.weights + self.bias

    def shut(self, ear: np.ndarray) -> np.ndarray:
        """Whether the eye is shut (T,) in each frame of EAR (T,) at `EAR_FPS`."""
        return self.margin(windows(ear)) > 0


@cache
def embedded_svm() -> BlinkSvm:
    """The machine that ships, trained by `tools/fit_blink_svm.py`; its card stands in the asset."""
    text = (resources.files("vultus.assets") / ASSET).read_text("utf-8")
    numbers = json.loads(text)
    return BlinkSvm(np.array(numbers["weights"]), float(numbers["bias"]))


def shut_by_threshold(ear: np.ndarray, threshold: float = EAR_THRESHOLD) -> np.ndarray:
    """The traditional way: shut (T,) where EAR (T,) is below a threshold."""
    return np.asarray(ear) < threshold


def runs(shut: np.ndarray, least_frames: int = LEAST_FRAMES) -> np.ndarray:
    """First and last frame (N, 2) of each stretch of at least `least_frames` shut frames in (T,): the blinks."""
    edges = np.diff(np.concatenate([[0], np.asarray(shut, int), [0]]))
    found = np.stack([np.flatnonzero(edges > 0), np.flatnonzero(edges < 0) - 1], 1)
    return found[found[:, 1] - found[:, 0] + 1 >= least_frames]


def intervals(blinks: np.ndarray) -> np.ndarray:
    """Frames (N - 1,) from the first shut frame of each blink (N, 2) to that of the next."""
    return np.diff(blinks[:, 0])


def at_ear_rate(ear: np.ndarray, fps: float) -> np.ndarray:
    """EAR (T,) at another rate, at `EAR_FPS`, by linear interpolation."""
    count = max(1, round(len(ear) * EAR_FPS / fps))
    return np.interp((np.arange(count) + 0.5) / EAR_FPS, (np.arange(len(ear)) + 0.5) / fps, ear)
