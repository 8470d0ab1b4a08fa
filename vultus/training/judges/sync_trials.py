"""How well a judge of sync tells clips in sync from the same clips shifted: windows, scores and the area under the ROC.

The rule: a clip is cut into windows that overlap by half; the score of a window at a shift is the mean similarity there
less the median of those within 600 ms of it; windows as they are count as positive, the same windows `SHIFT_ROWS`
early and late as negative, all clips together. Moments whose sound within 800 ms is not in the clip are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vultus.perception.judges.mouth_numbers import RATE_HZ
from vultus.perception.judges.sync import MOST_ROWS

SHIFT_ROWS = 5
"""200 ms."""
TRIAL_ROWS = MOST_ROWS + SHIFT_ROWS
"""Offsets that `products` must reach."""


def area_under_roc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Probability (0-1) that a positive score (n,) is above a negative one (m,); equal ones count half.

    Mann and Whitney 1947: the area under the receiver operating characteristic.
    """
    ordered = np.sort(negative)
    below, up_to = (np.searchsorted(ordered, positive, side) for side in ("left", "right"))
    return float(np.mean((below + up_to) / 2) / len(ordered))


def window_scores(products: np.ndarray, window_s: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Scores (w,) of a clip's windows in sync and (2 w,) of the shifted ones.

    Args:
        products: (2 TRIAL_ROWS + 1, T) similarity by offset and moment (`SyncJudge.products`).
        window_s: length of the windows, at most the clip; None takes the whole clip.
    """
    known = products[:, TRIAL_ROWS : products.shape[1] - TRIAL_ROWS]
    frames = known.shape[1]
    if frames < 1:
        raise ValueError(f"a clip of {products.shape[1]} rows has none whose sound is known all around")
    width = frames if window_s is None else min(frames, round(window_s * RATE_HZ))
    starts = range(0, frames - width + 1, max(1, width // 2))
    curves = np.stack([known[:, start : start + width].mean(1) for start in starts])

    def score(shift: int) -> np.ndarray:
        middle = TRIAL_ROWS + shift
        around = curves[:, middle - MOST_ROWS : middle + MOST_ROWS + 1]
        found: np.ndarray = curves[:, middle] - np.median(around, 1)
        return found

    return score(0), np.concatenate([score(-SHIFT_ROWS), score(SHIFT_ROWS)])


def separation(products: Sequence[np.ndarray], window_s: float | None) -> float:
    """AUC (0-1) of windows in sync against shifted ones, over clips."""
    scores = [window_scores(found, window_s) for found in products]
    return area_under_roc(*(np.concatenate(side) for side in zip(*scores, strict=True)))
