"""CREMA-D: 91 actors, 12 sentences, six emotions. Split of emogen, section 2: five actors to test on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vultus.data.clips import RawClip, Split
from vultus.data.readers.emotions import emotion_named
from vultus.data.readers.splits import split_by_number

LAYOUT = "VideoFlash/1001_DFA_ANG_XX.flv with the sound in AudioWAV/1001_DFA_ANG_XX.wav"
ACTORS: dict[Split, int] = {"train": 86, "test": 5}
ALWAYS_TESTED = ("1011",)
"""The one test actor that the paper names (section 4)."""
SENTENCES = {
    "DFA": "Don't forget a jacket.",
    "IEO": "It's eleven o'clock.",
    "IOM": "I'm on my way to the meeting.",
    "ITH": "I think I have a doctor's appointment.",
    "ITS": "I think I've seen this before.",
    "IWL": "I would like a new alarm clock.",
    "IWW": "I wonder what this is about.",
    "MTI": "Maybe tomorrow it will be cold.",
    "TAI": "The airplane is almost full.",
    "TIE": "That is exactly what happened.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
LEVELS = {"LO": 1, "MD": 2, "HI": 3, "XX": None}
"""XX: not specified."""

_NAME = re.compile(rf"(\d{{4}})_({'|'.join(SENTENCES)})_([A-Z]{{3}})_({'|'.join(LEVELS)})")
_SUFFIXES = (".flv", ".mp4", ".avi")


@dataclass(frozen=True)
class ClipName:
    """What the name of a CREMA-D file says; `emotion` as `core.controls` names it."""

    actor: str
    text: str
    emotion: str
    level: int | None


def parse_name(stem: str) -> ClipName | None:
    """The meaning of a name such as 1001_DFA_ANG_XX; None if it is none of the data set's."""
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    actor, sentence, code, level = match.groups()
    emotion = emotion_named(code)
    return None if emotion is None else ClipName(actor, SENTENCES[sentence], emotion, LEVELS[level])


def clips(root: Path, seed: int) -> Iterator[RawClip]:
    """All clips. Files of other names are left aside."""
    videos = [path for folder in ("VideoFlash", ".") for path in sorted((root / folder).glob("*"))]
    named = {path: parse_name(path.stem) for path in videos if path.suffix.lower() in _SUFFIXES}
    known = {path: name for path, name in named.items() if name is not None}
    split_of = split_by_number((name.actor for name in known.values()), "crema_d", seed, ACTORS, ALWAYS_TESTED)
    for path, name in known.items():
        sound = root / "AudioWAV" / f"{path.stem}.wav"
        yield RawClip(
            "crema_d",
            f"{name.actor}/{path.stem}",
            name.actor,
            split_of[name.actor],
            path,
            audio=sound if sound.is_file() else None,
            emotion=name.emotion,
            level=name.level,
            view="front",
            text=name.text,
        )
