"""The network behind each emotion encoder, in torch: what is trained, and what a loss differentiates through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.core.controls import EMOTIONS
from vultus.perception.judges.emotion_space import FAR, WIDTH, anchors


@dataclass(frozen=True)
class EmotionNetConfig:
    """Sizes of an encoder."""

    inputs: int
    hidden: tuple[int, ...] = (128, 96)
    dropout: float = 0.2

    @staticmethod
    def of(config: Mapping[str, Any]) -> EmotionNetConfig:
        """From the plain values that a card keeps."""
        return EmotionNetConfig(config["inputs"], tuple(config["hidden"]), config["dropout"])


class EmotionNet(nn.Module):
    """Numbers (N, I) to embeddings (N, WIDTH) and logits (N, 8); `emotion_space.EmotionReader` is the same in numpy."""

    middle: Tensor
    spread: Tensor
    anchors: Tensor

    def __init__(self, config: EmotionNetConfig) -> None:
        super().__init__()
        widths = (config.inputs, *config.hidden)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.to_space = nn.Linear(widths[-1], WIDTH)
        self.dropout = nn.Dropout(config.dropout)
        self.log_sharpness = nn.Parameter(torch.tensor(2.0))
        self.bias = nn.Parameter(torch.zeros(len(EMOTIONS)))
        self.register_buffer("middle", torch.zeros(config.inputs))
        self.register_buffer("spread", torch.ones(config.inputs))
        self.register_buffer("anchors", torch.from_numpy(anchors().copy()), persistent=False)

    def expect(self, inputs: np.ndarray, floor: float = 1e-6) -> None:
        """Take middle and spread from inputs (N, I) that are like those to come."""
        self.middle.copy_(torch.from_numpy(np.asarray(inputs.mean(0), np.float32)))
        self.spread.copy_(torch.from_numpy(np.maximum(inputs.std(0), floor).astype(np.float32)))

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        values = self.dropout(((inputs - self.middle) / self.spread).clamp(-FAR, FAR))
        for layer in self.layers:
            values = self.dropout(functional.silu(layer(values)))
        embedding = functional.normalize(self.to_space(values), dim=1)
        return embedding, self.log_sharpness.exp() * embedding @ self.anchors.T + self.bias


def emotion_losses(embedding: Tensor, logits: Tensor, shares: Tensor) -> dict[str, Tensor]:
    """Cross entropy with mixes `shares` (N, 8), and 1 - cosine to where they lie (emotion_space, equation 1)."""
    anchored = functional.normalize(shares @ torch.from_numpy(anchors()).to(shares), dim=1)
    return {
        "entropy": functional.cross_entropy(logits, shares),
        "cosine": (1 - (embedding * anchored).sum(1)).mean(),
    }
