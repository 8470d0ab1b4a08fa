"""`vultus prepare`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import tyro

from vultus.cli.exits import INTERRUPTED, NOTHING_PREPARED
from vultus.cli.options import optional
from vultus.cli.progress import progress_bar
from vultus.data.clips import CropKind
from vultus.data.recipe import DEFAULT_OPTIONS, PrepareOptions

Dataset = tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="DATASET")]]
RawFolder = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RAW")]]
OutFolder = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="OUT")]]
Kind = Annotated[CropKind | None, optional("wav2lip|pcavs|ffhq|person|full", "that of the data set's paper")]
Side = Annotated[int | None, optional("INT", "the crop's own")]
Rate = Annotated[float | None, optional("FLOAT", "25; 60 for rig curves")]
Tables = Annotated[Path | None, optional("PATH", "none")]
Workers = Annotated[int | None, optional("INT", "one a core")]
Cluster = Annotated[str | None, optional("ADDRESS", "this machine")]
Switch = Annotated[bool, tyro.conf.FlagCreatePairsOff]

_SHOWN = 10
"""So many failures are named; a file lists all."""


def prepare(
    dataset: Dataset,
    raw: RawFolder,
    out: OutFolder,
    /,
    crop: Kind = DEFAULT_OPTIONS.crop,
    size: Side = DEFAULT_OPTIONS.size,
    fps: Rate = DEFAULT_OPTIONS.fps,
    keep_silent: Switch = DEFAULT_OPTIONS.keep_silent,
    openface: Tables = DEFAULT_OPTIONS.openface,
    seed: int = DEFAULT_OPTIONS.seed,
    workers: Workers = DEFAULT_OPTIONS.workers,
    ray: Cluster = DEFAULT_OPTIONS.ray,
) -> int:
    """Prepare a data set for training: crops, sound, tracked faces, masks. Run again, it goes on where it stopped.

    Args:
        dataset: voxceleb2, mead, crema_d, lrs2, hdtf, emoface, person (one person's video), synthetic, or video (any
            folder of videos).
        raw: Folder of the data set, laid out as its authors do, or a video.
        out: Folder to fill; several data sets may share one.
        crop: wav2lip: the face's box, stretched to 96 pixels; pcavs: eyes and mouth in fixed places, 224; ffhq: the
            head, laid straight, 256; person: head and shoulders in one place for all of the clip, 512; full: all.
        size: Side of the square, or longer side with full, in pixels.
        fps: Frames per second.
        keep_silent: Prepare clips without sound, too, instead of listing them as failed.
        openface: Folder of OpenFace tables, one CSV a clip: blinks (AU45) are taken from them.
        seed: Chooses which speakers are tested on.
        workers: Processes; 0 works in this one.
        ray: Address of a Ray cluster to work on instead: auto, ray://host:10001.
    """
    from vultus.data.prepare import prepare as prepare_clips

    options = PrepareOptions(crop, size, fps, keep_silent, openface, seed, workers, ray)
    try:
        with progress_bar("preparing", "clips") as on_progress:
            report = prepare_clips(dataset, raw, out, options, on_progress=on_progress)
    except KeyboardInterrupt:
        print(f"vultus: stopped; the same command goes on from what is in {out}.", file=sys.stderr)
        return INTERRUPTED
    for failure in report.failed[:_SHOWN]:
        print(f"{failure.dataset}/{failure.name}: {failure.reason}")
    if len(report.failed) > _SHOWN:
        print(f"... and {len(report.failed) - _SHOWN} more in {out / 'failed.jsonl'}")
    if dataset == "person" and report.prepared:
        from vultus.data.readers.person import expectation

        print(f"{report.prepared[0].duration_s:.0f} s of one person: {expectation(report.prepared[0].duration_s)}")
    hours = report.duration_s / 3600
    print(f"{out}: {len(report.prepared)} clips, {hours:.2f} hours; {len(report.failed)} could not be prepared")
    return 0 if report.prepared else NOTHING_PREPARED
