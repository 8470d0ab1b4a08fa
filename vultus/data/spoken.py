"""Synthetic speech with exact phones, in many voices and languages, and sounds that are no speech at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.signal import lfilter

from vultus.audio.phones import SILENCE
from vultus.audio.sentences import SENTENCES, random_text
from vultus.audio.tts import synthesise, variants, voices
from vultus.core.errors import InputError, MissingPartError
from vultus.core.types import SAMPLE_RATE, Phone, Speech

HELD_OUT_VARIANTS = frozenset({"f4", "m5", "anika", "klatt", "travis"})
HELD_OUT_VOICES = frozenset({"flite-awb"})
HELD_OUT_LANGUAGES = frozenset({"sv"})
"""Voices and languages that no network hears in training; they measure it."""

_NO_TIMBRES = ("croak", "whisper", "robo", "Robo", "UniRobot", "fast", "Demonic", "Tweaky", "Storm")
"""Beginnings of the names of eSpeak NG's variants that are jokes, or not voiced."""
_ESPEAK_SHARE = 0.55
_LANGUAGE_WEIGHTS = {"en-us": 4, "en-gb-x-rp": 3, "fr": 4, "es": 3, "de": 3}
"""How often a language is spoken; 1 otherwise. flite's voices are English."""
_PAUSE_S = (0.05, 0.9)
_RATES, _PITCHES = (0.75, 1.4), (0.86, 1.2)


def training_voices() -> tuple[list[str], list[str]]:
    """Voices for `synthesise`: those of eSpeak NG, in all their timbres, and those of flite, without the held out.

    A voice stands there the more often, the more of its language is wanted. Raises MissingPartError where eSpeak NG is
    not installed.
    """
    names = [v.name for v in voices()]
    timbres = [v for v in variants() if v not in HELD_OUT_VARIANTS and not v.startswith(_NO_TIMBRES)]
    languages = [name for name in SENTENCES if name in names and name not in HELD_OUT_LANGUAGES]
    if not languages:
        raise MissingPartError("eSpeak NG is not installed", "training", "run: pip install 'vultus[tts]'")
    espeak = [f"{c}+{t}" for c in languages for t in timbres for _ in range(_LANGUAGE_WEIGHTS.get(c, 1))]
    flite = [name for name in names if name.startswith("flite-") and name not in HELD_OUT_VOICES]
    return espeak, flite or espeak


def held_out_voices() -> dict[str, list[str]]:
    """Unseen voices by what is unseen about them."""
    names = {v.name for v in voices()}
    unseen = sorted(HELD_OUT_VARIANTS & set(variants()))
    found = {
        "unseen timbres, English": [f"en-us+{timbre}" for timbre in unseen],
        "unseen timbres, other languages": [f"{c}+{t}" for c in ("fr", "es", "de", "ru") for t in unseen[:2]],
        "an unseen language, Swedish": sorted(HELD_OUT_LANGUAGES & names),
        "an unseen engine's voice, flite awb": sorted(HELD_OUT_VOICES & names),
    }
    return {what: those for what, those in found.items() if those}


def training_speech(total_s: float, seed: int) -> Iterator[Speech]:
    """Utterances of the training voices at many rates and pitches, `total_s` seconds together."""
    rng = np.random.default_rng(seed)
    espeak, flite = training_voices()
    done_s = 0.0
    while done_s < total_s:
        voice = str(rng.choice(espeak if rng.random() < _ESPEAK_SHARE else flite))
        try:
            speech = utterance(voice, rng)
        except InputError:
            continue  # a few timbres have no sound for a few languages
        done_s += speech.duration_s
        yield speech


def utterance(voice: str, rng: np.random.Generator, varied: bool = True) -> Speech:
    """One or two texts in the voice's language with pauses around them; `varied` in rate and pitch."""
    language = "en-us" if voice.startswith("flite-") else voice.partition("+")[0]
    rate, pitch = (rng.uniform(*_RATES), rng.uniform(*_PITCHES)) if varied else (1.0, 1.0)
    said = [synthesise(random_text(language, rng), voice, rate, pitch) for _ in range(rng.integers(1, 3))]
    parts: list[np.ndarray] = []
    phones: list[Phone] = []
    at_s = 0.0
    for speech in (*said, None):
        pause = np.zeros(round(rng.uniform(*_PAUSE_S) * SAMPLE_RATE), np.float32)
        phones.append(Phone(SILENCE, at_s, at_s + len(pause) / SAMPLE_RATE))
        at_s = phones[-1].end_s
        parts.append(pause)
        if speech is not None:
            phones += [Phone(p.symbol, at_s + p.start_s, at_s + p.end_s) for p in speech.phones or ()]
            at_s += speech.duration_s
            parts.append(speech.waveform)
    return Speech(np.concatenate(parts), tuple(phones))


def noise(duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Noise (n,) float32 of a random colour, steady or in gusts."""
    white = rng.standard_normal(round(duration_s * SAMPLE_RATE))
    pole = rng.uniform(-0.3, 0.98)
    coloured = lfilter([1 - abs(pole)], [1, -pole], white)
    if rng.random() < 0.5:
        gusts = np.interp(np.arange(len(white)), np.linspace(0, len(white), 40), rng.uniform(0.05, 1, 40))
        coloured *= gusts
    return _levelled(coloured, rng)


def music(duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Instrumental music (n,) float32: chords, a tune and, often, drums, played on additive instruments."""
    samples = round(duration_s * SAMPLE_RATE)
    track = np.zeros(samples)
    beat_s, root_hz = rng.uniform(0.25, 0.7), rng.uniform(60, 220)
    tune, chord = _timbre(rng), _timbre(rng)
    scale = np.array([0, 2, 4, 5, 7, 9, 11]) if rng.random() < 0.5 else np.array([0, 2, 3, 5, 7, 8, 10])
    at_s = 0.0
    while at_s < duration_s:
        length_s = beat_s * rng.choice([0.5, 1, 1, 2])
        if rng.random() < 0.85:
            step = 12 * rng.integers(1, 4) + rng.choice(scale)
            _play(track, at_s, length_s, root_hz * 2 ** (step / 12), tune, rng.uniform(0.4, 1))
        at_s += length_s
    for bar_s in np.arange(0, duration_s, 4 * beat_s):
        start = rng.integers(0, 7)
        for third in range(3):
            step = scale[(start + 2 * third) % 7] + 12 * (1 + (start + 2 * third) // 7)
            _play(track, bar_s, 4 * beat_s, root_hz * 2 ** (step / 12), chord, 0.4)
    if rng.random() < 0.6:
        _drum(track, beat_s, rng)
    return _levelled(track, rng)


def _timbre(rng: np.random.Generator) -> tuple[np.ndarray, float, float]:
    """Levels of the harmonics, attack and decay in seconds."""
    count = rng.integers(3, 20)
    levels = np.arange(1, count + 1) ** -rng.uniform(0.5, 2.5) * rng.uniform(0.2, 1, count)
    return levels, rng.uniform(0.003, 0.12), rng.uniform(0.15, 2.5)


def _play(track: np.ndarray, at_s: float, length_s: float, pitch_hz: float, timbre: tuple, level: float) -> None:
    levels, attack_s, decay_s = timbre
    start = round(at_s * SAMPLE_RATE)
    t = np.arange(min(round(1.2 * length_s * SAMPLE_RATE), len(track) - start)) / SAMPLE_RATE
    if len(t) == 0:
        return
    phase = 2 * np.pi * pitch_hz * (t + 0.0005 * np.sin(2 * np.pi * 5.5 * t))
    audible = np.arange(1, len(levels) + 1)
    audible = audible[audible * pitch_hz < 0.45 * SAMPLE_RATE]
    tone = sum(levels[k - 1] * np.sin(k * phase) for k in audible)
    envelope = np.minimum(1, t / attack_s) * np.exp(-t / decay_s) * np.clip((1.2 * length_s - t) / 0.03, 0, 1)
    track[start : start + len(t)] += level * envelope * tone


def _drum(track: np.ndarray, beat_s: float, rng: np.random.Generator) -> None:
    for k, at_s in enumerate(np.arange(0, len(track) / SAMPLE_RATE - 0.3, beat_s / 2)):
        t = np.arange(round(0.25 * SAMPLE_RATE)) / SAMPLE_RATE
        kick = np.sin(2 * np.pi * 55 * t + 6 * np.exp(-t / 0.03)) * np.exp(-t / 0.09)
        hit = rng.standard_normal(len(t)) * np.exp(-t / rng.uniform(0.01, 0.08))
        sound = (1.2 * kick if k % 4 == 0 else 0) + (0.7 * hit if k % 4 == 2 else 0.25 * hit)
        start = round(at_s * SAMPLE_RATE)
        track[start : start + len(t)] += sound[: len(track) - start]


def _levelled(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    peak = 10 ** rng.uniform(-1.5, -0.1)
    return (samples * peak / max(np.abs(samples).max(), 1e-9)).astype(np.float32)
