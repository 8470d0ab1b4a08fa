"""What cameras, files and hands do to pictures: changes a face network must not mind (in torch, on batches)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

TURN_DEG, ZOOM_SD, SHIFT = 6.0, 0.05, 0.05
"""Of the square around a face: standard deviations of its turn and log size, and of its shift in half sides."""
TINT_SD, GAMMA_SD, GREY_SHARE = 0.12, 0.25, 0.15
"""Log gain of each colour, log exponent, and share of pictures without colour."""
SHADE_SD = 0.35
"""Log gain from one side of the picture to the other: light that comes from elsewhere."""
COARSE = (0.35, 1.0)
"""Resolution, as a share of that given, of those pictures that are coarser."""
COARSE_SHARE, NOISE, HIDDEN_SHARE = 0.6, 0.05, 0.4


def photographed(faces: Tensor) -> Tensor:
    """Faces (B, 3, side, side) 0-1 RGB as other cameras would show them; random numbers are torch's global ones."""
    faces = _moved(faces)
    faces = _lit(faces)
    if torch.rand(()) < COARSE_SHARE:  # one size a batch: what is coarse changes from step to step
        size = int(faces.shape[2] * (COARSE[0] + (COARSE[1] - COARSE[0]) * float(torch.rand(()))))
        small = functional.interpolate(faces, (size, size), mode="area")
        faces = functional.interpolate(small, faces.shape[2:], mode="bilinear", align_corners=False)
    faces = faces + NOISE * torch.rand(len(faces), 1, 1, 1, device=faces.device) * torch.randn_like(faces)
    return _hidden(faces).clamp(0, 1)


def _moved(faces: Tensor) -> Tensor:
    """Turned, zoomed, shifted, half of them mirrored; past the border its edge is repeated."""
    count = len(faces)
    turn = torch.deg2rad(TURN_DEG * torch.randn(count))
    zoom = torch.exp(ZOOM_SD * torch.randn(count))
    mirror = 1 - 2.0 * (torch.rand(count) < 0.5)
    cos, sin = zoom * turn.cos(), zoom * turn.sin()
    shift = SHIFT * torch.randn(count, 2)
    maps = torch.stack([torch.stack([mirror * cos, -sin, shift[:, 0]], 1),
                        torch.stack([mirror * sin, cos, shift[:, 1]], 1)], 1)  # fmt: skip
    grid = functional.affine_grid(maps.to(faces), list(faces.shape), align_corners=False)
    return functional.grid_sample(faces, grid, padding_mode="border", align_corners=False)


def _lit(faces: Tensor) -> Tensor:
    """Other exposure, colour of light, contrast, and a light that comes from another side."""
    count, _, height, width = faces.shape
    side = torch.linspace(-0.5, 0.5, width).view(1, 1, 1, width) * torch.randn(count, 1, 1, 1)
    side = side + torch.linspace(-0.5, 0.5, height).view(1, 1, height, 1) * torch.randn(count, 1, 1, 1)
    gain = torch.exp(TINT_SD * torch.randn(count, 3, 1, 1) + SHADE_SD * side)
    faces = (faces.clamp_min(1e-3) ** torch.exp(GAMMA_SD * torch.randn(count, 1, 1, 1)).to(faces)) * gain.to(faces)
    grey = (torch.rand(count, 1, 1, 1) < GREY_SHARE).to(faces)
    return faces + grey * (faces.mean(1, keepdim=True) - faces)


def _hidden(faces: Tensor) -> Tensor:
    """Some have a rectangle of one colour before them: hands, microphones, hair."""
    count, _, height, width = faces.shape
    middle, half = torch.rand(count, 2), 0.05 + 0.15 * torch.rand(count, 2)
    rows, columns = (torch.arange(n).view(1, n) / n for n in (height, width))
    inside = ((rows - middle[:, :1]).abs() < half[:, :1])[:, None, :, None] & (
        (columns - middle[:, 1:]).abs() < half[:, 1:]
    )[:, None, None, :]
    inside = inside & (torch.rand(count, 1, 1, 1) < HIDDEN_SHARE)
    return torch.where(inside.to(faces.device), torch.rand(count, 3, 1, 1, device=faces.device), faces)
