"""Shapes know nothing of pose; the shipped judges know drawn people again, whatever their faces do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.core.errors import InputError
from vultus.core.pose import matrix_from_degrees
from vultus.core.weights import Card, save_weights
from vultus.face.head import FLIP, embedded_head
from vultus.perception import judges
from vultus.perception.judges.identity import IdentityJudge, load_identity, shape_numbers


def face(identity: np.ndarray | None = None, expression: np.ndarray | None = None) -> np.ndarray:
    """The head's own FaceMesh points (468, 3), y down, head units."""
    head = embedded_head()
    return head.landmarks478(head.vertices(identity, expression)).astype(np.float64) @ FLIP


@settings(max_examples=20, deadline=None)
@given(st.tuples(*[st.floats(-40, 40)] * 3), st.floats(0.2, 30), st.tuples(*[st.floats(-500, 500)] * 3))
def test_shapes_ignore_pose_size_and_place(turn, scale, place):
    identity = np.random.default_rng(5).standard_normal(60)
    plain = shape_numbers(face(identity)[None])
    moved = scale * face(identity) @ matrix_from_degrees(np.array(turn)).T + place
    np.testing.assert_allclose(shape_numbers(moved[None]), plain, atol=1e-3)
    assert np.abs(plain).max() > 0.02 and np.abs(shape_numbers(face()[None])).max() < 1e-5


def test_vectors_by_hand():
    mean, projection = np.full(936, 0.1, np.float32), np.zeros((936, 2), np.float32)
    projection[0, 0], projection[1, 1] = 3.0, 4.0
    judge = IdentityJudge(mean, projection)
    np.testing.assert_allclose(judge.embed(np.zeros((1, 8, 8, 3), np.uint8), face()[None]), [[-0.6, -0.8]], atol=1e-4)
    assert judge.embed(np.zeros((0, 8, 8, 3), np.uint8), np.zeros((0, 478, 3))).shape == (0, 2)


@pytest.mark.parametrize("role", judges.ROLES)
def test_shipped_judges_know_people_again(role):
    judge, rng = load_identity(role), np.random.default_rng(77)
    people = rng.standard_normal((6, 60))
    points = [[face(person, rng.beta(1, 5, 52) * (rng.random(52) < 0.4)) for _ in range(3)] for person in people]
    vectors = judge.embed(np.zeros((18, 1, 1, 3), np.uint8), np.array(points).reshape(18, -1, 3))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    cosines, person = vectors @ vectors.T, np.arange(18) // 3
    same = (person[:, None] == person[None]) & ~np.eye(18, dtype=bool)
    assert cosines[same].min() > cosines[person[:, None] != person[None]].max()


def test_roles_are_two_maps_and_other_weights_are_refused(tmp_path):
    teacher, judge = load_identity("teacher"), load_identity("judge")
    assert not np.allclose(teacher.projection, judge.projection)
    torch = pytest.importorskip("torch", reason="torch is not installed")
    card = Card("identity", "judge", "1", {}, "nothing", "none")
    other = save_weights(tmp_path, {"scale": torch.zeros(2)}, card)
    with pytest.raises(InputError, match="not of a judge of identity"):
        load_identity(folder=other)
