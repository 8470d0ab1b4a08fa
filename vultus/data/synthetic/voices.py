"""Synthetic voices with exact phones for rendered people: one voice a person, one text a clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vultus.audio.espeak import fresh_espeak
from vultus.audio.sentences import random_text
from vultus.audio.tts import synthesise
from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE, Phone, Speech
from vultus.data.spoken import training_voices
from vultus.data.synthetic.acting import cut_speech

_LEAD_S = (0.1, 0.5)
_FAILURES = 20
"""Texts without a sound after which a voice stays silent."""


@dataclass(frozen=True)
class Voice:
    """A person's voice: its name for `audio.tts.synthesise`, and factors on rate and pitch."""

    name: str
    rate: float = 1.0
    pitch: float = 1.0

    @property
    def language(self) -> str:
        return "en-us" if self.name.startswith("flite-") else self.name.partition("+")[0]


def voice_of(seed: int, number: int, feminine: bool) -> Voice:
    """The voice of a person; it goes with how the person looks. Raises MissingPartError without eSpeak NG."""
    rng = np.random.default_rng([seed, number, 0x501])
    espeak, flite = training_voices()
    fitting = [name for name in espeak if _sounds_feminine(name) == feminine] or espeak
    if rng.random() < 0.3:
        fitting = [name for name in flite if _sounds_feminine(name) == feminine] or fitting
    return Voice(fitting[rng.integers(len(fitting))], float(rng.uniform(0.85, 1.2)), float(rng.uniform(0.9, 1.15)))


def say(voice: Voice, duration_s: float, rng: np.random.Generator, text: str | None = None) -> tuple[Speech, str]:
    """A voice of exactly `duration_s` seconds with its phones, and what it says; the end may be cut off.

    `text`: what to say, once; chosen at random, as much as fits, unless given. What was said before does not matter.
    """
    lead = np.zeros(round(rng.uniform(*_LEAD_S) * SAMPLE_RATE), np.float32)
    parts, phones, texts = [lead], [Phone("SIL", 0.0, len(lead) / SAMPLE_RATE)], []
    at_s, failures = len(lead) / SAMPLE_RATE, 0
    while at_s < duration_s and failures < _FAILURES:
        said = text or random_text(voice.language, rng)
        try:
            with fresh_espeak():
                speech = synthesise(said, voice.name, voice.rate, voice.pitch)
        except InputError:
            failures += 1
            continue  # a few timbres have no sound for a few texts
        texts.append(said)
        parts.append(speech.waveform)
        phones += [Phone(p.symbol, at_s + p.start_s, at_s + p.end_s) for p in speech.phones or ()]
        at_s += speech.duration_s
        if text is not None:
            break
    return cut_speech(Speech(np.concatenate(parts), tuple(phones)), duration_s), " ".join(texts)


def _sounds_feminine(name: str) -> bool:
    _, _, timbre = name.partition("+")
    return name == "flite-slt" or (timbre[:1] == "f" and timbre[1:].isdigit()) or timbre in _WOMEN


_WOMEN = frozenset({"anika", "annie", "Annie", "linda", "steph", "steph2", "steph3", "whisperf", "belinda", "Alicia"})
"""eSpeak NG's timbres with women's names."""
