"""What each of the mouth's shapes does at every place of the lower face (ours, as NeRFBlendShape by Gao et al. 2022).

From few pixels a network must find out what a code does to a mouth, and where: short runs teach it little. Here every
principal shape has a plane of features of its own, and those of a place are summed up, each as strong as its shape:
what is linear in the shapes, which is most, is learned as a regression is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vultus.methods.blink_nerf.ragged import side_by_side

_ROWS, _COLUMNS = 48, 64
"""Of a plane, down and across."""
_BESIDE = 0.4
"""The planes reach so far beyond the corners of the mouth, in widths of it; they end at the nose and below the chin."""
_BELOW = 0.02
"""How far below, in halves of the head's box."""
_EDGE = 0.125
"""Share of half a plane over which features fade out."""
_JAW, _MOUTH, _NOSE_BASE = slice(17), slice(48, 68), 33
"""Among the 68 landmarks."""


class ShapePlanes(nn.Module):
    """Points across and up, at rest, and shapes -> features; without any shape, and outside, they are 0."""

    middle: Tensor
    half_side: Tensor

    def __init__(self, shapes: int, features: int) -> None:
        super().__init__()
        self.tables = nn.Parameter(torch.zeros(shapes, features, _ROWS, _COLUMNS))
        self.register_buffer("middle", torch.zeros(2))
        self.register_buffer("half_side", torch.ones(2))

    @torch.no_grad()
    def fit(self, landmarks: Tensor) -> None:
        """Learn where the lower face is from landmarks (68, 3) at rest in the head's box, -1 to 1."""
        right, left = landmarks[_MOUTH, 0].aminmax()
        beside = _BESIDE * (left - right)
        low = torch.stack([right - beside, landmarks[_JAW, 1].min() - _BELOW])
        high = torch.stack([left + beside, landmarks[_NOSE_BASE, 1]])
        self.middle.copy_((low + high) / 2)
        self.half_side.copy_((high - low) / 2)

    def forward(self, points: Tensor, shapes: Tensor, each: Tensor) -> Tensor:
        """Points (M, 3) in the box, shapes (B, K), and of which of B frames each point is (M,), ascending -> (M, F)."""
        found = points.new_zeros(len(points), self.tables.shape[1])
        place = (points[:, :2] - self.middle) / self.half_side
        off = place.abs().amax(1)
        inside = (off < 1).nonzero()[:, 0]
        planes = torch.einsum("bk,kfyx->bfyx", shapes, self.tables)
        grid, slot = side_by_side(place[inside], each[inside], len(shapes))
        read = F.grid_sample(planes, grid[:, None], align_corners=True)[:, :, 0]  # (B, F, most of a frame)
        fade = ((1 - off[inside]) / _EDGE).clamp(max=1)
        return found.index_copy(0, inside, read[each[inside], :, slot] * fade[:, None])
