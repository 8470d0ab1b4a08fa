"""Any folder of videos, with whatever sound they have or that stands beside them under the same name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from vultus.data.clips import RawClip, Split
from vultus.data.readers.splits import split_by_share

LAYOUT = "videos (.mp4 .mov .mkv .webm .avi .flv .m4v) in any subfolder"
SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".flv", ".m4v"})
SHARES: dict[Split, int] = {"train": 9, "test": 1}

_TAKE = re.compile(r"[_-]?(clip|take|part|scene)?[_-]?\d.*$", re.IGNORECASE)
"""What of a file's name counts the takes of one speaker: `_clip2_short` of feifeili_clip2_short."""


def is_video(path: Path) -> bool:
    """Whether a file's name is that of a video; hidden files are none."""
    return path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")


def speaker_of(relative: Path) -> str:
    """Who speaks, as far as a name tells: folder and file name up to the first number that counts takes."""
    return (relative.parent / (_TAKE.sub("", relative.stem) or relative.stem)).as_posix()


def clips(root: Path, seed: int) -> Iterator[RawClip]:
    """Every video; files of one speaker (`speaker_of`) are in one split."""
    videos = [root] if root.is_file() else [path for path in sorted(root.rglob("*")) if is_video(path)]
    base = root.parent if root.is_file() else root
    names = {path: path.relative_to(base) for path in videos if is_video(path)}
    speakers = {path: speaker_of(name) for path, name in names.items()}
    split_of = split_by_share(speakers.values(), "video", seed, SHARES)
    stems = Counter(name.with_suffix("") for name in names.values())
    for path, name in names.items():
        stem = name.with_suffix("")
        if stems[stem] > 1:  # talk.mp4 and talk.mov
            stem = name.with_name(name.name.replace(".", "_"))
        sound = next((p for s in (".wav", ".m4a") if (p := path.with_suffix(s)).is_file()), None)
        yield RawClip("video", stem.as_posix(), speakers[path], split_of[speakers[path]], path, audio=sound)
