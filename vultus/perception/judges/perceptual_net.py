"""A small network of features in which distances grow as distortions do (in torch)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 0.1
"""Of the length of features: where there is next to nothing, differences of direction do not count."""


@dataclass(frozen=True)
class PerceptualNetConfig:
    """Sizes of `PerceptualNet`."""

    widths: tuple[int, ...] = (16, 24, 40, 64)
    """Channels; each layer after the first looks at half the size."""

    @staticmethod
    def of(config: Mapping[str, Any]) -> PerceptualNetConfig:
        """From the plain values that a card keeps."""
        return PerceptualNetConfig(tuple(config["widths"]))


class PerceptualNet(nn.Module):
    """The distance of two pictures: weighted squared differences of unit features, mean over places, sum over layers.

    The form of LPIPS (Zhang et al. 2018, equation 1) on features of our own. Halving is by averages (Zhang 2019), so
    that a shift by a pixel stays small.
    """

    def __init__(self, config: PerceptualNetConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise((3, *config.widths)))
        self.log_weights = nn.ParameterList(nn.Parameter(torch.full((width,), 3.0)) for width in config.widths)

    def features(self, pictures: Tensor) -> list[Tensor]:
        """Unit features (B, width, h, w) a layer of RGB pictures (B, 3, H, W) in 0-1."""
        x, found = 2 * pictures - 1, []
        for place, layer in enumerate(self.layers):
            x = functional.elu(layer(functional.avg_pool2d(x, 2, ceil_mode=True) if place else x))
            found.append(x / torch.sqrt(x.square().sum(1, keepdim=True) + EPSILON**2))
        return found

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances (B,) of RGB pictures (B, 3, H, W) in 0-1, H and W at least 8; 0 for equal ones."""
        total = a.new_zeros(len(a))
        for one, other, log_weight in zip(self.features(a), self.features(b), self.log_weights, strict=True):
            total = total + torch.einsum("bchw,c->bhw", (one - other).square(), log_weight.exp()).mean((1, 2))
        return torch.sqrt(total + 1e-8) - 1e-4
