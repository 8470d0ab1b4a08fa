"""What is being said, 50 times a second: hidden states and phone posteriors of a voice, in any language.

`SpeechEncoder` is our own small network, in numpy, and streams; `perception.wav2vec2` has the papers' encoder behind
the same interface.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np

from vultus.audio.features import BANDS, FRAME_RATE_HZ, HOP, SPREAD_FLOOR, LogMel, RunningNorm
from vultus.core.types import SAMPLE_RATE
from vultus.perception.phone_gmm import PhoneGmm

RATE_HZ = 50
"""Hidden states a second; state k is of the moment k / 50 s."""
_BLOCK_SAMPLES = 8 * SAMPLE_RATE
"""Longer pieces are taken apart, so that memory does not grow with them."""


@dataclass(frozen=True)
class SpeechStates:
    """`hidden` (n, width) float32 and, where the encoder names sounds, `posteriors` (n, symbols) that add up to 1.

    `prominence` (n,), where it is known: 0-1, how much a moment stands out from the background
    (`audio.features.RunningNorm.centre`).
    """

    hidden: np.ndarray
    posteriors: np.ndarray | None = None
    prominence: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.hidden)

    @staticmethod
    def concatenate(parts: list[SpeechStates]) -> SpeechStates:
        """All states, in order."""
        parts = [part for part in parts if len(part)] or parts[:1]

        def joined(values: list[np.ndarray | None]) -> np.ndarray | None:
            known = [value for value in values if value is not None]
            return np.concatenate(known) if len(known) == len(values) else None

        return SpeechStates(
            np.concatenate([part.hidden for part in parts]),
            joined([part.posteriors for part in parts]),
            joined([part.prominence for part in parts]),
        )


class Listener(Protocol):
    """A speech encoder that is given one voice: all states together number `state_count(samples)`."""

    @property
    def lookahead_s(self) -> float:
        """A state is out at the latest when this much of the voice past its time has been pushed."""
        ...

    def push(self, samples: np.ndarray) -> SpeechStates:
        """Take (n,) samples, mono, 16 kHz in [-1, 1]; return the states that became final."""
        ...

    def finish(self) -> SpeechStates:
        """The remaining states; the voice has ended."""
        ...


def state_count(samples: int) -> int:
    """States that a voice of so many samples has: one every 20 ms from its start on, and one past its end."""
    return -(-samples * RATE_HZ // SAMPLE_RATE) + 1


def states_of(listener: Listener, waveform: np.ndarray) -> SpeechStates:
    """All states of a whole voice (n,)."""
    return SpeechStates.concatenate([listener.push(waveform), listener.finish()])


@dataclass(frozen=True)
class TowerConfig:
    """Residual blocks of a tower: their dilations, and how many hidden frames of future each sees."""

    dilations: tuple[int, ...]
    ahead: tuple[int, ...]


@dataclass(frozen=True)
class SpeechNetConfig:
    """Sizes of our network (`perception.speech_net`)."""

    width: int = 128
    kernel: int = 5
    near: TowerConfig = TowerConfig((1, 2, 4, 8, 1, 2), (1, 2, 0, 0, 1, 0))
    far: TowerConfig = TowerConfig((4, 8, 2), (8, 16, 4))
    mel_ahead: int = 1
    """Log-mel frames of future that the first convolution sees."""
    symbols: int = 40
    components: int = 11
    dropout: float = 0.1
    mel_dropout: float = 0.3
    """Share of the voices that are heard through phone classes alone in training."""

    def lookahead_s(self, far: bool) -> float:
        """Voice past a hidden state's time that it depends on: .1 s of the near tower as shipped, .66 s of the far."""
        states = sum(self.near.ahead) + (sum(self.far.ahead) if far else 0)
        return states / RATE_HZ + (1 + self.mel_ahead) / FRAME_RATE_HZ

    @staticmethod
    def of(config: Mapping[str, Any]) -> SpeechNetConfig:
        """From the plain values that a card keeps."""
        plain = {f.name: config[f.name] for f in fields(SpeechNetConfig) if f.name in config}
        for tower in ("near", "far"):
            plain[tower] = TowerConfig(tuple(plain[tower]["dilations"]), tuple(plain[tower]["ahead"]))
        return SpeechNetConfig(**plain)


class SpeechEncoder:
    """Our network on one voice: its near tower, or the `far` one. Tensors: `SpeechNet.exported`.

    What comes out does not depend on how the samples are cut into chunks. After its end the voice is taken to be
    followed by silence.
    """

    def __init__(self, tensors: Mapping[str, np.ndarray], config: SpeechNetConfig, far: bool = False) -> None:
        self._mel = LogMel()
        self._norm = RunningNorm(tensors["mel_mean"], float(tensors["mel_spread"][0]))
        self._first = _Convolution(tensors, "first", config, 1, config.mel_ahead, BANDS)
        self._gmm = PhoneGmm(tensors)
        self._sounds = tensors["sounds.weight"].T
        towers = {"near": config.near, "far": config.far} if far else {"near": config.near}
        self._blocks = [
            _Convolution(tensors, f"{name}.block{i}", config, dilation, ahead, config.width)
            for name, tower in towers.items()
            for i, (dilation, ahead) in enumerate(zip(tower.dilations, tower.ahead, strict=True))
        ]
        top = list(towers)[-1]
        self._phones = tensors[f"{top}.phones.weight"].T, tensors[f"{top}.phones.bias"]
        self._lookahead_s = config.lookahead_s(far)
        self._prominence = np.zeros(0)  # of the frames whose states are to come
        self._samples = self._states = 0

    @property
    def lookahead_s(self) -> float:
        """See `Listener`."""
        return self._lookahead_s

    def push(self, samples: np.ndarray) -> SpeechStates:
        """See `Listener.push`."""
        self._samples += len(samples)
        return self._listen(samples)

    def finish(self) -> SpeechStates:
        """See `Listener.finish`."""
        missing = state_count(self._samples) - self._states
        silence = np.zeros(round(self.lookahead_s * SAMPLE_RATE) + 4 * HOP, np.float32)
        rest = self._listen(silence)
        assert rest.posteriors is not None and rest.prominence is not None
        return SpeechStates(rest.hidden[:missing], rest.posteriors[:missing], rest.prominence[:missing])

    def _listen(self, samples: np.ndarray) -> SpeechStates:
        parts = [self._hear(samples[:0])] if len(samples) == 0 else [self._hear(b) for b in _blocks(samples)]
        states = SpeechStates.concatenate(parts)
        self._states += len(states)
        return states

    def _hear(self, samples: np.ndarray) -> SpeechStates:
        centred, spread, prominence = self._norm.centre(self._mel.push(samples))
        x = self._first.push((centred / (spread + SPREAD_FLOOR)).astype(np.float32))
        x += self._gmm.push(centred) @ self._sounds
        for block in self._blocks:
            x = block.push(x)
        weight, bias = self._phones
        logits = x @ weight + bias
        likely = np.exp(logits - logits.max(1, keepdims=True, initial=-np.inf))
        prominence = np.concatenate([self._prominence, prominence])
        self._prominence = prominence[2 * len(x) :]
        return SpeechStates(x, likely / likely.sum(1, keepdims=True), prominence[: 2 * len(x)].reshape(-1, 2).mean(1))


def _blocks(samples: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(samples), _BLOCK_SAMPLES):
        yield samples[start : start + _BLOCK_SAMPLES]


class _Convolution:
    """One layer on a stream: relu(conv), the first with stride 2, the others added to their input."""

    def __init__(
        self,
        tensors: Mapping[str, np.ndarray],
        name: str,
        config: SpeechNetConfig,
        dilation: int,
        ahead: int,
        bands: int,
    ) -> None:
        weight = tensors[f"{name}.weight"]  # (out, in, kernel)
        self._taps = np.ascontiguousarray(np.transpose(weight, (2, 1, 0)), np.float32)
        self._bias = tensors[f"{name}.bias"].astype(np.float32)
        self._dilation = dilation
        self._strided = name == "first"
        self._behind = (config.kernel - 1) * dilation - ahead
        self._past = np.zeros((self._behind, bands), np.float32)

    def push(self, frames: np.ndarray) -> np.ndarray:
        """Take (n, in); return the (m, out) whose future is known."""
        past = np.concatenate([self._past, frames])
        stride = 2 if self._strided else 1
        reach = (len(self._taps) - 1) * self._dilation
        count = max(0, (len(past) - reach + stride - 1) // stride)
        out = np.tile(self._bias, (count, 1))
        if count:
            end = (count - 1) * stride + 1
            for k, tap in enumerate(self._taps):
                out += past[k * self._dilation : k * self._dilation + end : stride] @ tap
            np.maximum(out, 0, out=out)
            if not self._strided:
                out += past[self._behind : self._behind + count]
        self._past = past[count * stride :]
        return out
