"""The speech network as torch trains it: log-mel in, hidden states at 50 Hz out; `perception.speech` runs it.

Two towers, one on the other. The near one sees little of the future by design (100 ms of voice past a hidden state, as
shipped), for live use. The far one listens to the near one's states, to their future too, for files. Each names phones
and moves lips.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.audio import features
from vultus.audio.features import BANDS
from vultus.perception import phone_gmm
from vultus.perception.speech import SpeechNetConfig, TowerConfig


class Heard(NamedTuple):
    """Hidden states (B, width, T / 2), phone logits (B, phones, T / 2) and lip components (B, lips, T / 2)."""

    hidden: Tensor
    phones: Tensor
    lips: Tensor


class SpeechNet(nn.Module):
    """Log-mel (B, BANDS, T) -> what either tower hears.

    A strided convolution and residual blocks of a dilated convolution, batch norm and ReLU. The mean and spread of
    log-mel that are expected of a voice (`expect`) are part of the weights. Lips start as a constant.
    """

    mel_mean: Tensor
    mel_spread: Tensor

    def __init__(self, config: SpeechNetConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Conv1d(BANDS, config.width, config.kernel, stride=2)
        self.gmm = GmmLayer()
        self.sounds = nn.Conv1d(self.gmm.classes, config.width, 1, bias=False)
        self.near = _Tower(config, config.near)
        self.far = _Tower(config, config.far)
        self.register_buffer("mel_mean", torch.zeros(BANDS))
        self.register_buffer("mel_spread", torch.ones(1))

    @property
    def towers(self) -> dict[str, _Tower]:
        """By name, in the order in which a voice goes through them."""
        return {"near": self.near, "far": self.far}

    def expect(self, mel: np.ndarray, components: np.ndarray) -> None:
        """Start from the log-mel frames (n, BANDS) and the lip components (m, C) of the training set."""
        level = mel.mean(1)
        voiced = mel[level > np.quantile(level, 0.3)].astype(np.float32)
        self.mel_mean.copy_(torch.from_numpy(voiced.mean(0)))
        self.mel_spread.fill_(float((voiced - voiced.mean(0)).std()))
        with torch.no_grad():
            for tower in self.towers.values():
                tower.lips.get_parameter("bias").copy_(torch.from_numpy(components.astype(np.float32).mean(0)))

    def forward(self, mel: Tensor) -> dict[str, Heard]:
        """What each tower makes of log-mel (B, BANDS, T), T even."""
        ahead = self.config.mel_ahead
        centred, spread = running_centre(mel, self.mel_mean, self.mel_spread)
        normal = centred / (spread + features.SPREAD_FLOOR)
        x = functional.relu(self.first(functional.pad(normal, (self.config.kernel - 1 - ahead, ahead))))
        x = self._mel_dropped(x) + self.sounds(self.gmm(centred))
        heard = {}
        for name, tower in self.towers.items():
            for block in tower.blocks:
                x = block(x)
            heard[name] = Heard(x, tower.phones(x), tower.lips(x))
        return heard

    def _mel_dropped(self, x: Tensor) -> Tensor:
        """In training, some voices are heard through the Gaussians alone: these know real talkers."""
        if not self.training:
            return x
        return x * (torch.rand(len(x), 1, 1, device=x.device) >= self.config.mel_dropout)

    def exported(self) -> dict[str, Tensor]:
        """Tensors for `perception.speech.SpeechEncoder`: batch norms folded into the convolutions before them."""
        tensors = {f"first.{name}": tensor for name, tensor in self.first.state_dict().items()}
        tensors |= {"mel_mean": self.mel_mean, "mel_spread": self.mel_spread}
        tensors |= {"gmm.forms": self.gmm.forms, "gmm.constants": self.gmm.constants}
        tensors |= {"sounds.weight": self.sounds.weight[..., 0]}
        for name, tower in self.towers.items():
            for i, block in enumerate(tower.blocks):
                assert isinstance(block, Block)
                conv, norm = block.conv.state_dict(), block.norm.state_dict()
                scale = norm["weight"] / torch.sqrt(norm["running_var"] + block.norm.eps)
                tensors[f"{name}.block{i}.weight"] = conv["weight"] * scale[:, None, None]
                tensors[f"{name}.block{i}.bias"] = (conv["bias"] - norm["running_mean"]) * scale + norm["bias"]
            for head in ("phones", "lips"):
                layer = tower.get_submodule(head).state_dict()
                tensors |= {f"{name}.{head}.weight": layer["weight"][..., 0], f"{name}.{head}.bias": layer["bias"]}
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}


class GmmLayer(nn.Module):
    """`perception.phone_gmm.PhoneGmm` on a batch that starts afresh; it does not learn."""

    forms: Tensor
    constants: Tensor
    cepstral: Tensor

    def __init__(self) -> None:
        super().__init__()
        forms, constants = phone_gmm.gaussians()
        self.register_buffer("forms", torch.from_numpy(forms))
        self.register_buffer("constants", torch.from_numpy(constants))
        self.register_buffer("cepstral", torch.from_numpy(phone_gmm.cepstral_map()), persistent=False)
        self.classes = forms.shape[1] // (phone_gmm.STATE_GAUSSIANS * phone_gmm.STATES)

    def forward(self, centred: Tensor) -> Tensor:
        """Centred log-mel (B, BANDS, T), T even -> probabilities (B, classes, T / 2)."""
        with torch.no_grad(), torch.autocast(centred.device.type, enabled=False):
            cepstra = self.cepstral.T @ centred.float()
            reach = phone_gmm.REACH
            cepstra = functional.pad(cepstra, (reach + phone_gmm.LATENCY, reach - phone_gmm.LATENCY))
            c = [cepstra[..., k : k + centred.shape[2] : 2].transpose(1, 2) for k in range(2 * reach + 1)]
            likely = torch.zeros(())
            for stream, x in enumerate((c[3], c[5] - c[1], c[6] - c[2] - c[4] + c[0])):
                density = torch.cat([x.square(), x], 2) @ self.forms[stream].T + self.constants[stream]
                likely = likely + density.unflatten(2, (-1, phone_gmm.STATE_GAUSSIANS)).amax(3)
            return torch.softmax(likely, 2).unflatten(2, (-1, phone_gmm.STATES)).sum(3).transpose(1, 2)


class _Tower(nn.Module):
    """Residual blocks, and on their last states the names of phones and the lips."""

    def __init__(self, config: SpeechNetConfig, sizes: TowerConfig) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            Block(config, dilation, ahead) for dilation, ahead in zip(sizes.dilations, sizes.ahead, strict=True)
        )
        self.phones = nn.Conv1d(config.width, config.symbols, 1)
        self.lips = nn.Conv1d(config.width, config.components, 1)
        nn.init.zeros_(self.lips.weight)


class Block(nn.Module):
    """x + dropout(relu(norm(conv(x)))), the convolution shifted so that it sees `ahead` frames of future."""

    def __init__(self, config: SpeechNetConfig, dilation: int, ahead: int) -> None:
        super().__init__()
        self._ahead = ahead
        self._behind = (config.kernel - 1) * dilation - self._ahead
        self.conv = nn.Conv1d(config.width, config.width, config.kernel, dilation=dilation)
        self.norm = nn.BatchNorm1d(config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, T) to the same."""
        y = self.conv(functional.pad(x, (self._behind, self._ahead)))
        return x + self.dropout(functional.relu(self.norm(y)))


def running_centre(mel: Tensor, mean: Tensor, spread: Tensor) -> tuple[Tensor, Tensor]:
    """`features.RunningNorm.centre` on a batch of log-mel (B, BANDS, T) that starts afresh."""
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
    return centred, torch.sqrt(squares[:, None] / total)
