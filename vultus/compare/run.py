"""Groups of clips measured one after the other or in several processes, and their results brought together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vultus.compare.clip import ClipResult, Watched, measure_group, read_moments
from vultus.compare.judges import unavailable
from vultus.compare.measures import BY_NAME, MEASURES
from vultus.compare.pairs import Group, Pairing
from vultus.compare.report import Report
from vultus.compare.summary import frechet_row, summarise
from vultus.core.errors import InputError, VultusError
from vultus.data.workers import Outcome, WorkerDiedError, run_here, run_in_processes

OnProgress = Callable[[int, int | None], None]
Job = tuple[int, Group]


@dataclass(frozen=True)
class Measuring:
    """Measures one group and leaves the result in a folder; can be sent to another process."""

    scratch: Path
    every: int
    """Networks look at every so manieth frame."""
    plot: Path | None = None
    on_frame: OnProgress | None = None

    def __call__(self, job: Job) -> None:
        number, group = job
        look = None if self.plot is None else self._draw
        result = measure_group(group, self.every, lambda name: self.moments(number, name), look, self.on_frame)
        self.result(number).write_text(result.to_json(), "utf-8")

    def _draw(self, watched: Watched) -> None:
        from vultus.compare.plots import draw_plots

        assert self.plot is not None
        draw_plots(watched, self.plot)

    def result(self, number: int) -> Path:
        """Where the figures of group `number` lie."""
        return self.scratch / f"{number}.json"

    def moments(self, number: int, method: str) -> Path:
        """Where the moments of Inception's features lie; method "" is the real clip."""
        return self.scratch / f"{number}-{method}.npz"


def measure_all(work: Measuring, groups: Sequence[Group], jobs: int, on_progress: OnProgress | None) -> dict[str, str]:
    """Measure all groups; returns those that could not be, and why. `on_progress`: clips, or a single one's frames.

    Raises InputError if not one could be, and whatever is no fault of a file.
    """
    if len(groups) == 1:
        Measuring(work.scratch, work.every, work.plot, on_progress)((0, groups[0]))
        return {}
    outcomes = _outcomes(work, list(enumerate(groups)), jobs)
    failed: dict[str, str] = {}
    for done, ((_, group), error) in enumerate(outcomes, 1):
        if error is not None:
            if not isinstance(error, VultusError | WorkerDiedError):
                raise error
            failed[group.name] = str(error)
        if on_progress is not None:
            on_progress(done, len(groups))
    if len(failed) == len(groups):
        raise InputError(f"no clip could be measured, as the first: {next(iter(failed.values())).rstrip('.')}")
    return failed


def _outcomes(work: Measuring, jobs: list[Job], workers: int) -> Iterator[Outcome[Job]]:
    return run_here(work, jobs) if workers == 1 else run_in_processes(work, jobs, workers)


def gather(work: Measuring, pairing: Pairing, failed: dict[str, str]) -> Report:
    """The report of everything that lies in the folder."""
    numbers = [k for k in range(len(pairing.groups)) if work.result(k).is_file()]
    clips = [ClipResult.from_json(work.result(k).read_text("utf-8")) for k in numbers]
    table = summarise(clips, pairing.methods)
    frechet = _frechet(work, numbers, pairing.methods)
    if frechet:
        table["fid"] = frechet
    missing = unavailable()
    missing |= {m.name: _silence(m.name) for m in MEASURES if m.name not in table and m.name not in missing}
    failed = failed | {f"{method}, {clip.name}": why for clip in clips for method, why in clip.failed.items()}
    notes = [*pairing.notes, *(note for clip in clips for note in clip.notes)]
    return Report(pairing.methods, clips, table, missing, failed, notes, work.every)


def _frechet(work: Measuring, numbers: list[int], methods: list[str]) -> dict:
    real = [work.moments(k, "") for k in numbers if work.moments(k, "").is_file()]
    if not real:
        return {}
    made = {m: [read_moments(p) for k in numbers if (p := work.moments(k, m)).is_file()] for m in methods}
    return frechet_row([read_moments(path) for path in real], made)


def _silence(measure: str) -> str:
    """Why a measure that could be computed here was told by no clip."""
    return "needs sound" if BY_NAME[measure].group == "Lips and sound" else "no clip told"
