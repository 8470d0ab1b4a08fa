"""Lips of a voice whose phones are known beforehand, as those of synthetic speech are."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from vultus.core.types import SAMPLE_RATE, Phone
from vultus.motion.energy import LoudnessStream
from vultus.motion.lips import MouthTrack, frame_count
from vultus.motion.visemes import REACH_S


class KnownPhoneLips:
    """Lips from exact phones and the fitted viseme table.

    Args:
        fps: frame rate.
        phones: in order and without gaps from the voice's first sample to its last.
    """

    def __init__(self, fps: float, phones: Sequence[Phone]) -> None:
        self.fps = fps
        self._phones = deque(phones)
        self._longest_s = max((phone.end_s - phone.start_s for phone in phones), default=0.0)
        self._loudness = LoudnessStream()
        self._mouth = MouthTrack(fps)
        self._samples = 0

    @property
    def lookahead_s(self) -> float:
        """See `LipMotion`. A phone counts once it has been heard to its end, with the loudness it has."""
        return self._longest_s + REACH_S

    def push(self, samples: np.ndarray) -> np.ndarray:
        """See `LipMotion.push`."""
        self._samples += len(samples)
        heard: list[Phone] = []
        while self._phones and self._phones[0].end_s <= self._samples / SAMPLE_RATE:
            heard.append(self._phones.popleft())
        return self._mouth.push(heard, self._loudness.push(samples))

    def finish(self) -> np.ndarray:
        """See `LipMotion.finish`."""
        head = self._mouth.push(list(self._phones), self._loudness.finish())
        self._phones.clear()
        return np.concatenate([head, self._mouth.finish(frame_count(self._samples, self.fps))])
