"""LPIPS v0.1 on AlexNet (Zhang et al. 2018, equation 1): how different two pictures look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vultus.perception.published.alexnet import CHANNELS, AlexNet
from vultus.perception.published.checkpoint import build, read_tensors
from vultus.perception.published.pictures import as_images, in_batches, normalised
from vultus.perception.published.store import weights_path

SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
"""ImageNet's mean and deviation for RGB in [-1, 1], as v0.1 rounds them."""
TINY = 1e-10
"""Keeps activations of length 0 from dividing by it; the official code adds it to the length, not under the root."""


class _Heads(nn.Module):
    """The learned weights of channels, under their names in the official file: `lin0.model.1.weight`, ..."""

    def __init__(self) -> None:
        super().__init__()
        for number, channels in enumerate(CHANNELS):
            head = nn.Module()
            head.model = nn.Sequential(nn.Identity(), nn.Conv2d(channels, 1, 1, bias=False))  # a dropout came first
            self.add_module(f"lin{number}", head)

    def forward(self, differences: list[Tensor]) -> Tensor:
        """Squared differences (N, C, H, W) of each layer -> their weighted sum, (N,), a mean over places."""
        heads = [head.get_submodule("model") for head in self.children()]
        found = [head(one).mean((1, 2, 3)) for head, one in zip(heads, differences, strict=True)]
        return sum(found[1:], found[0])


class Lpips(nn.Module):
    """The distance of images a and b, (N, 3, H, W) RGB in [0, 1] and at least 64 px wide: (N,), 0 for the same."""

    def __init__(self, network: AlexNet, heads: nn.Module) -> None:
        super().__init__()
        self.network, self.heads = network, heads

    @classmethod
    def load(cls, path: str | Path | None = None, heads: str | Path | None = None) -> Lpips:
        """With the official weights of AlexNet (`path`) and of the heads, both of the store if not given.

        Raises MissingPartError or InputError.
        """
        heads = heads or weights_path("lpips-alex")
        return cls(AlexNet.load(path), build(_Heads, read_tensors(heads), heads)).eval()

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """See the class."""
        pairs = zip(self._directions(a), self._directions(b), strict=True)
        return self.heads([(one - other) ** 2 for one, other in pairs])

    def distance(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """LPIPS of pictures (N, H, W, 3) uint8 RGB, pair by pair: (N,) float32. Raises ValueError if shapes differ."""
        if a.shape != b.shape:
            raise ValueError(f"pictures to compare must have one shape, not {a.shape} and {b.shape}")
        return in_batches(lambda some, others: self(as_images(some, self), as_images(others, self)), a, b)

    def _directions(self, images: Tensor) -> list[Tensor]:
        """The activations of each layer, scaled to length 1 over channels."""
        activations = self.network(normalised(2 * images - 1, SHIFT, SCALE))
        return [one / (torch.sqrt((one**2).sum(1, keepdim=True)) + TINY) for one in activations]
