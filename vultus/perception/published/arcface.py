"""Face recognition: insightface's ArcFace (Deng et al. 2019) and CurricularFace (Huang et al. 2020), for CSIM.

Both are improved residual networks of 112 px that end in 512 numbers. Their blocks, shortcuts and names differ, so each
is built as its authors did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from vultus.core.errors import InputError
from vultus.perception.published.checkpoint import build, read_tensors
from vultus.perception.published.pictures import as_images, in_batches
from vultus.perception.published.store import weights_path

SIZE = 112
WIDTH = 512
STAGES = (64, 128, 256, 512)
"""Channels; each stage begins by halving the size, from 112 to 7."""
R50 = (3, 4, 14, 3)
"""Blocks of each stage."""
R100 = (3, 13, 30, 3)

TEMPLATE_PX = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
"""Where insightface puts the eyes (image left first), the tip of the nose and the corners of the mouth."""
FIVE_POINTS = (468, 473, 4, 61, 291)
"""The same among FaceMesh's 478 points."""


class _FaceNetwork(nn.Module):
    """Embeddings of faces: images (N, 3, 112, 112), RGB in [0, 1] -> (N, 512) of length 1."""

    def _raw(self, x: Tensor) -> Tensor:
        """(N, 3, 112, 112) in [-1, 1] -> (N, 512)."""
        raise NotImplementedError

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        return F.normalize(self._raw(2 * images - 1), dim=1)

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Faces cut by `aligned_faces`, (N, 112, 112, 3) uint8 RGB -> (N, 512) float32 of length 1."""
        return in_batches(lambda some: self(as_images(some, self, SIZE)), faces)


class _ArcFaceBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = None if stride == 1 else _projection(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return shortcut + self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))


class ArcFace(_FaceNetwork):
    """insightface's IResNet (arcface_torch): `iresnet50` or a deeper one, as many blocks as the file holds."""

    def __init__(self, blocks: Sequence[int] = R50) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, STAGES[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(STAGES[0])
        self.prelu = nn.PReLU(STAGES[0])
        for number, (inputs, outputs, count) in enumerate(_stages(blocks), 1):
            first = _ArcFaceBlock(inputs, outputs, 2)
            rest = (_ArcFaceBlock(outputs, outputs, 1) for _ in range(count - 1))
            self.add_module(f"layer{number}", nn.Sequential(first, *rest))
        self.bn2 = nn.BatchNorm2d(STAGES[-1])
        self.fc = nn.Linear(STAGES[-1] * 7 * 7, WIDTH)
        self.features = nn.BatchNorm1d(WIDTH)

    @classmethod
    def load(cls, path: str | Path | None = None) -> Self:
        """With insightface's weights, of the store (r50) or of a file. Raises MissingPartError or InputError."""
        path = path or weights_path("arcface-r50")
        tensors = read_tensors(path)
        blocks = [_count(tensors, f"layer{number}.") for number in range(1, len(STAGES) + 1)]
        if not all(blocks):
            raise InputError("this is not the official file of ArcFace: layers are missing", path)
        return build(lambda: cls(blocks), tensors, path)

    def _raw(self, x: Tensor) -> Tensor:
        x = self.prelu(self.bn1(self.conv1(x)))
        for number in range(1, len(STAGES) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return self.features(self.fc(self.bn2(x).flatten(1)))


class _CurricularBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.PReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        same = inputs == outputs  # also where a stage begins: then every second pixel is taken as it is
        self.shortcut_layer = nn.MaxPool2d(1, stride) if same else _projection(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut_layer(x) + self.res_layer(x)


class CurricularFace(_FaceNetwork):
    """CurricularFace's IR-101, with which emotion_space measures CSIM."""

    def __init__(self, blocks: Sequence[int] = R100) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, STAGES[0], 3, padding=1, bias=False), nn.BatchNorm2d(STAGES[0]), nn.PReLU(STAGES[0])
        )
        body: list[nn.Module] = []
        for inputs, outputs, count in _stages(blocks):
            body += [_CurricularBlock(inputs, outputs, 2)]
            body += [_CurricularBlock(outputs, outputs, 1) for _ in range(count - 1)]
        self.body = nn.Sequential(*body)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(STAGES[-1]),
            nn.Dropout(0.4),
            nn.Flatten(),
            nn.Linear(STAGES[-1] * 7 * 7, WIDTH),
            nn.BatchNorm1d(WIDTH, affine=False),
        )

    @classmethod
    def load(cls, path: str | Path | None = None) -> Self:
        """With the authors' weights, of the store or of a file. Raises MissingPartError or InputError."""
        path = path or weights_path("curricularface")
        return build(cls, read_tensors(path), path)

    def _raw(self, x: Tensor) -> Tensor:
        return self.output_layer(self.body(self.input_layer(x)))


def aligned_faces(pictures: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Faces as recognition was trained on: (N, 112, 112, 3) of pictures (N, H, W, 3) and landmarks (N, 478, 2 or 3) px.

    A similarity puts eyes, nose and mouth as near to `TEMPLATE_PX` as it can (least squares); outside is black.
    """
    import cv2

    template = np.array(TEMPLATE_PX)
    faces = np.empty((len(pictures), SIZE, SIZE, 3), np.uint8)
    for i, (picture, points) in enumerate(zip(pictures, landmarks, strict=True)):
        matrix = similarity(np.asarray(points, float)[list(FIVE_POINTS), :2], template)
        faces[i] = cv2.warpAffine(picture, matrix, (SIZE, SIZE), borderValue=0)
    return faces


def similarity(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(2, 3): turn, scale and shift that bring points (K, 2) nearest to targets (K, 2)."""
    p, q = points @ (1, 1j), targets @ (1, 1j)
    turn = np.vdot(p - p.mean(), q - q.mean()) / np.vdot(p - p.mean(), p - p.mean())
    shift = q.mean() - turn * p.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _projection(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def _stages(blocks: Sequence[int]) -> zip:
    """Channels in, channels out and number of blocks of each stage."""
    return zip((STAGES[0], *STAGES[:-1]), STAGES, blocks, strict=True)


def _count(tensors: Mapping[str, Tensor], prefix: str) -> int:
    """How many blocks a stage has in a file."""
    return len({name.removeprefix(prefix).partition(".")[0] for name in tensors if name.startswith(prefix)})
