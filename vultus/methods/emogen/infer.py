"""A voice and an emotion to what the generator hears and feels in each frame: EmoGen's driver."""

from __future__ import annotations

import numpy as np

from vultus.core.controls import Controls, Emotion
from vultus.core.errors import ControlError
from vultus.core.timeline import Timeline
from vultus.core.types import SAMPLE_RATE, Performance
from vultus.methods.emogen.config import BANDS, EMOTIONS, MEL_STEPS
from vultus.methods.emogen.mel import FFT, RANGE, RATE_HZ, MelStream, first_row, windows
from vultus.motion.emotion import EASE_S
from vultus.motion.lips import frame_count
from vultus.motion.noise import frame_times

HEARD = BANDS * MEL_STEPS
"""Numbers of a frame's mel picture; with the six of its emotion, the width of the channel `voice`."""
_LITTLE = 1e-3


def emotion_row(emotion: Emotion) -> np.ndarray:
    """Weights (6,) of an emotion or mix; they sum to 1.

    Raises ControlError for one that CREMA-D does not have, and for a level: the paper knows categories only.
    """
    if emotion.level is not None:
        raise ControlError("emogen knows emotions but no levels of them", "--emotion", "leave out the @ and its level")
    row = np.zeros(len(EMOTIONS), np.float32)
    for name, share in emotion.mix:
        if name not in EMOTIONS:
            fix = f"choose {', '.join(EMOTIONS)}, or another --method"
            raise ControlError(f"emogen has not learned {name}", "--emotion", fix)
        row[EMOTIONS.index(name)] += share
    return row


def emotion_rows(mood: Timeline[Emotion], time_s: np.ndarray) -> np.ndarray:
    """Weights (n, 6) float32 at times (n,): the timeline's keys, blended across each. Raises as `emotion_row`."""
    rows = np.stack([emotion_row(emotion) for _, emotion in mood.keys])
    return (mood.weights(time_s, EASE_S) @ rows).astype(np.float32)


def packed(mels: np.ndarray, emotions: np.ndarray) -> np.ndarray:
    """The channel `voice` (n, 1286) of mel pictures (n, 80, 16) and emotions (n, 6): zeros are silence."""
    return np.concatenate([mels.reshape(len(mels), HEARD) + np.float32(RANGE), emotions], 1).astype(np.float32)


def unpacked(voice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mel pictures and emotions of the channel `voice` (n, 1286).

    Where the voice has faded out and its emotion with it, the last emotion stays. Raises ControlError for a channel
    that is another method's.
    """
    if voice.ndim != 2 or voice.shape[1] != HEARD + len(EMOTIONS):
        raise ControlError("this performance was heard by another method", "--method", "leave out --method emogen")
    mels = voice[:, :HEARD].reshape(-1, BANDS, MEL_STEPS) - np.float32(RANGE)
    emotions = np.clip(voice[:, HEARD:], 0, None)
    sums = emotions.sum(1)
    told = np.maximum.accumulate(np.where(sums > _LITTLE, np.arange(len(sums)), -1))
    neutral = np.eye(len(EMOTIONS), dtype=np.float32)[EMOTIONS.index("neutral")]
    rows = emotions[np.maximum(told, 0)] / np.maximum(sums[np.maximum(told, 0)], _LITTLE)[:, None]
    return mels, np.where((told >= 0)[:, None], rows, neutral).astype(np.float32)


class EmoGenDriver:
    """What is heard and felt in each frame: `push` samples and get the frames that became final; `finish` the rest.

    Channel: `voice` (T, 1286), the mel picture around the frame's middle and the emotion's weights (`packed`).
    """

    def __init__(self, controls: Controls, fps: float) -> None:
        emotion_rows(controls.emotion, np.zeros(0))  # one that was never learned is refused at once
        self.fps, self._mood = fps, controls.emotion
        self._stream, self._mel = MelStream(), np.zeros((0, BANDS), np.float32)
        self._dropped = 0
        """Rows of the mel that no frame to come looks at."""
        self._samples = self._done = 0

    @property
    def lookahead_s(self) -> float:
        """A frame is out at the latest when this much of the voice past its time has been pushed."""
        return 0.5 / self.fps + (MEL_STEPS / 2 + 0.5) / RATE_HZ + FFT / 2 / SAMPLE_RATE

    def push(self, samples: np.ndarray) -> Performance | None:
        """Take (n,) float32 samples, mono, 16 kHz in [-1, 1]; return the frames that became final, if any."""
        self._samples += len(samples)
        self._mel = np.concatenate([self._mel, self._stream.push(samples)])
        known = self._dropped + len(self._mel)
        final = max(0, int((known - MEL_STEPS / 2) / RATE_HZ * self.fps) + 2)
        while final > self._done and first_row(np.array([(final - 0.5) / self.fps]))[0] + MEL_STEPS > known:
            final -= 1
        return self._performed(min(final, frame_count(self._samples, self.fps)))

    def finish(self) -> Performance | None:
        """The remaining frames, if any; the voice has ended."""
        self._mel = np.concatenate([self._mel, self._stream.finish()])
        return self._performed(frame_count(self._samples, self.fps))

    def _performed(self, until: int) -> Performance | None:
        """Frames up to number `until`, unless they are out."""
        count = until - self._done
        if count <= 0:
            return None
        time_s = frame_times(self._done, count, self.fps)
        self._done = until
        mels = windows(self._mel, first_row(time_s) - self._dropped)
        needless = int(first_row(np.array([(until + 0.5) / self.fps]))[0]) - self._dropped
        if needless > 0:
            self._mel, self._dropped = self._mel[needless:], self._dropped + min(needless, len(self._mel))
        voice = packed(mels, emotion_rows(self._mood, time_s))
        return Performance(self.fps, np.ones(count, bool), voice=voice, source={"method": "emogen"})
