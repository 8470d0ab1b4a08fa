"""The command line: verbs, each a thin call of what `vultus` offers to Python; one module a verb."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Sequence

import tyro

from vultus.cli.dub import dub
from vultus.cli.evaluate import evaluate
from vultus.cli.exits import INTERRUPTED, NOT_VERIFIED
from vultus.cli.methods import methods
from vultus.cli.prepare import prepare
from vultus.cli.progress import progress_bar
from vultus.cli.render import render
from vultus.cli.rig import rig
from vultus.cli.speak import speak
from vultus.cli.synthesize import synthesize
from vultus.cli.track import track
from vultus.cli.train import train
from vultus.cli.verify import verify
from vultus.cli.weights import weights
from vultus.core.errors import ControlError, VultusError

__all__ = ["INTERRUPTED", "NOT_VERIFIED", "VERBS", "main", "progress_bar", "run"]

DESCRIPTION = "A voice and one photo in, a talking video out. VERB --help explains a verb; --version tells the version."

VERBS: dict[str, Callable[..., int | None]] = {
    "speak": speak,
    "dub": dub,
    "render": render,
    "rig": rig,
    "track": track,
    "prepare": prepare,
    "synthesize": synthesize,
    "train": train,
    "evaluate": evaluate,
    "verify": verify,
    "methods": methods,
    "weights": weights,
}
"""Name -> function; its docstring and signature are the verb's `--help`."""


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code. A user's mistake is one sentence on stderr, a bug keeps its traceback."""
    if list(arguments) == ["--version"]:
        from importlib.metadata import version

        print(f"vultus {version('vultus')}")
        return 0
    try:
        code = _called(*arguments) if arguments else _called("--help")
    except VultusError as error:
        print(f"vultus: {' '.join(str(error).splitlines())}", file=sys.stderr)  # one line, whatever a file is called
        return error.exit_code
    except KeyboardInterrupt:
        print("vultus: stopped; nothing was written.", file=sys.stderr)
        return INTERRUPTED
    return code or 0


def _called(first: str, *others: str) -> int | None:
    """Call the verb that comes first; its options are read by it alone, so that advice concerns it alone."""
    if first.startswith("-"):
        arguments = [first, *others]
        return tyro.extras.subcommand_cli_from_dict(VERBS, prog="vultus", description=DESCRIPTION, args=arguments)
    if first not in VERBS:
        near = difflib.get_close_matches(first, VERBS, 1)
        fix = f"did you mean {near[0]}" if near else f"choose {', '.join(VERBS)}"
        raise ControlError(f"there is no verb {first!r}", None, fix)
    return tyro.cli(VERBS[first], prog=f"vultus {first}", args=others)


def main() -> None:
    """Entry point of the `vultus` command."""
    sys.exit(run(sys.argv[1:]))
