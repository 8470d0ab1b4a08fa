"""Inception v3 as FID uses it (Heusel et al. 2017): the TensorFlow network of 2015-12-05, ported by pytorch-fid.

It departs from Szegedy et al. 2016 and from torchvision's in what its TensorFlow graph does: average pooling leaves the
padding out of the mean, the last block pools by maximum, and there are 1008 classes. Pictures are scaled to 299 px by
bilinear interpolation that neither aligns corners nor smooths before it shrinks; a smoothing one changes the FID.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vultus.perception.published.checkpoint import build, read_tensors
from vultus.perception.published.pictures import as_images, in_batches
from vultus.perception.published.store import weights_path

SIZE = 299
WIDTH = 2048


class _Conv(nn.Module):
    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


def _same(inputs: int, outputs: int, height: int, width: int) -> _Conv:
    """A convolution that keeps the size."""
    return _Conv(inputs, outputs, (height, width), padding=(height // 2, width // 2))


def _average_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class _Mixed(nn.Module):
    """Branches side by side; a branch is the names of the convolutions it passes."""

    branches: tuple[tuple[str, ...], ...]

    def _passed(self, x: Tensor) -> list[Tensor]:
        results = []
        for branch in self.branches:
            value = x
            for name in branch:
                value = getattr(self, name)(value)
            results.append(value)
        return results


class _MixedA(_Mixed):
    """35 x 35."""

    branches = (
        ("branch1x1",),
        ("branch5x5_1", "branch5x5_2"),
        ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
    )

    def __init__(self, inputs: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(inputs, 64, 1)
        self.branch5x5_1 = _Conv(inputs, 48, 1)
        self.branch5x5_2 = _same(48, 64, 5, 5)
        self.branch3x3dbl_1 = _Conv(inputs, 64, 1)
        self.branch3x3dbl_2 = _same(64, 96, 3, 3)
        self.branch3x3dbl_3 = _same(96, 96, 3, 3)
        self.branch_pool = _Conv(inputs, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([*self._passed(x), self.branch_pool(_average_pool(x))], 1)


class _MixedB(_Mixed):
    """35 x 35 -> 17 x 17."""

    branches = (("branch3x3",), ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"))

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = _Conv(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = _Conv(inputs, 64, 1)
        self.branch3x3dbl_2 = _same(64, 96, 3, 3)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([*self._passed(x), F.max_pool2d(x, 3, stride=2)], 1)


class _MixedC(_Mixed):
    """17 x 17."""

    branches = (
        ("branch1x1",),
        ("branch7x7_1", "branch7x7_2", "branch7x7_3"),
        ("branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"),
    )

    def __init__(self, inputs: int, narrow: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(inputs, 192, 1)
        self.branch7x7_1 = _Conv(inputs, narrow, 1)
        self.branch7x7_2 = _same(narrow, narrow, 1, 7)
        self.branch7x7_3 = _same(narrow, 192, 7, 1)
        self.branch7x7dbl_1 = _Conv(inputs, narrow, 1)
        self.branch7x7dbl_2 = _same(narrow, narrow, 7, 1)
        self.branch7x7dbl_3 = _same(narrow, narrow, 1, 7)
        self.branch7x7dbl_4 = _same(narrow, narrow, 7, 1)
        self.branch7x7dbl_5 = _same(narrow, 192, 1, 7)
        self.branch_pool = _Conv(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([*self._passed(x), self.branch_pool(_average_pool(x))], 1)


class _MixedD(_Mixed):
    """17 x 17 -> 8 x 8."""

    branches = (("branch3x3_1", "branch3x3_2"), tuple(f"branch7x7x3_{i}" for i in range(1, 5)))

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3_1 = _Conv(inputs, 192, 1)
        self.branch3x3_2 = _Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1 = _Conv(inputs, 192, 1)
        self.branch7x7x3_2 = _same(192, 192, 1, 7)
        self.branch7x7x3_3 = _same(192, 192, 7, 1)
        self.branch7x7x3_4 = _Conv(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([*self._passed(x), F.max_pool2d(x, 3, stride=2)], 1)


class _MixedE(nn.Module):
    """8 x 8; two branches fork at their ends."""

    def __init__(self, inputs: int, pools_by_maximum: bool) -> None:
        super().__init__()
        self.pools_by_maximum = pools_by_maximum
        self.branch1x1 = _Conv(inputs, 320, 1)
        self.branch3x3_1 = _Conv(inputs, 384, 1)
        self.branch3x3_2a = _same(384, 384, 1, 3)
        self.branch3x3_2b = _same(384, 384, 3, 1)
        self.branch3x3dbl_1 = _Conv(inputs, 448, 1)
        self.branch3x3dbl_2 = _same(448, 384, 3, 3)
        self.branch3x3dbl_3a = _same(384, 384, 1, 3)
        self.branch3x3dbl_3b = _same(384, 384, 3, 1)
        self.branch_pool = _Conv(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        once, twice = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = F.max_pool2d(x, 3, stride=1, padding=1) if self.pools_by_maximum else _average_pool(x)
        return torch.cat(
            [
                self.branch1x1(x),
                self.branch3x3_2a(once), self.branch3x3_2b(once),
                self.branch3x3dbl_3a(twice), self.branch3x3dbl_3b(twice),
                self.branch_pool(pooled),
            ], 1,
        )  # fmt: skip


class InceptionV3(nn.Module):
    """The 2048 means of the last block ("pool3") of images (N, 3, H, W), RGB in [0, 1], of any size: (N, 2048)."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Conv(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = _same(32, 64, 3, 3)
        self.Conv2d_3b_1x1 = _Conv(64, 80, 1)
        self.Conv2d_4a_3x3 = _Conv(80, 192, 3)
        self.Mixed_5b = _MixedA(192, 32)
        self.Mixed_5c = _MixedA(256, 64)
        self.Mixed_5d = _MixedA(288, 64)
        self.Mixed_6a = _MixedB(288)
        self.Mixed_6b = _MixedC(768, 128)
        self.Mixed_6c = _MixedC(768, 160)
        self.Mixed_6d = _MixedC(768, 160)
        self.Mixed_6e = _MixedC(768, 192)
        self.Mixed_7a = _MixedD(768)
        self.Mixed_7b = _MixedE(1280, pools_by_maximum=False)
        self.Mixed_7c = _MixedE(WIDTH, pools_by_maximum=True)
        self.fc = nn.Linear(WIDTH, 1008)
        """Classes; FID has no use for them."""

    @classmethod
    def load(cls, path: str | Path | None = None) -> InceptionV3:
        """With pytorch-fid's weights, of the store or of a file. Raises MissingPartError or InputError."""
        path = path or weights_path("inception-fid")
        return build(cls, read_tensors(path), path)

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        x = 2 * F.interpolate(images, (SIZE, SIZE), mode="bilinear", align_corners=False) - 1
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, stride=2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(F.max_pool2d(x, 3, stride=2))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        return self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))).mean((2, 3))

    def embed(self, pictures: np.ndarray) -> np.ndarray:
        """Pool3 of pictures (N, H, W, 3) uint8 RGB: (N, 2048) float32."""
        return in_batches(lambda some: self(as_images(some, self)), pictures)
