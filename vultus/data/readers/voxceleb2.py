"""VoxCeleb2: identity folders of face videos. Split of cp_eb, section IV.A: 344 people to train on, 86 to test on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vultus.data.clips import RawClip, Split
from vultus.data.readers.splits import split_by_number

LAYOUT = "[dev|test]/mp4/id00012/<video>/<clip>.mp4, perhaps with the sound in .../aac/id00012/<video>/<clip>.m4a"
IDENTITIES: dict[Split, int] = {"train": 344, "test": 86}
"""The paper takes 430 people; which ones it does not say."""

_BASES = ("dev/mp4", "test/mp4", "mp4", "dev", "test", ".")


def clips(root: Path, seed: int) -> Iterator[RawClip]:
    """The clips of 430 seeded identities (of all, in the same proportion, where there are fewer)."""
    people = [person for base in _BASES for person in sorted((root / base).glob("id[0-9]*")) if person.is_dir()]
    split_of = split_by_number((person.name for person in people), "voxceleb2", seed, IDENTITIES)
    for person in people:
        if person.name not in split_of:
            continue
        for video in sorted(person.glob("*/*.mp4")):
            name = f"{person.name}/{video.parent.name}/{video.stem}"
            split = split_of[person.name]
            yield RawClip("voxceleb2", name, person.name, split, video, audio=_sound_beside(video))


def _sound_beside(video: Path) -> Path | None:
    """The clip's own file in the `aac` tree, which the data set offers beside `mp4`."""
    base, *inside = (video.parents[3], *video.parts[-3:-1])
    sound = base.joinpath("aac", *inside, f"{video.stem}.m4a")
    return sound if base.joinpath("mp4").is_dir() and sound.is_file() else None
