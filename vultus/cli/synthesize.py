"""`vultus synthesize`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from vultus.cli.exits import NOTHING_PREPARED
from vultus.cli.options import optional
from vultus.cli.progress import progress_bar
from vultus.data.synthetic.plan import DEFAULT_SYNTHESIS, LayoutName, SynthesisOptions, parse_emotions

OutFolder = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="OUT")]]
Pictures = Annotated[Path | None, optional("FOLDER", "none: rendered people")]
Workers = Annotated[int | None, optional("INT", "one a core")]

_SHOWN = 10
"""So many failures are named."""


def synthesize(
    out: OutFolder,
    /,
    people: int = DEFAULT_SYNTHESIS.people,
    clips_per_person: int = DEFAULT_SYNTHESIS.clips_per_person,
    seconds: float = DEFAULT_SYNTHESIS.seconds,
    size: int = DEFAULT_SYNTHESIS.size,
    fps: float = DEFAULT_SYNTHESIS.fps,
    seed: int = DEFAULT_SYNTHESIS.seed,
    emotions: str = "all",
    portraits: Pictures = DEFAULT_SYNTHESIS.portraits,
    layout: LayoutName = DEFAULT_SYNTHESIS.layout,
    workers: Workers = DEFAULT_SYNTHESIS.workers,
    levels: tuple[int, ...] = DEFAULT_SYNTHESIS.levels,
    alike: bool = DEFAULT_SYNTHESIS.alike,
) -> int:
    """Make training clips of people who do not exist, with exact labels. Run again, it goes on where it stopped.

    Args:
        out: Folder to fill.
        people: How many people.
        clips_per_person: How many clips of each.
        seconds: Length of a clip.
        size: Side of the square pictures in pixels.
        fps: Frames per second; emoface is always at 60.
        seed: Another number, other people; the same number, the same labels to the byte.
        emotions: all, or names with commas between (happy,sad).
        portraits: Folder of pictures to bring to life instead of rendered people.
        layout: Whose folders and file names to imitate: synthetic (our own), mead, crema_d, voxceleb2, lrs2, hdtf or
            emoface (sound and rig curves only).
        workers: Processes; 0 works in this one.
        levels: Strengths of emotions, of 1 2 3.
        alike: All clips of a person have the same place, light and movements, and differ in what is said and felt.
    """
    from vultus.data.synthetic.making import synthesize as make_set

    options = SynthesisOptions(
        people, clips_per_person, seconds, size, fps, seed, parse_emotions(emotions), portraits, layout, workers,
        levels, alike,
    )  # fmt: skip
    with progress_bar("synthesizing", "clips") as on_progress:
        report = make_set(out, options, on_progress)
    for name, reason in report.failed[:_SHOWN]:
        print(f"{name}: {reason}")
    if len(report.failed) > _SHOWN:
        print(f"... and {len(report.failed) - _SHOWN} more")
    kept = f", {report.kept} of them made before" if report.kept else ""
    there = report.made + report.kept
    print(f"{out}: {there} clips{kept}, {report.seconds:g} s; {len(report.failed)} could not be made")
    return 0 if there else NOTHING_PREPARED
