"""VGG-19 (Simonyan and Zisserman 2015, configuration E) with torchvision's ImageNet weights: perceptual losses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from vultus.perception.published.checkpoint import build, read_tensors
from vultus.perception.published.pictures import IMAGENET_MEAN, IMAGENET_SD, as_images, in_batches, normalised
from vultus.perception.published.store import weights_path

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""Channels and convolutions between two poolings."""
CLASSIFIER = {
    "classifier.0.weight": (4096, 25088),
    "classifier.0.bias": (4096,),
    "classifier.3.weight": (4096, 4096),
    "classifier.3.bias": (4096,),
    "classifier.6.weight": (1000, 4096),
    "classifier.6.bias": (1000,),
}
"""What the official file holds beyond the features."""


class Vgg19(nn.Module):
    """Features of pictures at every layer: `conv1_1`, `relu1_1`, ..., `pool5`.

    Called with images (N, 3, H, W), RGB in [0, 1], and names of layers, it returns {layer: (N, C, H', W')}; ImageNet's
    mean and deviation are taken care of here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers: dict[str, int] = {}
        """Layer -> its number in the official file."""
        parts: list[nn.Module] = []

        def add(layer: str, part: nn.Module) -> None:
            self.layers[layer] = len(parts)
            parts.append(part)

        channels = 3
        for block, (wide, convolutions) in enumerate(BLOCKS, 1):
            for number in range(1, convolutions + 1):
                add(f"conv{block}_{number}", nn.Conv2d(channels, wide, 3, padding=1))
                add(f"relu{block}_{number}", nn.ReLU())
                channels = wide
            add(f"pool{block}", nn.MaxPool2d(2))
        self.features = nn.Sequential(*parts)

    @classmethod
    def load(cls, path: str | Path | None = None) -> Vgg19:
        """With torchvision's weights, of the store or of a file. Raises MissingPartError or InputError."""
        path = path or weights_path("vgg19")
        return build(cls, read_tensors(path), path, unused=CLASSIFIER)

    def forward(self, images: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """See the class; nothing deeper than the last layer asked for is computed. Raises KeyError for other layers."""
        wanted = {self.layers[layer]: layer for layer in layers}
        found = {}
        values = normalised(images, IMAGENET_MEAN, IMAGENET_SD)
        for number in range(max(wanted) + 1):
            values = self.features[number](values)
            if number in wanted:
                found[wanted[number]] = values
        return found

    def embed(self, pictures: np.ndarray, layer: str) -> np.ndarray:
        """One layer of pictures (N, H, W, 3) uint8 RGB: (N, C, H', W') float32."""
        return in_batches(lambda some: self(as_images(some, self), [layer])[layer], pictures)
