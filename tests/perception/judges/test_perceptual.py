"""The perceptual distance: zero for equals, a loss with a gradient, growing with every kind of distortion."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.perception import judges
from vultus.perception.judges.perceptual import PerceptualJudge, load_perceptual

torch = pytest.importorskip("torch", reason="torch is not installed")
from vultus.perception.judges.perceptual_net import PerceptualNet, PerceptualNetConfig  # noqa: E402
from vultus.training.judges.distortions import KINDS, distorted_picture  # noqa: E402


def pictures(count: int = 3, size: int = 64) -> np.ndarray:
    """Smooth coloured pictures (count, size, size, 3) with edges."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.uniform(0, 1, (count, 3, 9, 9)))
    smooth = torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic").numpy()
    smooth[:, :, size // 3 : size // 2, size // 4 : size // 2] *= 0.3
    return (255 * smooth.clip(0, 1)).astype(np.uint8).transpose(0, 2, 3, 1)


def test_equal_pictures_are_at_zero_and_order_does_not_matter():
    judge = PerceptualJudge(PerceptualNet(PerceptualNetConfig()).eval())
    a, b = pictures(), pictures()[::-1]
    np.testing.assert_allclose(judge.distance(a, a), 0, atol=1e-6)
    np.testing.assert_allclose(judge.distance(a, b), judge.distance(b, a), rtol=1e-5)
    assert (judge.distance(a, b)[[0, 2]] > 0).all() and judge.distance(a[:0], b[:0]).shape == (0,)


def test_one_layer_by_hand():
    net = PerceptualNet(PerceptualNetConfig((2,)))
    with torch.no_grad():
        net.layers[0].weight.zero_()
        net.layers[0].bias.copy_(torch.tensor([3.0, 4.0]))
        net.layers[0].weight[0, 0, 1, 1] = 1.0  # the first feature is 3 + red in -1 to 1
        net.log_weights[0].copy_(torch.log(torch.tensor([2.0, 5.0])))
    a, b = torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)
    units = [np.array([red, 4.0]) / np.sqrt(red**2 + 16 + 0.01) for red in (2.0, 4.0)]
    expected = np.sqrt((np.array([2.0, 5.0]) * (units[0] - units[1]) ** 2).sum() + 1e-8) - 1e-4
    assert net(a, b).item() == pytest.approx(expected, rel=1e-5)


def test_it_is_a_loss_that_brings_pictures_together():
    net = load_perceptual("teacher").net
    goal = torch.from_numpy(pictures(1)).permute(0, 3, 1, 2).float() / 255
    found = (goal + 0.1 * torch.randn(goal.shape, generator=torch.Generator().manual_seed(1))).requires_grad_()
    before = net(found, goal).item()
    optimizer = torch.optim.Adam([found], 0.01)
    for _ in range(30):
        optimizer.zero_grad()
        net(found, goal).sum().backward()
        optimizer.step()
    assert net(found, goal).item() < 0.6 * before


@pytest.mark.parametrize("kind", list(KINDS))
def test_distortions_grow_with_their_amount_and_end_at_nothing(kind):
    picture = torch.from_numpy(pictures(1)[0]).permute(2, 0, 1).float() / 255
    amounts = (0.3, 1.0, 3.0)
    errors = [float((distorted_picture(kind, picture, amount, 5) - picture).square().mean()) for amount in amounts]
    assert 0 < errors[0] < errors[1] < errors[2]
    same = distorted_picture(kind, picture, 1.0, 5)
    assert torch.equal(same, distorted_picture(kind, picture, 1.0, 5)) and same.shape == picture.shape
    assert float(same.min()) >= 0 and float(same.max()) <= 1
    if kind not in ("blur",):
        assert not torch.equal(same, distorted_picture(kind, picture, 1.0, 6)) or kind == "blocks"


@pytest.mark.parametrize("role", judges.ROLES)
@pytest.mark.parametrize("kind", list(KINDS))
def test_shipped_judges_rank_every_distortion(kind, role):
    plain = pictures(4, 96)
    tensors = torch.from_numpy(plain).permute(0, 3, 1, 2).float() / 255
    judge = load_perceptual(role)
    rows = []
    for amount in (0.4, 1.0, 2.5):
        worse = torch.stack([distorted_picture(kind, one, amount, 3) for one in tensors])
        rows.append(judge.distance(plain, (255 * worse).round().byte().permute(0, 2, 3, 1).numpy()).mean())
    assert rows[0] < rows[1] < rows[2]
