"""The set that `vultus synthesize` makes: per clip a video, what it is (.json) and exact labels a frame (.npz)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vultus.core.errors import InputError
from vultus.data.clips import RawClip, Split
from vultus.data.readers.splits import split_by_share

LAYOUT = "<speaker>/<clip>.mp4 with <clip>.json and <clip>.npz, as `vultus synthesize` writes them"
SHARES: dict[Split, int] = {"train": 8, "val": 1, "test": 1}


def clips(root: Path, seed: int) -> Iterator[RawClip]:
    """All clips; a tenth of the speakers is validated on and a tenth tested on. Raises InputError for damaged facts."""
    videos = [path for path in sorted(root.glob("*/*.mp4")) if path.with_suffix(".json").is_file()]
    facts = {path: _facts(path.with_suffix(".json")) for path in videos}
    split_of = split_by_share((str(fact["speaker"]) for fact in facts.values()), "synthetic", seed, SHARES)
    for path, fact in facts.items():
        labels = path.with_suffix(".npz")
        yield RawClip(
            "synthetic",
            f"{path.parent.name}/{path.stem}",
            str(fact["speaker"]),
            split_of[str(fact["speaker"])],
            path,
            labels=labels if labels.is_file() else None,
            emotion=fact.get("emotion"),
            level=fact.get("level") or None,
            view=fact.get("view"),
            text=fact.get("text"),
        )


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if "speaker" not in facts:
            raise KeyError("speaker")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError("the facts of this synthetic clip are damaged", path, "make the set again") from error
    return dict(facts)
