"""`vultus prepare`: a raw data set becomes a folder of prepared clips, on all cores, and goes on where it stopped.

A clip's folder appears when it is whole, and a clip that failed leaves a note of why. What a run finds done it leaves
alone, unless the source files have changed in size.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
import traceback
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vultus.core.errors import ControlError, InputError, MissingPartError, VultusError
from vultus.core.method import MAX_FPS, MAX_SIZE_PX
from vultus.data import manifest
from vultus.data.clips import FACTS_FILE, ClipFacts, CropKind, RawClip
from vultus.data.manifest import Failure, compile_lists, read_facts, read_failure, write_whole
from vultus.data.readers import get_reader, read_clips
from vultus.data.recipe import DEFAULT_OPTIONS, PrepareOptions, Recipe
from vultus.data.workers import Outcome, WorkerDiedError, run_here, run_in_processes, run_on_ray

RECIPE_FILE, LOCK_FILE = "recipe.json", ".lock"
OnProgress = Callable[[int, int], None]
"""Called with clips done and their total."""

_FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Report:
    """What stands in a prepared folder after a run: clips of all runs and data sets."""

    out: Path
    prepared: list[ClipFacts]
    failed: list[Failure]

    @property
    def duration_s(self) -> float:
        """Seconds of video, or of curves, prepared."""
        return sum(facts.duration_s for facts in self.prepared)


@dataclass(frozen=True)
class Job:
    """All that a worker needs to know of one clip."""

    raw: RawClip
    recipe: Recipe
    sources: dict[str, Any]
    openface: Path | None
    target: Path
    partial: Path


def prepare(
    dataset: str,
    raw: str | Path,
    out: str | Path,
    options: PrepareOptions = DEFAULT_OPTIONS,
    *,
    on_progress: OnProgress | None = None,
) -> Report:
    """Prepare a data set; several may share `out`.

    Args:
        dataset: a name of `readers.READERS`.
        raw: the folder of the data set, or a video file.
        out: the folder to fill.
        options: how; what has been begun one way is not continued another way.
        on_progress: called after each clip.

    A clip that cannot be prepared is noted with its reason and stops nothing. Raises VultusError for what concerns all
    clips: an unknown data set or layout, another run at work in the same folder, a full disk.
    """
    recipe, raw, out = _recipe(dataset, options), Path(raw), Path(out)
    found = read_clips(dataset, raw, recipe.seed)
    with _only_run(out):
        _check_recipe(out / dataset, recipe)
        shutil.rmtree(out / manifest.PARTIAL_FOLDER, ignore_errors=True)  # what a killed run left
        jobs = [_job(clip, recipe, options, raw, out) for clip in found]
        waiting = [job for job in jobs if not _is_done(job)]
        done = len(jobs) - len(waiting)
        try:
            for job, error in _outcomes(waiting, options):
                _note(job, error)
                done += 1
                if on_progress is not None:
                    on_progress(done, len(jobs))
        finally:
            shutil.rmtree(out / manifest.PARTIAL_FOLDER, ignore_errors=True)
            report = Report(out, *compile_lists(out))
    return report


def _recipe(dataset: str, options: PrepareOptions) -> Recipe:
    """The data set's own ways, changed as the options say. Raises ControlError."""
    reader = get_reader(dataset)
    if options.size is not None and not 32 <= options.size <= MAX_SIZE_PX:
        raise ControlError(f"a size of {options.size} is out of range", "--size", f"choose 32 to {MAX_SIZE_PX} pixels")
    if options.fps is not None and not 1 <= options.fps <= MAX_FPS:
        raise ControlError(f"{options.fps:g} frames per second is out of range", "--fps", f"choose 1 to {MAX_FPS:g}")
    if options.size is not None and options.size % 2:
        raise ControlError("an odd size cannot be encoded", "--size", f"choose {options.size + 1}")
    if options.workers is not None and options.workers < 0:
        raise ControlError(f"{options.workers} workers cannot be", "--workers", "choose 1 or more")
    crop: CropKind = options.crop or reader.crop
    return Recipe(crop, options.size, options.fps or reader.fps, options.keep_silent, options.seed)


def _check_recipe(folder: Path, recipe: Recipe) -> None:
    """Keep the recipe beside the clips. Raises InputError if those there were made by another one."""
    path, wanted = folder / RECIPE_FILE, dataclasses.asdict(recipe)
    if path.is_file():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError("the recipe of these clips is damaged", path, "prepare into another folder") from error
        changed = [f"{name} {before.get(name)!r}" for name, value in wanted.items() if before.get(name) != value]
        if changed:
            fix = "give the same options, or prepare into another folder"
            raise InputError(f"the clips here were prepared otherwise, with {', '.join(changed)}", folder, fix)
        return
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(wanted) + "\n")


@contextmanager
def _only_run(out: Path) -> Iterator[None]:
    """Hold the folder for this run. The lock is the kernel's: it goes with the process, however that ends."""
    import fcntl

    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / LOCK_FILE).open("w")
    except OSError as error:
        raise InputError(f"the folder cannot be written to ({error.strerror})", out, "choose another place") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError("another run is preparing clips here", out, "wait for it, or stop it") from error
        yield


def _job(raw: RawClip, recipe: Recipe, options: PrepareOptions, root: Path, out: Path) -> Job:
    openface = None if options.openface is None else _openface_of(raw, options.openface)
    files = {"video": raw.video, "audio": raw.audio, "curves": raw.curves, "labels": raw.labels}
    base = root if root.is_dir() else root.parent
    sources = {role: _described(path, base) for role, path in files.items() if path is not None}
    if openface is not None:
        sources["openface"] = _described(openface, openface.parent)
    target = out / raw.dataset / raw.name
    return Job(raw, recipe, sources, openface, target, out / manifest.PARTIAL_FOLDER / uuid.uuid4().hex)


def _described(path: Path, base: Path) -> list[str | int]:
    """A source file's name and size. One that cannot be looked at has size -1: opening it will say why."""
    name = path.relative_to(base).as_posix() if path.is_relative_to(base) else path.name
    try:
        return [name, path.stat().st_size]
    except OSError:
        return [name, -1]


def _openface_of(raw: RawClip, folder: Path) -> Path | None:
    """The OpenFace table of a clip: <folder>/<name>.csv, or <folder>/<file name>.csv."""
    candidates = (folder / f"{raw.name}.csv", folder / f"{raw.source.stem}.csv")
    return next((path for path in candidates if path.is_file()), None)


def _is_done(job: Job) -> bool:
    """Whether the clip stands prepared, or has failed, as its sources are now."""
    facts = read_facts(job.target / FACTS_FILE)
    if facts is not None:
        return facts.sources == job.sources
    failure = read_failure(_failed_note(job))
    return failure is not None and failure.sources == job.sources and failure.traceback is None


def _outcomes(jobs: list[Job], options: PrepareOptions) -> Iterable[Outcome[Job]]:
    if options.ray is not None:
        return run_on_ray(do, jobs, options.ray)
    workers = (os.cpu_count() or 1) if options.workers is None else options.workers
    return run_here(do, jobs) if workers == 0 else run_in_processes(do, jobs, min(workers, max(1, len(jobs))))


def do(job: Job) -> None:
    """Prepare one clip, in whatever process: its folder takes its place when it is whole."""
    from vultus.data.preparing import prepare_clip

    shutil.rmtree(job.partial, ignore_errors=True)  # of a worker that died with this clip
    job.partial.mkdir(parents=True)
    try:
        prepare_clip(job.raw, job.partial, job.recipe, job.sources, job.openface)
        job.target.parent.mkdir(parents=True, exist_ok=True)
        if job.target.is_dir():  # of sources that have changed
            shutil.rmtree(job.target)
        job.partial.rename(job.target)
    finally:
        shutil.rmtree(job.partial, ignore_errors=True)


def _failed_note(job: Job) -> Path:
    return job.target.with_name(job.target.name + manifest.FAILED_SUFFIX)


def _note(job: Job, error: BaseException | None) -> None:
    """Write down why a clip failed, or remove an older note. Raises what concerns all clips."""
    note = _failed_note(job)
    if error is None:
        note.unlink(missing_ok=True)
        return
    if isinstance(error, OSError) and error.errno in _FULL_DISK:
        raise InputError("the disk is full", job.target, "make room, then run again: it goes on from here") from error
    if isinstance(error, MissingPartError):
        raise error
    own = not isinstance(error, VultusError)
    trace = "".join(traceback.format_exception(error)) if own else None
    failure = Failure(job.raw.dataset, job.raw.name, _reason(error), job.sources, trace)
    note.parent.mkdir(parents=True, exist_ok=True)
    write_whole(note, failure.to_json() + "\n")


def _reason(error: BaseException) -> str:
    """What is wrong, without the path, which differs from machine to machine."""
    if isinstance(error, VultusError):
        return error.what
    return str(error) if isinstance(error, WorkerDiedError) else f"a fault of vultus: {type(error).__name__}: {error}"
