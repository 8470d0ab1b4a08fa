"""Aperture and width of a mouth: by hand, and of the embedded head."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vultus.core.bases import ARKIT52, index_of
from vultus.face.mouth import CORNERS, EYE_CORNERS, GAPS, mouth, mouth_per_weight, performed_mouth


@pytest.fixture
def face() -> np.ndarray:
    """Lips .2 apart, 1 wide, eyes 2 apart; everything else at the origin."""
    points = np.zeros((478, 3))
    points[EYE_CORNERS[0]], points[EYE_CORNERS[1]] = (-1, 1, 0), (1, 1, 0)
    points[CORNERS[0]], points[CORNERS[1]] = (-0.5, -1, 0), (0.5, -1, 0)
    for upper, lower in GAPS:
        points[upper], points[lower] = (0, -0.9, 0), (0, -1.1, 0)
    return points


def test_by_hand(face: np.ndarray) -> None:
    np.testing.assert_allclose(mouth(face), [0.1, 0.5])


def test_turning_and_scaling_the_head_change_nothing(face: np.ndarray) -> None:
    turned = 7 * face @ Rotation.from_euler("yxz", (30, 20, 10), degrees=True).as_matrix().T
    np.testing.assert_allclose(mouth(turned), [0.1, 0.5])


def test_the_heads_mouth_opens_with_the_jaw_closes_again_and_narrows_with_a_pucker() -> None:
    weights = np.zeros((4, len(ARKIT52)), np.float32)
    weights[1:3, index_of("jawOpen")] = 0.3
    weights[2, index_of("mouthClose")] = 0.3
    weights[3, index_of("mouthPucker")] = 1
    aperture, width = performed_mouth(weights).T
    assert aperture[0] == 0 and aperture[1] > 0.05 and aperture[2] < 0.01
    assert width[3] < 0.9 * width[0]


def test_the_straight_line_is_close() -> None:
    weights = np.zeros((1, len(ARKIT52)))
    weights[0, index_of("jawOpen")], weights[0, index_of("mouthFunnel")] = 0.3, 0.2
    change = performed_mouth(weights)[0] - performed_mouth(0 * weights)[0]
    np.testing.assert_allclose(mouth_per_weight() @ weights[0], change, atol=5e-3)
