"""Lips learned from talking people: a speech encoder and, on its hidden states, eleven lip and jaw components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from vultus.audio.phones import SILENCE
from vultus.core.bases import ARKIT52
from vultus.core.errors import InputError
from vultus.core.weights import Card, load_arrays
from vultus.motion.components import COMPONENTS, basis
from vultus.motion.lips import LipMotion, PhoneLips, frame_count
from vultus.motion.noise import soft_limit
from vultus.motion.visemes import CLOSING, SYMBOLS, TUCKING
from vultus.perception.speech import RATE_HZ, SpeechEncoder, SpeechNetConfig, SpeechStates

ASSETS = Path(__file__).parent.parent / "assets"
_AT = {name: column for column, name in enumerate(COMPONENTS)}
_SILENCE = SYMBOLS.index(SILENCE)
_CLOSING, _TUCKING = ([SYMBOLS.index(phone) for phone in sorted(phones)] for phones in (CLOSING, TUCKING))
"""Columns among the encoder's symbols."""


@dataclass(frozen=True)
class LipWeights:
    """Tensors of `perception.speech.SpeechEncoder` and of the lips on it, and what they are."""

    tensors: Mapping[str, np.ndarray]
    config: SpeechNetConfig
    card: Card


def load_lips(folder: str | Path) -> LipWeights:
    """Trained lips from a folder of weights. Raises InputError for anything else."""
    tensors, card = load_arrays(folder)
    if not {"near", "far"} <= card.config.keys() or "gmm.forms" not in tensors:
        raise InputError("these weights are not of lips as this version makes them", folder, "train them anew")
    return LipWeights(tensors, SpeechNetConfig.of(card.config), card)


@lru_cache(maxsize=1)
def shipped_lips() -> LipWeights | None:
    """The lips that come with vultus, or None where they were left out."""
    folders = sorted(ASSETS.glob("lips-*/"))
    return load_lips(folders[-1]) if folders else None


def default_lips(fps: float, live: bool = False) -> LipMotion:
    """The lips of a voice alone: learned where the weights are installed, from recognised phones otherwise."""
    weights = shipped_lips()
    return PhoneLips(fps) if weights is None else LearnedLips(fps, weights, live)


class LearnedLips:
    """Lips from a trained encoder (`motion.lips.LipMotion`): any language, `live` 120 ms behind the voice.

    Where nobody waits, lips that listen .98 s ahead are better. In short pauses they stay as people's do, a little
    apart; after a phrase they come to rest. Music and noise, which the encoder takes for silence, do not move them.
    """

    GAIN = 1.35
    """Least squares makes timid lips: their motion is enlarged to that of people."""
    FREE, LIMIT = 0.35, 0.65
    """Weights beyond the first bend softly towards the second: a voice unlike those learned from must not shout."""
    LINGER_S, SETTLE_S = 0.3, 0.9
    """So long after a voice the lips begin to close, and are at rest."""
    VOICE = 0.4
    """Probability of any sound but silence above which somebody speaks, on the mean around a moment: clicks and single
    notes do not make a voice."""
    BEFORE, AFTER = 3, 15
    """States that this mean reaches back, and ahead where nobody waits."""
    VOICE_SHARE, SHARE_S, SHARE_PRIOR = 0.45, 3.0, 0.5
    """Of what stood out in the last seconds so much must have been a voice, with half a silent state to begin with: now
    and then music sounds like a syllable, but in between it stands out where speech would pause."""
    CONTACT = (0.3, 0.8)
    """Probability of B, P and M (of F and V) from which lips begin to meet, and at which they do."""
    CALM = 2.0
    """Standard deviation, in states, of the Gaussian that calms lips where nobody waits: unsmoothed they move a quarter
    faster than people's (`docs/lips.md`). Contacts stay as quick as they are."""
    WAKE_S = 0.04
    """Time constant with which resting lips come alive."""

    def __init__(self, fps: float, weights: LipWeights, live: bool = False) -> None:
        self.fps = fps
        self._encoder = SpeechEncoder(weights.tensors, weights.config, far=not live)
        tower = "near" if live else "far"
        self._head = weights.tensors[f"{tower}.lips.weight"].T, weights.tensors[f"{tower}.lips.bias"]
        self._after = 0 if live else self.AFTER
        self._calm = np.ones(1) if live else _gaussian(self.CALM)
        self._restless = np.zeros((0, len(COMPONENTS)), np.float32)  # states still to be calmed, and some before them
        self._posteriors = np.zeros((0, len(SYMBOLS)), np.float32)  # of the states to be calmed
        self._undecided = np.zeros((0, len(COMPONENTS)), np.float32)
        self._voice = np.zeros(self.BEFORE)  # of the undecided states and of those just before them
        self._shares = np.zeros(self.BEFORE)  # likewise, the share of voice in what stood out until then
        self._voiced, self._prominent = np.zeros(1), np.full(1, self.SHARE_PRIOR)
        self._components = np.zeros((0, len(COMPONENTS)), np.float32)
        self._first_state = 0  # index of _components[0]
        self._since_voice = 10**6  # states since somebody spoke
        self._awake = np.zeros(1)
        self._frame = self._samples = 0

    @property
    def lookahead_s(self) -> float:
        """See `LipMotion`: the encoder's, what it takes to be sure of a voice, and one state to interpolate to."""
        return self._encoder.lookahead_s + (self._after + 1) / RATE_HZ

    def push(self, samples: np.ndarray) -> np.ndarray:
        """See `LipMotion.push`."""
        self._samples += len(samples)
        self._take(self._encoder.push(np.asarray(samples, np.float32)))
        known = self._first_state + len(self._components)
        return self._emit(int(np.floor(((known - 1) / RATE_HZ) * self.fps - 0.5 + 1e-6)) + 1)

    def finish(self) -> np.ndarray:
        """See `LipMotion.finish`."""
        self._take(self._encoder.finish(), last=True)
        self._decide(np.zeros(self._after), np.zeros(self._after))
        return self._emit(frame_count(self._samples, self.fps))

    def _take(self, states: SpeechStates, last: bool = False) -> None:
        weight, bias = self._head
        assert states.posteriors is not None and states.prominence is not None
        components = self.GAIN * np.maximum(states.hidden @ weight + bias, 0)
        self._undecided = np.concatenate([self._undecided, self._calmed(components, states.posteriors, last)])
        self._decide(1 - states.posteriors[:, _SILENCE], states.prominence)

    def _calmed(self, components: np.ndarray, posteriors: np.ndarray, last: bool) -> np.ndarray:
        """Further components (n, C) smoothed and, by their posteriors, brought to contact; some states later."""
        reach = len(self._calm) // 2
        if len(components):
            first = np.repeat(components[:1], 0 if len(self._restless) else reach, 0)
            self._restless = np.concatenate([self._restless, first, components])
        if last:
            self._restless = np.concatenate([self._restless, np.repeat(self._restless[-1:], reach, 0)])
        self._posteriors = np.concatenate([self._posteriors, posteriors])
        count = max(0, len(self._restless) - 2 * reach)
        pieces = [self._calm[k] * self._restless[k : k + count] for k in range(len(self._calm))]
        calm = np.sum(pieces, 0, dtype=np.float32)
        self._meet(calm, self._posteriors[:count])
        self._restless, self._posteriors = self._restless[count:], self._posteriors[count:]
        return calm

    def _meet(self, components: np.ndarray, posteriors: np.ndarray) -> None:
        """Shut lips (n, C) where the encoder is sure of B, P or M, and bring the lower one to the teeth for F and V.

        Least squares leaves a slit where a closure is likely; a viewer forgives no open M.
        """
        unsure, sure = self.CONTACT
        shut, tucked = (
            np.clip((posteriors[:, columns].sum(1) - unsure) / (sure - unsure), 0, 1)
            for columns in (_CLOSING, _TUCKING)
        )
        for name in ("lower_down", "upper_up", "funnel"):
            components[:, _AT[name]] *= (1 - shut) * (1 - 0.5 * tucked)
        jaw, close, press, tuck = (components[:, _AT[name]] for name in ("jaw", "close", "press", "tuck"))
        jaw *= (1 - 0.45 * shut) * (1 - 0.4 * tucked)
        np.maximum(close, shut * jaw, out=close)
        np.maximum(press, 0.2 * shut, out=press)
        np.maximum(tuck, 0.5 * tucked, out=tuck)

    def _decide(self, voice: np.ndarray, prominence: np.ndarray) -> None:
        """Take the probability of a voice (n,) in further states; close the lips of those where nobody speaks."""
        self._voice = np.concatenate([self._voice, voice])
        self._shares = np.concatenate([self._shares, self._voice_share(voice, prominence)])
        window = self.BEFORE + 1 + self._after
        count = len(self._voice) - window + 1
        if count <= 0:
            return
        around = np.convolve(self._voice, np.full(window, 1 / window), "valid")
        speaks = (around > self.VOICE) & (self._shares[window - 1 :] > self.VOICE_SHARE)
        decided = self._undecided[:count] * self._alive(speaks)[:, None]
        self._components = np.concatenate([self._components, decided])
        self._undecided = self._undecided[count:]
        self._voice, self._shares = self._voice[count:], self._shares[count:]

    def _voice_share(self, voice: np.ndarray, prominence: np.ndarray) -> np.ndarray:
        """Running share (n,) of the voice in what stands out."""
        if len(voice) == 0:
            return voice
        keep = float(np.exp(-1 / (RATE_HZ * self.SHARE_S)))
        voiced, self._voiced = lfilter([1.0], [1.0, -keep], voice * prominence, zi=self._voiced)
        prominent, self._prominent = lfilter([1.0], [1.0, -keep], prominence, zi=self._prominent)
        return voiced / prominent

    def _alive(self, speaks: np.ndarray) -> np.ndarray:
        """How far the lips are from rest (n,), 0-1, by whether somebody speaks (n,)."""
        at = np.arange(len(speaks))
        last = np.maximum.accumulate(np.where(speaks, at, -1 - self._since_voice))
        self._since_voice = int(at[-1] - last[-1])
        past = ((at - last) / RATE_HZ - self.LINGER_S) / (self.SETTLE_S - self.LINGER_S)
        share = np.clip(past, 0, 1)
        target = 1 - share * share * (3 - 2 * share)
        keep = float(np.exp(-1 / (RATE_HZ * self.WAKE_S)))
        alive, self._awake = lfilter([1 - keep], [1, -keep], target, zi=self._awake)
        return alive.astype(np.float32)

    def _emit(self, until: int) -> np.ndarray:
        if until <= self._frame:
            return np.zeros((0, len(ARKIT52)), np.float32)
        state = (np.arange(self._frame, until) + 0.5) * (RATE_HZ / self.fps)
        low = np.floor(state + 1e-6).astype(int)
        share = np.maximum(state - low, 0).astype(np.float32)[:, None]
        last = self._first_state + len(self._components) - 1
        before = self._components[np.minimum(low, last) - self._first_state]
        after = self._components[np.minimum(low + 1, last) - self._first_state]
        shape = before * (1 - share) + after * share
        shape[:, _AT["close"]] = np.minimum(shape[:, _AT["close"]], shape[:, _AT["jaw"]])
        self._frame = until
        self._forget(int(low[-1]))
        weights = soft_limit(np.maximum(shape @ basis(), 0), self.FREE, self.LIMIT)
        return weights.astype(np.float32)

    def _forget(self, state: int) -> None:
        stale = max(0, min(state - self._first_state, len(self._components) - 1))
        self._components = self._components[stale:]
        self._first_state += stale


def _gaussian(deviation: float) -> np.ndarray:
    """Weights of an odd number of states, two standard deviations to both sides."""
    reach = int(2 * deviation)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    return weights / weights.sum()
