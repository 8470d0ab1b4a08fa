"""The lip and jaw components that the learned lips speak in, and what each does to ARKit's weights and to the mouth."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.face.mouth import mouth_per_weight

COMPONENTS: dict[str, dict[str, float]] = {
    "jaw": {"jawOpen": 1},
    "close": {"mouthClose": 1},
    "funnel": {"mouthFunnel": 1},
    "pucker": {"mouthPucker": 1},
    "stretch": {"mouthStretchLeft": 1, "mouthStretchRight": 1},
    "smile": {"mouthSmileLeft": 1, "mouthSmileRight": 1},
    "lower_down": {"mouthLowerDownLeft": 1, "mouthLowerDownRight": 1},
    "upper_up": {"mouthUpperUpLeft": 1, "mouthUpperUpRight": 1},
    "tuck": {"mouthRollLower": 1},
    "press": {"mouthPressLeft": 1, "mouthPressRight": 1, "mouthRollUpper": 0.45, "mouthShrugUpper": 0.25},
    "tongue": {"tongueOut": 1},
}
"""ARKit weights of one unit of each component."""


@lru_cache(maxsize=1)
def basis() -> np.ndarray:
    """(len(COMPONENTS), 52) float32: components @ basis are ARKit weights."""
    table = np.zeros((len(COMPONENTS), len(ARKIT52)), np.float32)
    for row, shapes in zip(table, COMPONENTS.values(), strict=True):
        for name, weight in shapes.items():
            row[index_of(name)] = weight
    return table


def components_of(expression: np.ndarray) -> np.ndarray:
    """Components (T, C) float32 nearest to ARKit weights (T, 52); both sides count alike."""
    return (np.asarray(expression) @ np.linalg.pinv(basis())).astype(np.float32)


@lru_cache(maxsize=1)
def mouth_of_components() -> np.ndarray:
    """(2, C): how aperture and width (`face.mouth`) of the embedded head's mouth move with each component.

    To first order; the gap of the lips is exact.
    """
    return (mouth_per_weight() @ basis().T).astype(np.float32)
