"""Lips: closures and tucks on known phones, rest in silence, smoothness, and independence of chunks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vultus
from vultus.audio.io import read_speech
from vultus.core.bases import ARKIT52, index_of
from vultus.core.types import SAMPLE_RATE, Phone
from vultus.face.mouth import performed_mouth
from vultus.motion.compose import closure
from vultus.motion.lips import MouthTrack, PhoneLips, frame_count
from vultus.motion.visemes import VISEMES, arkit_weights, articulation

SAMPLE = Path(vultus.__file__).parent / "assets" / "sample_speech.flac"


def spell(text: str, phone_s: float = 0.1, pause_s: float = 1.0) -> list[Phone]:
    """Phones of equal length; `SIL` and `sil` last `pause_s` and .2 s."""
    phones, at_s = [], 0.0
    for symbol in text.split():
        length_s = {"SIL": pause_s, "sil": 0.2}.get(symbol, phone_s)
        phones.append(Phone(symbol.upper(), at_s, at_s + length_s))
        at_s += length_s
    return phones


def mouth(phones: list[Phone], fps: float = 25, level: float = 0.8) -> np.ndarray:
    track = MouthTrack(fps)
    seconds = phones[-1].end_s
    head = track.push(phones, np.full(round(seconds * 100), level))
    return np.concatenate([head, track.finish(frame_count(round(seconds * SAMPLE_RATE), fps))])


def at(weights: np.ndarray, name: str, time_s: float, fps: float = 25) -> float:
    return float(weights[int(time_s * fps), index_of(name)])


@pytest.mark.parametrize("symbol", ["B", "P", "M"])
@pytest.mark.parametrize("fps", [24, 25, 30, 60])
def test_every_bilabial_closes_fully_at_every_phase_of_the_frame_grid(symbol: str, fps: float) -> None:
    for shift_s in np.linspace(0, 1 / fps, 9):
        for length_s in (0.03, 0.06, 0.12):
            phones = [Phone("AA", 0, 0.5 + shift_s), Phone(symbol, 0.5 + shift_s, 0.5 + shift_s + length_s),
                      Phone("AA", 0.5 + shift_s + length_s, 1.2)]  # fmt: skip
            shut = closure(mouth(phones, fps))
            assert shut.max() > 0.98
            assert not shut[: int(0.38 * fps)].any()


def test_the_bilabial_dip_is_as_wide_as_measured() -> None:
    time_s = np.arange(0, 1, 0.005)
    weights = arkit_weights(articulation([Phone("AE", 0, 0.46), Phone("M", 0.46, 0.54), Phone("AE", 0.54, 1)], time_s))
    gap = weights[:, index_of("jawOpen")] - weights[:, index_of("mouthClose")]
    below_half = time_s[gap < 0.5 * gap.max()]
    assert 0.1 < below_half[-1] - below_half[0] < 0.18
    assert below_half.mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("symbol", ["F", "V"])
def test_labiodentals_tuck_the_lower_lip(symbol: str) -> None:
    weights = mouth(spell(f"AA AA {symbol} AA AA"))
    assert weights[:, index_of("mouthRollLower")].max() > 0.4
    assert at(weights, "mouthRollLower", 0.25) > 0.4
    assert at(weights, "jawOpen", 0.25) < 0.5 * at(weights, "jawOpen", 0.06)
    assert closure(weights).max() < 0.3


def test_apertures_are_ordered_as_measured() -> None:
    vowels = ("AE", "AA", "EH", "AO", "ER", "UW")
    gaps = [performed_mouth(mouth(spell(f"{v} {v} {v} {v}")))[5, 0] for v in vowels]
    assert gaps == sorted(gaps, reverse=True)
    asked = [VISEMES[v][0].aperture_z for v in vowels]
    assert np.corrcoef(gaps, asked)[0, 1] > 0.98  # lips that flare or bare the teeth are made up for by the jaw


def test_rounded_and_spread_vowels_differ() -> None:
    ooh, eee = mouth(spell("UW UW UW UW")), mouth(spell("IY IY IY IY"))
    assert at(ooh, "mouthPucker", 0.2) > 0.35 > 0.05 > at(eee, "mouthPucker", 0.2)
    assert at(eee, "mouthStretchLeft", 0.2) > 0.15 > 0.02 > at(ooh, "mouthStretchLeft", 0.2)


def test_neighbours_colour_a_sound() -> None:
    assert at(mouth(spell("UW T UW")), "mouthPucker", 0.15) > 3 * at(mouth(spell("IY T IY")), "mouthPucker", 0.15)


def test_lips_rest_in_silence_ease_into_it_and_start_before_the_sound() -> None:
    weights = mouth(spell("SIL AA AA AA SIL AA AA", pause_s=1.5), fps=100)
    moving = weights.max(1)
    assert not moving[:125].any()  # at rest before the first word
    assert moving[145] > 0.05  # opens a moment ahead of it
    assert moving[190] > 0.03  # eases: not shut .1 s after the last sound
    assert moving[205:211].min() > 0.02  # in the first .3 s lips stay a little apart, as people's do
    assert not moving[271:305].any()  # then they take .6 s to come to rest
    assert np.abs(np.diff(moving)).max() < 0.05
    tail = mouth(spell("AA AA SIL", pause_s=1.0), fps=100)
    assert not tail[111:].any()


def test_short_pauses_do_not_shut_the_mouth() -> None:
    weights = mouth(spell("AA AA sil AA AA"), fps=100)
    assert weights[:, index_of("jawOpen")].min() > 0.1


def test_louder_is_wider() -> None:
    phones = spell("AA T AA T AA")
    quiet, loud = (mouth(phones, level=level)[:, index_of("jawOpen")].mean() for level in (0.4, 1.0))
    assert 1.3 * quiet < loud < 2.5 * quiet


@pytest.mark.parametrize("symbol", VISEMES)
def test_every_phone_gives_weights_in_range_without_jumps(symbol: str) -> None:
    weights = mouth(spell(f"AA {symbol} IY {symbol} UW sil {symbol}", 0.08), fps=100)
    assert weights.shape[1] == len(ARKIT52) and weights.dtype == np.float32
    assert np.isfinite(weights).all() and weights.min() >= 0 and weights.max() < 0.9
    assert np.abs(np.diff(weights, axis=0)).max() < 0.16  # per 10 ms


@pytest.fixture(scope="module")
def waveform() -> np.ndarray:
    return read_speech(SAMPLE).waveform


def whole(lips: PhoneLips, waveform: np.ndarray) -> np.ndarray:
    return np.concatenate([lips.push(waveform), lips.finish()])


@pytest.mark.parametrize("fps", [25, 60, 29.97])
def test_chunks_make_no_difference(waveform: np.ndarray, fps: float) -> None:
    expected = whole(PhoneLips(fps), waveform)
    assert len(expected) == frame_count(len(waveform), fps)
    lips, parts, at_sample = PhoneLips(fps), [], 0
    rng = np.random.default_rng(0)
    while at_sample < len(waveform):
        size = int(rng.choice([1, 640, 8_000, 30_000]))
        parts.append(lips.push(waveform[at_sample : at_sample + size]))
        at_sample += size
    np.testing.assert_allclose(np.concatenate([*parts, lips.finish()]), expected, atol=1e-5)


def test_the_sample_moves_the_jaw_as_speech_does(waveform: np.ndarray) -> None:
    weights = whole(PhoneLips(25), waveform)
    jaw = weights[:, index_of("jawOpen")]
    assert 0.1 < np.percentile(jaw, 90) < 0.4 and jaw.max() < 0.5
    assert jaw[0] < 0.03 and jaw[-1] < 0.03
    closures = np.diff((closure(weights) > 0.9).astype(int)) == 1
    assert 5 <= closures.sum() <= 15


def test_frames_arrive_within_the_stated_lookahead(waveform: np.ndarray) -> None:
    lips, frames = PhoneLips(25), 0
    for at_sample in range(0, len(waveform) - 800, 800):
        frames += len(lips.push(waveform[at_sample : at_sample + 800]))
        assert (at_sample + 800) / SAMPLE_RATE - frames / 25 <= lips.lookahead_s


@pytest.mark.parametrize("samples", [0, 1, 100, 16_000])
def test_short_and_silent_voices_leave_the_lips_at_rest(samples: int) -> None:
    weights = whole(PhoneLips(25), np.zeros(samples, np.float32))
    assert weights.shape == (frame_count(samples, 25), len(ARKIT52))
    assert not weights.any()
