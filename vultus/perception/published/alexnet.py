"""AlexNet ("one weird trick", Krizhevsky 2014) with torchvision's ImageNet weights: the features under LPIPS."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from vultus.perception.published.checkpoint import build, read_tensors
from vultus.perception.published.store import weights_path

CHANNELS = (64, 192, 384, 256, 256)
"""Of the five layers whose activations LPIPS compares."""
CLASSIFIER = {
    "classifier.1.weight": (4096, 9216),
    "classifier.1.bias": (4096,),
    "classifier.4.weight": (4096, 4096),
    "classifier.4.bias": (4096,),
    "classifier.6.weight": (1000, 4096),
    "classifier.6.bias": (1000,),
}
"""What the official file holds beyond the features."""


class AlexNet(nn.Module):
    """Five activations of images (N, 3, H, W) that are normalised already, after each convolution's ReLU."""

    def __init__(self) -> None:
        super().__init__()
        first, second, third, fourth, fifth = CHANNELS
        self.features = nn.Sequential(
            nn.Conv2d(3, first, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(first, second, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(second, third, 3, padding=1), nn.ReLU(),
            nn.Conv2d(third, fourth, 3, padding=1), nn.ReLU(),
            nn.Conv2d(fourth, fifth, 3, padding=1), nn.ReLU(),
        )  # fmt: skip

    @classmethod
    def load(cls, path: str | Path | None = None) -> AlexNet:
        """With torchvision's weights, of the store or of a file. Raises MissingPartError or InputError."""
        path = path or weights_path("alexnet")
        return build(cls, read_tensors(path), path, unused=CLASSIFIER)

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, C, H', W') for each of `CHANNELS`."""
        found = []
        for layer in self.features:
            images = layer(images)
            if isinstance(layer, nn.ReLU):
                found.append(images)
        return found
