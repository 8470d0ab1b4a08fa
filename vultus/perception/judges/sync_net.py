"""Two small towers that put mouths and sounds into one space, where what belongs together lies together (in torch)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.audio.features import BANDS
from vultus.perception.judges.mouth_numbers import NUMBERS

MEL_PER_ROW = 4
"""Log-mel frames (100 Hz) a row of the mouth (25 Hz)."""


@dataclass(frozen=True)
class SyncNetConfig:
    """Sizes of `SyncNet`."""

    mouth_width: int = 64
    sound_width: int = 96
    embedding: int = 48
    mouth_blocks: int = 2
    sound_blocks: int = 3
    """Each block of kernel 3 sees 80 ms more: .36 s of the mouth and .6 s of sound in all."""
    dropout: float = 0.2

    @staticmethod
    def of(config: Mapping[str, Any]) -> SyncNetConfig:
        """From the plain values that a card keeps."""
        return SyncNetConfig(**config)


class SyncNet(nn.Module):
    """Embeds a mouth (`mouth_numbers`) and a voice (log-mel), 25 times a second; a common space after SyncNet.

    Chung and Zisserman 2016, with windows of numbers instead of pictures. Embeddings are shorter than 1; in silence,
    where nothing can be told, they may be near 0, so that sums over time weigh what they are sure of.
    """

    def __init__(self, config: SyncNetConfig) -> None:
        super().__init__()
        self.config = config
        width = config.mouth_width
        self.mouth = nn.Sequential(
            nn.Conv1d(NUMBERS, width, 5, padding=2),
            nn.ReLU(),
            *(Block(width, config.dropout) for _ in range(config.mouth_blocks)),
            nn.Conv1d(width, config.embedding, 1),
        )
        width = config.sound_width
        self.sound = nn.Sequential(
            nn.Conv1d(BANDS, width, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv1d(width, width, 4, stride=2, padding=1),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            *(Block(width, config.dropout) for _ in range(config.sound_blocks)),
            nn.Conv1d(width, config.embedding, 1),
        )

    def forward(self, mouth: Tensor, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings (B, embedding, T) of mouths (B, NUMBERS, T) and of log-mel (B, BANDS, MEL_PER_ROW T)."""
        return self.see(mouth), self.hear(mel)

    def see(self, mouth: Tensor) -> Tensor:
        """Embeddings (B, embedding, T) of mouths (B, NUMBERS, T)."""
        return bounded(self.mouth(mouth))

    def hear(self, mel: Tensor) -> Tensor:
        """Embeddings (B, embedding, T) of log-mel (B, BANDS, MEL_PER_ROW T)."""
        return bounded(self.sound(levelled(mel)))


class Block(nn.Module):
    """x + dropout(relu(norm(conv(x))))."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, 3, padding=1)
        self.norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, T) to the same."""
        return x + self.dropout(functional.relu(self.norm(self.conv(x))))


def bounded(x: Tensor) -> Tensor:
    """Vectors (B, C, T) with lengths below 1, near 0 unchanged."""
    return x / torch.sqrt(1 + x.square().sum(1, keepdim=True))


def levelled(mel: Tensor) -> Tensor:
    """Log-mel (B, BANDS, T) less each band's mean over the voiced half of the frames, over the spread of all."""
    level = mel.mean(1, keepdim=True)
    voiced = (level >= level.median(2, keepdim=True).values).to(mel)
    count = voiced.sum(2, keepdim=True)
    centred = mel - (mel * voiced).sum(2, keepdim=True) / count
    spread = torch.sqrt((centred.square() * voiced).sum((1, 2), keepdim=True) / (count * mel.shape[1]))
    return (centred / (spread + 0.1)).clamp(-4, 4)


def similarity(mouth: Tensor, sound: Tensor, most: int) -> Tensor:
    """Products (B, 2 most + 1, T) of embeddings (B, C, T): row `most + k` is lips of t with the sound of t - k.

    Sound before its beginning and after its end is silence that resembles nothing: 0.
    """
    padded = functional.pad(sound, (most, most))
    frames = mouth.shape[2]
    lags = [padded[:, :, most - k : most - k + frames] for k in range(-most, most + 1)]
    return torch.stack([(mouth * lag).sum(1) for lag in lags], 1)
