"""SyncNet v2 (Chung and Zisserman 2016, "Out of time"): what LSE-C, LSE-D and the papers' Sync are computed with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor, nn

from vultus.core.types import SAMPLE_RATE
from vultus.perception.published.checkpoint import build, read_tensors
from vultus.perception.published.mfcc import RATE_HZ as MFCC_RATE_HZ
from vultus.perception.published.mfcc import mfcc
from vultus.perception.published.pictures import as_images, beside, in_batches
from vultus.perception.published.store import weights_path

FPS = 25
"""Of the video; nothing else was seen in training."""
SIZE = 224
FRAMES = 5
"""Pictures that are looked at together."""
MFCC_FRAMES = 20
"""Frames of sound that belong to them."""
BORDER_GREY = 110
"""Stands for what lies outside the picture in a face crop."""
_MFCC_PER_FRAME = MFCC_RATE_HZ // FPS
_SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
_MARGIN = 0.4
_SMOOTHED_FRAMES = 13


class SyncNetV2(nn.Module):
    """Embeddings (N, 1024) of .2 s of lips or sound; lips and sound of one moment lie near each other (Euclidean)."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            nn.Conv2d(1, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(1, 1),
            nn.Conv2d(64, 192, 3, padding=1), nn.BatchNorm2d(192), nn.ReLU(), nn.MaxPool2d(3, (1, 2)),
            nn.Conv2d(192, 384, 3, padding=1), nn.BatchNorm2d(384), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.BatchNorm2d(256), nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1), nn.BatchNorm2d(256), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(256, 512, (5, 4)), nn.BatchNorm2d(512), nn.ReLU(),
        )  # fmt: skip
        self.netfcaud = _fully_connected()
        self.netcnnlip = nn.Sequential(
            nn.Conv3d(3, 96, (5, 7, 7), (1, 2, 2)), nn.BatchNorm3d(96), nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            nn.Conv3d(96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1)), nn.BatchNorm3d(256), nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1)), nn.BatchNorm3d(256), nn.ReLU(),
            nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1)), nn.BatchNorm3d(256), nn.ReLU(),
            nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1)), nn.BatchNorm3d(256), nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            nn.Conv3d(256, 512, (1, 6, 6)), nn.BatchNorm3d(512), nn.ReLU(),
        )  # fmt: skip
        self.netfclip = _fully_connected()

    @classmethod
    def load(cls, path: str | Path | None = None) -> SyncNetV2:
        """With the official weights, of the store or of a file. Raises MissingPartError or InputError."""
        path = path or weights_path("syncnet-v2")
        return build(cls, read_tensors(path), path)

    def lips(self, images: Tensor) -> Tensor:
        """(N, 3, 5, 224, 224) RGB in [0, 1] -> (N, 1024). The network itself takes blue first, in 0-255."""
        return self.netfclip(self.netcnnlip(255 * images.flip(1)).flatten(1))

    def sound(self, cepstra: Tensor) -> Tensor:
        """(N, 1, 13, 20) of `mfcc` -> (N, 1024)."""
        return self.netfcaud(self.netcnnaud(cepstra).flatten(1))

    def embed_lips(self, pictures: np.ndarray) -> np.ndarray:
        """Faces (T, 224, 224, 3) uint8 RGB at 25 fps, cut as by `face_crops` -> (T - 4, 1024) float32.

        Row i sees pictures i to i + 4.
        """

        def windows(starts: np.ndarray) -> Tensor:
            chosen = starts[:, None] + np.arange(FRAMES)
            images = as_images(pictures[chosen.ravel()], self, SIZE).unflatten(0, chosen.shape)
            return self.lips(images.transpose(1, 2))

        return in_batches(windows, np.arange(max(0, len(pictures) - FRAMES + 1)))

    def embed_sound(self, waveform: np.ndarray) -> np.ndarray:
        """(n,) samples at 16 kHz in [-1, 1] -> (M, 1024) float32; row i hears .2 s from picture i on."""
        cepstra = mfcc(waveform)

        def windows(starts: np.ndarray) -> Tensor:
            chosen = starts[:, None] + np.arange(MFCC_FRAMES)
            return self.sound(beside(self, cepstra[chosen]).transpose(1, 2)[:, None])

        return in_batches(windows, np.arange(0, max(0, len(cepstra) - MFCC_FRAMES + 1), _MFCC_PER_FRAME))

    def embed_clip(self, pictures: np.ndarray, waveform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lips and sound of a clip, (n, 1024) each, as the official evaluation pairs them.

        n is the length of the shorter one in frames, less 5: the official code leaves out the last whole window.
        """
        count = max(0, min(len(pictures), len(waveform) // _SAMPLES_PER_FRAME) - FRAMES)
        return (
            self.embed_lips(pictures[: count + FRAMES])[:count],
            self.embed_sound(waveform)[:count],
        )


def face_crops(pictures: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Faces as the official pipeline cuts them: (T, 224, 224, 3) uint8 of pictures (T, H, W, 3).

    `boxes` (T, 4) are detected faces: left, top, right, bottom in pixels. With h half the longer side of a box, the
    square reaches from h above its middle to 1.8 h below and 1.4 h to both sides; all three are medians of 13 frames.
    """
    import cv2

    left, top, right, bottom = np.asarray(boxes, float).T
    track = (np.maximum(right - left, bottom - top) / 2, (left + right) / 2, (top + bottom) / 2)
    crops = []
    for picture, half, x, y in zip(pictures, *map(_smoothed, track), strict=True):
        border = int(half * (1 + 2 * _MARGIN))
        padded = cv2.copyMakeBorder(
            picture, border, border, border, border, cv2.BORDER_CONSTANT, value=3 * [BORDER_GREY]
        )
        x, y, side = x + border, y + border, half * (1 + _MARGIN)
        rows = slice(int(y - half), int(y + half * (1 + 2 * _MARGIN)))
        crops.append(cv2.resize(padded[rows, int(x - side) : int(x + side)], (SIZE, SIZE)))
    return np.stack(crops)


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Medians of 13; the official filter takes zeros beyond the ends, and its tracks are never shorter."""
    from scipy.signal import medfilt

    if len(values) < _SMOOTHED_FRAMES:
        return np.full(len(values), np.median(values))
    return medfilt(values, _SMOOTHED_FRAMES)


def _fully_connected() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))
