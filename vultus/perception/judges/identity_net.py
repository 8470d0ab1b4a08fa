"""Two small towers that tell people apart, one by pixels, one by the shape of the face (in torch)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

POINTS = 468
"""FaceMesh points of the skin."""


@dataclass(frozen=True)
class IdentityNetConfig:
    """Sizes of `IdentityNet`."""

    side_px: int = 64
    widths: tuple[int, ...] = (24, 40, 64, 96)
    """Channels; each stage halves the picture."""
    shape_width: int = 112
    embedding: int = 64
    """Of each tower."""
    dropout: float = 0.2

    @staticmethod
    def of(config: Mapping[str, Any]) -> IdentityNetConfig:
        """From the plain values that a card keeps."""
        return IdentityNetConfig(**{**config, "widths": tuple(config["widths"])})


class IdentityNet(nn.Module):
    """Unit vectors of faces: half of their square comes from the pixels, half from the shape."""

    def __init__(self, config: IdentityNetConfig) -> None:
        super().__init__()
        self.config = config
        widths = (3, *config.widths)
        stages = [Stage(inputs, outputs) for inputs, outputs in pairwise(widths)]
        left = config.side_px >> len(config.widths)
        self.pixels = nn.Sequential(
            *stages, nn.Flatten(), nn.Dropout(config.dropout), nn.Linear(left * left * widths[-1], config.embedding)
        )
        self.shape = nn.Sequential(
            nn.BatchNorm1d(3 * POINTS, affine=False),
            nn.Linear(3 * POINTS, config.shape_width),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.shape_width, config.embedding),
        )
        self.pixels_scale = nn.BatchNorm1d(config.embedding, affine=False)
        self.shape_scale = nn.BatchNorm1d(config.embedding, affine=False)

    def towers(self, faces: Tensor, shapes: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors (B, embedding) by pixels and by shape; arguments as of `forward`."""
        seen = self.pixels_scale(self.pixels(contrasted(faces)))
        built = self.shape_scale(self.shape(shapes.flatten(1)))
        return functional.normalize(seen), functional.normalize(built)

    def forward(self, faces: Tensor, shapes: Tensor) -> Tensor:
        """Unit vectors (B, 2 embedding) of aligned RGB faces (B, 3, side, side) 0-1, upright shapes (B, POINTS, 3)."""
        return torch.cat(self.towers(faces, shapes), 1) * 0.5**0.5


class Stage(nn.Module):
    """Half the size: a convolution with stride 2, then a residual one."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.PReLU(outputs)
        )
        self.more = nn.Sequential(
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.PReLU(outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) to (B, outputs, h / 2, w / 2)."""
        x = self.down(x)
        return x + self.more(x)


def contrasted(faces: Tensor) -> Tensor:
    """Pictures (B, 3, h, w) less their mean, over their spread: no light level; what is left is colour and form."""
    mean = faces.mean((2, 3), keepdim=True)
    spread = (faces - mean).square().mean((1, 2, 3), keepdim=True).sqrt()
    return (faces - mean) / (spread + 0.02)
