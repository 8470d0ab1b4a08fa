"""Voice energy: loudness relative to the voice's own peak, emphasis on stress, exact frame counts."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.types import SAMPLE_RATE
from vultus.motion.energy import EnergyStream, LoudnessStream, VoiceEnergy


def tone(seconds: float, amplitude: float) -> np.ndarray:
    return (amplitude * np.sin(np.arange(round(seconds * SAMPLE_RATE)) * 0.2)).astype(np.float32)


def energy_of(samples: np.ndarray, fps: float = 25) -> VoiceEnergy:
    stream = EnergyStream(fps)
    head, tail = stream.push(samples), stream.finish()
    return VoiceEnergy(np.r_[head.level, tail.level], np.r_[head.emphasis, tail.emphasis])


def test_level_is_relative_to_the_voices_own_peak() -> None:
    for amplitude in (0.9, 0.05):
        assert energy_of(tone(2, amplitude)).level[-1] == pytest.approx(1, abs=0.1)
    fall = LoudnessStream().push(np.concatenate([tone(1, 0.5), tone(1, 0.5 * 10 ** (-18 / 20))]))
    assert fall[95] - fall[150] == pytest.approx(18 / LoudnessStream.RANGE_DB, abs=0.03)
    assert not LoudnessStream().push(np.zeros(8000, np.float32)).any()


def test_emphasis_marks_the_louder_syllables() -> None:
    syllables = [tone(0.2, a) for a in (0.2, 0.2, 0.6, 0.2, 0.2, 0.2, 0.6, 0.2)]
    voice = np.concatenate([tone(0.3, 0.6), tone(1.5, 0.2), *syllables])
    emphasis = energy_of(voice, 50).emphasis
    stressed, between = np.r_[emphasis[114:120], emphasis[154:160]], np.r_[emphasis[60:110], emphasis[130:150]]
    assert stressed.min() > 0.3
    assert between.max() < 0.1
    assert emphasis.min() >= 0 and emphasis.max() <= 1


@pytest.mark.parametrize("fps", [24, 25, 29.97, 60])
def test_chunks_make_no_difference_and_frames_are_complete(fps: float) -> None:
    rng = np.random.default_rng(0)
    voice = (0.3 * rng.standard_normal(20_011)).astype(np.float32)
    whole = energy_of(voice, fps)
    stream, levels, at = EnergyStream(fps), [], 0
    while at < len(voice):
        size = int(rng.integers(1, 3000))
        levels.append(stream.push(voice[at : at + size]).level)
        at += size
    np.testing.assert_array_equal(np.concatenate([*levels, stream.finish().level]), whole.level)
    assert len(whole) in (int(20_011 / SAMPLE_RATE * fps), int(20_011 / SAMPLE_RATE * fps) + 1)
