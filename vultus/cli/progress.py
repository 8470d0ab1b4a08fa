"""The bar that long work shows on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(label: str, unit: str = "frames") -> Iterator[Callable[..., None]]:
    """Show a bar with speed and time left on stderr.

    Yields the callback that `write_video` wants: done, total or None and, if it changes, another label. Where `done`
    falls, something else has begun.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeftColumn
    from rich.text import Text

    class SpeedColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            over = task.completed / task.elapsed if task.elapsed else 0  # of all of it, known to the end
            speed = over if task.finished else task.speed or over
            return Text(f"{speed:.{0 if speed >= 10 else 1}f} {unit}/s")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), SpeedColumn(), TimeLeftColumn())
    progress = Progress(*columns, console=Console(stderr=True))
    tasks: list[TaskID] = []

    def show(done: int, total: int | None, label: str = label) -> None:
        if not tasks:  # only now, so that a mistake in the options is answered by its sentence alone
            progress.start()
            tasks.append(progress.add_task(label, total=total))
        if done < progress.tasks[0].completed:
            progress.reset(tasks[0])
        progress.update(tasks[0], completed=done, total=total, description=label)

    try:
        yield show
    finally:
        if tasks:
            progress.stop()
