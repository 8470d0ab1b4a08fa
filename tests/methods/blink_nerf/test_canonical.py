"""The way back to the resting face: by hand, against a plain reference, and with the landmarks that people have."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.methods.blink_nerf.painted import painted_person

torch = pytest.importorskip("torch", reason="torch is not installed")

from vultus.methods.blink_nerf.canonical import REACH, Canonical, Pull  # noqa: E402
from vultus.methods.blink_nerf.conditioning import FOLLOWED, LIDS, Condition, Conditioner  # noqa: E402
from vultus.methods.blink_nerf.config import TINY  # noqa: E402
from vultus.methods.blink_nerf.person import Person  # noqa: E402


@pytest.fixture(scope="module")
def person() -> Person:
    return painted_person()


@pytest.fixture(scope="module")
def face(person: Person) -> Canonical:
    known = Canonical()
    known.fit(torch.from_numpy(person.landmarks3d))
    return known


@pytest.fixture(scope="module")
def codes(person: Person) -> Conditioner:
    torch.manual_seed(0)
    net = Conditioner(TINY.head, 4)
    net.fit(Condition(person.landmarks3d, person.au45, person.audio))
    return net


def moved(face: Canonical, frames: int, scale: float = 0.1) -> torch.Tensor:
    torch.manual_seed(1)
    return face.rest + scale * torch.randn(frames, 68, 3)


def test_two_kernels_by_hand():
    face = Canonical()
    face.reach.fill_(2.0)
    pull = Pull(torch.tensor([[[0.0, 0.0], [3.0, 4.0]]]), torch.tensor([[[1.0, 0.0, 0.0], [0.0, 2.0, -1.0]]]))
    found = face(torch.tensor([[0.0, 0.0, 9.0], [3.0, 0.0, 1.0]]), pull, torch.tensor([0, 0]))
    first, second = math.exp(-5 / 2), (math.exp(-3 / 2), math.exp(-4 / 2))
    np.testing.assert_allclose(found[0], [1, 2 * first, 9 - first], atol=1e-5)
    np.testing.assert_allclose(found[1], [3 + second[0], 2 * second[1], 1 - second[1]], atol=1e-5)


def test_it_is_the_plain_reference(face):
    pull = face.pull(moved(face, 4))
    each = torch.tensor([0, 0, 0, 2, 3, 3])  # frame 1 shows nothing
    points = torch.randn(6, 3) * 4
    plain = []
    for point, frame in zip(points, each, strict=True):
        near = torch.exp(-(point[:2] - pull.at[frame]).norm(dim=1) / face.reach)
        plain.append(point + near @ pull.weights[frame])
    np.testing.assert_allclose(face(points, pull, each), torch.stack(plain), atol=1e-4)
    assert face(points[:0], pull, each[:0]).shape == (0, 3)


def test_landmarks_come_home(face):
    landmarks = moved(face, 3)
    each = torch.arange(3).repeat_interleave(68)
    home = face(landmarks.flatten(0, 1), face.pull(landmarks), each).view(3, 68, 3)
    assert (home - face.rest).norm(dim=-1).max() < 0.1 * (landmarks - face.rest).norm(dim=-1).max()


def test_a_resting_face_stays_and_so_does_what_is_far(face):
    points = torch.randn(50, 3) * 5
    still = torch.zeros(50, dtype=torch.long)
    rest = face.pull(face.rest[None])
    np.testing.assert_allclose(face(points, rest, still), points, atol=1e-5)
    open_mouth = face.rest[None].clone()
    open_mouth[:, 54:60, 1] -= 1.0
    far = torch.tensor([[0.0, 12.0, 0.0], [-14.0, 5.0, 0.0]])
    assert (face(far, face.pull(open_mouth), still[:2]) - far).abs().max() < 0.05


def test_what_is_between_parted_lips_lies_between_resting_ones(face):
    wide = face.rest[None].clone()
    upper, lower = 62, 66
    wide[:, [61, 62, 63], 1] += 0.8
    wide[:, [65, 66, 67], 1] -= 0.8
    share = torch.linspace(0, 1, 9)[:, None]
    line = wide[0, lower] + share * (wide[0, upper] - wide[0, lower])
    home = face(line, face.pull(wide), torch.zeros(9, dtype=torch.long))[:, 1]
    assert (home.diff() > 0).all()
    assert home[0] == pytest.approx(float(face.rest[lower, 1]), abs=0.05)
    assert home[-1] == pytest.approx(float(face.rest[upper, 1]), abs=0.05)


def test_reach_is_a_share_of_the_eyes_distance(face):
    assert float(face.reach) == pytest.approx(REACH * float((face.rest[36] - face.rest[45]).norm()), rel=1e-5)


def test_au45_alone_moves_lids_that_shut(codes, person):
    shut = torch.from_numpy(person.landmarks3d[person.au45 == 5][:1])
    awake = torch.from_numpy(person.landmarks3d[person.au45 == 0][:1])
    lids = [codes.blink.lids(seen[:, LIDS], torch.tensor([5.0])) for seen in (shut, awake)]
    np.testing.assert_array_equal(*lids)
    np.testing.assert_allclose(lids[0], shut[:, LIDS], atol=0.1)
    np.testing.assert_allclose(codes.blink.lids(awake[:, LIDS], torch.tensor([0.0])), awake[:, LIDS], atol=0.1)


def test_faces_are_followed_by_what_the_codes_know(codes, person):
    seen = torch.from_numpy(person.landmarks3d[:6])
    told = codes(seen, torch.from_numpy(person.au45[:6]), torch.from_numpy(person.audio[:6]))
    np.testing.assert_allclose(told.pull.at[:, FOLLOWED], seen[:, FOLLOWED, :2], atol=0.15)
    still = [k for k in range(68) if k not in FOLLOWED and not LIDS.start <= k < LIDS.stop]
    np.testing.assert_array_equal(told.pull.at[:, still], codes.canonical.rest[still, :2].expand(6, -1, -1))
    wild = codes(seen * 3, torch.from_numpy(person.au45[:6]), torch.from_numpy(person.audio[:6]))
    assert (wild.pull.at - told.pull.at).abs().max() < 8  # held within what was seen
