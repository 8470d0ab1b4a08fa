"""The command line: verbs, each a thin call of what `vultus` offers to Python."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from vultus.core.errors import VultusError

if TYPE_CHECKING:
    from vultus.video.provenance import Verification

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells have it."""
NOT_VERIFIED = 1
"""Exit code of `verify` for a file without a valid signature."""


def verify(file: tyro.conf.Positional[Path], /, as_json: bool = False) -> int:
    """Tell whether a video, PNG or folder of PNG files is marked as synthetic, signed, and unchanged since.

    Exits with 0 only if a valid signature covers exactly these bytes.

    Args:
        file: What to look at.
        as_json: Print one JSON object instead of sentences.
    """
    from vultus.video import provenance

    result = provenance.verify(file)
    if as_json:
        print(json.dumps(dataclasses.asdict(result), default=str))
    else:
        print("\n".join(_sentences(result)))
    return 0 if result.valid else NOT_VERIFIED


def _sentences(result: Verification) -> Iterator[str]:
    origin = f"made by {result.tool or 'an unnamed tool'}" + (f" at {result.made_at}" if result.made_at else "")
    yield f"{result.path}: {'marked as synthetic' if result.marked else 'not marked as synthetic'}."
    if result.valid:
        signer = "with this installation's key" if result.trusted else f"by {result.signer!r}, which proves nothing"
        yield f"Unchanged since it was {origin} and signed {signer}."
    elif result.tampered:
        yield "NOT what was signed: it has been changed since, or its manifest has."
    elif result.signed:
        yield "Its signature cannot be relied on."
    yield from (f"- {reason}" for reason in result.reasons)


def methods() -> int:
    """List the methods that can make a face talk."""
    from vultus.methods import METHODS

    for name, module in METHODS.items():
        print(f"{name:<14} {(importlib.import_module(module).__doc__ or '').strip().splitlines()[0]}")
    return 0


VERBS: dict[str, Callable[..., int | None]] = {
    "verify": verify,
    "methods": methods,
}
"""Name -> function; its docstring and signature are the verb's `--help`."""


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar with frames per second and time left on stderr; yields the callback that `write_video` wants."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeftColumn
    from rich.text import Text

    class SpeedColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.finished_speed or task.speed or 0:.0f} frames/s")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), SpeedColumn(), TimeLeftColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code. A user's mistake is one sentence on stderr, a bug keeps its traceback."""
    if list(arguments) == ["--version"]:
        from importlib.metadata import version

        print(f"vultus {version('vultus')}")
        return 0
    try:
        verb = tyro.extras.subcommand_cli_from_dict(
            VERBS, prog="vultus", description="A voice and one photo in, a talking video out.", args=arguments
        )
    except VultusError as error:
        print(f"vultus: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("vultus: stopped; nothing was written.", file=sys.stderr)
        return INTERRUPTED
    return verb or 0


def main() -> None:
    """Entry point of the `vultus` command."""
    sys.exit(run(sys.argv[1:]))
