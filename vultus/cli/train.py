"""`vultus train`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import tyro

from vultus.cli.exits import INTERRUPTED
from vultus.cli.progress import progress_bar
from vultus.training.loop import DEFAULT_LOOP, LoopConfig, leads


def train(
    method: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="METHOD")]],
    data: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="DATA")]],
    output: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="OUT")]],
    /,
    preset: str | None = None,
    config: Path | None = None,
    stage: str | None = None,
    resume: bool = False,
    loop: Annotated[LoopConfig, tyro.conf.arg(name="")] = DEFAULT_LOOP,
) -> int:
    """Train a method, or a judge. A run that was stopped, or killed, goes on with --resume.

    Args:
        method: Which method (see `vultus methods`), or which judge (docs/judges.md).
        data: Folder of training data.
        output: Folder of the run: configuration, figures, checkpoints, and in the end the weights with their card.
        preset: Which configuration: small (default) or paper of a method, judge (default) or teacher of a judge.
        config: A YAML file of what differs from the preset.
        stage: Train this stage alone; those it needs must be finished in the folder of the run.
        resume: Go on where an earlier run stopped, or begin if there is none.
        loop: Seed, cadence and devices.
    """
    from vultus import learn

    with progress_bar("training", "steps") as show:

        def on_step(stage: str, done: int, total: int, losses: Mapping[str, float]) -> None:
            show(done, total, " ".join([stage, *(f"{name} {value:.3g}" for name, value in losses.items())]))

        try:
            written = learn.train(
                method, data, output, preset=preset, config=config, stage=stage, resume=resume, loop=loop,
                on_step=on_step,
            )  # fmt: skip
        except KeyboardInterrupt:
            print(f"vultus: stopped; --resume goes on from the last checkpoint in {output}.", file=sys.stderr)
            return INTERRUPTED
    if leads():
        print(written)
    return 0
