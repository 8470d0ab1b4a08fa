"""Emotion from voice: its prosody against tones of known pitch, and what the encoder gives back."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE
from vultus.perception.judges import ROLES
from vultus.perception.judges.emotion_voice import load_emotion_voice, pieces
from vultus.perception.judges.prosody import NUMBERS, prosody


def voice(pitch_hz: float, duration_s: float = 2.0, rate_hz: float = 4.0, sweep_st: float = 0.0) -> np.ndarray:
    """A buzz of twenty harmonics, `rate_hz` syllables a second, whose pitch swings by `sweep_st` to either side."""
    time_s = np.arange(round(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    hz = pitch_hz * 2 ** (sweep_st * np.sin(2 * np.pi * time_s) / 12)
    phase = 2 * np.pi * np.cumsum(hz) / SAMPLE_RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 21))
    return (0.2 * buzz * (0.15 + np.sin(np.pi * rate_hz * time_s) ** 2)).astype(np.float32)


def number(name: str, waveform: np.ndarray) -> float:
    return float(prosody(waveform)[NUMBERS.index(name)])


@pytest.mark.parametrize("pitch_hz", [90.0, 150.0, 240.0, 400.0])
def test_pitch_is_found(pitch_hz: float):
    assert number("pitch_st", voice(pitch_hz)) == pytest.approx(12 * np.log2(pitch_hz / 100), abs=0.4)


def test_range_pace_and_tilt_move_as_they_should():
    assert number("pitch_range_st", voice(150, sweep_st=4)) > number("pitch_range_st", voice(150)) + 3
    assert number("syllables_s", voice(150, rate_hz=5)) == pytest.approx(5, abs=0.7)
    bright = np.diff(voice(150), prepend=0)  # 6 dB an octave
    assert number("tilt_db_octave", bright) - number("tilt_db_octave", voice(150)) == pytest.approx(6, abs=1.0)


def test_gain_does_not_count():
    assert np.allclose(prosody(voice(180)), prosody(0.05 * voice(180)), atol=0.05)


def test_pauses_are_counted():
    gap = np.concatenate([voice(150, 1.0), np.zeros(SAMPLE_RATE, np.float32), voice(150, 1.0)])
    assert number("pause_share", gap) == pytest.approx(1 / 3, abs=0.08)


@pytest.mark.parametrize("waveform", [np.zeros(0), np.zeros(32_000), voice(150, 0.2)])
def test_too_little_voice_is_an_error(waveform: np.ndarray):
    with pytest.raises(InputError, match="too little voice"):
        prosody(waveform)


def test_a_long_voice_is_read_in_pieces():
    assert [len(piece) for piece in pieces(voice(150, 18.0))] == [6 * SAMPLE_RATE] * 3
    assert len(pieces(voice(150, 3.0))) == 1


@pytest.mark.parametrize("role", ROLES)
def test_the_encoder_gives_probabilities_and_unit_vectors(role):
    encoder = load_emotion_voice(role)
    shares = encoder.probabilities(voice(200))
    assert shares.shape == (8,) and shares.sum() == pytest.approx(1, abs=1e-5)
    found = encoder.embed([voice(120), voice(300)])
    assert found.shape == (2, 32)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
