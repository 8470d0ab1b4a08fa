"""Does the face show the feeling that was asked for: EmoAcc and EFD, from a network that is passed in."""

from __future__ import annotations

import numpy as np


def clip_emotion(probabilities: np.ndarray) -> int:
    """The emotion of a clip: the class with the largest mean probability over its frames (T, K)."""
    return int(np.argmax(np.asarray(probabilities, np.float64).mean(0)))


def emotion_accuracy(found: np.ndarray, wanted: np.ndarray) -> float:
    """EmoAcc: share of clips (N,) in which the class found is the one wanted, 0-1 (emogen, section 6.1)."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    return float((found == wanted).mean())


def emotion_feature_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """EFD: Euclidean distance (N,) between emotion features (N, D), frame by frame; 0 is best (emotion_space, 4.1).

    The paper names the network (an emotion FAN) and not the norm; this is the usual one.
    """
    return np.linalg.norm(np.asarray(a, np.float64) - np.asarray(b, np.float64), axis=-1)
