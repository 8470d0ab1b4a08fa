"""Somebody who babbles while showing a feeling: what our emotion encoder for faces sees of rendered people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vultus.core.controls import EMOTIONS
from vultus.core.types import SAMPLE_RATE, Performance, Phone, Speech
from vultus.data.synthetic.acting import act
from vultus.data.synthetic.clips import random_acting
from vultus.motion.visemes import SILENCE, VISEMES
from vultus.training.judges.facs import Display, silent_display

SECONDS, FPS = 2.0, 25.0
LEVEL_CHANCES = (0.42, 0.33, 0.25)
"""Of levels 1, 2 and 3 of the former: what is weak takes more learning."""
PAUSE_CHANCE = 0.12
_VOWELS = tuple(name for name in VISEMES if name[0] in "AEIOU")
_CONSONANTS = tuple(name for name in VISEMES if name not in _VOWELS)


def babble(rng: np.random.Generator, seconds: float = SECONDS) -> Speech:
    """Consonants and vowels in turn and a pause now and then, as noise that is as loud as they are."""
    phones: list[Phone] = []
    volume, at_s = [], 0.0
    while at_s < seconds:
        pause, vowel = rng.random() < PAUSE_CHANCE, len(phones) % 2 == 1
        symbols = _VOWELS if vowel else _CONSONANTS
        symbol = SILENCE if pause else str(symbols[rng.integers(len(symbols))])
        end_s = min(seconds, at_s + 0.03 + float(rng.gamma(3.0, 0.08 if pause else 0.022)))
        phones.append(Phone(symbol, at_s, end_s))
        loudness = 0.0005 if pause else (0.12 if vowel else 0.03) * np.exp(rng.normal(0, 0.4))
        volume.append(np.full(round(end_s * SAMPLE_RATE) - round(at_s * SAMPLE_RATE), loudness))
        at_s = end_s
    samples = np.concatenate(volume)
    return Speech((samples * rng.standard_normal(len(samples))).astype(np.float32), tuple(phones))


def performed(emotion: str, house_share: float, rng: np.random.Generator) -> tuple[Performance, Display]:
    """Somebody who babbles `SECONDS` long in an emotion, and what is shown (without its expression).

    `house_share` of performances are `data.synthetic.acting`'s own; the rest hold a display of `facs`.
    """
    speech = babble(rng)
    if rng.random() < house_share:
        level = 0 if emotion == "neutral" else int(rng.choice((1, 2, 3), p=LEVEL_CHANCES))
        acted = act(speech, random_acting(rng, emotion, max(level, 1)), FPS)
        return acted, Display(np.zeros(0), np.eye(len(EMOTIONS))[EMOTIONS.index(emotion)], float(level))
    shown = silent_display(rng, emotion)
    acted = act(speech, random_acting(rng, "neutral", 1), FPS, held=shown.expression)
    return acted, replace(shown, expression=np.zeros(0))
