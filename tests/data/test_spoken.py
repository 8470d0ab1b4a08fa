"""Synthetic speech for training: phones that fit the sound, voices held out, and sounds that are none."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.audio.tts import voices
from vultus.data import spoken

needs_espeak = pytest.mark.skipif(
    not any(voice.engine == "espeak" for voice in voices()), reason="eSpeak NG is not installed"
)


@needs_espeak
def test_utterances_are_gapless_and_as_long_as_their_phones() -> None:
    speech = next(spoken.training_speech(1.0, 3))
    assert speech.phones and speech.phones[0].start_s == 0
    for before, after in zip(speech.phones, speech.phones[1:], strict=False):
        assert abs(before.end_s - after.start_s) < 1e-3
    assert abs(speech.phones[-1].end_s - speech.duration_s) < 0.01


@needs_espeak
def test_the_same_seed_says_the_same() -> None:
    one, two = (next(spoken.training_speech(1.0, 4)) for _ in range(2))
    np.testing.assert_array_equal(one.waveform, two.waveform)


@needs_espeak
def test_what_is_held_out_is_never_heard() -> None:
    espeak, flite = spoken.training_voices()
    held = {name for names in spoken.held_out_voices().values() for name in names}
    assert not held & {*espeak, *flite}
    assert not any(name.startswith("sv") or name.partition("+")[2] in spoken.HELD_OUT_VARIANTS for name in espeak)
