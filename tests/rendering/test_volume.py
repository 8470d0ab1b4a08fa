"""Volume rendering by hand: weights, colours, depth, boxes, and where samples go."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from vultus.rendering.volume import (  # noqa: E402
    composite,
    expected_depth,
    likely_intervals,
    ray_weights,
    through_box,
)


def test_weights_by_hand():
    density, length = torch.tensor([[1.0, 0.0, 2.0, 5.0]]), torch.tensor([[0.5, 1.0, 0.25, 1.0]])
    t1, t2, t3 = math.exp(-0.5), math.exp(-0.5), math.exp(-1.0)
    by_hand = [1 - t1, 0.0, t2 * (1 - math.exp(-0.5)), t3 * (1 - math.exp(-5))]
    weights = ray_weights(density, length)
    torch.testing.assert_close(weights[0], torch.tensor(by_hand))
    assert float(weights.sum()) == pytest.approx(1 - math.exp(-6), abs=1e-6)


def test_it_tends_to_the_integral():
    """Equation 2 for sigma(t) = 2 t and c(t) = t on [0, 1]: the integral of 2 t^2 exp(-t^2)."""
    count = 2000
    at = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    weights = ray_weights(2 * at[None], torch.full((1, count), 1 / count, dtype=torch.float64))
    seen = composite(weights, at[None, :, None].expand(1, count, 3), torch.zeros(1, 3, dtype=torch.float64))
    integral = -math.exp(-1) + math.sqrt(math.pi) / 2 * math.erf(1)
    assert seen[0, 0].item() == pytest.approx(integral, abs=1e-5)


def test_what_is_behind_shows_through():
    weights, colour = torch.tensor([[0.25, 0.5]]), torch.tensor([[[1.0, 0, 0], [0, 1.0, 0]]])
    seen = composite(weights, colour, torch.tensor([[0.0, 0.0, 1.0]]))
    torch.testing.assert_close(seen, torch.tensor([[0.25, 0.5, 0.25]]))


def test_depth_is_where_rays_end():
    weights, distance = torch.tensor([[0.2, 0.6], [0.1, 0.1]]), torch.tensor([[1.0, 2.0], [1.0, 2.0]])
    depth = expected_depth(weights, distance, nothing=math.inf)
    assert depth[0].item() == pytest.approx((0.2 + 1.2) / 0.8)
    assert depth[1].item() == math.inf


def test_rays_through_a_box():
    half = torch.tensor([1.0, 2.0, 3.0])
    origin = torch.tensor([[0.0, 0.0, 10.0], [0.0, 0.0, 10.0], [5.0, 0.0, 10.0], [0.0, 0.0, 0.0], [0.0, 0.0, 10.0]])
    direction = torch.tensor([[0.0, 0, -1], [0.1, 0, -1], [0.0, 0, -1], [0.0, 0, -2], [0.0, 0, 1]])
    near, far, hit = through_box(origin, direction, half)
    assert hit.tolist() == [True, True, False, True, False]
    torch.testing.assert_close(near, torch.tensor([7.0, 7.0, 0, 0, 0]))
    torch.testing.assert_close(far, torch.tensor([13.0, 10.0, 0, 1.5, 0]))


def test_samples_go_where_something_is():
    edges = torch.linspace(0, 40, 41)[None].repeat(2, 1)
    weights = torch.zeros(2, 40)
    weights[0, 20] = 0.9
    found = likely_intervals(edges, weights, 8, jitter=False)
    assert (found.diff(dim=1) >= 0).all() and found.shape == (2, 9)
    assert ((found[0] >= 18) & (found[0] <= 23)).sum() >= 6, "one cell to both sides belongs to it"
    torch.testing.assert_close(found[1], torch.linspace(0, 40, 9), atol=1e-3, rtol=0)
    torch.testing.assert_close(found[:, [0, -1]], torch.tensor([[0.0, 40.0]] * 2), atol=1e-3, rtol=0)


def test_jitter_moves_samples_within_their_shares():
    torch.manual_seed(0)
    edges, weights = torch.linspace(0, 1, 41)[None].repeat(200, 1), torch.ones(200, 40)
    found = likely_intervals(edges, weights, 8, jitter=True)
    assert (found.diff(dim=1) >= 0).all()
    middle = found[:, 4]
    assert middle.std() > 0.02 and (middle - 0.5).abs().max() <= 1 / 16 + 1e-4
