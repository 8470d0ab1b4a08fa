"""What the lips are trained on: measured mouths of talking people, and synthetic speech with exact phones."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vultus.audio.io import read_speech
from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE
from vultus.face.mouth import mouth
from vultus.face.track import track_stream
from vultus.video.read import open_video

OFFSETS_MS: Mapping[str, int] = {
    "talk/Obama_clip1": -160, "talk/Obama_clip2": -80, "talk/Obama_clip3": -160, "talk/andrew_clip_1": 0,
    "talk/andrew_clip_2": -20, "talk/feifeili_clip1": 0, "talk/feifeili_clip2_short": 0, "talk/feifeili_clip3": 0,
    "talk/face_1": 60, "talk/face_2": -20, "talk/face_3": -20,
    "person/anchor_71s": -20, "hdtf/WDA_KatieHill_000": -120,
    "voxceleb2/00015": 0, "voxceleb2/00086": 0, "voxceleb2/00373": -80, "voxceleb2/741400104": 40,
    "voxceleb2/pose_517600055": -120, "voxceleb2/pose_731200067": 0, "voxceleb2/pose_741400163": -60,
    "voxceleb2/pose_620900105": 0, "voxceleb2/id_00010": 60,
}  # fmt: skip
"""Clips of talking people that are in sync but for a constant: the picture's lips against the sound, in ms, counted
from the first picture and the first sample whatever the container's times say (negative: the picture is early)."""

_LONG_ID, _SPEAKER_DIGITS = 9, 4
"""VoxCeleb2 clips named by nine digits: the first four are the speaker's."""

MIN_SEEN = 0.9
"""A clip whose face is seen in fewer of its frames is left out."""


@dataclass(frozen=True)
class TalkClip:
    """A talking person as numbers: `mouth` (T, 2) aperture and width (`face.mouth`), `expression` (T, 52) as fitted.

    Frame k shows the lips from the moment `first_s + k / fps` of the waveform to `1 / fps` later, the clip's offset
    taken out.
    """

    name: str
    speaker: str
    waveform: np.ndarray
    fps: float
    first_s: float
    valid: np.ndarray
    mouth: np.ndarray
    expression: np.ndarray

    @property
    def duration_s(self) -> float:
        """Of the part in which there are both lips and voice."""
        return min(len(self.waveform) / SAMPLE_RATE, self.first_s + len(self.valid) / self.fps)


def speaker_of(name: str) -> str:
    """Who talks in a clip: clips of one person share the start of their name."""
    stem = Path(name).stem.removeprefix("pose_")
    if stem.isdigit() and len(stem) == _LONG_ID:
        return stem[:_SPEAKER_DIGITS]
    return stem.split("_clip")[0]


def track_cache() -> Path:
    """Where tracked clips are kept: `vultus/tracks` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vultus" / "tracks"


def talk_clips(folder: str | Path, cache: Path | None = None) -> Iterator[TalkClip]:
    """The clips of `OFFSETS_MS` that are in `folder`, tracked once (twice real time) and kept in `track_cache`.

    Raises InputError if there are none.
    """
    paths = {name: Path(folder) / f"{name}.mp4" for name in OFFSETS_MS}
    found = {name: path for name, path in paths.items() if path.is_file()}
    if not found:
        raise InputError("none of the known clips is in this folder", folder, "give the folder of the real clips")
    for name, path in found.items():
        clip = _cached_clip(name, path, cache or track_cache())
        if clip.valid.mean() >= MIN_SEEN:
            yield clip


def _cached_clip(name: str, path: Path, cache: Path) -> TalkClip:
    stamp = hashlib.sha256(f"1 {name} {path.stat().st_size}".encode()).hexdigest()[:8]
    kept = cache / f"{Path(name).stem}-{stamp}.npz"
    if not kept.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        fps, valid, mouths, expression = track_mouth(path)
        partial = kept.with_suffix(".part.npz")
        np.savez(partial, fps=fps, valid=valid, mouth=mouths, expression=expression)
        partial.replace(kept)
    data = np.load(kept, allow_pickle=False)
    first_s = -OFFSETS_MS[name] / 1000
    return TalkClip(
        name,
        speaker_of(name),
        read_speech(path).waveform,
        float(data["fps"]),
        first_s,
        data["valid"],
        data["mouth"],
        data["expression"],
    )


def track_mouth(path: str | Path) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Frame rate, validity (T,), mouth (T, 2) and raw fitted ARKit weights (T, 52) of a video; gaps are filled."""
    video = open_video(path)
    rows: list[np.ndarray | None] = []
    for tracked in track_stream(video.frames(), where=path):
        rows.append(None if tracked is None else np.concatenate([mouth(tracked.fit.landmarks), tracked.fit.expression]))
    valid = np.array([row is not None for row in rows])
    known = np.stack([row for row in rows if row is not None])
    at = np.arange(len(rows))
    filled = np.stack([np.interp(at, at[valid], column) for column in known.T], -1).astype(np.float32)
    return video.fps, valid, filled[:, :2], filled[:, 2:]
