"""Which emotion a voice speaks in, from its prosody. Learned from synthetic voices that act: see the card's figures.

numpy and scipy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vultus.core.types import SAMPLE_RATE
from vultus.core.weights import load_arrays
from vultus.perception.judges import Role, weights_folder
from vultus.perception.judges.emotion_space import EmotionReader
from vultus.perception.judges.prosody import LEAST_S, prosody

NAME = "emotion_voice"
PIECE_S = 6.0
"""A longer voice is read in pieces of about this length."""


@dataclass(frozen=True)
class EmotionVoice:
    """The encoder of voices; `load_emotion_voice` makes one."""

    arrays: Mapping[str, np.ndarray]

    def embed(self, waveforms: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """Unit vectors (N, 32) float32 of voices (n,) at 16 kHz, or of one, in the shared space.

        Raises InputError for a voice in which there is less than half a second of speech.
        """
        voices = [waveforms] if isinstance(waveforms, np.ndarray) and waveforms.ndim == 1 else list(waveforms)
        reader = EmotionReader(self.arrays)
        means = np.stack(
            [reader.embed(np.stack([prosody(part) for part in pieces(voice)])).mean(0) for voice in voices]
        )
        return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)

    def probabilities(self, waveform: np.ndarray) -> np.ndarray:
        """Probabilities (8,) float32 of `EMOTIONS` of a voice (n,) at 16 kHz in [-1, 1]; errors as of `embed`."""
        return EmotionReader(self.arrays).read(self.embed(waveform))[0]


def load_emotion_voice(role: Role = "judge") -> EmotionVoice:
    """The shipped encoder. Raises MissingPartError where its weights were left out."""
    return EmotionVoice(_arrays(role))


def pieces(waveform: np.ndarray) -> list[np.ndarray]:
    """A voice in equal pieces of about `PIECE_S`, silent ones left out, or the whole of a short one."""
    count = max(1, round(len(waveform) / (PIECE_S * SAMPLE_RATE)))
    if count == 1:
        return [waveform]
    parts = np.array_split(waveform, count)
    loud = max(float(np.square(part).mean()) for part in parts)
    return [part for part in parts if np.square(part).mean() > 0.01 * loud and len(part) >= 2 * LEAST_S * SAMPLE_RATE]


@lru_cache(maxsize=2)
def _arrays(role: Role) -> Mapping[str, np.ndarray]:
    return load_arrays(weights_folder(NAME, role))[0]
