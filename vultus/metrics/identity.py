"""Is it still the same person: CSIM, from embeddings of a face-recognition network that is passed in."""

from __future__ import annotations

import numpy as np


def cosine_similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine (N,) of the angle between embeddings (N, D), row by row: -1 to 1, 1 for the same direction.

    CSIM is its mean over frames, a generated face against the real one (Deng et al. 2019: ArcFace; emotion_space takes
    CurricularFace).
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return (a * b).sum(-1) / np.maximum(lengths, 1e-12)
