"""Support vector machines with a soft margin, for the few places where a handful of numbers is all there is to learn.

Cortes and Vapnik 1995; solved by sequential minimal optimisation, two multipliers a step, the pair that violates the
optimality conditions most (Keerthi 2001; Fan, Chen and Lin 2005, as in LIBSVM, which it agrees with).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(N, D) and (M, D) -> (N, M)."""

TOLERANCE = 1e-4
"""Largest violation of the optimality conditions that is left."""
MAX_STEPS = 200_000


def linear_kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Inner products (N, M)."""
    return a @ b.T


def rbf_kernel(gamma: float) -> Kernel:
    """exp(-gamma |a - b|^2)."""

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
        return np.exp(-gamma * np.maximum(squares, 0))

    return kernel


@dataclass(frozen=True)
class Svm:
    """A trained machine: `margin` of features (N, D) is positive for the class that was True."""

    kernel: Kernel
    mean: np.ndarray
    """(D,) subtracted from features, which are then divided by `scale` (D,)."""
    scale: np.ndarray
    support: np.ndarray
    """(S, D) scaled."""
    weights: np.ndarray
    """(S,) multipliers times -1 or 1."""
    bias: float

    def margin(self, features: np.ndarray) -> np.ndarray:
        """Signed margin (N,) of features (N, D)."""
        return self.kernel((features - self.mean) / self.scale, self.support) @ self.weights + self.bias

    def linear(self) -> tuple[np.ndarray, float]:
        """Weights (D,) and bias on unscaled features that say the same; only where the kernel is linear."""
        if self.kernel is not linear_kernel:
            raise ValueError("only a linear machine is a weight a feature")
        weights = (self.weights @ self.support) / self.scale
        return weights, float(self.bias - weights @ self.mean)


def fit_svm(features: np.ndarray, labels: np.ndarray, kernel: Kernel = linear_kernel, cost: float = 1.0) -> Svm:
    """Train on features (N, D) with labels (N,) bool; both classes weigh the same however often they come.

    Features are standardised first. Raises ValueError unless both classes are there.
    """
    labels = np.asarray(labels, bool)
    if labels.all() or not labels.any():
        raise ValueError("both classes are needed")
    mean, scale = features.mean(0), np.maximum(features.std(0), 1e-12)
    scaled = (features - mean) / scale
    sign = np.where(labels, 1.0, -1.0)
    costs = cost * len(labels) / (2 * np.where(labels, labels.sum(), (~labels).sum()))
    alpha, bias = solve_dual(kernel(scaled, scaled), sign, costs)
    used = alpha > 1e-9
    return Svm(kernel, mean, scale, scaled[used], alpha[used] * sign[used], bias)


def solve_dual(gram: np.ndarray, sign: np.ndarray, costs: np.ndarray) -> tuple[np.ndarray, float]:
    """Multipliers (N,) in [0, costs] that minimise a'Qa / 2 - sum(a) with Q = sign sign' * gram and sign'a = 0; bias.

    Raises ArithmeticError where `MAX_STEPS` do not reach `TOLERANCE`.
    """
    alpha, gradient = np.zeros(len(sign)), -np.ones(len(sign))
    diagonal = np.diag(gram)
    for _ in range(MAX_STEPS):
        pull = -sign * gradient
        can_rise = np.where(sign > 0, alpha < costs, alpha > 0)
        can_fall = np.where(sign > 0, alpha > 0, alpha < costs)
        i = int(np.argmax(np.where(can_rise, pull, -np.inf)))
        lowest = np.where(can_fall, pull, np.inf).min()
        if pull[i] - lowest < TOLERANCE:
            return alpha, float((pull[i] + lowest) / 2)
        bend = np.maximum(diagonal[i] + diagonal - 2 * gram[i], 1e-12)
        gap = pull[i] - pull
        j = int(np.argmax(np.where(can_fall & (gap > 0), gap**2 / bend, -np.inf)))
        step = gap[j] / bend[j]
        step = min(step, costs[i] - alpha[i] if sign[i] > 0 else alpha[i])
        step = min(step, alpha[j] if sign[j] > 0 else costs[j] - alpha[j])
        alpha[i] = np.clip(alpha[i] + sign[i] * step, 0, costs[i])
        alpha[j] = np.clip(alpha[j] - sign[j] * step, 0, costs[j])
        gradient += sign * step * (gram[i] - gram[j])
    raise ArithmeticError(f"no solution within {MAX_STEPS} steps")
