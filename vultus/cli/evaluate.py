"""`vultus evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from vultus import compare
from vultus.cli.options import optional
from vultus.cli.progress import progress_bar

Generated = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="GENERATED")]]
Reference = Annotated[Path, tyro.conf.arg(aliases=["-r"])]
ReportPath = Annotated[Path | None, tyro.conf.arg(aliases=["-o"], help_behavior_hint="(default: printed only)")]
PlotFolder = Annotated[Path | None, optional("FOLDER", "none drawn")]
Wanted = Annotated[str | None, optional("STR", "that of the real clip")]
Jobs = Annotated[int | None, optional("INT", "one a core")]


def evaluate(
    generated: Generated,
    /,
    reference: Reference,
    output: ReportPath = None,
    plot: PlotFolder = None,
    emotion: Wanted = None,
    every: int = compare.EVERY,
    jobs: Jobs = None,
) -> None:
    """Measure generated videos against real ones: every measure that can be computed, and which cannot and why.

    Args:
        generated: A video, a folder of videos, or a folder with one such folder a method.
        reference: The real video, or a folder of them; pairs share a name.
        output: A .json file for the whole report.
        plot: Folder for overlays of landmarks, curves and side-by-side videos.
        emotion: What all generated videos should show: neutral, angry, contempt, disgusted, fear, happy, sad or
            surprised.
        every: Networks look at every so manieth frame; 1 takes all, as papers do.
        jobs: Processes.
    """
    with progress_bar("measuring", "steps") as on_progress:
        report = compare.evaluate(
            generated, reference, output, plot=plot, emotion=emotion, every=every, jobs=jobs, on_progress=on_progress
        )
    print(report.text(), end="")
    for written in (output, plot):
        if written is not None:
            print(written)
