"""EmoNet (Toisoul et al. 2021): eight emotions, valence and arousal of a face, trained on AffectNet.

A face alignment network (two hourglasses, 68 heat maps) whose features, weighted by where its heat maps see a face, go
on to a small convolutional head. It is the AffectNet network whose weights are published as a state dict alone; others
in wide use (HSEmotion) are pickled models, which would have to be executed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vultus.core.controls import EMOTIONS
from vultus.perception.published.checkpoint import build, read_tensors, without_prefix
from vultus.perception.published.pictures import as_images, in_batches
from vultus.perception.published.store import weights_path

SIZE = 256
CLASSES = ("neutral", "happy", "sad", "surprised", "fear", "disgusted", "angry", "contempt")
"""AffectNet's eight in their order, under our names."""
_CHANNELS = 256
_DEPTH = 4
_OURS = [CLASSES.index(emotion) for emotion in EMOTIONS]


class _ConvBlock(nn.Module):
    """Three convolutions whose results lie side by side, added to the input."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half, quarter = outputs // 2, outputs // 4
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, half, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv2 = nn.Conv2d(half, quarter, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(quarter)
        self.conv3 = nn.Conv2d(quarter, quarter, 3, padding=1, bias=False)
        self.downsample = None
        if inputs != outputs:
            projection = nn.Conv2d(inputs, outputs, 1, bias=False)
            self.downsample = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(), projection)

    def forward(self, x: Tensor) -> Tensor:
        first = self.conv1(F.relu(self.bn1(x)))
        second = self.conv2(F.relu(self.bn2(first)))
        third = self.conv3(F.relu(self.bn3(second)))
        return torch.cat([first, second, third], 1) + (x if self.downsample is None else self.downsample(x))


class _Hourglass(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for level in range(_DEPTH, 0, -1):
            for name in ("b1", "b2", "b3") if level > 1 else ("b1", "b2", "b2_plus", "b3"):
                self.add_module(f"{name}_{level}", _ConvBlock(_CHANNELS, _CHANNELS))

    def forward(self, x: Tensor) -> Tensor:
        return self._at(_DEPTH, x)

    def _at(self, level: int, x: Tensor) -> Tensor:
        block = self.get_submodule
        low = block(f"b2_{level}")(F.max_pool2d(x, 2))
        low = self._at(level - 1, low) if level > 1 else block("b2_plus_1")(low)
        low = block(f"b3_{level}")(low)
        return block(f"b1_{level}")(x) + F.interpolate(low, scale_factor=2, mode="nearest")


class EmoNet(nn.Module):
    """Logits of `CLASSES`, then valence and arousal (about -1 to 1), of images (N, 3, 256, 256) in [0, 1]: (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2 = _ConvBlock(64, 128)
        self.conv3 = _ConvBlock(128, 128)
        self.conv4 = _ConvBlock(128, _CHANNELS)
        for stack in (0, 1):
            self.add_module(f"m{stack}", _Hourglass())
            self.add_module(f"top_m_{stack}", _ConvBlock(_CHANNELS, _CHANNELS))
            self.add_module(f"conv_last{stack}", nn.Conv2d(_CHANNELS, _CHANNELS, 1))
            self.add_module(f"bn_end{stack}", nn.BatchNorm2d(_CHANNELS))
            self.add_module(f"l{stack}", nn.Conv2d(_CHANNELS, 68, 1))
        self.bl0 = nn.Conv2d(_CHANNELS, _CHANNELS, 1)
        self.al0 = nn.Conv2d(68, _CHANNELS, 1)
        self.conv1x1_input_emo_2 = nn.Conv2d(3 * _CHANNELS, _CHANNELS, 1)
        halving = [part for _ in range(4) for part in (_ConvBlock(_CHANNELS, _CHANNELS), nn.MaxPool2d(2))]
        self.emo_net_2 = nn.Sequential(*halving)
        self.emo_fc_2 = nn.Sequential(
            nn.Linear(_CHANNELS, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, len(CLASSES) + 2)
        )

    @classmethod
    def load(cls, path: str | Path | None = None) -> EmoNet:
        """With the authors' `emonet_8.pth`, of the store or of a file. Raises MissingPartError or InputError."""
        path = path or weights_path("emonet-8")
        return build(cls, without_prefix(read_tensors(path), "module."), path)

    def features(self, images: Tensor) -> Tensor:
        """(N, 256): what the emotions are read from."""
        x = F.relu(self.bn1(self.conv1(images)))
        x = self.conv4(self.conv3(F.max_pool2d(self.conv2(x), 2)))  # (N, 256, 64, 64)
        first = self._stack(0, x)
        forwarded, marks = self.bl0(first), self.get_submodule("l0")(first)
        second = self._stack(1, x + forwarded + self.al0(marks))
        seen = self.get_submodule("l1")(second).sum(1, keepdim=True)  # where any of the 68 landmarks is
        joint = self.conv1x1_input_emo_2(torch.cat([x, seen * forwarded, seen * second], 1))
        return self.emo_net_2(joint).mean((2, 3))

    def _stack(self, number: int, x: Tensor) -> Tensor:
        for name in ("m", "top_m_", "conv_last", "bn_end"):
            x = self.get_submodule(f"{name}{number}")(x)
        return F.relu(x)

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        return self.emo_fc_2(self.features(images))

    def probabilities(self, faces: np.ndarray) -> np.ndarray:
        """Of `core.controls.EMOTIONS`: faces cut by `face_crops`, (N, 256, 256, 3) uint8 RGB -> (N, 8) float32."""
        return in_batches(lambda some: self(as_images(some, self, SIZE))[:, _OURS].softmax(1), faces)

    def valence_arousal(self, faces: np.ndarray) -> np.ndarray:
        """Faces (N, 256, 256, 3) uint8 RGB -> (N, 2) float32, about -1 to 1."""
        return in_batches(lambda some: self(as_images(some, self, SIZE))[:, len(CLASSES) :], faces)

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """`features` of faces (N, 256, 256, 3) uint8 RGB: (N, 256) float32."""
        return in_batches(lambda some: self.features(as_images(some, self, SIZE)), faces)


def face_crops(pictures: np.ndarray, landmarks68: np.ndarray) -> np.ndarray:
    """Faces as EmoNet was trained on: (N, 256, 256, 3) uint8 of pictures (N, H, W, 3), landmarks (N, 68, 2 or 3) px.

    A square around the middle of the landmarks' box, 10 / 11 of the sum of its sides wide; outside is black.
    """
    import cv2

    faces = np.empty((len(pictures), SIZE, SIZE, 3), np.uint8)
    for i, (picture, points) in enumerate(zip(pictures, landmarks68, strict=True)):
        low, high = np.min(points[:, :2], 0), np.max(points[:, :2], 0)
        scale = SIZE * 220 / (200 * (high - low).sum())
        x, y = SIZE / 2 - scale * (low + high) / 2
        faces[i] = cv2.warpAffine(picture, np.array([[scale, 0, x], [0, scale, y]]), (SIZE, SIZE))
    return faces
