"""The speech network as torch trains it: log-mel in, hidden states at 50 Hz out; `perception.speech` runs it.

Convolutions see little of the future by design: the shipped network needs 100 ms of voice past a hidden state.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.audio import features
from vultus.audio.features import BANDS
from vultus.perception.speech import SpeechNetConfig


class SpeechNet(nn.Module):
    """Log-mel (B, BANDS, T) -> hidden states (B, width, T / 2), phone logits, lip components.

    A strided convolution and residual blocks of a dilated convolution, batch norm and ReLU. The mean and spread of
    log-mel that are expected of a voice (`expect`) are part of the weights. Lips start as a constant.
    """

    def __init__(self, config: SpeechNetConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Conv1d(BANDS, config.width, config.kernel, stride=2)
        self.blocks = nn.ModuleList(Block(config, i) for i in range(len(config.dilations)))
        self.phones = nn.Conv1d(config.width, config.symbols, 1)
        self.lips = nn.Conv1d(config.width, config.components, 1)
        nn.init.zeros_(self.lips.weight)
        self.register_buffer("mel_mean", torch.zeros(BANDS))
        self.register_buffer("mel_spread", torch.ones(1))

    def expect(self, mel: np.ndarray, components: np.ndarray) -> None:
        """Start from the log-mel frames (n, BANDS) and the lip components (m, C) of the training set."""
        level = mel.mean(1)
        voiced = mel[level > np.quantile(level, 0.3)].astype(np.float32)
        self.mel_mean.copy_(torch.from_numpy(voiced.mean(0)))
        self.mel_spread.fill_(float((voiced - voiced.mean(0)).std()))
        with torch.no_grad():
            self.lips.bias.copy_(torch.from_numpy(components.astype(np.float32).mean(0)))

    def hidden(self, mel: Tensor) -> Tensor:
        """Hidden states (B, width, T / 2) of log-mel (B, BANDS, T), T even."""
        ahead = self.config.mel_ahead
        mel = running_norm(mel, self.mel_mean, self.mel_spread)
        x = functional.relu(self.first(functional.pad(mel, (self.config.kernel - 1 - ahead, ahead))))
        for block in self.blocks:
            x = block(x)
        return x

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Phone logits (B, phones, T / 2) and lip components (B, lips, T / 2)."""
        x = self.hidden(mel)
        return self.phones(x), self.lips(x)

    def exported(self) -> dict[str, Tensor]:
        """Tensors for `perception.speech.SpeechEncoder`: batch norms folded into the convolutions before them."""
        tensors = {"first.weight": self.first.weight, "first.bias": self.first.bias}
        tensors |= {"mel_mean": self.mel_mean, "mel_spread": self.mel_spread}
        for i, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            scale = block.norm.weight / torch.sqrt(block.norm.running_var + block.norm.eps)
            tensors[f"block{i}.weight"] = block.conv.weight * scale[:, None, None]
            tensors[f"block{i}.bias"] = (block.conv.bias - block.norm.running_mean) * scale + block.norm.bias
        for name in ("phones", "lips"):
            head = getattr(self, name)
            tensors |= {f"{name}.weight": head.weight[..., 0], f"{name}.bias": head.bias}
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}


class Block(nn.Module):
    """x + dropout(relu(norm(conv(x)))), the convolution shifted so that it sees `ahead` frames of future."""

    def __init__(self, config: SpeechNetConfig, index: int) -> None:
        super().__init__()
        dilation, self._ahead = config.dilations[index], config.ahead[index]
        self._behind = (config.kernel - 1) * dilation - self._ahead
        self.conv = nn.Conv1d(config.width, config.width, config.kernel, dilation=dilation)
        self.norm = nn.BatchNorm1d(config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, T) to the same."""
        y = self.conv(functional.pad(x, (self._behind, self._ahead)))
        return x + self.dropout(functional.relu(self.norm(y)))


def running_norm(mel: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
    """`features.RunningNorm` on a batch of log-mel (B, BANDS, T) that starts afresh."""
    level = mel.mean(1)
    steps = torch.arange(1, mel.shape[2] + 1, device=mel.device)
    fall = features.PEAK_DECAY_NEPER_S / features.FRAME_RATE_HZ * steps
    peak = torch.cummax((level + fall).clamp_min(features.FIRST_PEAK), 1).values - fall
    weight = ((level - peak + features.QUIET_NEPER) / (features.QUIET_NEPER - features.LOUD_NEPER)).clamp(0.01, 1)
    keep = float(np.exp(-1 / (features.FRAME_RATE_HZ * features.MEMORY_S)))
    ages = steps[None] - steps[:, None]  # (from, to)
    fading = torch.where(ages >= 0, keep ** ages.clamp_min(0), torch.zeros(())).to(mel)
    prior = features.PRIOR_S * features.FRAME_RATE_HZ * keep**steps
    total = (weight @ fading + prior)[:, None]
    sums = (mel * weight[:, None]) @ fading + prior * mean[:, None]
    centred = mel - sums / total
    squares = (weight * centred.square().mean(1)) @ fading + prior * spread**2
    return centred / (torch.sqrt(squares[:, None] / total) + features.SPREAD_FLOOR)
