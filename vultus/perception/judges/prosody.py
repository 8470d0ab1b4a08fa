"""How a voice says what it says: pitch, loudness, timbre and pace of an utterance in a few numbers.

Which numbers tell emotions apart is in Banse and Scherer 1996, and Juslin and Laukka 2003. All are free of the
recording's gain. numpy and scipy.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE

NUMBERS: tuple[str, ...] = (
    "pitch_st", "pitch_range_st", "pitch_sd_st", "pitch_slope_st_s", "pitch_end_st", "pitch_wobble_st", "voiced_share",
    "harmonic", "harmonic_sd", "loudness_sd_db", "loudness_range_db", "loudness_rise_db", "tremor_db",
    "tilt_db_octave", "high_low_db", "high_low_accent_db", "centroid_octave", "centroid_sd_octave",
    "syllables_s", "pause_share", "pause_s",
)  # fmt: skip
"""Names of the numbers; pitch in semitones above 100 Hz (st), pace in syllables a second."""

LEAST_S = 0.5
_HOP, _WINDOW, _FFT = 160, 640, 1024
_PITCH_HZ = (65.0, 520.0)
_VOICED = 0.5
"""Autocorrelation at the pitch period from which a frame is voiced."""
_QUIET_DB = 28.0
"""A frame this far below the loud ones is a pause."""


@dataclass(frozen=True)
class Tracks:
    """Frames, 100 a second: pitch (T,) in semitones (NaN: unvoiced), periodicity (T,) 0-1, power (T, 513)."""

    pitch_st: np.ndarray
    harmonic: np.ndarray
    power: np.ndarray

    @property
    def loudness_db(self) -> np.ndarray:
        """(T,)"""
        return 10 * np.log10(self.power.sum(1) + 1e-10)


def prosody(waveform: np.ndarray) -> np.ndarray:
    """`NUMBERS` (21,) float32 of an utterance (n,) at 16 kHz. Raises InputError if it is too short."""
    tracks = _tracks(np.asarray(waveform, np.float64))
    loudness = _smooth(tracks.loudness_db, 5)
    heard = loudness > np.percentile(loudness, 95) - _QUIET_DB
    if heard.sum() < 100 * LEAST_S or not np.any(waveform):
        raise InputError("there is too little voice to read an emotion from", None, f"give at least {LEAST_S} s of it")
    first, last = np.flatnonzero(heard)[[0, -1]]
    spoken = slice(first, last + 1)
    values = {
        **_pitch_numbers(tracks.pitch_st[spoken], heard[spoken]),
        **_loudness_numbers(loudness[spoken], tracks.loudness_db[spoken], heard[spoken]),
        **_timbre_numbers(tracks.power[spoken], loudness[spoken], heard[spoken]),
        **_pace_numbers(loudness[spoken], heard[spoken]),
        "harmonic": tracks.harmonic[spoken][heard[spoken]].mean(),
        "harmonic_sd": tracks.harmonic[spoken][heard[spoken]].std(),
    }
    return np.array([values[name] for name in NUMBERS], np.float32)


def _tracks(waveform: np.ndarray) -> Tracks:
    from scipy.ndimage import median_filter

    padded = np.concatenate([waveform, np.zeros(_WINDOW)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    frames = (frames - frames.mean(1, keepdims=True)) * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(frames, 2 * _FFT)) ** 2
    lags = np.fft.irfft(power)[:, :_FFT]
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(_WINDOW), 2 * _FFT)) ** 2)[:_FFT]
    low, high = (round(SAMPLE_RATE / hz) for hz in _PITCH_HZ[::-1])
    lags = lags / np.maximum(lags[:, :1], 1e-12) / np.maximum(window / window[0], 0.1)
    found = lags[:, low:high]
    # an octave below is as periodic: the shortest period that is nearly as good wins
    good = found > 0.88 * found.max(1, keepdims=True)
    peak = good & (found >= np.roll(lags, 1, 1)[:, low:high]) & (found >= np.roll(lags, -1, 1)[:, low:high])
    at = np.where(peak.any(1), peak.argmax(1), found.argmax(1))
    harmonic = np.clip(found[np.arange(len(found)), at], 0, 1)
    pitch = 12 * np.log2(SAMPLE_RATE / (at + low) / 100)
    smooth = median_filter(pitch, 5, mode="nearest")
    voiced = (harmonic > _VOICED) & (np.abs(pitch - smooth) < 3)
    return Tracks(np.where(voiced, smooth, np.nan), harmonic, power[:, ::2])


def _pitch_numbers(pitch: np.ndarray, heard: np.ndarray) -> dict[str, float]:
    voiced = heard & np.isfinite(pitch)
    names = ("pitch_st", "pitch_range_st", "pitch_sd_st", "pitch_slope_st_s", "pitch_end_st", "pitch_wobble_st")
    if voiced.sum() < 10:
        return {**dict.fromkeys(names, 0.0), "voiced_share": float(voiced.mean())}
    known = pitch[voiced]
    low, middle, high = np.percentile(known, (10, 50, 90))
    near = voiced[1:] & voiced[:-1]
    steps = np.diff(pitch)[near]
    end = known[-min(30, len(known)) :].mean()
    return {
        "pitch_st": middle, "pitch_range_st": high - low, "pitch_sd_st": float(known.std()),
        "pitch_slope_st_s": float(100 * np.abs(steps).mean()) if len(steps) else 0.0, "pitch_end_st": end - middle,
        "pitch_wobble_st": float(np.abs(np.diff(steps)).mean()) if len(steps) > 1 else 0.0,
        "voiced_share": float(voiced.sum() / heard.sum()),
    }  # fmt: skip


def _loudness_numbers(loudness: np.ndarray, raw: np.ndarray, heard: np.ndarray) -> dict[str, float]:
    known = loudness[heard]
    low, high = np.percentile(known, (20, 95))
    rise = np.maximum(np.diff(loudness), 0)[heard[1:]]
    shaking = _smooth(raw, 3) - _smooth(raw, 20)  # 4-12 Hz
    return {
        "loudness_sd_db": float(known.std()), "loudness_range_db": high - low,
        "loudness_rise_db": float(rise.mean()) if len(rise) else 0.0, "tremor_db": float(shaking[heard].std()),
    }  # fmt: skip


def _timbre_numbers(power: np.ndarray, loudness: np.ndarray, heard: np.ndarray) -> dict[str, float]:
    hz = np.arange(power.shape[1]) * SAMPLE_RATE / (2 * (power.shape[1] - 1))

    def band_db(frames: np.ndarray, low: float, high: float) -> np.ndarray:
        return 10 * np.log10(frames[:, (hz >= low) & (hz < high)].sum(1) + 1e-10)

    known = power[heard]
    high_low = band_db(known, 1000, 5000) - band_db(known, 60, 1000)
    edges = 200.0 * 2 ** np.arange(0, 5.01, 0.5)
    octaves = np.stack([band_db(known.mean(0, keepdims=True), a, b)[0] for a, b in pairwise(edges)])
    centroid = np.log2(np.maximum((known * hz).sum(1) / np.maximum(known.sum(1), 1e-12), 50) / 500)
    loud = loudness[heard] > np.percentile(loudness[heard], 70)
    return {
        "tilt_db_octave": float(2 * np.polyfit(np.arange(len(octaves)), octaves, 1)[0]),
        "high_low_db": float(high_low.mean()),
        "high_low_accent_db": float(high_low[loud].mean() - high_low.mean()),
        "centroid_octave": float(centroid.mean()), "centroid_sd_octave": float(centroid.std()),
    }  # fmt: skip


def _pace_numbers(loudness: np.ndarray, heard: np.ndarray) -> dict[str, float]:
    from scipy.signal import find_peaks

    peaks, _ = find_peaks(_smooth(loudness, 7), prominence=2.0, distance=8)
    changes = np.flatnonzero(np.diff(np.concatenate([[True], heard, [True]]).astype(int)))
    pauses = (changes[1::2] - changes[::2]) / 100
    pauses = pauses[pauses >= 0.12]
    return {
        "syllables_s": float(heard[peaks].sum() / max(heard.sum() / 100, 0.1)),
        "pause_share": float(100 * pauses.sum() / len(heard)), "pause_s": float(pauses.mean()) if len(pauses) else 0.0,
    }  # fmt: skip


def _smooth(values: np.ndarray, frames: int) -> np.ndarray:
    from scipy.ndimage import uniform_filter1d

    return uniform_filter1d(np.asarray(values, np.float64), frames, mode="nearest")
