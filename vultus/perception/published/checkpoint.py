"""Files of tensors into modules: nothing in a file is executed, and every tensor must have its place."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import torch
from torch import Tensor, nn

from vultus.core.errors import InputError
from vultus.core.files import existing_file

Network = TypeVar("Network", bound=nn.Module)
Shapes = Mapping[str, tuple[int, ...]]

COUNTER = "num_batches_tracked"
"""A counter of batch normalisation that older files lack and that nothing needs after training."""

_BROKEN = (
    pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError,
    UnicodeDecodeError, struct.error, OSError,
)  # fmt: skip
"""What torch.load raises on files that are damaged, or hold more than tensors."""


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a state dict, by name, from a safetensors file or one that torch.save wrote.

    Raises InputError for anything else: a whole model saved by pickle or TorchScript would have to be executed.
    """
    path = existing_file(path)
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if _is_torchscript(path):
        what = "this is a TorchScript program, not a file of tensors"
        raise InputError(what, path, "export its state dict, or fetch the file of `vultus weights list`")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path) or None)
    except _BROKEN as error:
        what = "this holds more than tensors, or is damaged; it was not loaded"
        raise InputError(what, path, "save its state dict alone, or fetch it again") from error
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise InputError("this is not a state dict: names with a tensor each", path, "save the state dict alone")
    return {str(name): tensor for name, tensor in found.items()}


def build(
    make: Callable[[], Network],
    tensors: Mapping[str, Tensor],
    path: str | Path,
    unused: Shapes = MappingProxyType({}),
) -> Network:
    """The module that `make` makes, with these tensors as its frozen weights, in eval mode.

    The tensors must be exactly the module's and `unused`, what the file holds beyond (name -> shape). Raises InputError
    that names what is missing, too much or of another shape.
    """
    with torch.device("meta"):  # no memory, and no random numbers drawn, for weights that are replaced at once
        module = make()
    places = {name: tuple(place.shape) for name, place in module.state_dict().items()}
    faults = list(_faults(tensors, {**places, **unused}))
    if faults:
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        what = f"this is not the official file of {type(module).__name__}: {', '.join(faults[:3])}{more}"
        raise InputError(what, path, "`vultus weights list` shows the official ones")
    own = {name: tensors.get(name, torch.zeros((), dtype=torch.long)) for name in places}  # a counter, if it is absent
    floats = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in own.items()}
    module.load_state_dict(floats, strict=True, assign=True)
    return module.eval().requires_grad_(False)


def without_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Names without the prefix that data-parallel training puts before every one of them ("module.")."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}


def _faults(tensors: Mapping[str, Tensor], expected: Shapes) -> Iterable[str]:
    for name, shape in expected.items():
        if name in tensors:
            if tuple(tensors[name].shape) != shape:
                yield f"{name} is {tuple(tensors[name].shape)} instead of {shape}"
        elif not name.endswith(COUNTER):
            yield f"{name} is missing"
    for name in tensors:
        if name not in expected:
            yield f"{name} is too much"


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise InputError("this is no safetensors file, or a damaged one", path, "fetch it again") from error


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())
