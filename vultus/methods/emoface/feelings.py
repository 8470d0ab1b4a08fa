"""From emotions over time, as users write them, to rows of weights on the seven labels, as the network takes them."""

from __future__ import annotations

import numpy as np

from vultus.core.controls import Emotion
from vultus.core.errors import ControlError
from vultus.core.timeline import Timeline
from vultus.methods.emoface.config import EMOTIONS, NEUTRAL, TAUGHT_LEVEL
from vultus.motion.emotion import EASE_S


def emotion_row(emotion: Emotion, intensity: float, scale: float = 1.0) -> np.ndarray:
    """Weights (7,) of an emotion or mix at its own level, or at `intensity`; they sum to 1.

    At `TAUGHT_LEVEL` a label is a one-hot row. Other levels, and `scale`, move it along its offset from neutral, which
    scales the emotion encoding's offset from that of neutral (ours; the paper has no levels). Raises ControlError for
    contempt, which EmoFace's data do not have.
    """
    level = intensity if emotion.level is None else emotion.level
    strength = scale * level / TAUGHT_LEVEL
    row = np.zeros(len(EMOTIONS))
    for name, share in emotion.mix:
        if name not in EMOTIONS:
            fix = f"choose {', '.join(EMOTIONS)}, or another --method"
            raise ControlError(f"emoface has not learned {name}", "--emotion", fix)
        row[EMOTIONS.index(name)] += strength * share
    row[NEUTRAL] += 1 - strength
    return row


def emotion_rows(mood: Timeline[Emotion], intensity: float, scale: float, time_s: np.ndarray) -> np.ndarray:
    """Weights (n, 7) float32 at times (n,): the timeline's keys, blended across each. Raises as `emotion_row`."""
    rows = np.stack([emotion_row(emotion, intensity, scale) for _, emotion in mood.keys])
    return (mood.weights(time_s, EASE_S) @ rows).astype(np.float32)
