"""Synthetic voices that act: pitch, melody, pace, timbre, loudness and pauses as voices do in emotion.

Directions are those on which studies agree (Banse and Scherer 1996; Juslin and Laukka 2003, table 7; Scherer 2003,
table 1); sizes are ours, drawn anew for every utterance. A speaker's own habits are drawn first, so that nothing is
told by how high or lively a voice is alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from vultus.audio.espeak import Espeak, open_espeak
from vultus.audio.sentences import random_text
from vultus.core.errors import InputError, MissingPartError, with_extra
from vultus.core.types import SAMPLE_RATE
from vultus.data.spoken import training_voices


@dataclass(frozen=True)
class Manner:
    """How a voice departs from its speaker's normal one at full strength."""

    pitch_st: float = 0.0
    melody: float = 1.0
    """Factor on how far the pitch moves."""
    rate: float = 1.0
    tilt_db_octave: float = 0.0
    """Brighter (pressed) or darker (lax)."""
    accent: float = 0.0
    """Loud parts made louder still, soft ones softer: power of the envelope, 0 as it is."""
    tremor: float = 0.0
    """Depth of shaking, 0-1."""
    breath: float = 0.0
    """Noise beside the voice, 0-1."""
    pauses: float = 0.0
    """Pauses put in, a second of speech."""

    def at(self, strength: float) -> Manner:
        """Weaker or stronger; factors by powers."""
        scaled = {
            f.name: value**strength if f.default == 1.0 else value * strength
            for f in fields(self)
            for value in (getattr(self, f.name),)
        }
        return Manner(**scaled)


MANNERS: Mapping[str, tuple[Manner, ...]] = {
    "neutral": (Manner(),),
    "angry": (
        Manner(3.0, 1.6, 1.15, 3.0, 0.35), Manner(5.5, 1.9, 1.2, 3.5, 0.45), Manner(0.0, 1.1, 0.92, 2.5, 0.55),
    ),
    "contempt": (Manner(-2.0, 0.85, 0.8, 0.5, 0.3, pauses=0.15), Manner(-1.0, 1.2, 0.78, -0.5, 0.25, pauses=0.1)),
    "disgusted": (
        Manner(-2.5, 1.15, 0.74, -0.8, 0.1, breath=0.25, pauses=0.3), Manner(-1.0, 0.9, 0.7, 1.0, 0.2, pauses=0.35),
    ),
    "fear": (Manner(4.5, 0.75, 1.25, 1.2, -0.1, 0.5, 0.2), Manner(6.0, 1.1, 1.4, 1.8, 0.0, 0.6, 0.1, 0.2)),
    "happy": (Manner(3.5, 1.75, 1.08, 1.2, 0.1), Manner(2.5, 1.5, 1.15, 0.8, 0.05)),
    "sad": (Manner(-2.5, 0.5, 0.75, -2.8, -0.25, 0.1, 0.25, 0.3), Manner(-1.0, 0.4, 0.68, -2.2, -0.3, 0.35, 0.3, 0.4)),
    "surprised": (Manner(6.5, 2.0, 0.98, 0.8, 0.1), Manner(5.0, 2.2, 1.1, 1.0, 0.15, 0.0, 0.15)),
}  # fmt: skip
"""Variants of each emotion; one is drawn."""

STRENGTH_AT_LEVEL = (0.0, 0.5, 0.8, 1.1)
_LEAST_S, _MOST_S = 1.6, 6.0
_TRIES = 20


@dataclass(frozen=True)
class Speaker:
    """A voice and its habits."""

    voice: str
    rate: float
    pitch: float
    melody: float
    tilt_db_octave: float
    level_db: float


def random_speaker(rng: np.random.Generator) -> Speaker:
    """Somebody, monotonous or lively. Raises MissingPartError without eSpeak NG."""
    voices, _ = training_voices()
    return Speaker(
        str(voices[rng.integers(len(voices))]), rng.uniform(0.8, 1.15), 2 ** rng.uniform(-0.25, 0.25),
        rng.uniform(0.6, 1.3), rng.normal(0, 1.5), rng.uniform(12, 45),
    )  # fmt: skip


def acted(speaker: Speaker, emotion: str, level: float, rng: np.random.Generator) -> np.ndarray:
    """An utterance (n,) float32 at 16 kHz in an emotion at a level 0-3. Raises InputError for a voice without sound."""
    variants = MANNERS[emotion]
    strength = float(np.interp(level, range(4), STRENGTH_AT_LEVEL)) * rng.uniform(0.75, 1.25)
    manner = variants[rng.integers(len(variants))].at(strength)
    voice = _said(speaker, manner, rng)
    voice = _paused(voice, manner.pauses, rng)
    voice = _tilted(voice, speaker.tilt_db_octave + manner.tilt_db_octave)
    voice = _accented(voice, manner.accent)
    voice = _shaken(voice, manner.tremor, rng)
    noise = rng.standard_normal(len(voice))
    envelope = _envelope(voice)
    voice = voice + 0.5 * manner.breath * envelope * noise
    loud = np.sqrt(np.mean(np.square(voice)))
    voice = voice + loud * 10 ** (-speaker.level_db / 20) * rng.standard_normal(len(voice))
    return (0.1 * voice / max(loud, 1e-9)).astype(np.float32)


def _said(speaker: Speaker, manner: Manner, rng: np.random.Generator) -> np.ndarray:
    """The words, at 16 kHz."""
    espeak = open_espeak()
    if espeak is None:
        raise MissingPartError("eSpeak NG is not installed", "training", with_extra("tts"))
    language, _, variant = speaker.voice.partition("+")
    pitch = speaker.pitch * 2 ** (manner.pitch_st / 12)
    rate = float(np.clip(speaker.rate * manner.rate, 0.5, 2.0))
    melody = float(np.clip(speaker.melody * manner.melody, 0.1, 2.0))
    parts: list[np.ndarray] = []
    for _ in range(_TRIES):
        parts.append(_one(espeak, random_text(language, rng), language, variant, rate, pitch, melody))
        if sum(map(len, parts)) > _LEAST_S * SAMPLE_RATE:
            return np.concatenate(parts)[: round(_MOST_S * SAMPLE_RATE)]
    raise InputError("this voice has no sound", speaker.voice, "choose another")


def _one(
    espeak: Espeak, text: str, language: str, variant: str, rate: float, pitch: float, melody: float
) -> np.ndarray:
    """A text at 16 kHz; pitch beyond eSpeak's octave up is had by playing faster, in words said slower."""
    from scipy.signal import resample_poly

    inside = float(np.clip(pitch, 0.55, 1.9))
    samples, _ = espeak.speak(text, language.lower(), variant, rate * inside / pitch, inside, melody)
    rate_hz = espeak.sample_rate * pitch / inside
    return resample_poly(samples, 160, max(1, round(rate_hz / 100))) if len(samples) else np.zeros(0)


def _paused(voice: np.ndarray, per_s: float, rng: np.random.Generator) -> np.ndarray:
    """With pauses of .2-.7 s put in where it is softest."""
    count = rng.poisson(per_s * len(voice) / SAMPLE_RATE)
    envelope = _envelope(voice)
    for _ in range(count):
        middle = int(rng.uniform(0.15, 0.85) * len(envelope))
        near = slice(max(0, middle - 4000), middle + 4000)
        cut = near.start + int(envelope[near].argmin())
        silence = np.zeros(int(rng.uniform(0.2, 0.7) * SAMPLE_RATE))
        voice = np.concatenate([voice[:cut], silence, voice[cut:]])
        envelope = np.concatenate([envelope[:cut], silence + envelope.max(), envelope[cut:]])
    return voice


def _tilted(voice: np.ndarray, db_octave: float) -> np.ndarray:
    """Brighter or darker by so much an octave from 300 Hz on."""
    spectrum = np.fft.rfft(voice)
    octaves = np.log2(np.clip(np.fft.rfftfreq(len(voice), 1 / SAMPLE_RATE), 300, 6000) / 300)
    return np.fft.irfft(spectrum * 10 ** (db_octave * octaves / 20), len(voice))


def _accented(voice: np.ndarray, power: float) -> np.ndarray:
    envelope = _envelope(voice)
    return voice * (np.maximum(envelope, 0.03 * envelope.max()) / max(envelope.max(), 1e-9)) ** power


def _shaken(voice: np.ndarray, depth: float, rng: np.random.Generator) -> np.ndarray:
    """With a tremor of 5-9 Hz in loudness, and in pitch by playing on unevenly."""
    time_s = np.arange(len(voice)) / SAMPLE_RATE
    rate_hz = rng.uniform(5, 9) * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * time_s))
    wave = np.sin(2 * np.pi * np.cumsum(rate_hz) / SAMPLE_RATE + rng.uniform(0, 6))
    moved = np.arange(len(voice)) + depth * 12 * wave
    return np.interp(moved, np.arange(len(voice)), voice) * (1 + 0.45 * depth * wave)


def _envelope(voice: np.ndarray) -> np.ndarray:
    """(n,) loudness over 30 ms."""
    from scipy.ndimage import uniform_filter1d

    return np.sqrt(np.maximum(uniform_filter1d(np.square(voice), 480, mode="nearest"), 0))
