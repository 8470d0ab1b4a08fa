"""The lower face's planes of features: by hand, where they are, and that a field learns from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.methods.blink_nerf.painted import painted_person

torch = pytest.importorskip("torch", reason="torch is not installed")

from vultus.methods.blink_nerf.blend import ShapePlanes  # noqa: E402
from vultus.methods.blink_nerf.config import TINY, FieldConfig  # noqa: E402
from vultus.methods.blink_nerf.material import Material, material  # noqa: E402
from vultus.methods.blink_nerf.model import BlinkNerf  # noqa: E402
from vultus.methods.blink_nerf.ragged import side_by_side  # noqa: E402
from vultus.methods.blink_nerf.train import fitted_net  # noqa: E402


@pytest.fixture(scope="module")
def made() -> Material:
    return material(painted_person(), TINY.size, TINY.layer)


@pytest.fixture
def planes() -> ShapePlanes:
    torch.manual_seed(0)
    found = ShapePlanes(3, 2)
    torch.nn.init.normal_(found.tables)
    found.middle.copy_(torch.tensor([0.1, -0.4]))
    found.half_side.copy_(torch.tensor([0.4, 0.2]))
    return found


def test_a_features_sum_over_shapes_by_hand(planes):
    """In the middle of the planes, between four vertices of each."""
    shapes = torch.tensor([[1.0, 0.0, 0.0], [2.0, -1.0, 0.5]])
    each = torch.tensor([0, 1])
    middle = torch.tensor([[0.1, -0.4, 0.7], [0.1, -0.4, -0.7]])  # depth does not matter
    rows, columns = planes.tables.shape[2:]
    beside = planes.tables[..., rows // 2 - 1 : rows // 2 + 1, columns // 2 - 1 : columns // 2 + 1].mean((2, 3))
    np.testing.assert_allclose(planes(middle, shapes, each).detach(), (shapes @ beside).detach(), atol=1e-5)


def test_features_fade_out_and_are_nothing_outside_or_without_shapes(planes):
    across = torch.linspace(0, 0.6, 100)
    points = torch.stack([0.1 + across, torch.full((100,), -0.4), torch.zeros(100)], 1)
    each = torch.zeros(100, dtype=torch.long)
    torch.nn.init.ones_(planes.tables)
    found = planes(points, torch.ones(1, 3), each)[:, 0]
    full, out = across < 0.4 * 0.87, across >= 0.4
    np.testing.assert_allclose(found[full].detach(), 3, atol=1e-5)
    assert (found[out] == 0).all() and (found[~full].diff() <= 0).all()
    assert (planes(points, torch.zeros(1, 3), each) == 0).all()
    assert planes(points[:0], torch.ones(1, 3), each[:0]).shape == (0, 2)


def test_gradients_are_those_of_the_values(planes):
    points = torch.rand(7, 3, dtype=torch.float64) * 0.5 - torch.tensor([0.1, 0.6, 0.0])
    shapes = torch.randn(2, 3, dtype=torch.float64).requires_grad_()
    each = torch.tensor([0, 0, 0, 0, 1, 1, 1])
    assert torch.autograd.gradcheck(lambda told: planes.double()(points, told, each), (shapes,), fast_mode=True)


def test_rows_stand_side_by_side():
    rows, each = torch.arange(10.0).view(5, 2), torch.tensor([0, 0, 2, 2, 2])  # frame 1 has none
    padded, where = side_by_side(rows, each, 4)
    assert padded.shape == (4, 3, 2) and where.tolist() == [0, 1, 0, 1, 2]
    assert torch.equal(padded[each, where], rows)
    assert (padded[0, 2] == 0).all() and (padded[[1, 3]] == 0).all()


def test_they_cover_the_mouth_and_end_at_the_nose(made):
    net = fitted_net(TINY, made)
    points = (made.signals.landmarks.mean(0) - net.middle) / net.half_box
    place = (points[:, :2] - net.blend.middle) / net.blend.half_side
    assert (place[48:68].abs() < 0.9).all()  # lips
    assert place[33, 1] == pytest.approx(1, abs=0.1)  # the nose's base
    assert (place[36:48, 1] > 1).all()  # eyes


def test_pictures_teach_every_shapes_plane(made):
    """They begin at 0, and none stays there."""
    torch.manual_seed(0)
    net = fitted_net(TINY, made)
    net(made.signals.at(slice(0, 1)), made.squares()[None], 4).colour.sum().backward()
    assert (net.blend.tables.grad.abs().amax((1, 2, 3)) > 0).all()


def test_switched_off_there_are_none(made):
    for head in (replace(TINY.head, blended=0), replace(TINY.head, landmarks=False)):
        net = BlinkNerf(replace(TINY, head=head), made.signals.audio.shape[1])
        assert net.blend is None and not any("blend" in name for name in net.state_dict())
    assert FieldConfig().lower_face == 0  # the paper's
