"""The look a photo's subject comes back to: kept by a shut mouth, shared out by an open one, undone by its opposite."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vultus.core.bases import ARKIT52, index_of
from vultus.core.types import Fit
from vultus.face.points import LIPS_INNER
from vultus.motion.rest import on_rest, rest_expression


def weights(**named: float) -> np.ndarray:
    expression = np.zeros(len(ARKIT52), np.float32)
    for name, weight in named.items():
        expression[index_of(name)] = weight
    return expression


def with_lips(fit: Fit, gap: float, expression: np.ndarray) -> Fit:
    """The same fit with lips a `gap` (in mouth widths) apart."""
    landmarks = fit.landmarks.copy()
    width = np.linalg.norm(landmarks[LIPS_INNER[0], :2] - landmarks[LIPS_INNER[10], :2])
    for upper, lower in ((13, 14), (82, 87), (312, 317)):
        landmarks[lower, :2] = landmarks[upper, :2] + [0, gap * width]
    return replace(fit, landmarks=landmarks, expression=expression)


OWN = weights(mouthSmileLeft=0.8, jawOpen=0.4, browInnerUp=0.5, eyeSquintLeft=0.3, mouthFunnel=0.3, cheekSquintLeft=0.5)


def test_a_shut_mouth_keeps_all_of_its_look(portrait):
    np.testing.assert_allclose(rest_expression(with_lips(portrait.fit, 0.0, OWN)), OWN)


def test_an_open_mouth_shuts_and_keeps_a_share_of_its_smile(portrait):
    rest = rest_expression(with_lips(portrait.fit, 0.3, OWN))
    assert rest[index_of("jawOpen")] == rest[index_of("mouthFunnel")] == 0
    assert rest[index_of("mouthSmileLeft")] == pytest.approx(0.32)
    assert rest[index_of("cheekSquintLeft")] == pytest.approx(0.3)
    np.testing.assert_allclose(rest[index_of("browInnerUp")], 0.5)
    np.testing.assert_allclose(rest[index_of("eyeSquintLeft")], 0.3)


def test_between_shut_and_open_the_look_changes_steadily(portrait):
    jaw = [
        rest_expression(with_lips(portrait.fit, gap, OWN))[index_of("jawOpen")] for gap in np.linspace(0.03, 0.09, 7)
    ]
    assert (np.diff(jaw) < 0).all() and jaw[0] == pytest.approx(0.4, abs=1e-3) and jaw[-1] < 1e-3


def test_on_rest_adds_without_leaving_the_range():
    rest = weights(browInnerUp=0.5, mouthSmileLeft=0.6)
    np.testing.assert_array_equal(on_rest(rest, weights()), rest)
    added = on_rest(rest, weights(browInnerUp=0.5, jawOpen=0.7, mouthSmileLeft=1.0))
    assert added[index_of("browInnerUp")] == pytest.approx(0.75)
    assert added[index_of("jawOpen")] == pytest.approx(0.7) and added[index_of("mouthSmileLeft")] == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    for _ in range(50):
        made = on_rest(rng.random(52).astype(np.float32), rng.random(52).astype(np.float32))
        assert made.min() >= 0 and made.max() <= 1


def test_what_contradicts_the_rest_undoes_it():
    rest = weights(mouthSmileLeft=0.6, browDownRight=0.5, mouthSmileRight=0.6)
    frown = on_rest(rest, weights(mouthFrownLeft=0.8))
    assert frown[index_of("mouthSmileLeft")] == 0 and frown[index_of("mouthSmileRight")] == pytest.approx(0.6)
    assert on_rest(rest, weights(browInnerUp=0.8))[index_of("browDownRight")] == 0


def test_rounding_lips_take_the_resting_smile_with_them_but_not_the_brows():
    rest = weights(mouthSmileLeft=0.6, browInnerUp=0.5)
    rounded = on_rest(rest, weights(mouthPucker=0.3, mouthFunnel=0.2))
    assert rounded[index_of("mouthSmileLeft")] == 0 and rounded[index_of("browInnerUp")] == 0.5
    assert on_rest(rest, weights(mouthPucker=0.25))[index_of("mouthSmileLeft")] == pytest.approx(0.3)
