"""What blink_nerf hears: one row of audio features for every video frame, as the voice arrives.

The paper's DeepSpeech features, 16 windows of 29 characters, are here the hidden states of the speech encoder that
ships, or the log-probabilities of sounds and bands of log-mel that it is made from: those have learned from nobody's
mouth.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from vultus.audio.features import BANDS, SPREAD_FLOOR, LogMel, RunningNorm
from vultus.core.errors import MissingPartError
from vultus.core.types import SAMPLE_RATE
from vultus.motion.learned_lips import LipWeights, shipped_lips
from vultus.motion.lips import frame_count
from vultus.perception.phone_gmm import PhoneGmm, phone_classes
from vultus.perception.speech import RATE_HZ, Listener, SpeechEncoder, SpeechStates, state_count

EarName = Literal["speech", "sounds"]
POOLED = 4
"""Bands of log-mel that are averaged for one feature of the ear "sounds"."""

LEAST_PROBABILITY = 1e-3
"""What is less likely is as unlikely to the ear "sounds". Lips follow the logarithm better than the probability."""

_SILENCE_S = 0.2
"""Follows a voice's end, so that its last states come out."""


def ear(name: EarName) -> Listener:
    """A fresh listener. Raises MissingPartError where the weights that ship were left out."""
    if name != "speech":
        return SoundsEar()
    weights = _weights()
    return SpeechEncoder(weights.tensors, weights.config, far=True)


def feature_count(name: EarName) -> int:
    """Features a frame, A."""
    return _weights().config.width if name == "speech" else len(phone_classes()) + BANDS // POOLED


def _weights() -> LipWeights:
    weights = shipped_lips()
    if weights is None:
        raise MissingPartError("no speech encoder is installed", "vultus/assets/lips-*", "install vultus anew")
    return weights


class SoundsEar:
    """Log-probabilities of classes of sounds, pooled log-mel, 50 times a second (`Listener`); it has seen no lips."""

    def __init__(self) -> None:
        tensors = _weights().tensors
        self._mel = LogMel()
        self._norm = RunningNorm(tensors["mel_mean"], float(tensors["mel_spread"][0]))
        self._gmm = PhoneGmm(tensors)
        self._pooled = np.zeros((0, BANDS // POOLED), np.float32)
        self._samples = self._states = 0

    @property
    def lookahead_s(self) -> float:
        """See `Listener`."""
        return 2 / RATE_HZ

    def push(self, samples: np.ndarray) -> SpeechStates:
        """See `Listener.push`."""
        self._samples += len(samples)
        return self._listen(np.asarray(samples, np.float32))

    def finish(self) -> SpeechStates:
        """See `Listener.finish`."""
        missing = state_count(self._samples) - self._states
        rest = self._listen(np.zeros(round(_SILENCE_S * SAMPLE_RATE), np.float32))
        return SpeechStates(rest.hidden[:missing])

    def _listen(self, samples: np.ndarray) -> SpeechStates:
        centred, spread, _ = self._norm.centre(self._mel.push(samples))
        normal = (centred / (spread + SPREAD_FLOOR)).astype(np.float32)
        bands = normal.reshape(len(normal), BANDS // POOLED, POOLED).mean(2)
        self._pooled = np.concatenate([self._pooled, bands])
        sounds = np.log(self._gmm.push(centred) + LEAST_PROBABILITY)
        count = len(sounds)
        pooled = self._pooled[: 2 * count : 2]
        self._pooled = self._pooled[2 * count :]
        self._states += count
        return SpeechStates(np.concatenate([sounds, pooled], 1).astype(np.float32))


class FrameFeatures:
    """Features of video frames from a voice as it arrives; they do not depend on how it is cut into chunks.

    A frame's row is of the moment at its middle, interpolated between the two states around it.
    """

    def __init__(self, name: EarName, fps: float) -> None:
        self._ear, self._fps = ear(name), fps
        self._states = np.zeros((0, feature_count(name)), np.float32)
        self._first_state = self._frame = self._samples = 0

    @property
    def lookahead_s(self) -> float:
        """A frame is out at the latest when this much of the voice past its time has been pushed."""
        return self._ear.lookahead_s + 1 / RATE_HZ

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take (n,) float32 samples at 16 kHz; return the rows (m, A) that became final."""
        self._samples += len(samples)
        self._states = np.concatenate([self._states, self._ear.push(samples).hidden])
        known = self._first_state + len(self._states)
        return self._emit(int(np.floor((known - 1) / RATE_HZ * self._fps - 0.5 + 1e-6)) + 1)

    def finish(self) -> np.ndarray:
        """The remaining rows; the voice has ended."""
        self._states = np.concatenate([self._states, self._ear.finish().hidden])
        return self._emit(frame_count(self._samples, self._fps))

    def _emit(self, until: int) -> np.ndarray:
        if until <= self._frame:
            return self._states[:0]
        at = (np.arange(self._frame, until) + 0.5) * (RATE_HZ / self._fps)
        low = np.floor(at + 1e-6).astype(int)
        share = np.maximum(at - low, 0).astype(np.float32)[:, None]
        last = self._first_state + len(self._states) - 1
        before, after = (self._states[np.minimum(k, last) - self._first_state] for k in (low, low + 1))
        self._frame = until
        stale = max(0, min(int(low[-1]) - self._first_state, len(self._states) - 1))
        self._states, self._first_state = self._states[stale:], self._first_state + stale
        return (before * (1 - share) + after * share).astype(np.float32)


def features_of(waveform: np.ndarray, name: EarName, fps: float, count: int) -> np.ndarray:
    """Features (count, A) of the frames of a whole voice (n,); the last row is held where the voice is too short."""
    frames = FrameFeatures(name, fps)
    rows = np.concatenate([frames.push(waveform), frames.finish()])
    return rows[np.minimum(np.arange(count), len(rows) - 1)]
