"""What a prepared folder holds, and what could not be prepared: two lists, compiled from the clips' own files.

OUT/<data set>/<clip>/meta.json becomes a line of OUT/manifest.jsonl, OUT/<data set>/<clip>.failed.json one of
OUT/failed.jsonl, both in the order of their names. Nothing in them depends on when, or in how many runs, a clip was
made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vultus.core.errors import InputError
from vultus.data.clips import FACTS_FILE, ClipFacts, PreparedClip, Split, parts_of

MANIFEST_FILE, FAILED_FILE = "manifest.jsonl", "failed.jsonl"
FAILED_SUFFIX = ".failed.json"
PARTIAL_FOLDER = ".part"
"""In OUT: clips under way."""


@dataclass(frozen=True)
class Failure:
    """A clip that could not be prepared, and why."""

    dataset: str
    name: str
    reason: str
    sources: dict[str, Any]
    """As in `ClipFacts`: when they change, the clip is tried again."""
    traceback: str | None = None
    """Of a fault that is not the clip's: such a clip is tried again in every run."""

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(self.__dict__, ensure_ascii=False)


def read_failure(path: Path) -> Failure | None:
    """The failure noted in a file; None if there is none, or none that can be read."""
    try:
        return Failure(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def read_facts(path: Path) -> ClipFacts | None:
    """The facts of a prepared clip; None if there are none, or none that can be read."""
    try:
        return ClipFacts.from_json(path.read_text(encoding="utf-8"), path)
    except (OSError, InputError):
        return None


def write_whole(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    partial = path.with_name(f"{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def compile_lists(out: Path) -> tuple[list[ClipFacts], list[Failure]]:
    """Write manifest and failures of all data sets prepared into `out`; returns them."""
    prepared = [facts for path in _found(out, FACTS_FILE) if (facts := read_facts(path)) is not None]
    failed = [failure for path in _found(out, f"*{FAILED_SUFFIX}") if (failure := read_failure(path)) is not None]
    prepared.sort(key=lambda facts: (facts.dataset, facts.name))
    failed.sort(key=lambda failure: (failure.dataset, failure.name))
    write_whole(out / MANIFEST_FILE, "".join(facts.to_json() + "\n" for facts in prepared))
    write_whole(out / FAILED_FILE, "".join(failure.to_json() + "\n" for failure in failed))
    return prepared, failed


def _found(out: Path, pattern: str) -> Iterator[Path]:
    for dataset in sorted(out.iterdir()):
        if dataset.is_dir() and dataset.name != PARTIAL_FOLDER:
            yield from dataset.rglob(pattern)


def prepared_clips(out: str | Path, dataset: str | None = None, split: Split | None = None) -> list[PreparedClip]:
    """The clips that `vultus prepare` made, of one data set or split if asked, in the manifest's order.

    Raises InputError for a folder without a manifest, and where nothing is left.
    """
    out = Path(out)
    try:
        lines = (out / MANIFEST_FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fix = "give the OUT of `vultus prepare`, and run it to its end"
        raise InputError("there is no manifest of prepared clips here", out, fix) from error
    found: list[PreparedClip] = []
    for line in lines:
        facts = ClipFacts.from_json(line, out / MANIFEST_FILE)
        if dataset in (None, facts.dataset):
            found += [part for part in parts_of(out / facts.dataset / facts.name, facts) if split in (None, part.split)]
    if not found:
        wanted = " ".join(word for word in (dataset, split) if word)
        raise InputError(f"no prepared clip here is {wanted or 'whole'}", out, "prepare more, or another split")
    return found
