"""Sounds that are no speech: as long and as loud as they should be, and the same for a seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vultus.core.types import SAMPLE_RATE
from vultus.data.sounds import knocks, music, noise


@pytest.mark.parametrize("make", [noise, knocks, music])
def test_length_level_and_seed(make: Callable[[float, np.random.Generator], np.ndarray]) -> None:
    for seed in range(6):
        sound, again = (make(2.0, np.random.default_rng(seed)) for _ in range(2))
        assert sound.shape == (2 * SAMPLE_RATE,) and sound.dtype == np.float32
        assert 0.01 < np.abs(sound).max() <= 1
        np.testing.assert_array_equal(sound, again)


def test_music_has_pitches_and_noise_has_none() -> None:
    def peakiness(sound: np.ndarray) -> float:
        spectrum = np.abs(np.fft.rfft(sound[: SAMPLE_RATE // 2]))
        return float(spectrum.max() / np.median(spectrum))

    rng = np.random.default_rng(0)
    assert np.median([peakiness(music(1.0, rng)) for _ in range(8)]) > 5 * peakiness(rng.standard_normal(SAMPLE_RATE))
