"""The network of the emotion encoder for faces, in torch: what is trained; `face_reader` and `emotion_space` are it in
numpy."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.perception.judges.emotion_net import EmotionNet, EmotionNetConfig
from vultus.perception.judges.face_reader import CROP_PX, FARTHEST, ONE, POINTS, STRIDE


@dataclass(frozen=True)
class FaceNetConfig:
    """Sizes of `FaceNet`. The first kernels see 5 pixels squared, the others 3."""

    channels: tuple[int, ...] = (16, 32, 64)
    flat: int = 128
    axes: int = 64
    """The points' places are seen along so many directions, those in which they differ most."""
    places: int = 64
    hidden: int = 96
    dropout: float = 0.2

    @property
    def features(self) -> int:
        """Numbers that the encoder behind is given."""
        return self.flat + self.places


class FaceNet(nn.Module):
    """Contrasts (N, height, width) int8 and points (N, 468, 2) to embeddings, logits (`EmotionNet`) and features."""

    places_middle: Tensor
    places_axes: Tensor

    def __init__(self, config: FaceNetConfig) -> None:
        super().__init__()
        widths = (1, *config.channels)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, size, STRIDE, size // 2, bias=False)
            for (a, b), size in zip(pairwise(widths), (5, *[3] * (len(widths) - 2)), strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in config.channels)
        left = CROP_PX[0] * CROP_PX[1] // STRIDE ** (2 * len(config.channels))
        self.flat = nn.Linear(left * widths[-1], config.flat)
        self.flat_norm = nn.BatchNorm1d(config.flat)
        self.places = nn.Linear(config.axes, config.places)
        self.dropout = nn.Dropout(config.dropout)
        self.encoder = EmotionNet(EmotionNetConfig(config.features, (config.hidden,), config.dropout))
        self.register_buffer("places_middle", torch.zeros(2 * POINTS))
        self.register_buffer("places_axes", torch.zeros(config.axes, 2 * POINTS))
        # A third faster on a CPU; torch's overloads leave the keyword out.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def expect(self, points: np.ndarray) -> None:
        """Take the directions in which places (N, 468, 2) differ most, and how much, from points like those to come."""
        flat = np.asarray(points, np.float64).reshape(len(points), -1)
        middle = flat.mean(0)
        spreads, axes = np.linalg.eigh(np.cov(flat - middle, rowvar=False))
        largest = slice(-1, -len(self.places_axes) - 1, -1)
        whitened = axes.T[largest] / np.sqrt(spreads[largest])[:, None]
        self.places_middle.copy_(torch.from_numpy(middle.astype(np.float32)))
        self.places_axes.copy_(torch.from_numpy(whitened.astype(np.float32)))

    def forward(self, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """See the class. While it learns, places are blurred, and the picture or the points are hidden now and then."""
        faces, points = inputs
        seen = (faces[:, None].float() / ONE).contiguous(memory_format=torch.channels_last)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            seen = functional.relu(norm(convolution(seen)))
        flat = functional.relu(self.flat_norm(self.flat(self.dropout(seen.contiguous().flatten(1)))))
        placed = (points.flatten(1) - self.places_middle) @ self.places_axes.T
        if self.training:
            placed = placed + PLACES_BLUR * torch.randn_like(placed)
        places = functional.silu(self.places(placed.clamp(-FARTHEST, FARTHEST)))
        if self.training:
            chance = torch.rand(len(flat), 1)
            flat, places = flat * (chance > PICTURE_HIDDEN), places * (chance < 1 - PLACES_HIDDEN)
        features = torch.cat([flat, places], 1)
        return *self.encoder(features), features


PLACES_BLUR = 0.15
"""Spreads by which the points' places are blurred in lessons."""
PICTURE_HIDDEN, PLACES_HIDDEN = 0.25, 0.1
"""Shares of lessons in which only the points, or only the picture, are seen: real skin folds as no drawn one does, so
that the points have to be able to tell alone."""
