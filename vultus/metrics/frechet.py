"""The Fréchet distance of two sets of features (Heusel et al. 2017, equation 6): FID where they are Inception's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """How many features were seen, their mean (D,) and covariance (D, D) over n - 1; sets can be joined."""

    count: int
    mean: np.ndarray
    covariance: np.ndarray

    @staticmethod
    def of(features: np.ndarray) -> Moments:
        """Those of features (N, D). Raises ValueError for fewer than two."""
        if len(features) < 2:
            raise ValueError("two features or more are needed for a covariance")
        features = np.asarray(features, np.float64)
        return Moments(len(features), features.mean(0), np.atleast_2d(np.cov(features, rowvar=False)))

    @staticmethod
    def joined(parts: Iterable[Moments]) -> Moments:
        """Those of all features together (Chan et al. 1979), without the features themselves."""
        parts = list(parts)
        count = sum(part.count for part in parts)
        mean = sum((part.count * part.mean for part in parts), np.zeros_like(parts[0].mean)) / count
        scatter = np.zeros_like(parts[0].covariance)
        for part in parts:
            off = part.mean - mean
            scatter += (part.count - 1) * part.covariance + part.count * np.outer(off, off)
        return Moments(count, mean, scatter / (count - 1))


def frechet_distance(a: Moments, b: Moments) -> float:
    """|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)); 0 for the same distribution, no upper bound.

    The trace of the root is taken as that of (C_a^(1/2) C_b C_a^(1/2))^(1/2), a symmetric matrix: its eigenvalues are
    real, so nothing has to be thrown away where features outnumber pictures and the covariances are singular. Few
    pictures make it too large: compare only figures from equally many.
    """
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    inner = root @ b.covariance @ root
    roots = np.sqrt(np.maximum(np.linalg.eigvalsh((inner + inner.T) / 2), 0))
    off = a.mean - b.mean
    distance = off @ off + np.trace(a.covariance) + np.trace(b.covariance) - 2 * roots.sum()
    return float(max(distance, 0.0))
