"""Lips against sound from SyncNet's embeddings: LSE-D, LSE-C and the offset (Prajwal et al. 2020, section 4.3).

Weights: those of the embeddings, SyncNet v2 for the papers' figures (Chung and Zisserman 2016).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

REACH_FRAMES = 15
"""Frames at 25 fps by which sound is shifted either way, as the published evaluation does (emogen's text says 1 s)."""
_TINY = 1e-6
"""Added to every difference by the published code (torch's pairwise distance)."""


@dataclass(frozen=True)
class LipSyncError:
    """How well lips and sound go together."""

    distance: float
    """LSE-D, lower is better; real clips: about 7."""
    confidence: float
    """LSE-C, higher is better; real clips: about 7, wrong sound: near 1."""
    offset_frames: int
    """Frames at 25 fps by which the picture is late, as SyncNet's own `AV offset`."""


def lip_sync_error(lips: np.ndarray, sound: np.ndarray, reach: int = REACH_FRAMES) -> LipSyncError:
    """From embeddings of 5-frame windows, one window a frame: lips (T, D) and sound (T', D).

    d(s) = mean over t of |lips_t - sound_(t+s)| for shifts s of -`reach` to `reach` frames, sound being zero before its
    beginning and after its end. LSE-D = min d, LSE-C = median d - min d. Raises ValueError where a window is missing.
    """
    count = min(len(lips), len(sound))
    if count == 0:
        raise ValueError("lips and sound must have one window at least")
    lips, padded = lips[:count].astype(np.float64), np.pad(sound[:count].astype(np.float64), ((reach, reach), (0, 0)))
    by_shift = np.array(
        [np.linalg.norm(lips - padded[k : k + count] + _TINY, axis=1).mean() for k in range(2 * reach + 1)]
    )
    best = int(np.argmin(by_shift))
    return LipSyncError(float(by_shift[best]), float(np.median(by_shift) - by_shift[best]), reach - best)
