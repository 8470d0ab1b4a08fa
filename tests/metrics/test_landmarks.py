"""Landmark distances against values by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.metrics.landmarks import (
    REGIONS,
    angle_error_deg,
    interocular,
    landmark_distance,
    normalised_landmark_distance,
)


def faces(frames: int = 2) -> np.ndarray:
    points = np.random.default_rng(0).uniform(0, 200, (68, 3))
    points[36, :2], points[45, :2] = (50, 80), (150, 80)
    return np.repeat(points[None], frames, 0)


def test_distance_by_hand():
    real, made = faces(), faces()
    made[0, 48, :2] += (3, 4)  # one point of the mouth by 5 pixels, in the first frame
    made[1, 36:48, 0] += 6
    np.testing.assert_allclose(landmark_distance(made, real, "mouth"), [5 / 20, 0], atol=1e-9)
    np.testing.assert_allclose(landmark_distance(made, real, "eyes"), [0, 6], atol=1e-9)
    np.testing.assert_allclose(landmark_distance(made, real), [5 / 68, 12 * 6 / 68], atol=1e-9)
    assert landmark_distance(made, real, "inner_mouth")[0] == 0
    np.testing.assert_allclose(normalised_landmark_distance(made, real, "eyes"), [0, 6], atol=1e-9)


def test_depth_does_not_count_and_size_does_not_when_normalised():
    real, made = faces(), faces()
    made[..., 2] += 50
    assert landmark_distance(made, real).max() == 0
    made[:, :, :2] += 1.5
    one = normalised_landmark_distance(made, real, "all")
    np.testing.assert_allclose(normalised_landmark_distance(3 * made, 3 * real, "all"), one, atol=1e-9)
    np.testing.assert_allclose(interocular(3 * real), 300)


def test_regions_are_the_papers():
    assert [len(REGIONS[name]) for name in ("mouth", "inner_mouth", "eyes", "all")] == [20, 8, 12, 68]


def test_angles_go_the_shorter_way_round():
    assert angle_error_deg(np.array([[179.0, 3, 0]]), np.array([[-179.0, 0, 0]])) == pytest.approx([5 / 3])
