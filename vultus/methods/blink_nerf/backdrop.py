"""The picture behind the head: a torso that moves by itself, over a still background.

Torso and neck are a flat picture, warped by the torso's own motion (`methods.blink_nerf.torso`) and, as the neck
follows the head, a little by the head's pose.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vultus.methods.blink_nerf.config import LayerConfig
from vultus.methods.blink_nerf.encoding import HashEncoding, perceptron

POSE = 6
"""Numbers of the head's pose: rotation vector and translation, in standard deviations."""
_WAVES = 4
_LARGEST_MOVE = 0.2
"""Of what is learned on top of the torso's motion, in half sides of the picture."""


class Backdrop(nn.Module):
    """What is seen where no head is."""

    def __init__(self, config: LayerConfig, size: int) -> None:
        super().__init__()
        told = config.motions + POSE
        self.torso = HashEncoding(config.grid, copies=1)
        self.paint = perceptron((self.torso.width + told, config.hidden, 4))
        self.move = perceptron((4 * _WAVES + told, 32, 2))
        cells = config.motion_grid
        self.motions = nn.Parameter(torch.zeros(config.motions + 1, 2, cells, cells))
        self.background = nn.Parameter(torch.zeros(1, 3, size, size))
        for parameter in self.move[-1].parameters():
            nn.init.zeros_(parameter)

    @torch.no_grad()
    def fit(self, background: np.ndarray, motions: np.ndarray) -> None:
        """Begin with a background (S, S, 3) uint8 and motions (1 + K, h, h, 2) in half sides, the mean first."""
        picture = torch.from_numpy(np.array(background)).permute(2, 0, 1)[None].float() / 255
        size = self.background.shape[-2:]
        picture = F.interpolate(picture, size, mode="bilinear", antialias=True, align_corners=False)
        self.background.copy_(picture.clamp(0.01, 0.99).logit())
        self.motions.copy_(torch.from_numpy(motions).permute(0, 3, 1, 2))

    def forward(self, place: Tensor, torso: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
        """Places (B, r, 2) in the picture, -1 to 1; torso (B, K) and pose (B, 6) -> colours and torso (B r, 3), (B r,).

        The second is how much of it is torso, 0-1.
        """
        rays = place.shape[1]
        told = torch.cat([torso, pose], 1)[:, None].expand(-1, rays, -1).flatten(0, 1)
        moved = place.flatten(0, 1) + self._motion(place, torso)
        phase = torch.cat([place.flatten(0, 1) * math.pi * 2**octave for octave in range(_WAVES)], 1)
        moved = moved + _LARGEST_MOVE * torch.tanh(self.move(torch.cat([phase.sin(), phase.cos(), told], 1)))
        painted = torch.sigmoid(self.paint(torch.cat([self.torso(moved[None]), told], 1)))
        behind = F.grid_sample(self.background, place.reshape(1, 1, -1, 2), align_corners=False, padding_mode="border")
        shown = painted[:, 3:]
        return shown * painted[:, :3] + (1 - shown) * torch.sigmoid(behind[0, :, 0].t()), shown[:, 0]

    def _motion(self, place: Tensor, torso: Tensor) -> Tensor:
        """Where places (B, r, 2) come from in the still torso, as moves (B r, 2)."""
        share = torch.cat([torch.ones_like(torso[:, :1]), torso], 1)
        field = torch.einsum("bk,kchw->bchw", share, self.motions)
        read = F.grid_sample(field, place[:, None], align_corners=False, padding_mode="border")
        return read[:, :, 0].transpose(1, 2).flatten(0, 1)
