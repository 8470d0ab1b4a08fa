"""FID's Inception v3 from a random file of pytorch-fid's format, block by block against plain functions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.perception.published import layouts
from vultus.perception import published


def basic(name: str, outputs: int, inputs: int, *kernel: int) -> layouts.Layout:
    return layouts.conv(f"{name}.conv", outputs, inputs, *kernel, bias=False) | layouts.norm(f"{name}.bn", outputs)


# torchvision.models.inception, blocks as pytorch-fid builds them: (name in the block, channels out, in, kernel)
def block_a(inputs: int, pooled: int) -> list:
    return [
        ("branch1x1", 64, inputs, 1, 1), ("branch5x5_1", 48, inputs, 1, 1), ("branch5x5_2", 64, 48, 5, 5),
        ("branch3x3dbl_1", 64, inputs, 1, 1), ("branch3x3dbl_2", 96, 64, 3, 3), ("branch3x3dbl_3", 96, 96, 3, 3),
        ("branch_pool", pooled, inputs, 1, 1),
    ]  # fmt: skip


def block_c(inputs: int, c7: int) -> list:
    return [
        ("branch1x1", 192, inputs, 1, 1), ("branch7x7_1", c7, inputs, 1, 1), ("branch7x7_2", c7, c7, 1, 7),
        ("branch7x7_3", 192, c7, 7, 1), ("branch7x7dbl_1", c7, inputs, 1, 1), ("branch7x7dbl_2", c7, c7, 7, 1),
        ("branch7x7dbl_3", c7, c7, 1, 7), ("branch7x7dbl_4", c7, c7, 7, 1), ("branch7x7dbl_5", 192, c7, 1, 7),
        ("branch_pool", 192, inputs, 1, 1),
    ]  # fmt: skip


def block_e(inputs: int) -> list:
    return [
        ("branch1x1", 320, inputs, 1, 1), ("branch3x3_1", 384, inputs, 1, 1), ("branch3x3_2a", 384, 384, 1, 3),
        ("branch3x3_2b", 384, 384, 3, 1), ("branch3x3dbl_1", 448, inputs, 1, 1), ("branch3x3dbl_2", 384, 448, 3, 3),
        ("branch3x3dbl_3a", 384, 384, 1, 3), ("branch3x3dbl_3b", 384, 384, 3, 1), ("branch_pool", 192, inputs, 1, 1),
    ]  # fmt: skip


BLOCKS = {
    "Mixed_5b": block_a(192, 32), "Mixed_5c": block_a(256, 64), "Mixed_5d": block_a(288, 64),
    "Mixed_6a": [
        ("branch3x3", 384, 288, 3, 3), ("branch3x3dbl_1", 64, 288, 1, 1), ("branch3x3dbl_2", 96, 64, 3, 3),
        ("branch3x3dbl_3", 96, 96, 3, 3),
    ],
    "Mixed_6b": block_c(768, 128), "Mixed_6c": block_c(768, 160), "Mixed_6d": block_c(768, 160),
    "Mixed_6e": block_c(768, 192),
    "Mixed_7a": [
        ("branch3x3_1", 192, 768, 1, 1), ("branch3x3_2", 320, 192, 3, 3), ("branch7x7x3_1", 192, 768, 1, 1),
        ("branch7x7x3_2", 192, 192, 1, 7), ("branch7x7x3_3", 192, 192, 7, 1), ("branch7x7x3_4", 192, 192, 3, 3),
    ],
    "Mixed_7b": block_e(1280), "Mixed_7c": block_e(2048),
}  # fmt: skip
STEM = (
    ("Conv2d_1a_3x3", 32, 3, 3, 3), ("Conv2d_2a_3x3", 32, 32, 3, 3), ("Conv2d_2b_3x3", 64, 32, 3, 3),
    ("Conv2d_3b_1x1", 80, 64, 1, 1), ("Conv2d_4a_3x3", 192, 80, 3, 3),
)  # fmt: skip


def layout() -> layouts.Layout:
    parts = [basic(*one) for one in STEM]
    parts += [basic(f"{block}.{name}", *rest) for block, members in BLOCKS.items() for name, *rest in members]
    return layouts.merged([*parts, layouts.conv("fc", 1008, 2048)])


class Inception(layouts.Reference):
    """The graph of 2015-12-05, as pytorch-fid's sources describe it."""

    def basic(self, name: str, x: torch.Tensor, stride: int = 1, padding: int | tuple[int, int] = 0) -> torch.Tensor:
        return self.keep(name, self.norm(f"{name}.bn", self.conv(f"{name}.conv", x, stride, padding)).clamp(min=0))

    def chain(self, block: str, x: torch.Tensor, *names: str) -> torch.Tensor:
        """Convolutions that keep the size."""
        for name in names:
            height, width = self.tensors[f"{block}.{name}.conv.weight"].shape[2:]
            x = self.basic(f"{block}.{name}", x, padding=(height // 2, width // 2))
        return x

    def average(self, x: torch.Tensor) -> torch.Tensor:
        ones = torch.ones(1, 1, *x.shape[2:])
        return F.avg_pool2d(x, 3, 1, 1) / F.avg_pool2d(ones, 3, 1, 1)  # padding counts neither above nor below

    def block_a(self, name: str, x: torch.Tensor) -> torch.Tensor:
        five = self.chain(name, x, "branch5x5_1", "branch5x5_2")
        double = self.chain(name, x, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3")
        pool = self.chain(name, self.average(x), "branch_pool")
        return self.keep(name, torch.cat([self.chain(name, x, "branch1x1"), five, double, pool], 1))

    def block_c(self, name: str, x: torch.Tensor) -> torch.Tensor:
        seven = self.chain(name, x, *(f"branch7x7_{i}" for i in (1, 2, 3)))
        double = self.chain(name, x, *(f"branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5)))
        pool = self.chain(name, self.average(x), "branch_pool")
        return self.keep(name, torch.cat([self.chain(name, x, "branch1x1"), seven, double, pool], 1))

    def block_e(self, name: str, x: torch.Tensor) -> torch.Tensor:
        three = self.chain(name, x, "branch3x3_1")
        double = self.chain(name, x, "branch3x3dbl_1", "branch3x3dbl_2")
        pooled = F.max_pool2d(x, 3, 1, 1) if name == "Mixed_7c" else self.average(x)
        forks = [self.chain(name, three, "branch3x3_2a"), self.chain(name, three, "branch3x3_2b")]
        forks += [self.chain(name, double, "branch3x3dbl_3a"), self.chain(name, double, "branch3x3dbl_3b")]
        parts = [self.chain(name, x, "branch1x1"), *forks, self.chain(name, pooled, "branch_pool")]
        return self.keep(name, torch.cat(parts, 1))

    def run(self, x: torch.Tensor) -> torch.Tensor:
        x = self.basic("Conv2d_2a_3x3", self.basic("Conv2d_1a_3x3", x, stride=2))
        x = F.max_pool2d(self.basic("Conv2d_2b_3x3", x, padding=1), 3, 2)
        x = F.max_pool2d(self.basic("Conv2d_4a_3x3", self.basic("Conv2d_3b_1x1", x)), 3, 2)
        for name in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
            x = self.block_a(name, x)
        three = self.basic("Mixed_6a.branch3x3", x, stride=2)
        double = self.basic("Mixed_6a.branch3x3dbl_3", self.chain("Mixed_6a", x, "branch3x3dbl_1", "branch3x3dbl_2"), 2)
        x = self.keep("Mixed_6a", torch.cat([three, double, F.max_pool2d(x, 3, 2)], 1))
        for name in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
            x = self.block_c(name, x)
        three = self.basic("Mixed_7a.branch3x3_2", self.chain("Mixed_7a", x, "branch3x3_1"), 2)
        seven = self.chain("Mixed_7a", x, "branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3")
        seven = self.basic("Mixed_7a.branch7x7x3_4", seven, 2)
        x = self.keep("Mixed_7a", torch.cat([three, seven, F.max_pool2d(x, 3, 2)], 1))
        return self.block_e("Mixed_7c", self.block_e("Mixed_7b", x)).mean((2, 3))


def bilinear(images: np.ndarray, size: int) -> np.ndarray:
    """(N, C, H, W) -> (N, C, size, size): pixels' middles, no smoothing."""
    for axis in (2, 3):
        length = images.shape[axis]
        at = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
        low = np.floor(at).astype(int)
        share = (at - low).reshape([-1 if i == axis else 1 for i in range(4)])
        high = np.minimum(low + 1, length - 1)
        images = np.take(images, low, axis) * (1 - share) + np.take(images, high, axis) * share
    return images


@pytest.fixture(scope="module")
def network_and_tensors(tmp_path_factory):
    tensors = layouts.random_tensors(layout())
    path = layouts.save(tensors, tmp_path_factory.mktemp("inception") / "inception.pth")
    return published.InceptionV3.load(path), tensors


@pytest.mark.parametrize("size", [(64, 80), (512, 400)], ids=["larger", "smaller"])
def test_every_layer(network_and_tensors, size) -> None:
    network, tensors = network_and_tensors
    pictures = layouts.noise_pictures(1, *size)
    recorder = layouts.Recorder(network)
    found = network.embed(pictures)
    reference = Inception(tensors, eps=1e-3)
    scaled = bilinear(pictures.transpose(0, 3, 1, 2) / 255.0, 299)
    expected = reference.run(torch.tensor(2 * scaled - 1, dtype=torch.float32))
    assert found.shape == (1, 2048) and len(reference.kept) == 3 * 94 + 11  # convolutions with their norms; blocks
    recorder.agrees_with(reference.kept)
    layouts.close(found, expected)


def test_no_pictures(network_and_tensors) -> None:
    assert network_and_tensors[0].embed(layouts.noise_pictures(0, 64, 64)).shape == (0, 2048)
