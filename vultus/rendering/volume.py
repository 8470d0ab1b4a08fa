"""Volume rendering in torch: rays through a box, where to sample them, and what they see.

After Mildenhall et al. 2020 and Max 1995. Lengths are in whatever unit density is the inverse of.
"""

from __future__ import annotations

import torch
from torch import Tensor

EMPTY = 1e-2
"""Opacity below which nothing is in a ray's way."""
_EXPLORE = 0.01
"""Share of samples, in units of the likeliest interval's, that goes where nothing is expected."""


def ray_weights(density: Tensor, length: Tensor) -> Tensor:
    """How much each of a ray's intervals shows, (R, N), from densities and lengths (R, N).

    The integral of equations 2 and 3 (blink_nerf) over intervals of constant density: w_i = T_i (1 - exp(-s_i l_i)),
    T_i = exp(-sum_{j<i} s_j l_j). Their sum is the ray's opacity, 0-1.
    """
    depth = density * length
    before = torch.cumsum(depth, 1) - depth
    return torch.exp(-before) * -torch.expm1(-depth)


def composite(weights: Tensor, colour: Tensor, behind: Tensor) -> Tensor:
    """Colours (R, 3) of rays with weights (R, N), colours (R, N, 3) and what is behind them (R, 3)."""
    return (weights[..., None] * colour).sum(1) + (1 - weights.sum(1, keepdim=True)) * behind


def expected_depth(weights: Tensor, distance: Tensor, nothing: float) -> Tensor:
    """Mean distance (R,) at which rays end, from weights and distances (R, N); `nothing` where opacity is < .5."""
    opacity = weights.sum(1)
    depth = (weights * distance).sum(1) / opacity.clamp_min(1e-6)
    return torch.where(opacity >= 0.5, depth, torch.full_like(depth, nothing))


def through_box(origin: Tensor, direction: Tensor, half: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Distances (R,), in lengths of `direction`, at which rays enter and leave a box of half sides (3,) around 0.

    And whether they meet it in front of their origin; for those that do not both distances are 0.
    """
    safe = torch.where(direction.abs() < 1e-9, torch.full_like(direction, 1e-9), direction)
    one, other = (-half - origin) / safe, (half - origin) / safe
    near = torch.minimum(one, other).amax(1).clamp_min(0)
    far = torch.maximum(one, other).amin(1)
    hit = far > near
    return torch.where(hit, near, 0), torch.where(hit, far, 0), hit


def likely_intervals(edges: Tensor, weights: Tensor, count: int, jitter: bool) -> Tensor:
    """Edges (R, count + 1) of intervals that hold equal shares of rough `weights` (R, K) between `edges` (R, K + 1).

    Weights are widened by one interval to both sides first, and no interval is without any (their grid is coarse).
    `jitter` moves the shares at random, as training wants it.
    """
    wide = torch.nn.functional.max_pool1d(weights[:, None], 3, 1, 1)[:, 0]
    wide = wide + _EXPLORE * wide.amax(1, keepdim=True).clamp_min(1e-6)
    share = torch.cumsum(wide / wide.sum(1, keepdim=True), 1)
    share = torch.cat([torch.zeros_like(share[:, :1]), share], 1)
    wanted = torch.linspace(0, 1, count + 1, device=edges.device).repeat(len(edges), 1)
    if jitter:
        wanted = (wanted + (torch.rand_like(wanted) - 0.5) / count).clamp(0, 1)
    after = torch.searchsorted(share, wanted, right=True).clamp(1, weights.shape[1])
    low, high = share.gather(1, after - 1), share.gather(1, after)
    part = ((wanted - low) / (high - low).clamp_min(1e-9)).clamp(0, 1)
    return torch.lerp(edges.gather(1, after - 1), edges.gather(1, after), part)
