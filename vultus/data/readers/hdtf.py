"""HDTF: face videos from speeches and interviews, cropped as their authors' script does. Speakers by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from vultus.data.clips import RawClip, Split
from vultus.data.readers.splits import split_by_share

LAYOUT = "videos named WDA_KatieHill_000.mp4 or KatieHill_0.mp4, RD_Radio31_000.mp4 or Radio31_0.mp4, in any subfolder"
SHARES: dict[Split, int] = {"train": 80, "val": 10, "test": 10}
"""Percent of the speakers; none of our papers states a split."""

SAME_PERSON = {"WhipJimClyburn": "JamesClyburn"}
"""Speakers whom the data set calls by two names."""

_NAME = re.compile(r"(?:(?:WDA|WRA|RD)_)?([A-Za-z.'-]+?)(\d*)_(\d+)")
_UNNAMED = "Radio"


def speaker_of(stem: str) -> str | None:
    """The speaker of WDA_BarbaraLee1_000 is BarbaraLee: a number after a name counts that person's videos.

    Of the radio hosts (RD_Radio31_000) only the number is known. None for a name that is none of the data set's.
    """
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    name, number, _ = match.groups()
    return f"{name}{number}" if name == _UNNAMED else SAME_PERSON.get(name, name)


def clips(root: Path, seed: int) -> Iterator[RawClip]:
    """All videos with a name of the data set."""
    found = [(path, speaker_of(path.stem)) for path in sorted(root.rglob("*.mp4"))]
    named = [(path, speaker) for path, speaker in found if speaker is not None]
    split_of = split_by_share((speaker for _, speaker in named), "hdtf", seed, SHARES)
    for path, speaker in named:
        yield RawClip("hdtf", path.stem, speaker, split_of[speaker], path)
