"""From a method and a folder of data to trained weights with their card."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from vultus.core.config import load_overlay, resolved
from vultus.core.errors import ControlError, InputError
from vultus.core.method import Trainable
from vultus.methods import METHODS, get_method
from vultus.training.loop import DEFAULT_LOOP, LoopConfig, OnStep, finished_weights, leads
from vultus.training.loop import train as train_stages
from vultus.training.stage import Stage

DEFAULT_PRESET = "small"


def train(
    method: str,
    data: str | Path,
    out: str | Path,
    *,
    preset: str = DEFAULT_PRESET,
    config: str | Path | None = None,
    stage: str | None = None,
    resume: bool = False,
    loop: LoopConfig = DEFAULT_LOOP,
    on_step: OnStep | None = None,
) -> Path:
    """Train a method on a folder of data; returns the folder of its weights, or of the run if stages remain.

    Args:
        method: see `vultus methods`.
        data: what the method's `data.py` reads.
        out: folder of the run (`training.loop`); the weights and their card come into a folder in it.
        preset: which of the method's configurations.
        config: a YAML file of what differs from the preset.
        stage: the one stage to train; all of them, in order, unless given.
        resume: go on where an earlier run stopped, or begin if there is none.
        loop: seed, cadence and devices.
        on_step: called after each step.

    Raises VultusError, one sentence, for what cannot be trained or has been begun otherwise.
    """
    chosen = _trainable(method)
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
    return _export(method, preset, settings, data, out, built[-1].name, figures)


def _trainable(method: str) -> Trainable:
    chosen = get_method(method)
    if not isinstance(chosen, Trainable):
        able = [name for name in METHODS if isinstance(get_method(name), Trainable)]
        fix = f"choose {' or '.join(able)}" if able else None
        raise ControlError(f"the method {method} has nothing to train", "train", fix)
    return chosen


def _export(
    method: str, preset: str, settings: object, data: Path, out: Path, last: str, figures: dict[str, dict[str, float]]
) -> Path:
    """The last stage's weights with a card of what they are."""
    from vultus.core.weights import Card, save_weights

    card = Card(
        method=method,
        preset=preset,
        version=version("vultus"),
        config=resolved(settings),
        training_data=data.resolve().name,
        licence="that of its training data",
        results={f"{stage}_{name}": value for stage, found in figures.items() for name, value in found.items()},
    )
    return save_weights(out, finished_weights(out / last), card)
