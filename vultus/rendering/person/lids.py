"""Where the lids' visible edges are, and blinks that close whatever eye a person has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.face.points import LEFT_EYE, RIGHT_EYE

if TYPE_CHECKING:
    from vultus.rendering.person.body import Body

OVERLAP = 0.03
"""Head units by which the upper lid of a shut eye reaches over the lower one's edge."""
BLINKS = tuple(index_of(name) for name in ("eyeBlinkLeft", "eyeBlinkRight"))


def lid_edges(body: Body, vertices: np.ndarray, eye: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (9, 3) along the upper and the lower lid of eye 0 (left) or 1, from the nose's side outwards."""
    points = (LEFT_EYE, RIGHT_EYE)[eye]
    edge = body.head.landmarks478(vertices)[list(points)]
    return np.vstack([edge[8:], edge[:1]]), edge[8::-1]


def lid_gap(body: Body, vertices: np.ndarray, eye: int) -> float:
    """Height of the eye's opening in its middle, head units."""
    upper, lower = lid_edges(body, vertices, eye)
    return float(upper[4, 1] - lower[4, 1])


def blink_gains(body: Body) -> np.ndarray:
    """(52,) float32 factors on expression weights, 1 but for eyeBlink: with them a full blink just shuts each eye."""
    gains = np.ones(len(ARKIT52), np.float32)
    for eye, blink in enumerate(BLINKS):
        for gain in np.arange(1.0, 1.62, 0.05):
            weights = np.zeros(len(ARKIT52), np.float32)
            weights[blink] = gain
            upper, lower = lid_edges(body, body.moved(weights, gained=True), eye)
            gains[blink] = gain
            if (upper[1:8, 1] - lower[1:8, 1]).max() < -OVERLAP:
                break
    return gains
