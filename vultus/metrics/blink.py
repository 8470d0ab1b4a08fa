"""Blinks in numbers: how far lids are off, how often and how long they close, and the log-normal law of their rate.

Weights: none. Blinks themselves come from tracking (`face.blinks`) or from EAR (`face.ear_blinks`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vultus.motion.blink import MAX_RATE


def au45_mae(generated: np.ndarray, reference: np.ndarray, valid: np.ndarray | None = None) -> float:
    """Mean absolute difference of AU45 (T,), 0-5 (OpenFace's scale), over frames that are `valid` (T,); NaN if none.

    MAE = mean |a - b|; 0 is best, 5 the worst.
    """
    off = np.abs(np.asarray(generated, np.float64) - reference)
    off = off if valid is None else off[valid]
    return float(off.mean()) if len(off) else float("nan")


def blink_rate(count: int, duration_s: float) -> float:
    """Blinks per minute: 60 count / duration_s."""
    return 60 * count / duration_s


def mean_duration_s(first: np.ndarray, last: np.ndarray, fps: float) -> float:
    """Mean length in seconds of blinks from frames `first` to `last` (N,), both inclusive; NaN if there is none."""
    lengths = (np.asarray(last) - np.asarray(first) + 1) / fps
    return float(lengths.mean()) if len(lengths) else float("nan")


def rates_of_intervals(interval_frames: np.ndarray, fps: float) -> np.ndarray:
    """Blinks per minute (N,) that intervals (N,) between two blinks in frames amount to (EmoFace, section 3.2)."""
    return 60 * fps / np.asarray(interval_frames, np.float64)


@dataclass(frozen=True)
class LogNormal:
    """A log-normal law of blinks per minute: `mean` and `sd` of the natural logarithm, and how many values made it."""

    mean: float
    sd: float
    kept: int
    excluded: int

    def density(self, rate: np.ndarray) -> np.ndarray:
        """Probability density (N,) at rates (N,) > 0 in blinks per minute."""
        z = (np.log(rate) - self.mean) / self.sd
        return np.exp(-0.5 * z**2) / (rate * self.sd * np.sqrt(2 * np.pi))


def fit_log_normal(rates: np.ndarray, most: float = MAX_RATE) -> LogNormal:
    """The log-normal law with the greatest likelihood for rates (N,), those above `most` left out (EmoFace, figure 5).

    mean and sd are the mean and the standard deviation (over n) of ln rate. Raises ValueError if nothing is left.
    """
    rates = np.asarray(rates, np.float64)
    kept = rates[rates <= most]
    if len(kept) == 0:
        raise ValueError("there is no rate to fit")
    logs = np.log(kept)
    return LogNormal(float(logs.mean()), float(logs.std()), len(kept), len(rates) - len(kept))


def balanced_accuracy(found: np.ndarray, truth: np.ndarray) -> float:
    """Mean of the shares found right among those that are True and those that are False; (N,) bool each. Chance: .5."""
    found, truth = np.asarray(found, bool), np.asarray(truth, bool)
    return float((found[truth].mean() + (~found[~truth]).mean()) / 2)


def f1_score(found: np.ndarray, truth: np.ndarray) -> float:
    """2 hits / (2 hits + misses + false alarms), 0-1; (N,) bool each."""
    found, truth = np.asarray(found, bool), np.asarray(truth, bool)
    return float(2 * (found & truth).sum() / max(1, found.sum() + truth.sum()))
