"""Phones: found where they are, silence where there is no voice, and the same for every way of cutting the audio."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import vultus
from vultus.audio.io import read_speech
from vultus.audio.phones import PhoneStream, SpeechGate, frame_levels_db, phones_of
from vultus.core.types import SAMPLE_RATE, Phone
from vultus.motion.visemes import VISEMES

SAMPLE = Path(vultus.__file__).parent / "assets" / "sample_speech.flac"
ARPABET = {*VISEMES, "SIL"}


@pytest.fixture(scope="module")
def waveform() -> np.ndarray:
    return read_speech(SAMPLE).waveform


@pytest.fixture(scope="module")
def phones(waveform: np.ndarray) -> tuple[Phone, ...]:
    return phones_of(waveform)


def test_phones_are_gapless_and_cover_the_voice(waveform: np.ndarray, phones: tuple[Phone, ...]) -> None:
    assert {phone.symbol for phone in phones} <= ARPABET
    assert phones[0].start_s == 0
    assert phones[-1].end_s == pytest.approx(len(waveform) / SAMPLE_RATE)
    for before, after in pairwise(phones):
        assert before.end_s == pytest.approx(after.start_s)
        assert after.end_s > after.start_s


def test_the_words_of_the_sample_are_heard(phones: tuple[Phone, ...]) -> None:
    """In "paper, movie, five" closures and tucks come in this order."""
    spoken = "".join(phone.symbol for phone in phones if phone.symbol in {"M", "P", "B", "F", "V"})
    assert "PPM" in spoken and "FV" in spoken, spoken
    assert sum(phone.symbol == "SIL" for phone in phones) >= 3


@pytest.mark.parametrize("seed", [0, 1])
def test_chunks_make_no_difference(waveform: np.ndarray, phones: tuple[Phone, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    stream, found, at = PhoneStream(), [], 0
    while at < len(waveform):
        size = int(rng.choice([1, 159, 160, 3_000, 40_000]))
        found += stream.push(waveform[at : at + size])
        at += size
    assert (*found, *stream.finish()) == phones


def test_phones_arrive_within_the_stated_lookahead(waveform: np.ndarray) -> None:
    stream, known_s = PhoneStream(), 0.0
    for at in range(0, len(waveform), 1600):
        for phone in stream.push(waveform[at : at + 1600]):
            known_s = phone.end_s
        assert (at + 1600) / SAMPLE_RATE - known_s < PhoneStream.lookahead_s + 0.1  # + one push


@pytest.mark.parametrize("kind", ["nothing", "hiss", "hum", "faint hiss"])
def test_what_is_no_voice_is_silence(kind: str) -> None:
    n = 5 * SAMPLE_RATE
    noise = np.random.default_rng(0).standard_normal(n)
    sound = {"nothing": 0 * noise, "hiss": 0.05 * noise, "faint hiss": 1e-3 * noise,
             "hum": 0.3 * np.sin(2 * np.pi * 100 / SAMPLE_RATE * np.arange(n))}[kind]  # fmt: skip
    assert {phone.symbol for phone in phones_of(sound.astype(np.float32))} == {"SIL"}


def test_pauses_are_found_in_noise(waveform: np.ndarray) -> None:
    """A voice in a second of hiss on either side: the hiss is silence and most of the voice is not."""
    pad = np.zeros(2 * SAMPLE_RATE, np.float32)
    hiss = 3e-3 * np.random.default_rng(0).standard_normal(len(waveform) + 2 * len(pad)).astype(np.float32)
    voiced = [p for p in phones_of(np.concatenate([pad, waveform, pad]) + hiss) if p.symbol != "SIL"]
    assert min(p.start_s for p in voiced) > 1.9
    assert max(p.end_s for p in voiced) < len(hiss) / SAMPLE_RATE - 1.9
    assert sum(p.end_s - p.start_s for p in voiced) > 0.6 * len(waveform) / SAMPLE_RATE


def test_memory_stays_bounded() -> None:
    stream = PhoneStream()
    for _ in range(120):
        stream.push(np.zeros(SAMPLE_RATE, np.float32))
    assert len(stream._samples) < 5 * SAMPLE_RATE


def test_very_short_and_empty_voices() -> None:
    assert phones_of(np.zeros(0, np.float32)) == ()
    (only,) = phones_of(np.zeros(100, np.float32))
    assert only == Phone("SIL", 0.0, 100 / SAMPLE_RATE)


def test_the_gate_bridges_stop_closures_but_not_pauses() -> None:
    level_db = np.full(300, -70.0)
    level_db[50:100] = level_db[108:150] = level_db[200:250] = -20.0
    voice = SpeechGate()(level_db)
    assert voice[55:145].all()
    assert not voice[160:190].any()
    assert not voice[:45].any()


def test_levels_are_decibels_of_full_scale() -> None:
    assert frame_levels_db(np.full(320, 0.1, np.float32)) == pytest.approx([-20, -20], abs=1e-3)
