"""Angles and matrices: signs by hand, and there and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.core.pose import degrees_from_matrix, matrix_from_degrees

NOSE, CROWN, LEFT_EAR = np.array([0, 0, 1.0]), np.array([0, 1.0, 0]), np.array([1.0, 0, 0])


def turned(point: np.ndarray, *ypr_deg: float) -> np.ndarray:
    return matrix_from_degrees(np.array(ypr_deg)) @ point


def test_signs_and_a_right_angle_each():
    np.testing.assert_allclose(turned(NOSE, 90, 0, 0), LEFT_EAR, atol=1e-12)  # yaw: towards image right
    np.testing.assert_allclose(turned(NOSE, 0, 90, 0), CROWN, atol=1e-12)  # pitch: up
    np.testing.assert_allclose(turned(CROWN, 0, 0, 90), LEFT_EAR, atol=1e-12)  # roll: crown towards image right


def test_roll_comes_first_then_pitch_then_yaw():
    step_by_step = matrix_from_degrees(np.array([20.0, 0, 0])) @ matrix_from_degrees(np.array([0, 10.0, 0]))
    step_by_step = step_by_step @ matrix_from_degrees(np.array([0, 0, 5.0]))
    np.testing.assert_allclose(matrix_from_degrees(np.array([20.0, 10, 5])), step_by_step, atol=1e-12)


def test_by_hand_value():
    np.testing.assert_allclose(turned(NOSE, 30, 0, 0), [0.5, 0, np.sqrt(3) / 2], atol=1e-12)


@given(st.tuples(st.floats(-179, 179), st.floats(-89, 89), st.floats(-179, 179)))
def test_there_and_back(ypr_deg):
    matrix = matrix_from_degrees(np.array(ypr_deg))
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)
    np.testing.assert_allclose(degrees_from_matrix(matrix), ypr_deg, atol=1e-5)


@given(st.tuples(st.floats(-720, 720), st.floats(-720, 720), st.floats(-720, 720)))
def test_any_angles_name_the_same_rotation_in_range(ypr_deg):
    matrix = matrix_from_degrees(np.array(ypr_deg))
    angles = degrees_from_matrix(matrix)
    assert (np.abs(angles) <= [180, 90, 180]).all()
    np.testing.assert_allclose(matrix_from_degrees(angles), matrix, atol=1e-5)


def test_looking_straight_up_is_finite():
    angles = degrees_from_matrix(matrix_from_degrees(np.array([0.0, 90, 0])))
    assert np.isfinite(angles).all() and angles[1] == pytest.approx(90)


def test_many_at_once():
    angles = np.random.default_rng(0).uniform(-60, 60, (4, 5, 3))
    matrices = matrix_from_degrees(angles)
    assert matrices.shape == (4, 5, 3, 3)
    np.testing.assert_allclose(degrees_from_matrix(matrices), angles, atol=1e-9)
    np.testing.assert_allclose(matrices[2, 3], matrix_from_degrees(angles[2, 3]))
    assert matrix_from_degrees(np.zeros((0, 3))).shape == (0, 3, 3)
