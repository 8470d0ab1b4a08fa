"""t-SNE: perplexities are as asked, and groups that lie apart stay apart."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.tsne import similarities, tsne


def groups(rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([rng.normal(0, 1, (14, 20)) + 8 * np.eye(20)[k] for k in range(3)])


def test_similarities_have_the_perplexity_asked_for():
    points = groups(np.random.default_rng(0))
    found = similarities(points, 8.0)
    assert found.sum() == pytest.approx(1) and np.allclose(found, found.T) and np.all(np.diag(found) == 0)
    # of points that are all as far from each other every one is as similar as any other
    even = similarities(np.eye(12), 11.0)
    assert np.allclose(even[~np.eye(12, dtype=bool)], 1 / (12 * 11))


def test_groups_stay_together():
    placed = tsne(groups(np.random.default_rng(1)), perplexity=8.0)
    away = np.linalg.norm(placed[:, None] - placed[None], axis=-1) + 1e9 * np.eye(42)
    assert np.array_equal(away.argmin(1) // 14, np.arange(42) // 14)


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="too few"):
        tsne(np.zeros((20, 3)), perplexity=10)
