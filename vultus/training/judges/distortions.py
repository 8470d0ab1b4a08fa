"""What can be wrong with a picture, by kind and amount, and how much that is worth (in torch, on one picture).

An amount of 1 of each kind is our own judgement of what is about as bad as a blur of one pixel in a 64-pixel face; it
is a table of opinions, not a measurement on people.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

MOST = 4.0
"""Amounts go up to this."""


def blurred(picture: Tensor, amount: float, seed: Tensor) -> Tensor:
    """Gaussian blur, its standard deviation `amount` pixels."""
    reach = max(1, round(3 * amount))
    at = torch.arange(-reach, reach + 1)
    kernel = torch.exp(-0.5 * (at / max(amount, 1e-3)) ** 2)
    kernel = (kernel / kernel.sum()).expand(3, 1, 1, -1)
    padded = functional.pad(picture[None], (reach,) * 4, mode="replicate")
    across = functional.conv2d(padded, kernel, groups=3)
    return functional.conv2d(across, kernel.transpose(2, 3), groups=3)[0]


def noisy(picture: Tensor, amount: float, seed: Tensor) -> Tensor:
    """White noise of .05 `amount`."""
    return picture + 0.05 * amount * _random(seed, picture.shape)


def blocky(picture: Tensor, amount: float, seed: Tensor) -> Tensor:
    """As strong compression does: every square of 8 pixels is drawn to its mean, colours are rounded."""
    height, width = picture.shape[1:]
    pad = (0, -width % 8, 0, -height % 8)
    squares = functional.avg_pool2d(functional.pad(picture[None], pad, mode="replicate"), 8)
    flat = squares.repeat_interleave(8, 2).repeat_interleave(8, 3)[0, :, :height, :width]
    mixed = picture + (1 - 0.5**amount) * (flat - picture)
    step = 0.02 * (1 + amount)
    return torch.round(mixed / step) * step


def warped(picture: Tensor, amount: float, seed: Tensor) -> Tensor:
    """Smoothly bent, points moving by about `amount` pixels."""
    _, height, width = picture.shape
    coarse = _random(seed, (1, 2, 5, 5))
    flow = functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)[0]
    flow = amount * flow / flow.square().mean().sqrt() / 2**0.5
    return _sampled(picture, flow)


def shifted(picture: Tensor, amount: float, seed: Tensor) -> Tensor:
    """All of it moved by 4 `amount` pixels in some direction: seen side by side, it is hardly another picture."""
    angle = 2 * torch.pi * torch.rand((), generator=torch.Generator().manual_seed(int(seed)))
    way = 4 * amount * torch.stack([angle.cos(), angle.sin()])
    return _sampled(picture, way[:, None, None].expand(2, *picture.shape[1:]))


def tinted(picture: Tensor, amount: float, seed: Tensor) -> Tensor:
    """Brighter or darker and of another colour, by factors of about 1.15 ** `amount`."""
    direction = _random(seed, (3, 1, 1))
    gain = torch.exp(0.14 * amount * direction / direction.square().mean().sqrt())
    return picture * gain


def patched(picture: Tensor, amount: float, seed: Tensor) -> Tensor:
    """A piece as wide as .09 `amount` of the picture is replaced by one from elsewhere."""
    _, height, width = picture.shape
    size = [max(2, round(0.09 * amount * side)) for side in (height, width)]
    place = torch.rand(4, generator=torch.Generator().manual_seed(int(seed)))
    room = torch.tensor([height - size[0], width - size[1]] * 2)
    top, left, from_top, from_left = (place * room).long().tolist()
    out = picture.clone()
    out[:, top : top + size[0], left : left + size[1]] = picture[
        :, from_top : from_top + size[0], from_left : from_left + size[1]
    ]
    return out


KINDS: dict[str, Callable[[Tensor, float, Tensor], Tensor]] = {
    "blur": blurred, "noise": noisy, "blocks": blocky, "warp": warped, "shift": shifted, "tint": tinted,
    "patch": patched,
}  # fmt: skip
"""Each takes a picture (3, H, W) in 0-1, an amount 0 to `MOST`, and a seed (a number) for its random choices."""


def distorted_picture(kind: str, picture: Tensor, amount: float, seed: Tensor | int) -> Tensor:
    """A picture (3, H, W) in 0-1 with one thing wrong with it, by that amount; the same seed, the same fault."""
    return KINDS[kind](picture, amount, torch.as_tensor(seed)).clamp(0, 1)


def _random(seed: Tensor, shape: tuple[int, ...]) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(int(seed)))


def _sampled(picture: Tensor, flow: Tensor) -> Tensor:
    """The picture looked up `flow` (2, H, W) pixels away, x first."""
    _, height, width = picture.shape
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    grid = torch.stack([2 * (columns + flow[0]) / width - 1, 2 * (rows + flow[1]) / height - 1], -1)
    return functional.grid_sample(picture[None], grid[None], padding_mode="reflection", align_corners=False)[0]
