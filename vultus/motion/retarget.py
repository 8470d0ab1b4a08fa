"""One person's tracked face on another's: offsets from the actor's resting look instead of absolute values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from vultus.core.bases import ARKIT52
from vultus.core.controls import MAX_GAZE_DEG
from vultus.core.types import Performance
from vultus.motion.noise import soft_limit
from vultus.motion.pose import FREE_DEG, FREE_UNITS, LIMIT_DEG, LIMIT_UNITS

RESTING_QUANTILE = 0.15
"""An upper-face weight that is higher than this share of the time belongs to the actor's face, not to the acting."""
_UPPER = np.array([name.startswith(("brow", "eye", "cheek", "nose")) for name in ARKIT52])


def retarget(performance: Performance) -> Performance:
    """A tracked performance (reference "camera") as offsets ("rest") that another face can play.

    Brows, eyes, cheeks and nose count from the actor's resting level, found as a low quantile and stretched back to
    0-1, so that a heavy brow or a narrow eye is not carried over; lips and jaw are kept. Rotation, translation and
    gaze are taken about their medians and limited to what one photo can show. Landmarks are places in the actor's
    video, and left out.
    """
    if performance.reference == "rest" or len(performance) == 0:
        return replace(performance, reference="rest")
    seen = performance.valid if performance.valid.any() else np.ones(len(performance), bool)
    changed: dict[str, Any] = {"landmarks": None}
    if performance.expression is not None and performance.basis == "arkit52":
        expression = performance.expression.astype(np.float32)
        resting = np.where(_UPPER, np.quantile(expression[seen], RESTING_QUANTILE, axis=0), 0).astype(np.float32)
        changed["expression"] = np.clip((expression - resting) / np.maximum(1 - resting, 0.2), 0, 1)
    for name, free, limit in (
        ("rotation", FREE_DEG, LIMIT_DEG),
        ("translation", FREE_UNITS, LIMIT_UNITS),
        ("gaze", MAX_GAZE_DEG[1], MAX_GAZE_DEG[0]),
    ):
        channel = getattr(performance, name)
        if channel is not None:
            centred = channel - np.median(channel[seen], axis=0)
            changed[name] = soft_limit(centred, free, limit).astype(np.float32)
    return replace(performance, reference="rest", **changed)
