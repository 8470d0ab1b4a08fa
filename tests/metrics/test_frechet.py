"""The Fréchet distance against scipy's matrix root, by hand, and where covariances are singular."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from vultus.metrics.frechet import Moments, frechet_distance


def features(seed: int, count: int, width: int, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, width)) @ rng.normal(size=(width, width)) + shift


def test_it_agrees_with_scipy():
    a, b = features(0, 300, 24), features(1, 200, 24, 0.5)
    first, second = Moments.of(a), Moments.of(b)
    off = a.mean(0) - b.mean(0)
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    expected = off @ off + np.trace(ca + cb - 2 * np.real(sqrtm(ca @ cb)))
    assert frechet_distance(first, second) == pytest.approx(expected, abs=1e-4)
    assert frechet_distance(second, first) == pytest.approx(expected, abs=1e-4)


def test_one_dimension_by_hand():
    """(m_a - m_b)^2 + (s_a - s_b)^2."""
    a, b = Moments(9, np.array([1.0]), np.array([[4.0]])), Moments(9, np.array([3.0]), np.array([[9.0]]))
    assert frechet_distance(a, b) == pytest.approx(4 + 1)


def test_the_same_set_has_distance_nothing_even_if_it_is_smaller_than_its_features():
    few = Moments.of(features(2, 10, 64))
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-4)
    assert frechet_distance(few, Moments.of(features(3, 10, 64))) > 1


def test_sets_that_are_joined_are_one_set():
    whole = features(4, 90, 12)
    joined = Moments.joined([Moments.of(whole[:20]), Moments.of(whole[20:50]), Moments.of(whole[50:])])
    np.testing.assert_allclose(joined.mean, whole.mean(0), atol=1e-10)
    np.testing.assert_allclose(joined.covariance, np.cov(whole, rowvar=False), atol=1e-10)
    assert joined.count == 90


def test_one_feature_is_not_enough():
    with pytest.raises(ValueError, match="two"):
        Moments.of(np.zeros((1, 4)))
