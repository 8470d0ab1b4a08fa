"""The training loop: stages in order on Lightning Fabric, with checkpoints, figures and progress.

A run lives in one folder: `config.yaml` and `loop.yaml`, and for each stage a folder with `train.csv`,
`validation.csv` and its last checkpoint. Killed at any moment it goes on from that checkpoint: on the CPU to the same
bits as if it had never stopped.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import yaml

from vultus.core.config import resolved, save_config
from vultus.core.errors import ControlError, InputError, MissingPartError, with_extra
from vultus.training import checkpoint
from vultus.training.log import CsvLog
from vultus.training.stage import Run, Share, Stage

if TYPE_CHECKING:
    import torch
    from lightning.fabric import Fabric

CONFIG_FILE, LOOP_FILE = "config.yaml", "loop.yaml"

OnStep = Callable[[str, int, int, Mapping[str, float]], None]
"""Called after each step with the stage's name, steps done, steps in all, and the losses last logged."""


@dataclass(frozen=True)
class LoopConfig:
    """How to train, whatever is trained."""

    seed: int = 0
    """Another number, another initialisation and other random choices."""
    log_every: int = 20
    """Steps between rows of `train.csv`."""
    validate_every: int = 500
    """Steps between validations; there is one at the end in any case."""
    save_every: int = 500
    """Steps between checkpoints; there is one at the end in any case."""
    devices: int = 1
    """Processes that train together, each with a GPU of its own or all on the CPU; batches are dealt to them."""
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    """auto takes a GPU where there is one."""
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    """Mixed precision is faster on recent GPUs."""

    def __post_init__(self) -> None:
        for name in ("log_every", "validate_every", "save_every", "devices"):
            if getattr(self, name) < 1:
                raise ControlError(f"{getattr(self, name)} is out of range", f"--{name.replace('_', '-')}", "give >= 1")


DEFAULT_LOOP = LoopConfig()


def train(
    build: Callable[[], Sequence[Stage]],
    config: object,
    out: str | Path,
    loop: LoopConfig,
    *,
    only: str | None = None,
    resume: bool = False,
    on_step: OnStep | None = None,
) -> dict[str, dict[str, float]]:
    """Train stages one after the other; returns the validation figures of those that are finished, by stage.

    Args:
        build: makes the stages; called once the random generators are seeded, as it initialises weights.
        config: what the stages were made of, a frozen dataclass; saved with the run.
        out: folder of the run.
        only: the one stage to train; those it needs must be finished in `out`.
        resume: go on where an earlier run stopped, or begin if there is none.

    Raises ControlError if `out` holds a run and `resume` is not set, if it was begun with another configuration, or for
    a stage that is unknown or not ready; InputError when a loss is not finite.
    """
    out = Path(out)
    fabric = _open_fabric(loop)
    if leads():  # before others are started: a refusal must be one sentence, once
        _check_free(out, config, loop, resume or only is not None)
    fabric.launch()
    _seed(loop.seed)
    stages = build()
    if only is not None and only not in {stage.name for stage in stages}:
        names = ", ".join(stage.name for stage in stages)
        raise ControlError(f"there is no stage {only!r}", "--stage", f"choose {names}")
    finished: dict[str, dict[str, float]] = {}
    for place, stage in enumerate(stages):
        found = checkpoint.latest(out / stage.name)
        if found is not None and found[0] >= stage.steps:
            checkpoint.load_modules(found[1], stage.modules())
            finished[stage.name] = checkpoint.load_state(found[1])["figures"]
        elif only in (None, stage.name):
            _check_ready(stage, finished, found is None or resume, out)
            if fabric.is_global_zero:
                _describe(out, config, loop)
            _seed(loop.seed, place + 1, fabric.global_rank)
            finished[stage.name] = _train_stage(fabric, stage, out / stage.name, loop, on_step)
    return finished


def finished_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The tensors of a stage's last checkpoint, by "module.name"."""
    import safetensors.torch

    found = checkpoint.latest(folder)
    if found is None:
        raise InputError("no checkpoint has been saved here", folder, "train this stage first")
    tensors: dict[str, torch.Tensor] = safetensors.torch.load_file(found[1] / checkpoint.WEIGHTS_FILE)
    return tensors


def _train_stage(
    fabric: Fabric, stage: Stage, folder: Path, loop: LoopConfig, on_step: OnStep | None
) -> dict[str, float]:
    """One stage from its last checkpoint, or the beginning, to its end; returns its last validation figures."""
    run = _set_up(fabric, stage)
    found = checkpoint.latest(folder)
    start, at = found if found is not None else (0, None)
    figures = {} if at is None else _restore(run, stage, at)
    batches = stage.batches(start, Share(fabric.global_rank, fabric.world_size))
    batches = chain([next(batches)], batches)  # a DataLoader draws a seed when it starts: not after the next line
    if at is not None:
        checkpoint.restore_random(at, fabric.global_rank)
    folder.mkdir(parents=True, exist_ok=True)
    lead = fabric.is_global_zero
    logs = [CsvLog(folder / name, start) for name in ("train.csv", "validation.csv")] if lead else []
    losses: dict[str, float] = {}
    for step in range(start + 1, stage.steps + 1):
        found_losses = stage.step(fabric.to_device(next(batches)), run)
        last = step == stage.steps
        if step % loop.log_every == 0 or last:
            losses = _checked({name: float(value) for name, value in found_losses.items()}, stage, step)
        if step % loop.validate_every == 0 or last:
            figures = _validated(run, stage)
        if lead:
            if step % loop.log_every == 0:
                logs[0].add(step, losses)
            if step % loop.validate_every == 0 or last:
                logs[1].add(step, figures)
        if step % loop.save_every == 0 or last:
            checkpoint.save(folder, step, stage, run, figures)
        if on_step is not None and lead:
            on_step(stage.name, step, stage.steps, losses)
    return figures


def _set_up(fabric: Fabric, stage: Stage) -> Run:
    modules = {}
    for name, module in stage.modules().items():
        learns = any(parameter.requires_grad for parameter in module.parameters())
        modules[name] = fabric.setup_module(module) if learns else fabric.to_device(module)
        module.train(learns)
    optimizers = {name: fabric.setup_optimizers(optimizer) for name, optimizer in stage.optimizers().items()}
    return Run(fabric, modules, optimizers)


def _restore(run: Run, stage: Stage, at: Path) -> dict[str, float]:
    """Put modules, optimizers and stage where they were; returns the figures of the last validation."""
    state = checkpoint.load_state(at)
    if state["processes"] != run.fabric.world_size:
        raise ControlError(f"this run was begun on {state['processes']} processes", "--devices", "use as many")
    checkpoint.load_modules(at, stage.modules())
    for name, optimizer in run.optimizers.items():
        optimizer.load_state_dict(state["optimizers"][name])
    stage.load_state_dict(state["stage"])
    figures: dict[str, float] = state["figures"]
    return figures


def _validated(run: Run, stage: Stage) -> dict[str, float]:
    import torch

    with _evaluating(stage), torch.no_grad():
        return {name: float(value) for name, value in stage.validate(run).items()}


@contextmanager
def _evaluating(stage: Stage) -> Iterator[None]:
    modes = [(part, part.training) for module in stage.modules().values() for part in module.modules()]
    for module in stage.modules().values():
        module.eval()
    yield
    for part, training in modes:
        part.training = training


def _checked(losses: dict[str, float], stage: Stage, step: int) -> dict[str, float]:
    for name, value in losses.items():
        if not math.isfinite(value):
            fix = "lower the learning rate, or look for bad values in the data"
            raise InputError(f"{name} is not finite at step {step}", f"stage {stage.name}", fix)
    return losses


def _check_ready(stage: Stage, finished: Mapping[str, Any], may_continue: bool, out: Path) -> None:
    missing = [name for name in stage.needs if name not in finished]
    if missing:
        raise ControlError(f"stage {stage.name} needs {' and '.join(missing)}", "--stage", "train that first")
    if not may_continue:
        raise ControlError(f"stage {stage.name} has been begun here", out, "add --resume, or choose another folder")


def _description(config: object, loop: LoopConfig) -> dict[str, object]:
    """What a run's folder says of it: file -> configuration."""
    return {CONFIG_FILE: config, LOOP_FILE: loop}


def _describe(out: Path, config: object, loop: LoopConfig) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name, value in _description(config, loop).items():
        save_config(value, out / name)


def _check_free(out: Path, config: object, loop: LoopConfig, resume: bool) -> None:
    """Make sure that a run can begin in a folder, or that the one in it is the same. Raises ControlError otherwise."""
    if out.exists() and not out.is_dir():
        raise ControlError("this is a file, not a folder", out, "choose an empty folder, or a new one")
    wanted = _description(config, loop)
    there = out.is_dir() and any(path.name not in wanted and ".part" not in path.name for path in out.iterdir())
    if not there:  # no stage has been begun: a new configuration costs nothing
        return
    if not (out / LOOP_FILE).is_file():
        raise ControlError("this folder holds other things", out, "choose an empty folder")
    if not resume:
        raise ControlError("there is a run in this folder", out, "add --resume, or choose another folder")
    for name, value in wanted.items():
        _check_same(out / name, resolved(value))


def _check_same(path: Path, wanted: dict[str, Any]) -> None:
    saved = yaml.safe_load(path.read_text("utf-8"))
    wanted = yaml.safe_load(yaml.safe_dump(wanted))
    changed = sorted(key for key in {*saved, *wanted} if saved.get(key) != wanted.get(key))
    if changed:
        raise ControlError(
            f"this run was begun with another {' and '.join(changed)}", path, "change it back, or choose another folder"
        )


def _open_fabric(loop: LoopConfig) -> Fabric:
    try:
        from lightning.fabric import Fabric
    except ImportError:
        raise MissingPartError("lightning is not installed", "training", with_extra("train")) from None
    import torch

    if loop.accelerator == "gpu" and not torch.cuda.is_available():
        raise ControlError("there is no GPU that torch can use", "--accelerator", "choose auto or cpu")
    for name in ("lightning.fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)
    strategy = "ddp" if loop.devices > 1 else "auto"
    return Fabric(accelerator=loop.accelerator, devices=loop.devices, strategy=strategy, precision=loop.precision)


def leads() -> bool:
    """Whether this is the first of the processes that train together, as far as is known before they meet."""
    return os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) == "0"


def _seed(*parts: int) -> None:
    import torch

    torch.manual_seed(int(np.random.SeedSequence(parts).generate_state(1)[0]))
