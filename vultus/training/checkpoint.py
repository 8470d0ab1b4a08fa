"""Checkpoints: a folder for each saved step, whole or not there, from which training goes on to the same bits."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vultus.core.errors import InputError

if TYPE_CHECKING:
    import torch

    from vultus.training.stage import Run, Stage

WEIGHTS_FILE, STATE_FILE = "weights.safetensors", "state.pt"
_PREFIX, _PARTIAL = "step-", ".part"


def latest(folder: Path) -> tuple[int, Path] | None:
    """Step and folder of the last whole checkpoint of a stage, if there is one."""
    found = [path for path in folder.glob(f"{_PREFIX}*") if path.suffix != _PARTIAL and (path / STATE_FILE).is_file()]
    return max(((int(path.name.removeprefix(_PREFIX)), path) for path in found), default=None)


def save(folder: Path, step: int, stage: Stage, run: Run, figures: Mapping[str, float]) -> None:
    """Save everything a stage needs to go on after `step` steps; older checkpoints go when the new one is whole.

    Every process calls it: each has random generators of its own.
    """
    import safetensors.torch
    import torch

    fabric = run.fabric
    target = folder / f"{_PREFIX}{step:09d}"
    partial = target.with_suffix(_PARTIAL)
    if fabric.is_global_zero:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    fabric.barrier()
    torch.save(_random_state(), partial / _random_file(fabric.global_rank))
    fabric.barrier()
    if fabric.is_global_zero:
        safetensors.torch.save_file(tensors_of(stage.modules()), partial / WEIGHTS_FILE)
        state = {
            "step": step,
            "processes": fabric.world_size,
            "optimizers": {name: optimizer.state_dict() for name, optimizer in run.optimizers.items()},
            "stage": stage.state_dict(),
            "figures": dict(figures),
        }
        torch.save(state, partial / STATE_FILE)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
        for old in folder.glob(f"{_PREFIX}*"):
            if old != target:
                shutil.rmtree(old, ignore_errors=True)
    fabric.barrier()


def load_modules(checkpoint: Path, modules: Mapping[str, torch.nn.Module]) -> None:
    """Load saved weights, strictly. Raises InputError if they are not those of these modules."""
    import safetensors.torch

    tensors = safetensors.torch.load_file(checkpoint / WEIGHTS_FILE)
    wanted = {f"{name}.{key}" for name, module in modules.items() for key in module.state_dict()}
    try:
        if wanted != set(tensors):
            raise RuntimeError(f"names differ: {sorted(wanted ^ set(tensors))[:3]}")
        for name, module in modules.items():
            module.load_state_dict({key: tensors[f"{name}.{key}"] for key in module.state_dict()}, strict=True)
    except RuntimeError as error:
        raise InputError("these weights are of another model", checkpoint, "train into a new folder") from error


def load_state(checkpoint: Path) -> dict[str, Any]:
    """What was saved beside the weights: step, processes, optimizers, stage, figures."""
    import torch

    state: dict[str, Any] = torch.load(checkpoint / STATE_FILE, weights_only=True, map_location="cpu")
    return state


def restore_random(checkpoint: Path, rank: int) -> None:
    """Put torch's random generators of this process where they were."""
    import torch

    state = torch.load(checkpoint / _random_file(rank), weights_only=True)
    torch.set_rng_state(state["cpu"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])


def tensors_of(modules: Mapping[str, torch.nn.Module]) -> dict[str, torch.Tensor]:
    """All tensors by "module.name", on the CPU; copies, as tied weights may not share memory in a file."""
    return {
        f"{name}.{key}": tensor.detach().cpu().contiguous().clone()
        for name, module in modules.items()
        for key, tensor in module.state_dict().items()
    }


def _random_state() -> dict[str, Any]:
    import torch

    return {
        "cpu": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _random_file(rank: int) -> str:
    return f"random-{rank}.pt"
