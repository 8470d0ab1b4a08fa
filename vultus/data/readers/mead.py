"""MEAD: actors, eight emotions, three levels. Split of emotion_space, section 4.1: 36 people, in front view."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from vultus.data.clips import RawClip, Split
from vultus.data.readers.emotions import emotion_named
from vultus.data.readers.splits import split_by_number

LAYOUT = "M003/video/front/happy/level_1/001.mp4 with the sound in M003/audio/happy/level_1/001.m4a"
IDENTITIES: dict[Split, int] = {"train": 36, "test": 12}
"""36 are the paper's; 48 people is what the public part of the data set holds, and "the rest" is tested on."""
ALWAYS_TESTED = ("M003",)
"""The paper shows M003 and says that it was not trained on (section 4.2)."""
VIEW = "front"

_PERSON = re.compile(r"[MW]\d{3}")
_LEVEL = re.compile(r"level_([123])")


def clips(root: Path, seed: int) -> Iterator[RawClip]:
    """The front-view clips of all people."""
    people = [person for person in sorted(root.iterdir()) if _PERSON.fullmatch(person.name)] if root.is_dir() else []
    split_of = split_by_number((person.name for person in people), "mead", seed, IDENTITIES, ALWAYS_TESTED)
    for person in people:
        for video in sorted((person / "video" / VIEW).glob("*/level_*/*.mp4")):
            level, emotion = _LEVEL.fullmatch(video.parent.name), emotion_named(video.parents[1].name)
            if level is None or emotion is None or person.name not in split_of:
                continue
            yield RawClip(
                "mead",
                f"{person.name}/{VIEW}/{emotion}/{video.parent.name}/{video.stem}",
                person.name,
                split_of[person.name],
                video,
                audio=_sound_of(person / "audio", video),
                emotion=emotion,
                level=int(level[1]),
                view=VIEW,
            )


def _sound_of(folder: Path, video: Path) -> Path | None:
    """The microphone's recording of a clip, without which the video's own sound, if any, serves."""
    stem = folder / video.parents[1].name / video.parent.name / video.stem
    return next((stem.with_suffix(s) for s in (".m4a", ".wav", ".mp3") if stem.with_suffix(s).is_file()), None)
