"""The support vector machine against solutions by hand and against a general solver."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from vultus.training.svm import fit_svm, linear_kernel, rbf_kernel, solve_dual


def test_two_points_are_parted_in_the_middle():
    """Hard margin by hand: points -1 and 3 after scaling are -1 and 1; the border is at 1."""
    weights, bias = fit_svm(np.array([[-1.0], [3.0]]), np.array([False, True]), cost=10).linear()
    np.testing.assert_allclose([weights[0], bias], [0.5, -0.5], atol=1e-6)


@pytest.mark.parametrize("kernel", [linear_kernel, rbf_kernel(0.5)])
def test_the_dual_agrees_with_a_general_solver(kernel):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(24, 3))
    sign = np.where(points[:, 0] + 0.5 * rng.normal(size=24) > 0, 1.0, -1.0)
    costs, gram = np.full(24, 2.0), kernel(points, points)
    q = gram * np.outer(sign, sign)
    alpha, _ = solve_dual(gram, sign, costs)

    def objective(a: np.ndarray) -> float:
        return 0.5 * a @ q @ a - a.sum()

    found = minimize(
        objective, np.zeros(24), jac=lambda a: q @ a - 1, method="SLSQP", bounds=[(0, 2.0)] * 24,
        constraints={"type": "eq", "fun": lambda a: sign @ a, "jac": lambda a: sign},
        options={"ftol": 1e-12, "maxiter": 500},
    )  # fmt: skip
    assert abs(sign @ alpha) < 1e-9 and alpha.min() >= 0 and alpha.max() <= 2
    assert abs(objective(alpha) - found.fun) < 1e-4


def test_a_rare_class_is_not_given_up():
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.normal(0, 1, (300, 2)), rng.normal(2.5, 1, (10, 2))])
    labels = np.arange(310) >= 300
    found = fit_svm(points, labels).margin(points) > 0
    assert found[labels].mean() > 0.85 and found[~labels].mean() < 0.2


def test_a_linear_machine_is_its_weights():
    rng = np.random.default_rng(2)
    points = rng.normal(3, 2, (40, 4))
    svm = fit_svm(points, points[:, 1] > 3)
    weights, bias = svm.linear()
    np.testing.assert_allclose(points @ weights + bias, svm.margin(points), atol=1e-9)
    with pytest.raises(ValueError, match="linear"):
        fit_svm(points, points[:, 1] > 3, rbf_kernel(1.0)).linear()


def test_one_class_is_not_enough():
    with pytest.raises(ValueError, match="both"):
        fit_svm(np.zeros((3, 1)), np.ones(3, bool))
