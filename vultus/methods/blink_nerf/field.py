"""The radiance field of a head (equation 5), and a grid that remembers where it is dense.

Space is a box around the head, in head-frame coordinates scaled to [-1, 1]^3; lengths are in `LENGTH_UNIT`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vultus.methods.blink_nerf.config import FieldConfig
from vultus.methods.blink_nerf.encoding import TriPlane, Volume, perceptron
from vultus.methods.blink_nerf.numerics import exactly

LENGTH_UNIT = 10.0
"""Head units (about cm) that densities are the inverse of."""
_DENSITY_SCALE = 8.0
_CELLS = (56, 72, 40)
"""Of the density grid, along x, y, z."""
_DECAY = 0.8
_REFRESH = 20_000
"""Cells looked at in one update."""
_FULL = 3.0
"""Density that every cell is taken to have before it has been looked at."""


class RadianceField(nn.Module):
    """(x, d, codes) -> (c, sigma): place, view direction, and what the face and the eyes do.

    `lids` (2,) are the heights in the box from which the eyes' code begins to count, and counts in full: what only
    learned to leave the mouth alone still shades it by some grey levels.
    """

    lids: Tensor

    def __init__(self, config: FieldConfig) -> None:
        super().__init__()
        codes = config.face_code + config.eye_code + config.lower_face
        self.register_buffer("lids", torch.tensor([-2.0, -1.0]))
        self.space = TriPlane(config.space) if config.encoder == "triplane" else Volume(config.space)
        self.attention = perceptron((self.space.width, config.attention, config.face_code + 1))
        self.density = perceptron((self.space.width + codes, config.hidden, config.hidden, 1 + config.geometry))
        self.colour = perceptron((config.geometry + 3, config.hidden, 3))

    def forward(self, points: Tensor, view: Tensor, face: Tensor, eyes: Tensor, lower: Tensor) -> tuple[Tensor, Tensor]:
        """Points (M, 3) in the box, view (M, 3) about -1 to 1, codes (M, .) -> densities (M,) and colours (M, 3).

        `lower` (M, lower_face) is what the mouth's shapes do at the points (`blend`).
        """
        with exactly(points.device):
            place = self.space(points)
        counts = torch.sigmoid(self.attention(place))
        near = (points[:, 1:2] - self.lids[0]) / (self.lids[1] - self.lids[0])
        seen = torch.cat([place, face * counts[:, :-1], eyes * counts[:, -1:] * near.clamp(0, 1), lower], 1)
        found = self.density(seen)
        colour = self.colour(torch.cat([F.relu(found[:, 1:]), view], 1)).to(points.dtype)
        return _DENSITY_SCALE * F.softplus(found[:, 0].to(points.dtype) - 1), torch.sigmoid(colour)


class DensityGrid(nn.Module):
    """How dense the field is at its densest in each cell of the box, over all frames: where rays need no samples."""

    cells: Tensor

    def __init__(self) -> None:
        super().__init__()
        x, y, z = _CELLS
        self.register_buffer("cells", torch.full((1, 1, z, y, x), _FULL))

    def forward(self, points: Tensor) -> Tensor:
        """Densities (...) at points (..., 3) in the box."""
        read = F.grid_sample(self.cells, points.reshape(1, 1, 1, -1, 3), align_corners=False, padding_mode="border")
        return read.view(points.shape[:-1])

    @torch.no_grad()
    def refresh(self, density: Callable[[Tensor], Tensor]) -> None:
        """Look at some cells, at a random place in each; `density` maps points (M, 3) to densities (M,).

        A cell keeps `_DECAY` of what it was if that is more: another frame may have been dense there.
        """
        flat = self.cells.view(-1)
        chosen = torch.randint(len(flat), (min(_REFRESH, len(flat)),), device=flat.device)
        size = torch.tensor(_CELLS, device=flat.device)
        place = torch.stack([chosen % size[0], chosen // size[0] % size[1], chosen // (size[0] * size[1])], 1)
        points = (place + torch.rand(place.shape, device=flat.device)) / size * 2 - 1
        flat[chosen] = torch.maximum(flat[chosen] * _DECAY, density(points))
