"""What is heard: Wav2Lip's mel by hand values, whatever the chunks, in step with the frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.core.types import SAMPLE_RATE
from vultus.methods.emogen.mel import FFT, HOP, RANGE, MelStream, first_row, mel_filters, mel_of, windows

SECOND = np.arange(SAMPLE_RATE) / SAMPLE_RATE


def tone(hz: float, loud: float = 0.3) -> np.ndarray:
    return (loud * np.sin(2 * np.pi * hz * SECOND)).astype(np.float32)


def test_filters_have_equal_areas_between_55_and_7600_hz():
    filters = mel_filters()
    bins_hz = np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT
    assert filters.shape == (80, 401)
    heard = filters.sum(0) > 0
    assert bins_hz[heard].min() >= 55 and bins_hz[heard].max() <= 7600
    areas = filters[40:].sum(1) * SAMPLE_RATE / FFT  # narrow ones below lie between bins
    np.testing.assert_allclose(areas, 1, rtol=0.06)
    middles_hz = bins_hz[filters.argmax(1)]
    assert (np.diff(middles_hz) >= 0).all()
    assert np.diff(middles_hz[:24]).mean() == pytest.approx(36, abs=2)  # linear below 1 kHz: .54 of 66.7 Hz


def test_silence_and_tones():
    assert (mel_of(np.zeros(8000, np.float32)) == -RANGE).all()
    for hz in (300.0, 1000.0, 4000.0):
        rows = mel_of(tone(hz))
        assert rows.shape == (80, 80) and np.abs(rows).max() <= RANGE
        loudest = rows[10:-10].mean(0).argmax()
        bins_hz = np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT
        assert abs(bins_hz[mel_filters()[loudest].argmax()] - hz) < 0.1 * hz + 20


def test_a_level_by_hand():
    """A tone on bin 50 (1 kHz) of amplitude a: |X| = a N / 4 under a Hann window, times pre-emphasis and filter."""
    rows = mel_of(tone(1000.0, 0.1))
    gain = abs(1 - 0.97 * np.exp(-2j * np.pi * 1000 / SAMPLE_RATE))
    spectrum = np.zeros(401)
    spectrum[49:52] = 0.1 * FFT / 4 * gain * np.array([0.5, 1, 0.5])
    level_db = 20 * np.log10(np.maximum(mel_filters() @ spectrum, 1e-5)) - 20
    band = int(level_db.argmax())
    wanted = 8 * (level_db[band] + 100) / 100 - 4
    assert rows[40, band] == pytest.approx(wanted, abs=0.01)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 900), max_size=12))
def test_chunks_do_not_matter(lengths):
    wave = np.random.default_rng(len(lengths)).normal(0, 0.1, sum(lengths)).astype(np.float32)
    stream, parts, at = MelStream(), [], 0
    for length in lengths:
        parts.append(stream.push(wave[at : at + length]))
        at += length
    parts.append(stream.finish())
    made = np.concatenate(parts)
    assert len(made) == -(-len(wave) // HOP)
    np.testing.assert_allclose(made, mel_of(wave), atol=2e-4)


def test_a_window_is_around_its_frame():
    mel = np.arange(200.0)[:, None].repeat(80, 1).astype(np.float32)
    first = first_row((np.arange(10) + 0.5) / 25)
    assert first.tolist() == [-6, -3, 0, 3, 6, 10, 13, 16, 19, 22]
    found = windows(mel, first)
    assert found.shape == (10, 80, 16)
    assert (found[0, :, :6] == -RANGE).all() and (found[0, :, 6] == 0).all()
    assert found[5, 3].tolist() == list(range(10, 26))
    assert (windows(mel, np.array([190]))[0, :, 10:] == -RANGE).all()
    assert (windows(mel[:0], first) == -RANGE).all()


def test_the_middle_of_a_click_is_the_middle_of_its_window():
    wave = np.zeros(2 * SAMPLE_RATE, np.float32)
    frame = 20
    wave[round((frame + 0.5) / 25 * SAMPLE_RATE)] = 1
    window = windows(mel_of(wave), first_row(np.array([(frame + 0.5) / 25])))[0]
    level = window.mean(0)
    assert abs((level + RANGE) @ (np.arange(16) - 8) / (level + RANGE).sum()) <= 0.7
