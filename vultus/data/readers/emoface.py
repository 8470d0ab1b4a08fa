"""EmoFace: one actor's sound with 174 MetaHuman controls at 60 frames a second. 806 utterances to train on, 41 not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vultus.data.clips import RawClip, Split
from vultus.data.readers.emotions import emotion_named
from vultus.data.readers.splits import shuffled

LAYOUT = "train/WAV/angry_gd04_001_021.wav with train/VALID_CTR/angry_gd04_001_021.txt, and validation/ alike"
SPEAKER = "actor"
HELD_OUT = {"neutral": 7, "happy": 7, "sad": 7, "angry": 7, "surprised": 5, "fear": 5, "disgusted": 3}
"""Utterances of each emotion that are validated on (table 1): 41 of 847."""
TOTAL = {"neutral": 148, "happy": 150, "sad": 150, "angry": 149, "surprised": 100, "fear": 100, "disgusted": 50}

_SPLIT_FOLDERS: dict[str, Split] = {"train": "train", "validation": "val"}
_CURVES = (".txt", ".csv")


def clips(root: Path, seed: int) -> Iterator[RawClip]:
    """Utterances that have both sound and curves.

    The authors' folders `train` and `validation` are kept; of one folder without them a seeded part of each emotion is
    held out, in the numbers of table 1. There is one speaker, so that splits cannot be speaker-disjoint.
    """
    home = root / "dataset" if (root / "dataset").is_dir() else root
    if (home / "WAV").is_dir():
        found = list(_utterances(home))
        held_out = _held_out(found, seed)
        for wav, curves, emotion in found:
            yield _clip(wav, curves, emotion, "val" if wav.stem in held_out else "train")
        return
    for folder, split in _SPLIT_FOLDERS.items():
        for wav, curves, emotion in _utterances(home / folder):
            yield _clip(wav, curves, emotion, split)


def _utterances(folder: Path) -> Iterator[tuple[Path, Path, str]]:
    for wav in sorted((folder / "WAV").glob("*.wav")):
        curves = next((p for s in _CURVES if (p := folder / "VALID_CTR" / f"{wav.stem}{s}").is_file()), None)
        emotion = emotion_named(wav.stem[:3])
        if curves is not None and emotion is not None:
            yield wav, curves, emotion


def _held_out(found: list[tuple[Path, Path, str]], seed: int) -> set[str]:
    chosen: set[str] = set()
    for emotion, count in HELD_OUT.items():
        stems = [wav.stem for wav, _, name in found if name == emotion]
        share = round(len(stems) * count / TOTAL[emotion]) if len(stems) < TOTAL[emotion] else count
        chosen.update(shuffled(stems, f"emoface {emotion}", seed)[:share])
    return chosen


def _clip(wav: Path, curves: Path, emotion: str, split: Split) -> RawClip:
    return RawClip("emoface", wav.stem, SPEAKER, split, audio=wav, curves=curves, emotion=emotion)
