"""The head model: our asset, a user's BFM file, projection and light."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat

from vultus.core.bases import ARKIT52, index_of
from vultus.core.errors import InputError, MissingPartError
from vultus.core.pose import matrix_from_degrees
from vultus.face import head as head_module
from vultus.face.head import PARTS, embedded_head, fit_light, load_bfm, project, shade, spherical_harmonics


@pytest.fixture(scope="module")
def head():
    return embedded_head()


def test_the_asset_holds_together(head):
    count = len(head.mean)
    assert head.identity_basis.shape == (60, count, 3) and head.expression_basis.shape == (52, count, 3)
    assert head.expression_names == ARKIT52
    assert head.triangles.min() == 0 and head.triangles.max() == count - 1
    assert all(np.isfinite(a).all() for a in (head.mean, head.identity_basis, head.expression_basis, head.uv))
    assert head.uv.min() >= 0 and head.uv.max() <= 1
    assert set(np.unique(head.part)) == set(range(len(PARTS)))
    np.testing.assert_allclose(head.landmark478_weights.sum(1), 1, atol=1e-5)
    assert head_module.ASSET.stat().st_size < 6_000_000


def test_axes(head):
    points = head.landmarks68(head.mean)
    assert points[30, 2] > points[[0, 16], 2].max()  # the nose is in front of the ears
    assert points[27, 1] > points[8, 1]  # above the chin
    assert points[36, 0] < 0 < points[45, 0]  # the subject's right eye is at image left
    centres = head.eye_centres(head.mean)
    assert centres[0, 0] > 0 > centres[1, 0]


def test_mirror_images_mirror(head):
    np.testing.assert_array_equal(head.mirror[head.mirror], np.arange(len(head.mean)))
    np.testing.assert_allclose(head.mean[head.mirror] * [-1, 1, 1], head.mean, atol=0.05)


def test_left_and_right_shapes_move_their_side(head):
    for name in ARKIT52:
        if name.endswith(("Left", "Right")) and name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
            moved = np.linalg.norm(head.expression_basis[index_of(name)], axis=1)
            middle_x = (moved * head.mean[:, 0]).sum() / moved.sum()
            assert (middle_x > 0) == name.endswith("Left"), name


def test_shapes_do_what_they_are_called(head):
    def moves(name: str, landmark: int) -> np.ndarray:
        return head.expression_basis[index_of(name), head.landmark68[landmark]]

    assert moves("jawOpen", 8)[1] < -0.5  # the chin falls
    assert moves("mouthSmileLeft", 54)[1] > 0.1 and moves("mouthFrownLeft", 54)[1] < -0.1
    assert moves("eyeBlinkRight", 37)[1] < -0.2 and moves("browInnerUp", 21)[1] > 0.1
    assert moves("tongueOut", 8)[1] == pytest.approx(0, abs=0.3)


def test_vertices_are_linear_and_start_at_the_mean(head):
    np.testing.assert_array_equal(head.vertices(), head.mean)
    np.testing.assert_array_equal(head.vertices(np.zeros(60), np.zeros(52)), head.mean)
    one = np.eye(60)[3]
    np.testing.assert_allclose(head.vertices(2 * one) - head.mean, 2 * head.identity_basis[3], atol=1e-4)
    np.testing.assert_allclose(head.vertices(one[:10]), head.vertices(one), atol=1e-6)
    smile = np.eye(52)[index_of("mouthSmileLeft")]
    both = head.vertices(one, smile) - head.mean
    np.testing.assert_allclose(
        both, head.identity_basis[3] + head.expression_basis[index_of("mouthSmileLeft")], atol=1e-4
    )


def test_landmarks_lie_on_the_skin(head):
    points = head.landmarks478(head.mean)
    assert points.shape == (468, 3)
    corners = head.mean[head.landmark478_vertices]
    assert (points >= corners.min(1) - 1e-4).all() and (points <= corners.max(1) + 1e-4).all()
    assert points[4, 2] == pytest.approx(points[:, 2].max(), abs=0.3)  # FaceMesh's 4 is the nose's tip
    batch = np.stack([head.mean, head.mean + 1])
    np.testing.assert_allclose(head.landmarks478(batch)[1], points + 1, atol=1e-4)
    assert head.landmarks68(batch).shape == (2, 68, 3)


def test_parts(head):
    every = np.concatenate([head.vertices_of(part) for part in PARTS])
    assert len(every) == len(set(every)) == len(head.mean)
    teeth = head.triangles_of("upper_teeth", "lower_teeth")
    assert len(teeth) and np.isin(teeth, head.vertices_of("upper_teeth", "lower_teeth")).all()
    with pytest.raises(ValueError, match="not in tuple"):
        head.vertices_of("scalp")


def test_projection_by_hand():
    points = np.array([[0.0, 0, 0], [1, 2, 10]])
    seen = project(points, np.eye(3), np.array([0, 0, 100.0]), 900.0, np.array([50.0, 60]))
    np.testing.assert_allclose(seen, [[50, 60, 100], [60, 40, 90]])  # y up becomes y down; towards the viewer is nearer
    turned = project(
        np.array([[0.0, 0, 1]]),
        matrix_from_degrees(np.array([90.0, 0, 0])),
        np.array([0, 0, 100.0]),
        900.0,
        np.zeros(2),
    )
    np.testing.assert_allclose(turned, [[9, 0, 100]], atol=1e-9)


def test_harmonics_are_orthonormal_on_the_sphere():
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(200_000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    basis = spherical_harmonics(normals)
    np.testing.assert_allclose(basis.T @ basis / len(normals) * 4 * np.pi, np.eye(9), atol=0.03)


def test_light_is_recovered_from_what_it_lights(head):
    rng = np.random.default_rng(1)
    normals = rng.normal(size=(4_000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    gamma = rng.normal(size=(9, 3))
    np.testing.assert_allclose(fit_light(normals, shade(normals, gamma), ridge=1e-6), gamma, atol=1e-3)


def test_a_missing_asset_is_a_missing_part(monkeypatch, tmp_path):
    monkeypatch.setattr(head_module, "ASSET", tmp_path / "head.npz")
    embedded_head.cache_clear()
    try:
        with pytest.raises(MissingPartError, match="reinstall"):
            embedded_head()
    finally:
        embedded_head.cache_clear()


def bfm_arrays(count: int = 70) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "idBase": rng.normal(size=(3 * count, 80)), "exBase": rng.normal(size=(3 * count, 64)),
        "texBase": rng.normal(size=(3 * count, 80)), "meanshape": rng.normal(size=(1, 3 * count)),
        "meantex": rng.uniform(0, 255, (1, 3 * count)), "tri": rng.integers(1, count + 1, (50, 3)),
        "keypoints": np.arange(1, 69)[None],
    }  # fmt: skip


def test_a_bfm_file(tmp_path):
    arrays = bfm_arrays()
    savemat(tmp_path / "bfm.mat", arrays)
    bfm = load_bfm(tmp_path / "bfm.mat")
    assert bfm.mean.shape == (70, 3) and bfm.identity_basis.shape == (80, 70, 3)
    assert bfm.expression_basis.shape == (64, 70, 3) and bfm.texture_basis.shape == (80, 70, 3)
    np.testing.assert_allclose(bfm.mean.mean(0), 0, atol=1e-5)
    np.testing.assert_array_equal(bfm.landmark68, np.arange(68))  # one-based in the file
    assert bfm.triangles.min() >= 0 and bfm.triangles.max() < 70
    np.testing.assert_allclose(bfm.identity_basis[5, 2], arrays["idBase"][6:9, 5] * 10, rtol=1e-5)
    weights = np.zeros(64)
    weights[7] = 2
    np.testing.assert_allclose(bfm.vertices(None, weights)[3], bfm.mean[3] + 20 * arrays["exBase"][9:12, 7], rtol=1e-4)
    for call in (lambda: bfm.vertices_of("skin"), lambda: bfm.landmarks478(bfm.mean)):
        with pytest.raises(MissingPartError, match="embedded head"):
            call()


def test_files_that_are_no_bfm(tmp_path):
    arrays = bfm_arrays()
    del arrays["exBase"], arrays["tri"]
    savemat(tmp_path / "part.mat", arrays)
    (tmp_path / "text.mat").write_text("no matrix here" * 20)
    (tmp_path / "empty.mat").touch()
    for name, fault in (
        ("part.mat", "exBase, tri"),
        ("text.mat", "MATLAB"),
        ("empty.mat", "MATLAB"),
        ("no.mat", "no such file"),
    ):
        with pytest.raises(InputError, match=fault):
            load_bfm(tmp_path / name)
