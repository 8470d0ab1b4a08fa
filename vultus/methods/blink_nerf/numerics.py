"""In which numbers the renderer counts, and on what: networks in bf16 and compiled where that is asked for.

Only the field's networks ever leave float32. A head 90 units away may be a quarter of a unit off in bf16, so what tells
where rays and samples are stays exact, as do the hash grids' look-up and the integral along a ray.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, Literal, TypeVar

import torch
from torch import nn

from vultus.core.errors import MissingPartError

T = TypeVar("T")

Precision = Literal["32-true", "bf16-mixed"]
"""Names as `training.loop.LoopConfig` has them, whose mixed precision is torch's autocast too."""


class Kept(Generic[T]):
    """Carries something past Fabric, whose mixed precision rounds all tensors that a module is told: poses too."""

    def __init__(self, told: T) -> None:
        self.told = told


def opened(told: T | Kept[T]) -> T:
    """What was told, however it came."""
    return told.told if isinstance(told, Kept) else told


def best_device() -> str:
    """The GPU where torch can use one, otherwise the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def exactly(device: torch.device) -> AbstractContextManager[object]:
    """What runs inside counts in float32, whatever autocast is on around it."""
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def counted_in(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """What runs inside counts in `precision`, but for what is `exactly`."""
    if precision == "32-true":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def compile_in_place(module: nn.Module, device: str | torch.device) -> None:
    """Have torch.compile make kernels of a module for calls of any length; its weights keep their names.

    They are made in the first calls, which takes a minute. Raises MissingPartError where nothing can make them: Triton
    for a GPU, a C++ compiler for the CPU.
    """
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu and importlib.util.find_spec("triton") is None:
        raise MissingPartError("torch.compile needs Triton for this GPU", "compile", "leave it out, or install triton")
    if not on_gpu and not cpp_compiler():
        raise MissingPartError("torch.compile needs a C++ compiler", "compile", "leave it out, or install g++")
    module.compile(dynamic=True)


def cpp_compiler() -> str | None:
    """The C++ compiler that torch.compile would call on this machine, if there is one."""
    return shutil.which(os.environ.get("CXX", "g++"))
