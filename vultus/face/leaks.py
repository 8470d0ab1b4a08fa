"""Expressions unmixed: what FaceMesh's points make of one movement leaks into others, and is led back.

Its points follow no movement exactly: an opening jaw, say, also thickens the lower lip, which reads as a lip rolled
out, and a head that looks up seems to frown. How much of what leaks where was measured on rendered people of whom
everything is known (`tools/measure_leaks.py`); to first order it is a linear map, the same for everybody.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.core.errors import MissingPartError

ASSET = Path(__file__).parent.parent / "assets" / "expression_leaks.npz"
_ONE_WAY = ("mouthLeft", "mouthRight", "jawLeft", "jawRight")
_UNSEEN = ("eyeLook", "eyeBlink", "tongueOut")
"""Gaze and lids are measured apart, and the tongue not at all."""
TURN_DEG = 30.0
"""Turn of the head that counts as much as a whole expression weight."""

LEAST_FRAMES, LEAST_MOTION, LOW_PERCENTILE = 50, 0.1, 5
"""Frames and motion of the jaw from which a clip shows somebody speaking, and the percentile that is the shut mouth."""
SPOKEN_REST, MOST_BUILD = (0.03, 0.06), 0.2
"""jawOpen of lips that shut in speech, at least and at most, and the most that a build makes of it."""
JAW_GAIN = 1.2
"""Tracking makes too little of a jaw that opens in speech: .8 of it on rendered people, less on photos."""


def _mirrored(name: str) -> str:
    return name if name in _ONE_WAY else name.removesuffix("Left").removesuffix("Right")


MOVEMENTS: tuple[str, ...] = tuple(dict.fromkeys(_mirrored(name) for name in ARKIT52 if not name.startswith(_UNSEEN)))
"""Names without side: Left and Right are one movement, but for those that have no mirror image."""
COLUMNS: tuple[tuple[int, ...], ...] = tuple(
    tuple(index_of(name) for name in ARKIT52 if not name.startswith(_UNSEEN) and _mirrored(name) == movement)
    for movement in MOVEMENTS
)


def movements(expression: np.ndarray) -> np.ndarray:
    """Movements (T, M) of ARKit weights (T, 52): the mean of both sides."""
    return np.stack([expression[:, columns].mean(1) for columns in COLUMNS], 1)


def features(expression: np.ndarray, rotation: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """What the map reads (T, M + 3): movements and turns of the head, from their medians over the `valid` frames.

    `expression` (T, 52) and `rotation` (T, 3), degrees, are as fitted.
    """
    seen = np.concatenate([movements(expression), rotation / TURN_DEG], 1)
    return seen - np.median(seen[valid], axis=0)


def undo_leaks(expression: np.ndarray, rotation: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """ARKit weights (T, 52) with every movement's departure from its median replaced by the unmixed one.

    How much one side does more than the other stays as it was; so do lids, gaze and tongue.
    """
    unmixed = features(expression, rotation, valid) @ _unmixing()
    seen = movements(expression)
    change = np.median(seen[valid], axis=0) + unmixed - seen
    result = expression.copy()
    for movement, columns in zip(change.T, COLUMNS, strict=True):
        result[:, columns] += movement[:, None]
    return np.clip(result, 0, 1).astype(np.float32)


def settle_jaw(expression: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """ARKit weights (T, 52) whose jaw comes to rest where a speaker's does, and opens as far.

    Whoever speaks shuts the lips several times a second: a jaw that even then reads further open than speech leaves it
    (`SPOKEN_REST`), or less, says something about the person's build. From there on its opening is stretched by
    `JAW_GAIN`. A clip too short to tell, or without a moving jaw, stays as it is.
    """
    jaw = expression[:, index_of("jawOpen")]
    if valid.sum() < LEAST_FRAMES:
        return expression
    least, most = np.percentile(jaw[valid], (LOW_PERCENTILE, 100 - LOW_PERCENTILE))
    if most - least < LEAST_MOTION:
        return expression
    rest = max(np.clip(least, *SPOKEN_REST), least - MOST_BUILD)
    result = expression.copy()
    result[:, index_of("jawOpen")] = np.clip(rest + JAW_GAIN * (jaw - least), 0, 1)
    return result


@lru_cache(maxsize=1)
def _unmixing() -> np.ndarray:
    """The map (M + 3, M). Raises MissingPartError."""
    if not ASSET.exists():
        raise MissingPartError("a part of the tracker is missing from the installation", ASSET.name, "reinstall vultus")
    return np.load(ASSET, allow_pickle=False)["unmixing"].astype(np.float32)
