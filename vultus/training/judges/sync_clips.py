"""What judges of sync learn from: prepared clips as numbers of the mouth and log-mel, on one clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE
from vultus.data.clips import PreparedClip
from vultus.data.manifest import prepared_clips
from vultus.perception.judges.mouth_numbers import mouth_numbers
from vultus.perception.judges.sync import LEAST_S, sound_rows
from vultus.perception.judges.sync_net import MEL_PER_ROW

Half = Literal["none", "all", "even", "odd"]
"""Speakers at even or odd places of the sorted list of their names: two judges that share no speaker."""

LEAST_CONFIDENCE = 0.5
"""Of the measured offset (`motion.av_offset`); below it, lips and voice do not seem to belong together."""
MEL_FRAME_S = 0.01


@dataclass(frozen=True)
class SyncClip:
    """`mouth` (n, NUMBERS) at 25 Hz and `mel` (4 n, BANDS) at 100 Hz, the clip's own offset taken out."""

    name: str
    speaker: str
    synthetic: bool
    mouth: np.ndarray
    mel: np.ndarray

    def cut(self, rows: int, faster: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """`rows` rows from anywhere, said `faster` by that factor: mouth (NUMBERS, rows) and mel (BANDS, 4 rows).

        A clip that is too short is said as slowly as it must be.
        """
        wanted = min(len(self.mouth), int(np.ceil(rows * faster)))
        first = int(rng.integers(0, len(self.mouth) - wanted + 1))
        pieces = []
        for series, scale in ((self.mouth, 1), (self.mel, MEL_PER_ROW)):
            at = scale * first + (np.arange(scale * rows) + 0.5) * (wanted / rows) - 0.5
            below = np.clip(np.floor(at).astype(int), 0, len(series) - 1)
            share = np.clip(at - below, 0, 1)[:, None]
            above = np.minimum(below + 1, len(series) - 1)
            pieces.append(((1 - share) * series[below] + share * series[above]).T.astype(np.float32))
        return pieces[0], pieces[1]


def sync_clips(folder: str | Path) -> list[SyncClip]:
    """All prepared clips in which a face is seen to say what is heard. Raises InputError if there are none."""
    chosen = [clip for clip in prepared_clips(folder) if _usable(clip)]
    if not chosen:
        raise InputError("no prepared clip here has lips that go with its sound", folder, "prepare other clips")
    return [sync_clip(clip) for clip in chosen]


def sync_clip(clip: PreparedClip) -> SyncClip:
    """One prepared clip as numbers."""
    track = clip.track()
    assert track.landmarks is not None and clip.facts.av_offset_ms is not None
    landmarks = np.where(track.valid[:, None, None], track.landmarks, np.nan)
    mouth = mouth_numbers(landmarks, clip.fps)
    mel = sound_rows(_delayed(clip.waveform, clip.facts.av_offset_ms / 1000))
    rows = min(len(mouth), len(mel) // MEL_PER_ROW)
    return SyncClip(clip.name, clip.facts.speaker, clip.facts.synthetic, mouth[:rows], mel[: MEL_PER_ROW * rows])


def of_half(clips: Sequence[SyncClip], half: Half) -> tuple[list[SyncClip], list[SyncClip]]:
    """Clips of the speakers of one half, and the others."""
    speakers = sorted({clip.speaker for clip in clips})
    chosen = set({"none": [], "all": speakers, "even": speakers[::2], "odd": speakers[1::2]}[half])
    return [clip for clip in clips if clip.speaker in chosen], [clip for clip in clips if clip.speaker not in chosen]


def _usable(clip: PreparedClip) -> bool:
    facts = clip.facts
    believed = facts.av_confidence is not None and facts.av_confidence >= LEAST_CONFIDENCE
    return clip.has_pictures and facts.sound and believed and len(clip) / clip.fps > 2 * LEAST_S


def _delayed(waveform: np.ndarray, by_s: float) -> np.ndarray:
    """The sound moved so that it is heard `by_s` later."""
    samples = round(by_s * SAMPLE_RATE)
    return np.concatenate([np.zeros(samples, np.float32), waveform]) if samples > 0 else waveform[-samples:]
