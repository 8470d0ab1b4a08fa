"""From a method, or a judge, and a folder of data to trained weights with their card."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vultus.core.config import load_overlay, resolved
from vultus.core.errors import ControlError, InputError
from vultus.core.method import Trainable
from vultus.core.weights import Card, save_weights
from vultus.methods import METHODS, PERSONAL, get_method, get_personal
from vultus.training.judges import JUDGES, JudgeTraining, get_judge
from vultus.training.loop import DEFAULT_LOOP, LoopConfig, OnStep, finished_weights, leads
from vultus.training.loop import train as train_stages
from vultus.training.stage import Stage

DEFAULT_PRESET, DEFAULT_ROLE = "small", "judge"
"""The configuration that is trained unless another is chosen: of a method, of a judge."""


def train(
    method: str,
    data: str | Path,
    out: str | Path,
    *,
    preset: str | None = None,
    config: str | Path | None = None,
    stage: str | None = None,
    resume: bool = False,
    loop: LoopConfig = DEFAULT_LOOP,
    on_step: OnStep | None = None,
) -> Path:
    """Train a method, or a judge, on a folder of data; returns the folder of its weights, of the run if stages remain.

    Args:
        method: see `vultus methods`; or a judge of `training.judges`.
        data: what the method's `data.py`, or the judge's module, reads.
        out: folder of the run (`training.loop`); the weights and their card come into a folder in it.
        preset: which of the configurations; `DEFAULT_PRESET`, or a judge's `DEFAULT_ROLE`, unless given.
        config: a YAML file of what differs from the preset.
        stage: the one stage to train; all of them, in order, unless given.
        resume: go on where an earlier run stopped, or begin if there is none.
        loop: seed, cadence and devices.
        on_step: called after each step.

    Raises VultusError, one sentence, for what cannot be trained or has been begun otherwise.
    """
    chosen = _trainable(method)
    preset = preset or (DEFAULT_ROLE if isinstance(chosen, JudgeTraining) else DEFAULT_PRESET)
    if preset not in chosen.presets:
        raise ControlError(f"{method} has no preset {preset!r}", "--preset", f"choose {', '.join(chosen.presets)}")
    settings = chosen.presets[preset]
    if config is not None:
        settings = load_overlay(settings, config)
    data, out = Path(data), Path(out)
    if not data.is_dir():
        raise InputError("there is no such folder of data", data, "check its path")
    built: list[Stage] = []

    def build() -> Sequence[Stage]:
        built.extend(chosen.stages(settings, data))
        return built

    figures = train_stages(build, settings, out, loop, only=stage, resume=resume, on_step=on_step)
    if not leads() or len(figures) < len(built):
        return out
    tensors = finished_weights(out / built[-1].name)
    results = {f"{stage}_{name}": value for stage, found in figures.items() for name, value in found.items()}
    card = Card(
        method=method,
        preset=preset,
        version=version("vultus"),
        config=resolved(settings),
        training_data=data.resolve().name,
        licence="that of its training data",
        results=results,
    )
    return save_weights(out, chosen.kept(tensors) if isinstance(chosen, JudgeTraining) else tensors, card)


def _trainable(name: str) -> Trainable | JudgeTraining:
    """The method of that name, or else the judge."""
    if name in JUDGES and name not in METHODS:
        return get_judge(name)
    chosen: Any = get_personal(name) if name in PERSONAL else get_method(name)
    if not isinstance(chosen, Trainable):
        able = [method for method in METHODS if isinstance(get_method(method), Trainable)]
        choices = " or ".join([*able, *PERSONAL, *JUDGES])
        raise ControlError(f"the method {name} has nothing to train", "train", f"choose {choices}")
    return chosen
