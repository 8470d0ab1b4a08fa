"""`vultus verify`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from vultus.cli.exits import NOT_VERIFIED
from vultus.cli.options import AsJson

if TYPE_CHECKING:
    from vultus.video.provenance import Verification

MarkedPath = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="FILE")]]


def verify(file: MarkedPath, /, as_json: AsJson = False) -> int:
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
