"""Readers: one module a data set; each finds the clips in a folder laid out as its data set's authors do.

To add one, write a function from a folder and a seed to `RawClip`s, and enter it in `READERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from vultus.core.errors import ControlError, InputError
from vultus.core.files import existing_path
from vultus.data.clips import CropKind, RawClip
from vultus.data.readers import crema_d, emoface, folder, hdtf, lrs2, mead, person, synthetic, voxceleb2

VIDEO_FPS = 25.0
"""Rate of prepared videos (all papers but EmoFace)."""
RIG_FPS = 60.0
"""Rate of rig curves (emoface section 3.1)."""


@dataclass(frozen=True)
class Reader:
    """How one data set is found on disk, and how its clips are prepared unless asked otherwise."""

    title: str
    layout: str
    """What its folder looks like, as errors say it."""
    clips: Callable[[Path, int], Iterator[RawClip]]
    """Clips in a folder, split by a seed; none where the layout is another one."""
    crop: CropKind
    fps: float = VIDEO_FPS


READERS: dict[str, Reader] = {
    "voxceleb2": Reader("VoxCeleb2", voxceleb2.LAYOUT, voxceleb2.clips, "pcavs"),
    "mead": Reader("MEAD", mead.LAYOUT, mead.clips, "ffhq"),
    "crema_d": Reader("CREMA-D", crema_d.LAYOUT, crema_d.clips, "wav2lip"),
    "lrs2": Reader("LRS2", lrs2.LAYOUT, lrs2.clips, "wav2lip"),
    "hdtf": Reader("HDTF", hdtf.LAYOUT, hdtf.clips, "ffhq"),
    "emoface": Reader("EmoFace", emoface.LAYOUT, emoface.clips, "full", RIG_FPS),
    "person": Reader("one person's video", person.LAYOUT, person.clips, "person"),
    "synthetic": Reader("the synthetic set", synthetic.LAYOUT, synthetic.clips, "ffhq"),
    "video": Reader("a folder of videos", folder.LAYOUT, folder.clips, "ffhq"),
}
"""Name on the command line -> reader."""


def get_reader(name: str) -> Reader:
    """The reader of that name. Raises ControlError for an unknown one."""
    if name not in READERS:
        raise ControlError(f"there is no data set {name!r}", "DATASET", f"choose {', '.join(READERS)}")
    return READERS[name]


def read_clips(name: str, root: str | Path, seed: int = 0) -> list[RawClip]:
    """All clips of data set `name` under `root`, in the order of their names; `seed` chooses among possible splits.

    Raises InputError for a folder that is not there, that is laid out otherwise, or in which two clips share a name.
    """
    reader, root = get_reader(name), existing_path(root)
    found = sorted(reader.clips(root, seed), key=lambda clip: clip.name)
    if not found:
        raise InputError(f"this is not laid out as {reader.title} is", root, f"expected {reader.layout}")
    for one, next_one in pairwise(found):
        if one.name == next_one.name:
            raise InputError(f"two clips are called {one.name}", next_one.source, "rename one, or give a folder deeper")
    return found
