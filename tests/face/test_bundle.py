"""Bundle adjustment on the head model's own points: poses to a quarter of a degree, and points that land where seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from vultus.core.bases import index_of
from vultus.core.pose import matrix_from_degrees
from vultus.face.bundle import HeadTrail, adjust, rotations_from_vectors, vectors_from_rotations, with_poses
from vultus.face.fit import Fitter
from vultus.face.head import embedded_head, project

FOCAL_PX, CENTER_PX = 1126.0, np.array([256.0, 256.0])
NOISE_PX = 0.7


@pytest.fixture(scope="module")
def fitter() -> Fitter:
    return Fitter(embedded_head())


@pytest.fixture(scope="module")
def talk(fitter):
    """FaceMesh's points (T, 478, 3) of a head that sways and talks, with noise, and its true rotation."""
    rng, count = np.random.default_rng(3), 100
    sway = gaussian_filter1d(rng.normal(size=(count, 3)), 12, axis=0, mode="wrap")
    degrees = sway / np.abs(sway).max(0) * (12, 8, 6)
    expression = np.zeros((count, 52))
    expression[:, index_of("jawOpen")] = np.clip(gaussian_filter1d(rng.normal(size=count), 2) * 0.8, 0, 0.5)
    identity = rng.normal(0, 0.6, 60)
    points = np.zeros((count, 478, 3))
    for k, rotation in enumerate(matrix_from_degrees(degrees)):
        model = fitter.points(identity, expression[k])
        points[k, :468] = project(model, rotation, np.array([0.2, -0.4, 80.0]), FOCAL_PX, CENTER_PX)
    points[:, :, 2] = (points[:, :, 2] - 80) * FOCAL_PX / 80
    points[:, :, :2] += gaussian_filter1d(rng.normal(size=(count, 478, 2)), 1, axis=0) * 2 * NOISE_PX
    return points.astype(np.float32), matrix_from_degrees(degrees)


@pytest.fixture(scope="module")
def trail(talk, fitter) -> HeadTrail:
    points, _ = talk
    return adjust(points, np.zeros(len(points), int), 25.0, fitter)


def error_deg(rotation: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Angles (T,) between two series of rotations, a constant turn of the head's own frame left out."""
    u, _, vt = np.linalg.svd(np.einsum("tij,tik->jk", rotation, truth))
    return np.degrees(np.linalg.norm(vectors_from_rotations(rotation @ (u @ vt) @ truth.transpose(0, 2, 1)), axis=1))


def test_poses_are_right_to_a_quarter_of_a_degree(trail, talk):
    assert np.sqrt((error_deg(trail.rotation, talk[1]) ** 2).mean()) < 0.25
    assert trail.rms_px < 2 * NOISE_PX


def test_points_land_where_they_were_seen_and_hold_the_expression(trail, talk):
    camera = trail.camera
    for k in (0, 37, 99):
        there = project(
            trail.points[k].astype(float), trail.rotation[k], trail.translation[k], camera.focal_px, camera.center_px
        )
        np.testing.assert_allclose(there[:, :2], talk[0][k, :468, :2], atol=0.05)
    gap = trail.points[:, 13, 1] - trail.points[:, 14, 1]
    assert np.corrcoef(gap, talk[0][:, 14, 1] - talk[0][:, 13, 1])[0, 1] > 0.95


def test_other_poses_keep_the_picture(trail):
    turned = with_poses(trail, trail.rotation @ rotations_from_vectors(np.array([[0, 0.02, 0]])), trail.translation)
    camera = trail.camera
    before, after = (
        project(t.points[5].astype(float), t.rotation[5], t.translation[5], camera.focal_px, camera.center_px)
        for t in (trail, turned)
    )
    np.testing.assert_allclose(before[:, :2], after[:, :2], atol=0.05)
    assert np.abs(turned.points[5] - trail.points[5]).max() > 0.05


def test_rotations_and_vectors_are_inverses():
    vectors = np.random.default_rng(0).uniform(-1.5, 1.5, (50, 3))
    np.testing.assert_allclose(vectors_from_rotations(rotations_from_vectors(vectors)), vectors, atol=1e-9)
    np.testing.assert_allclose(
        rotations_from_vectors(np.array([[0, 0, np.pi / 2]]))[0] @ [1, 0, 0], [0, 1, 0], atol=1e-12
    )
