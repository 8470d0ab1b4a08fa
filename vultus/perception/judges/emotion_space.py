"""The space in which emotions from text, pictures and voices meet (emotion_space, section III.B, figure 3).

Each of `core.controls.EMOTIONS` has an anchor in it, all at right angles: a mix lies between its anchors, so the mean
of embeddings is an emotion again. What shows faintly lies between its anchor and neutral's. The papers' space is
CLIP's; ours is spanned by the anchors alone, and each of our three encoders learns by cosine to put it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vultus.core.controls import EMOTIONS

WIDTH = 32
"""Numbers of an embedding."""


@lru_cache(maxsize=1)
def anchors() -> np.ndarray:
    """Unit vectors (8, WIDTH) float32, one an emotion, at right angles: rows of a Hadamard matrix."""
    rows = np.ones((1, 1))
    while len(rows) < WIDTH:
        rows = np.block([[rows, rows], [rows, -rows]])
    return (rows[1 : len(EMOTIONS) + 1] / np.sqrt(WIDTH)).astype(np.float32)


def place(shares: np.ndarray) -> np.ndarray:
    """Where mixes (..., 8) lie: unit vectors (..., WIDTH) float32. Shares are >= 0 and not all zero."""
    mixed = np.asarray(shares, np.float32) @ anchors()
    return mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)


@dataclass(frozen=True)
class EmotionReader:
    """A trained `emotion_net.EmotionNet` in numpy: numbers in, embeddings and probabilities out.

    `arrays` are its tensors by name.
    """

    arrays: Mapping[str, np.ndarray]

    def embed(self, inputs: np.ndarray) -> np.ndarray:
        """Unit vectors (N, WIDTH) float32 of inputs (N, I)."""
        values = (np.asarray(inputs, np.float32) - self.arrays["middle"]) / self.arrays["spread"]
        values = np.clip(values, -FAR, FAR)
        for index in range(self._layers):
            values = _silu(self._linear(f"layers.{index}", values))
        found = self._linear("to_space", values)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)

    def probabilities(self, inputs: np.ndarray) -> np.ndarray:
        """Probabilities (N, 8) float32 of `EMOTIONS` given inputs (N, I)."""
        return self.read(self.embed(inputs))

    def read(self, embeddings: np.ndarray) -> np.ndarray:
        """Probabilities (N, 8) that this reader gives to embeddings (N, WIDTH)."""
        logits = np.exp(self.arrays["log_sharpness"]) * (embeddings @ anchors().T) + self.arrays["bias"]
        shares = np.exp(logits - logits.max(1, keepdims=True))
        return (shares / shares.sum(1, keepdims=True)).astype(np.float32)

    @property
    def _layers(self) -> int:
        return sum(name.startswith("layers.") and name.endswith(".weight") for name in self.arrays)

    def _linear(self, name: str, values: np.ndarray) -> np.ndarray:
        return values @ self.arrays[f"{name}.weight"].T + self.arrays[f"{name}.bias"]


FAR = 6.0
"""Inputs further from the middle than so many spreads count as that far."""


def _silu(values: np.ndarray) -> np.ndarray:
    return values / (1 + np.exp(-np.clip(values, -60, 60)))
