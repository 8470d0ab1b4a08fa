"""Multi-resolution hash encodings (Mueller et al. 2022, section 3) in plain torch, on any device.

A level of resolution r keeps features at the r^D vertices of a grid over [-1, 1]^D and interpolates between them.
Levels whose vertices fit into the table are dense, and `grid_sample` reads them; only finer ones are hashed, and
vertices that collide there share their features.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vultus.methods.blink_nerf.config import GridConfig

PRIMES = (1, 2_654_435_761, 805_459_861)
"""Multipliers of the spatial hash (equation 4 there): h(x) = (xor of x_i PRIMES_i) mod T."""
PLANES = ((0, 1), (1, 2), (0, 2))
"""Coordinates of the planes XY, YZ and XZ (equation 4 of the paper)."""
_INITIAL = 1e-2
"""Features begin uniformly in +- this; the released code's 1e-4 takes longer to leave the plateau."""


class HashEncoding(nn.Module):
    """`copies` independent encodings of points in D = `dimensions` (2 or 3), looked up side by side."""

    corners: Tensor

    def __init__(self, config: GridConfig, copies: int, dimensions: int = 2) -> None:
        super().__init__()
        self.config, self.copies, self.dimensions = config, copies, dimensions
        self.tables = nn.ParameterList(nn.Parameter(self._initial(r)) for r in config.resolutions)
        corners = torch.cartesian_prod(*[torch.arange(2)] * dimensions)
        self.register_buffer("corners", corners, persistent=False)  # (2^D, D)

    @property
    def width(self) -> int:
        """Features of a point in each copy."""
        return self.config.levels * self.config.features

    def is_hashed(self, resolution: int) -> bool:
        """Whether a level has more vertices than the table has places."""
        return resolution**self.dimensions > 2**self.config.log2_table

    def forward(self, points: Tensor) -> Tensor:
        """Points (copies, M, D) in [-1, 1] -> features (M, copies * width); points outside are moved to the border."""
        found = []
        for resolution, table in zip(self.config.resolutions, self.tables, strict=True):
            look_up = self._hashed if self.is_hashed(resolution) else self._dense
            found.append(look_up(points, resolution, table))  # (copies, features, M)
        return torch.cat(found, 1).flatten(0, 1).t()

    def _initial(self, resolution: int) -> Tensor:
        if self.is_hashed(resolution):
            shape: tuple[int, ...] = (self.copies, 2**self.config.log2_table, self.config.features)
        else:
            shape = (self.copies, self.config.features, *[resolution] * self.dimensions)
        return torch.empty(shape).uniform_(-_INITIAL, _INITIAL)

    def _dense(self, points: Tensor, resolution: int, table: Tensor) -> Tensor:
        line = points.reshape(self.copies, *[1] * (self.dimensions - 1), -1, self.dimensions)
        read = F.grid_sample(table, line, align_corners=True, padding_mode="border")
        return read.flatten(2)

    def _hashed(self, points: Tensor, resolution: int, table: Tensor) -> Tensor:
        place = (points.clamp(-1, 1) + 1) / 2 * (resolution - 1)
        low = place.floor().clamp(max=resolution - 2)
        share = (place - low)[:, :, None]  # (copies, M, 1, D)
        vertex = low.long()[:, :, None] + self.corners  # (copies, M, 2^D, D)
        weight = torch.where(self.corners.bool(), share, 1 - share).prod(-1)
        slot = spatial_hash(vertex, 2**self.config.log2_table)
        slot = slot + torch.arange(self.copies, device=slot.device)[:, None, None] * 2**self.config.log2_table
        read = table.flatten(0, 1)[slot.reshape(-1)].view(*slot.shape, -1)
        return (read * weight[..., None]).sum(2).transpose(1, 2)


class TriPlane(nn.Module):
    """f = H_XY(x, y) + H_YZ(y, z) + H_XZ(x, z), + meaning side by side (equation 4)."""

    def __init__(self, config: GridConfig) -> None:
        super().__init__()
        self.planes = HashEncoding(config, copies=len(PLANES))
        self.width = len(PLANES) * self.planes.width

    def forward(self, points: Tensor) -> Tensor:
        """Points (M, 3) in [-1, 1] -> features (M, width)."""
        return self.planes(torch.stack([points[:, plane] for plane in PLANES]))


class Volume(nn.Module):
    """One hash grid of the whole space, as before tri-planes (RAD-NeRF): table III without "Tri-Hash"."""

    def __init__(self, config: GridConfig) -> None:
        super().__init__()
        self.grid = HashEncoding(config, copies=1, dimensions=3)
        self.width = self.grid.width

    def forward(self, points: Tensor) -> Tensor:
        """Points (M, 3) in [-1, 1] -> features (M, width)."""
        return self.grid(points[None])


def spatial_hash(vertex: Tensor, size: int) -> Tensor:
    """Slots (...) in a table of `size`, a power of two, of integer vertices (..., D)."""
    slot = vertex[..., 0] * PRIMES[0]
    for axis in range(1, vertex.shape[-1]):
        slot = slot ^ (vertex[..., axis] * PRIMES[axis])
    return slot & (size - 1)


def perceptron(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for wide, narrow in itertools.pairwise(widths):
        layers += [nn.Linear(wide, narrow), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
