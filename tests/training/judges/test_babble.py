"""People who babble in an emotion."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from vultus.core.bases import index_of
from vultus.core.controls import EMOTIONS
from vultus.core.types import SAMPLE_RATE
from vultus.training.judges.babble import FPS, SECONDS, babble, performed


def test_phones_of_babble_follow_one_another_and_vowels_are_louder():
    speech = babble(np.random.default_rng(1), 8.0)
    phones = speech.phones
    assert phones is not None and phones[0].start_s == 0 and phones[-1].end_s == pytest.approx(8.0)
    assert len(speech.waveform) == 8 * SAMPLE_RATE
    assert all(one.end_s == two.start_s for one, two in pairwise(phones))

    def loudness(symbols: str) -> float:
        parts = [p for p in phones if p.symbol[0] in symbols and p.symbol != "SIL"]
        heard = [speech.waveform[round(p.start_s * SAMPLE_RATE) : round(p.end_s * SAMPLE_RATE)] for p in parts]
        return float(np.sqrt(np.mean(np.concatenate(heard) ** 2)))

    assert loudness("AEIOU") > 2 * loudness("BDFGKLMNPRSTVWZ")


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_what_is_performed_is_what_is_said_to_be(emotion: str):
    rng = np.random.default_rng(2)
    for _ in range(6):
        acted, display = performed(emotion, 0.5, rng)
        assert len(acted) == round(SECONDS * FPS) and acted.expression is not None
        assert display.shares[EMOTIONS.index(emotion)] >= 0.5 and display.shares.sum() == pytest.approx(1)
        assert (display.level == 0) == (emotion == "neutral") and 0 <= display.level <= 3


def test_a_display_of_action_units_keeps_its_mouth_while_speaking():
    """Our own acting gives way to speech; in displays the mouth moves as it says, on top of what is held."""

    def teeth(house_share: float) -> float:
        rng = np.random.default_rng(4)
        shown = [performed("happy", house_share, rng)[0].expression for _ in range(12)]
        return float(np.mean([one[:, index_of("mouthUpperUpLeft")].mean() for one in shown if one is not None]))

    assert teeth(0.0) > 1.5 * teeth(1.0)


def test_surprise_raises_brows_and_neutral_does_not():
    def brows(emotion: str) -> float:
        rng = np.random.default_rng(3)
        shown = [performed(emotion, 0.5, rng)[0].expression for _ in range(5)]
        return float(np.mean([one[:, index_of("browOuterUpLeft")].mean() for one in shown if one is not None]))

    assert brows("surprised") > 3 * brows("neutral")
