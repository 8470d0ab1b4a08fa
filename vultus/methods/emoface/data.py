"""What EmoFace learns from: utterances of the authors' data set, or synthetic speech acted on the rig.

The EmoFace layout (`data.readers.emoface`): `train/WAV/*.wav` with `train/VALID_CTR/*.txt`, rows of 174 numbers at
60 fps, and `validation/` alike; the first three letters of a name are its emotion.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vultus.audio.io import read_speech
from vultus.audio.sentences import SENTENCES
from vultus.core.controls import Emotion
from vultus.core.errors import InputError, MissingPartError
from vultus.core.timeline import Timeline
from vultus.core.types import SAMPLE_RATE, Speech
from vultus.data.clips import RawClip
from vultus.data.readers import emoface as layout
from vultus.data.spoken import held_out_voices, training_voices, utterance
from vultus.face.metahuman_files import read_curves
from vultus.methods.emoface.acting import act
from vultus.methods.emoface.config import EMOTIONS, FPS, DataConfig, NetConfig
from vultus.motion.learned_lips import LipWeights, shipped_lips
from vultus.perception.speech import SpeechEncoder, states_of
from vultus.perception.wav2vec2 import resampled_states

HELD_OUT_EVERY = 4
"""Every fourth sentence of each language, and all its words, is kept from training."""
CHANGING_SHARE, MIXED_SHARE = 0.35, 0.15
"""Shares of the synthetic utterances whose emotion changes on the way, and whose emotion is a mix of two."""
LEVELS = (1.0, 2.0, 2.0, 3.0)
RANDOM_BRANCH = 0.15


@dataclass(frozen=True)
class Utterance:
    """One sentence: `waveform` (n,), `controls` (T, 174) at 60 fps, `emotion` (T, 7), all float32.

    `states` (T, width) at 60 fps are those of an ear that is not trained along; None where it is.
    """

    name: str
    waveform: np.ndarray
    controls: np.ndarray
    emotion: np.ndarray
    states: np.ndarray | None = None


@dataclass(frozen=True)
class Material:
    """Utterances to learn from and to validate on."""

    train: list[Utterance]
    val: list[Utterance]


def material(net: NetConfig, data: DataConfig, folder: Path) -> Material:
    """All utterances of a source, the synthetic ones made anew (the same for the same seed).

    Raises InputError for a folder without utterances, MissingPartError without eSpeak NG or an ear that ships.
    """
    ear = None if net.ear == "wav2vec2" else Ear(net)
    if data.source == "emoface":
        return recorded(folder, ear)
    return Material(list(synthetic(data, False, ear)), list(synthetic(data, True, ear)))


def recorded(folder: Path, ear: Ear | None) -> Material:
    """The utterances of an EmoFace folder, in its own split or a seeded one. Raises InputError if there are none."""
    splits: dict[str, list[Utterance]] = {"train": [], "val": []}
    for clip in layout.clips(folder, 0):
        splits[clip.split].append(_recorded(clip, ear))
    if not splits["train"] or not splits["val"]:
        raise InputError("this folder holds no EmoFace utterances", folder, f"expected {layout.LAYOUT}")
    return Material(splits["train"], splits["val"])


def _recorded(clip: RawClip, ear: Ear | None) -> Utterance:
    assert clip.audio is not None and clip.curves is not None and clip.emotion is not None
    waveform = read_speech(clip.audio).waveform
    controls = read_curves(clip.curves)[: round(len(waveform) * FPS / SAMPLE_RATE)]
    return _heard(clip.name, waveform, controls, label_rows(clip.emotion, len(controls)), ear)


def label_rows(emotion: str, count: int) -> np.ndarray:
    """One label for all frames, (count, 7) float32."""
    return np.repeat(np.eye(len(EMOTIONS), dtype=np.float32)[[EMOTIONS.index(emotion)]], count, axis=0)


def synthetic(data: DataConfig, held_out: bool, ear: Ear | None) -> Iterator[Utterance]:
    """Synthetic utterances, acted: `speech_s` seconds of training voices, or `held_out` of unseen voices and sentences.

    Held-out utterances have one label each, in turn, at the level of the label.
    """
    rng = np.random.default_rng([data.seed, int(held_out)])
    done_s, number, tries = 0.0, 0, 0
    voices = [name for names in held_out_voices().values() for name in names] if held_out else None
    while number < data.held_out if held_out else done_s < data.speech_s:
        voice = voices[tries % len(voices)] if voices else _training_voice(rng)
        tries += 1
        try:
            speech = utterance(voice, rng, varied=not held_out, say=_unseen_text if held_out else _seen_text)
        except InputError:
            continue  # a few timbres have no sound for a few languages
        mood = _label(EMOTIONS[number % len(EMOTIONS)]) if held_out else random_mood(speech.duration_s, rng)
        yield acted_utterance(f"{voice} {number}", speech, mood, int(rng.integers(2**31)), data.lip_teacher, ear)
        done_s, number = done_s + speech.duration_s, number + 1


def acted_utterance(
    name: str, speech: Speech, mood: Timeline[Emotion], seed: int, lip_teacher: float, ear: Ear | None
) -> Utterance:
    """A voice with known phones, acted (`methods.emoface.acting`)."""
    acted = act(speech, mood, seed, lip_teacher)
    return _heard(name, speech.waveform, acted.controls, acted.emotion, ear)


def random_mood(duration_s: float, rng: np.random.Generator) -> Timeline[Emotion]:
    """One emotion for a whole utterance, or one that changes on the way; now and then a mix."""
    keys = [(0.0, _random_emotion(rng))]
    if rng.random() < CHANGING_SHARE and duration_s > 2:
        keys.append((float(rng.uniform(0.8, duration_s - 0.8)), _random_emotion(rng)))
    return Timeline(tuple(keys))


class Ear:
    """The speech encoder that ships, its far tower, on whole voices; for the ablation one with random weights."""

    def __init__(self, net: NetConfig) -> None:
        """Raises MissingPartError where no encoder is installed."""
        weights = shipped_ear()
        self._config = weights.config
        self._tensors = weights.tensors if net.initialised else _random_like(weights)
        self.sha8 = weights.card.sha256[:8]

    def __call__(self, waveform: np.ndarray, count: int) -> np.ndarray:
        """States (count, width) float32 at 60 fps."""
        states = states_of(SpeechEncoder(self._tensors, self._config, far=True), waveform)
        return resampled_states(states.hidden, FPS, count)


def shipped_ear() -> LipWeights:
    """The speech encoder that ships. Raises MissingPartError where it was left out."""
    weights = shipped_lips()
    if weights is None:
        raise MissingPartError("no speech encoder is installed", "vultus/assets/lips-*", "install vultus anew")
    return weights


def _random_like(weights: LipWeights) -> dict[str, np.ndarray]:
    """The tensors of an encoder that has learned nothing but what level a voice has: He's initialisation.

    Residual branches start small, so that states come out about as large as those of the encoder that has learned.
    """
    rng = np.random.default_rng(0)
    tensors = dict(weights.tensors)
    for name, tensor in tensors.items():
        if name.endswith(".weight"):
            spread = (RANDOM_BRANCH if ".block" in name else 1) * np.sqrt(2 / np.prod(tensor.shape[1:]))
            tensors[name] = (spread * rng.standard_normal(tensor.shape)).astype(np.float32)
        elif name.endswith(".bias"):
            tensors[name] = np.zeros_like(tensor)
    return tensors


def levelled(waveform: np.ndarray) -> np.ndarray:
    """A waveform (n,) of zero mean and unit variance, as wav2vec2 wants it."""
    centred = (waveform - waveform.mean()) / np.sqrt(waveform.var() + 1e-7)
    return centred.astype(np.float32)


def _heard(name: str, waveform: np.ndarray, controls: np.ndarray, emotion: np.ndarray, ear: Ear | None) -> Utterance:
    states = None if ear is None else ear(waveform, len(controls))
    return Utterance(name, waveform[: round(len(controls) / FPS * SAMPLE_RATE) + 1], controls, emotion, states)


def _training_voice(rng: np.random.Generator) -> str:
    espeak, flite = training_voices()
    return str(rng.choice(espeak if rng.random() < 0.5 else flite))


def _label(emotion: str) -> Timeline[Emotion]:
    return Timeline.constant(Emotion(((emotion, 1.0),), 2.0))


def _random_emotion(rng: np.random.Generator) -> Emotion:
    one, other = (str(name) for name in rng.choice(EMOTIONS, 2, replace=False))
    share = float(rng.uniform(0.3, 0.7))
    mix = ((one, share), (other, 1 - share)) if rng.random() < MIXED_SHARE else ((one, 1.0),)
    return Emotion(mix, float(rng.choice(LEVELS)))


def _seen_text(voice: str, rng: np.random.Generator) -> str:
    return _text(voice, rng, held_out=False)


def _unseen_text(voice: str, rng: np.random.Generator) -> str:
    return _text(voice, rng, held_out=True)


def _text(voice: str, rng: np.random.Generator, held_out: bool) -> str:
    """A sentence of one share of a language's, or words from them in any order."""
    share = [text for k, text in enumerate(SENTENCES[voice]) if (k % HELD_OUT_EVERY == 0) == held_out]
    if held_out or rng.random() < 0.5:
        return str(rng.choice(share))
    words = [word.strip(".,?!、。।") for text in share for word in text.split()]
    return " ".join(rng.choice(words, size=int(rng.integers(5, 13)))) + "."
