"""A video against a real one: every measure that can be computed, and which cannot and why.

Called `compare` and not `evaluate` so that `vultus.evaluate` is the function, as with `learn` and `train`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vultus.core.controls import EMOTION_ALIASES, EMOTIONS
from vultus.core.errors import ControlError, InputError

if TYPE_CHECKING:
    from vultus.compare.report import Report

EVERY = 5
"""Networks look at every so manieth frame unless asked otherwise."""

OnProgress = Callable[[int, int | None], None]
"""Called with clips done, or with a single clip's frames, and their total."""


def evaluate(
    generated: str | Path,
    reference: str | Path,
    output: str | Path | None = None,
    *,
    plot: str | Path | None = None,
    emotion: str | None = None,
    every: int = EVERY,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> Report:
    """Measure generated videos against real ones by every measure that can be computed here.

    Args:
        generated: a video, a folder of videos, or a folder with one such folder a method.
        reference: the real video, or a folder of them; pairs share a name (`compare.pairs`).
        output: a .json file to write as well.
        plot: a folder for overlays, curves and side-by-side videos of every pair.
        emotion: what all generated videos should show; what is seen in the real clip unless given.
        every: networks look at every so manieth frame, and nulls are measured on it.
        jobs: processes; one a core unless given, and this one alone for a single pair.
        on_progress: called as clips are done.

    Raises VultusError, one sentence; then there is no report.
    """
    from vultus.compare.clip import NULLS
    from vultus.compare.pairs import pair_up
    from vultus.compare.run import Measuring, gather, measure_all

    if every < 1 or (jobs is not None and jobs < 1):
        raise ControlError("there must be one frame and one process at least", "--every, --jobs", "choose 1 or more")
    wanted = None if emotion is None else _emotion(emotion)
    target = None if output is None else _checked_output(Path(output))
    pairing = pair_up(generated, reference)
    for method in pairing.methods:
        if method in NULLS:
            raise InputError(
                f"no method can be called {method!r}, as a column of the report is", generated, "rename it"
            )
    groups = [replace(group, emotion=wanted) for group in pairing.groups]
    folder = None if plot is None else _made(Path(plot))
    with tempfile.TemporaryDirectory(prefix="vultus-evaluate-") as scratch:
        work = Measuring(Path(scratch), every, folder)
        failed = measure_all(work, groups, min(jobs or os.cpu_count() or 1, len(groups)), on_progress)
        report = gather(work, pairing, failed)
    if target is not None:
        report.save(target)
    return report


def _emotion(name: str) -> str:
    name = EMOTION_ALIASES.get(name.lower(), name.lower())
    if name not in EMOTIONS:
        raise ControlError(f"there is no emotion {name!r}", "--emotion", f"choose {', '.join(EMOTIONS)}")
    return name


def _checked_output(path: Path) -> Path:
    """The path itself, if a report can be written there. Raises InputError."""
    if path.suffix.lower() != ".json":
        raise InputError("a report is written as .json", path, "give it that suffix")
    if path.is_dir():
        raise InputError("this is a folder, not a file", path, "choose another name")
    if not path.parent.is_dir():
        raise InputError("the folder to write into does not exist", path.parent, "create it first")
    if not os.access(path.parent, os.W_OK):
        raise InputError("the folder may not be written to", path.parent, "choose another place")
    return path


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"there can be no folder here ({error.strerror})", folder, "choose another place") from error
    return folder
