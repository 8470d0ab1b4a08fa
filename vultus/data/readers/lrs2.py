"""LRS2: sentences from British television, with their text and their authors' lists of which clip is for what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vultus.core.errors import InputError
from vultus.data.clips import RawClip, Split

LAYOUT = "main/<programme>/<clip>.mp4 with <clip>.txt, and the lists train.txt, val.txt and test.txt; perhaps pretrain/"
LISTS: dict[Split, str] = {"train": "train.txt", "val": "val.txt", "test": "test.txt"}

_HOMES = (".", "mvlrs_v1")


def clips(root: Path, seed: int) -> Iterator[RawClip]:
    """The listed clips of `main`, and those of `pretrain` (all to train on) whose programme is in no other split.

    The authors' split holds for any `seed`. They do not say who speaks: a programme stands for a speaker. Raises
    InputError where the lists are missing.
    """
    home = next((root / home for home in _HOMES if (root / home / "main").is_dir()), None)
    if home is None:
        return
    elsewhere: set[str] = set()
    for split, names in _listed(root, home).items():
        for name in names:
            video = home / "main" / f"{name}.mp4"
            if split != "train":
                elsewhere.add(video.parent.name)
            if video.is_file():
                yield _clip(video, f"main/{name}", split)
    for video in sorted((home / "pretrain").glob("*/*.mp4")):
        if video.parent.name not in elsewhere:
            yield _clip(video, f"pretrain/{video.parent.name}/{video.stem}", "train")


def _listed(root: Path, home: Path) -> dict[Split, list[str]]:
    """Names "<programme>/<clip>" by split. A line of the test list goes on with what is noisy in the clip."""
    found: dict[Split, list[str]] = {}
    for split, file in LISTS.items():
        path = next((folder / file for folder in (root, home) if (folder / file).is_file()), None)
        if path is None:
            raise InputError(f"the list {file} of this LRS2 folder is missing", root, f"expected {LAYOUT}")
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        found[split] = [line.split()[0] for line in lines if line.strip() and ".." not in line]
    return found


def _clip(video: Path, name: str, split: Split) -> RawClip:
    return RawClip("lrs2", name, video.parent.name, split, video, text=_text_of(video.with_suffix(".txt")))


def _text_of(path: Path) -> str | None:
    """What is said, from the first line of a clip's text file: "Text:  WHEN YOU'RE COOKING CHIPS"."""
    if not path.is_file():
        return None
    first, _, _ = path.read_text(encoding="utf-8", errors="replace").partition("\n")
    return first.removeprefix("Text:").strip() or None
