"""How a voice reaches a microphone, done to log-mel: what lets a network trained on clean voices hear real ones."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vultus.audio.features import POWER_FLOOR

WARP_SD, WARP_LIMITS = 0.07, (0.82, 1.2)
"""Length of the throat: the factor on frequency."""
EQ_NEPER = (1.2, 0.9, 0.7, 0.5, 0.4)
"""Standard deviations of five cosines over the bands: rooms and microphones."""
GAIN_NEPER = 1.5
REVERB_SHARE, REVERB_FRAMES, REVERB_LEVEL = 0.6, 40, 0.25
SNR_DB = (2.0, 42.0)
BABBLE_SHARE, BABBLE_DB = 0.3, (8.0, 28.0)
LOW_PASS_SHARE, LOW_PASS_BANDS = 0.3, (50, 80)


def distorted(mel: Tensor) -> Tensor:
    """Log-mel (B, BANDS, T) as heard through other throats, rooms, noise, other talkers and telephones."""
    mel = _equalised(_warped(mel))
    power = _reverberant(torch.exp(mel))
    power = power + _noise(power)
    talking = (_rand(power) < BABBLE_SHARE) * torch.exp(-_between(power, BABBLE_DB) / 4.343)
    power = power + talking[:, None, None] * power.roll(1, 0)
    return _low_passed(torch.log(power + POWER_FLOOR))


def _rand(like: Tensor) -> Tensor:
    return torch.rand(len(like), device=like.device)


def _between(like: Tensor, limits: tuple[float, float]) -> Tensor:
    return limits[0] + _rand(like) * (limits[1] - limits[0])


def _warped(mel: Tensor) -> Tensor:
    bands = mel.shape[1]
    factor = torch.exp(WARP_SD * torch.randn(len(mel))).clamp(*WARP_LIMITS)
    at = (torch.arange(bands) * factor[:, None]).clamp(0, bands - 1)
    low = at.floor().long()
    share = (at - low)[..., None]
    below = mel.gather(1, low[..., None].expand_as(mel))
    above = mel.gather(1, (low + 1).clamp_max(bands - 1)[..., None].expand_as(mel))
    return below + share * (above - below)


def _equalised(mel: Tensor) -> Tensor:
    orders = torch.arange(1, len(EQ_NEPER) + 1)[:, None]
    place = torch.arange(mel.shape[1]) / mel.shape[1]
    waves = torch.cos(torch.pi * (orders * place + torch.rand(len(mel), len(EQ_NEPER), 1)))
    curve = (torch.randn(len(mel), len(EQ_NEPER), 1) * torch.tensor(EQ_NEPER)[:, None] * waves).sum(1)
    return mel + curve[..., None] + GAIN_NEPER * torch.randn(len(mel), 1, 1)


def _reverberant(power: Tensor) -> Tensor:
    """With a tail of falling echoes, of 80 to 580 ms."""
    batch = len(power)
    fall = torch.exp(-6.9 / (8 + 50 * torch.rand(batch, 1)))
    tail = fall ** torch.arange(REVERB_FRAMES) * REVERB_LEVEL * torch.rand(batch, 1) ** 2
    tail = tail * (torch.rand(batch, 1) < REVERB_SHARE)
    tail[:, 0] = 1
    padded = functional.pad(power, (REVERB_FRAMES - 1, 0)).transpose(0, 1)
    return functional.conv1d(padded, tail.flip(1)[:, None], groups=batch).transpose(0, 1)


def _noise(power: Tensor) -> Tensor:
    """Steady noise of a random colour at `SNR_DB` below the loud parts."""
    loud = power.flatten(1)[:, ::7].quantile(0.9, dim=1)
    colour = functional.interpolate(torch.randn(len(power), 1, 6).cumsum(2), power.shape[1], mode="linear")[:, 0]
    level = torch.log(loud) - _between(power, SNR_DB) / 4.343
    log_noise = level[:, None] + colour - colour.amax(1, keepdim=True)
    return torch.exp(log_noise[..., None] + 0.5 * torch.randn_like(power))


def _low_passed(mel: Tensor) -> Tensor:
    limit = torch.randint(*LOW_PASS_BANDS, (len(mel),))
    limit = torch.where(_rand(mel) < LOW_PASS_SHARE, limit, mel.shape[1])
    kept = torch.arange(mel.shape[1])[:, None] < limit[:, None, None]
    return torch.where(kept, mel, mel.amin((1, 2), keepdim=True))
