"""The official files' names and shapes, written down from their authors' code, and random files of exactly that format.

Nothing here looks at our modules. `Reference` computes with such tensors by plain functions, layer by layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

Layout = dict[str, tuple[int, ...]]


def conv(name: str, outputs: int, inputs: int, *kernel: int, bias: bool = True) -> Layout:
    """A convolution, or without a kernel a linear layer."""
    return {f"{name}.weight": (outputs, inputs, *kernel)} | ({f"{name}.bias": (outputs,)} if bias else {})


def layer_norm(name: str, width: int) -> Layout:
    """Layer normalisation."""
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def norm(name: str, width: int, affine: bool = True) -> Layout:
    """Batch normalisation as torch >= 0.4.1 saves it."""
    learned = {f"{name}.weight": (width,), f"{name}.bias": (width,)} if affine else {}
    return learned | {
        f"{name}.running_mean": (width,),
        f"{name}.running_var": (width,),
        f"{name}.num_batches_tracked": (),
    }


def merged(parts: Iterable[Layout]) -> Layout:
    """All of them."""
    found: Layout = {}
    for part in parts:
        assert not found.keys() & part.keys()
        found |= part
    return found


def without_counters(layout: Layout) -> Layout:
    """As older torch saved it."""
    return {name: shape for name, shape in layout.items() if not name.endswith("num_batches_tracked")}


def random_tensors(layout: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    """Numbers that keep activations near 1."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, shape in layout.items():
        if name.endswith("num_batches_tracked"):
            tensors[name] = torch.tensor(1000)
        elif name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight")):
            tensors[name] = torch.rand(shape, generator=generator) + 0.5
        elif len(shape) > 1:
            fan_in = int(np.prod(shape[1:]))
            tensors[name] = torch.randn(shape, generator=generator) * (1.5 / fan_in) ** 0.5
        else:
            tensors[name] = torch.randn(shape, generator=generator) * 0.1
    return tensors


def hollow_tensors(layout: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Tensors of full size that take no room, in memory or in a file: one number each, repeated."""
    return {
        name: torch.zeros(
            (), dtype=torch.long if name.endswith(("num_batches_tracked", "position_ids")) else None
        ).expand(shape)
        for name, shape in layout.items()
    }


def save(tensors: Mapping[str, Tensor], path: Path, legacy: bool = False) -> Path:
    """As torch.save does now, or did before torch 1.6."""
    torch.save(dict(tensors), path, _use_new_zipfile_serialization=not legacy)
    return path


class Recorder:
    """The outputs of a module's named parts, as they come by."""

    def __init__(self, module: nn.Module) -> None:
        self.seen: dict[str, Tensor] = {}
        for name, part in module.named_modules():
            part.register_forward_hook(lambda _part, _given, result, name=name: self.seen.__setitem__(name, result))

    def agrees_with(self, expected: Mapping[str, Tensor]) -> None:
        """Assert that every expected output came by, to 1e-4 of the layer's largest."""
        assert expected
        for name, values in expected.items():
            close(self.seen[name], values, name)


def close(found: Tensor | np.ndarray, expected: Tensor | np.ndarray, name: str = "") -> None:
    """Assert equality to 1e-4 of the largest value."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, name
    largest = np.abs(expected).max()
    assert largest > 1e-3, f"{name} is empty"
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * largest, err_msg=name)


class Reference:
    """Layers by plain functions of the file's tensors; `kept` holds what each returned, by its name."""

    def __init__(self, tensors: Mapping[str, Tensor], eps: float = 1e-5) -> None:
        self.tensors, self.eps = tensors, eps
        self.kept: dict[str, Tensor] = {}

    def keep(self, name: str, values: Tensor) -> Tensor:
        self.kept[name] = values
        return values

    def conv(self, name: str, x: Tensor, stride: int | tuple = 1, padding: int | tuple = 0) -> Tensor:
        weight = self.tensors[f"{name}.weight"]
        function = F.conv3d if weight.ndim == 5 else F.conv2d
        return self.keep(name, function(x, weight, self.tensors.get(f"{name}.bias"), stride, padding))

    def linear(self, name: str, x: Tensor) -> Tensor:
        return self.keep(name, x @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"])

    def norm(self, name: str, x: Tensor) -> Tensor:
        """Batch normalisation with the running statistics."""
        wide = (-1,) + (1,) * (x.ndim - 2)
        mean, variance = (self.tensors[f"{name}.running_{which}"].view(wide) for which in ("mean", "var"))
        y = (x - mean) / torch.sqrt(variance + self.eps)
        if f"{name}.weight" in self.tensors:
            y = y * self.tensors[f"{name}.weight"].view(wide) + self.tensors[f"{name}.bias"].view(wide)
        return self.keep(name, y)

    def prelu(self, name: str, x: Tensor) -> Tensor:
        slope = self.tensors[f"{name}.weight"].view(-1, 1, 1)
        return self.keep(name, torch.where(x > 0, x, slope * x))


def noise_pictures(count: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    """(count, height, width, 3) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def images_of(pictures: np.ndarray) -> Tensor:
    """(N, 3, H, W) float32 in [0, 1]."""
    return torch.tensor(pictures.transpose(0, 3, 1, 2) / 255.0, dtype=torch.float32)
