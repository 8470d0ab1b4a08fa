"""Synthetic speech with exact phones, in many voices and languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from vultus.audio.phones import SILENCE
from vultus.audio.sentences import SENTENCES, random_text
from vultus.audio.tts import synthesise, variants, voices
from vultus.core.errors import InputError, MissingPartError, with_extra
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
        raise MissingPartError("eSpeak NG is not installed", "training", with_extra("tts"))
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


def utterance(
    voice: str,
    rng: np.random.Generator,
    varied: bool = True,
    say: Callable[[str, np.random.Generator], str] = random_text,
) -> Speech:
    """One or two texts that `say` has in the voice's language, with pauses around them; `varied` in rate and pitch."""
    language = "en-us" if voice.startswith("flite-") else voice.partition("+")[0]
    rate, pitch = (rng.uniform(*_RATES), rng.uniform(*_PITCHES)) if varied else (1.0, 1.0)
    said = [synthesise(say(language, rng), voice, rate, pitch) for _ in range(rng.integers(1, 3))]
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
