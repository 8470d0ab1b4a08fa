"""Trained weights on disk: a folder `method-preset-version-sha8` with `weights.safetensors` and its `card.json`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from vultus.core.errors import InputError, MissingPartError, with_extra

if TYPE_CHECKING:
    import numpy as np
    import torch

TENSORS_FILE = "weights.safetensors"
CARD_FILE = "card.json"


@dataclass(frozen=True)
class Card:
    """What weights are, what they were trained on and how well they do."""

    method: str
    preset: str
    version: str
    config: Mapping[str, Any]
    """The resolved configuration that rebuilds the model (`core.config.resolved`)."""
    training_data: str
    licence: str
    results: Mapping[str, Any] = field(default_factory=dict)
    """Measured results, with units in their names."""
    sha256: str = ""
    """Of the tensors' file; filled in by `save_weights`."""

    @property
    def name(self) -> str:
        """`method-preset-version-sha8`."""
        return f"{self.method}-{self.preset}-{self.version}-{self.sha256[:8]}"


def save_weights(folder: str | Path, tensors: Mapping[str, torch.Tensor], card: Card) -> Path:
    """Save tensors and card under `folder` in a new folder of the card's name, whole or not at all; returns it."""
    files = _tensor_files()
    parent = Path(folder)
    parent.mkdir(parents=True, exist_ok=True)
    partial = parent / f"{card.method}.part.weights"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        files.save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, partial / TENSORS_FILE
        )
        card = dataclasses.replace(card, sha256=_sha256(partial / TENSORS_FILE))
        text = json.dumps(dataclasses.asdict(card), indent=1, ensure_ascii=False)
        (partial / CARD_FILE).write_text(text + "\n", encoding="utf-8")
        target = parent / card.name
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def read_card(folder: str | Path) -> Card:
    """The card of saved weights. Raises InputError if it is missing or malformed."""
    path = Path(folder) / CARD_FILE
    try:
        return Card(**json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError("there are no weights here", folder, f"give a folder that holds {CARD_FILE}") from error
    except (ValueError, TypeError) as error:
        raise InputError("the card of these weights is malformed", path, "fetch or save the weights again") from error


def load_weights(folder: str | Path) -> tuple[dict[str, torch.Tensor], Card]:
    """All tensors, by name, and the card. Raises InputError unless the file is exactly the one that was saved."""
    files = _tensor_files()
    path, card = _checked(folder)
    return files.load_file(path), card


def load_arrays(folder: str | Path) -> tuple[dict[str, np.ndarray], Card]:
    """As `load_weights`, as numpy arrays: what runs without torch."""
    from safetensors.numpy import load_file

    path, card = _checked(folder)
    return load_file(path), card


def load_into(module: torch.nn.Module, folder: str | Path) -> Card:
    """Load saved weights into a module; every tensor must have its place and every place its tensor, of its shape.

    Raises InputError otherwise.
    """
    tensors, card = load_weights(folder)
    try:
        module.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        fix = f"rebuild the model from the config in {CARD_FILE}"
        raise InputError(f"the weights do not fit this {type(module).__name__}", folder, fix) from error
    return card


def _checked(folder: str | Path) -> tuple[Path, Card]:
    """The tensors' file and the card, if they belong together. Raises InputError otherwise."""
    card, path = read_card(folder), Path(folder) / TENSORS_FILE
    if not path.is_file():
        raise InputError("the tensors of these weights are missing", path, "fetch or save the weights again")
    if _sha256(path) != card.sha256:
        raise InputError("the weights are not those of their card", path, "fetch or save the weights again")
    return path, card


def require_torch(where: str) -> None:
    """Raise MissingPartError where torch is not installed; `where` says who wants it."""
    if find_spec("torch") is None:
        raise MissingPartError("torch is not installed", where, with_extra("train"))


def _tensor_files() -> ModuleType:
    """safetensors for torch. Raises MissingPartError where torch is not installed."""
    require_torch("weights")
    import safetensors.torch

    return safetensors.torch


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
