"""Pictures as people have them, (N, H, W, 3) uint8 RGB, and as networks want them, (N, 3, H, W) in [0, 1]."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

BATCH = 8
"""Pictures that go through a network at once: memory does not grow with their number."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_SD = (0.229, 0.224, 0.225)
"""Of RGB in [0, 1], for networks trained on ImageNet by torchvision."""


def as_images(pictures: np.ndarray, network: nn.Module, size: int | None = None) -> Tensor:
    """(N, H, W, 3) uint8 RGB -> (N, 3, H, W) float32 in [0, 1], where the network is.

    Raises ValueError for other arrays, and for pictures that are not squares of `size` px if that is given.
    """
    if pictures.ndim != 4 or pictures.shape[3] != 3 or pictures.dtype != np.uint8:
        raise ValueError(f"pictures must be (N, H, W, 3) uint8, not {pictures.shape} {pictures.dtype}")
    if size is not None and pictures.shape[1:3] != (size, size):
        raise ValueError(f"pictures must be {size} x {size}, not {pictures.shape[1]} x {pictures.shape[2]}")
    return beside(network, np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255


def beside(network: nn.Module, array: np.ndarray) -> Tensor:
    """An array as a tensor on the device of the network."""
    return torch.from_numpy(array).to(next(network.parameters()).device)


def in_batches(function: Callable[..., Tensor], *inputs: np.ndarray) -> np.ndarray:
    """`function` of arrays of equal length, a few rows at a time and without gradients, as one float32 array."""
    rows = range(0, max(len(inputs[0]), 1), BATCH)  # once for no rows at all, which tells the shape of the result
    with torch.inference_mode():
        return np.concatenate([function(*(array[i : i + BATCH] for array in inputs)).cpu().numpy() for i in rows])


def normalised(images: Tensor, mean: tuple[float, ...], sd: tuple[float, ...]) -> Tensor:
    """(images - mean) / sd by channel, of (N, 3, H, W)."""
    return (images - images.new_tensor(mean)[:, None, None]) / images.new_tensor(sd)[:, None, None]
