"""Sounds that are no speech: noise, knocks, and instrumental music played on synthesisers of our own.

Networks that listen to voices learn from them what to leave alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve, lfilter

from vultus.core.types import SAMPLE_RATE

MAJOR, MINOR = np.array([0, 2, 4, 5, 7, 9, 11]), np.array([0, 2, 3, 5, 7, 8, 10])
"""Semitones of a scale."""


def noise(duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Noise (n,) float32 of a random colour, steady or in gusts."""
    white = rng.standard_normal(round(duration_s * SAMPLE_RATE))
    pole = rng.uniform(-0.3, 0.98)
    coloured = lfilter([1 - abs(pole)], [1, -pole], white)
    if rng.random() < 0.5:
        gusts = np.interp(np.arange(len(white)), np.linspace(0, len(white), 40), rng.uniform(0.05, 1, 40))
        coloured *= gusts
    return _levelled(coloured, rng)


def knocks(duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Knocks, clicks, steps and claps (n,) float32: short bursts of coloured, sometimes ringing, noise."""
    track = np.zeros(round(duration_s * SAMPLE_RATE))
    every_s, regular = rng.uniform(0.12, 1.2), rng.random() < 0.5
    at_s = rng.uniform(0, every_s)
    while at_s < duration_s:
        t = _seconds(rng.uniform(0.03, 0.4))
        pole = rng.uniform(-0.5, 0.98)
        burst = lfilter([1 - abs(pole)], [1, -pole], rng.standard_normal(len(t)))
        burst += rng.random() ** 3 * np.sin(2 * np.pi * rng.uniform(80, 3000) * t)
        _put(track, at_s, rng.uniform(0.1, 1) * burst * np.exp(-t / rng.uniform(0.005, 0.08)))
        at_s += every_s if regular else rng.exponential(every_s) + 0.02
    return _levelled(track, rng)


def music(duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Instrumental music (n,) float32: some of chords, a bass, a tune and drums, in a room."""
    band = np.zeros(round(duration_s * SAMPLE_RATE))
    beat_s, root_hz = rng.uniform(0.25, 0.8), rng.uniform(60, 120)
    scale = MAJOR if rng.random() < 0.5 else MINOR
    steps = rng.integers(0, 7, 4)  # the roots of four bars, again and again
    for part, share in ((_chords, 0.75), (_bass, 0.6), (_tune, 0.75), (_drums, 0.55)):
        if rng.random() < share or (part is _tune and not band.any()):
            track = np.zeros_like(band)
            part(track, _Score(beat_s, root_hz, scale, steps), rng)
            band += rng.uniform(0.3, 1) * _through_a_body(track, rng) / max(np.abs(track).max(), 1e-9)
    return _levelled(_in_a_room(band, rng), rng)


@dataclass(frozen=True)
class _Score:
    beat_s: float
    root_hz: float
    scale: np.ndarray
    steps: np.ndarray

    def pitch_hz(self, step: int, octave: int) -> float:
        """Of a step of the scale."""
        return self.root_hz * 2 ** (octave + step // 7 + self.scale[step % 7] / 12)

    def root(self, at_s: float) -> int:
        """The step on which the bar at a moment is built."""
        return int(self.steps[int(at_s / (4 * self.beat_s)) % len(self.steps)])


Instrument = Callable[[float, float], np.ndarray]
"""Pitch in Hz and length in seconds -> sound (n,)."""


def _chords(track: np.ndarray, score: _Score, rng: np.random.Generator) -> None:
    play = _instrument(rng)
    every, strum_s = rng.choice([0.5, 1, 2, 4]) * score.beat_s, rng.choice([0.0, 0.02, 0.25 * score.beat_s])
    for at_s in np.arange(0, len(track) / SAMPLE_RATE, every):
        for k, third in enumerate(rng.permutation(rng.integers(2, 5))):
            pitch_hz = score.pitch_hz(score.root(at_s) + 2 * int(third), 1)
            _put(track, at_s + k * strum_s, play(pitch_hz, 1.1 * every))


def _bass(track: np.ndarray, score: _Score, rng: np.random.Generator) -> None:
    play = _instrument(rng)
    every = rng.choice([0.5, 1, 2]) * score.beat_s
    for at_s in np.arange(0, len(track) / SAMPLE_RATE, every):
        if rng.random() < 0.9:
            _put(track, at_s, play(score.pitch_hz(score.root(at_s) + int(rng.choice([0, 0, 4])), 0), every))


def _tune(track: np.ndarray, score: _Score, rng: np.random.Generator) -> None:
    play, octave, step = _instrument(rng), int(rng.integers(1, 4)), int(rng.integers(0, 7))
    at_s = 0.0
    while at_s < len(track) / SAMPLE_RATE:
        length_s = score.beat_s * rng.choice([0.25, 0.5, 0.5, 1, 1, 2])
        if rng.random() < 0.85:
            step = int(np.clip(step + rng.integers(-3, 4), 0, 10))
            _put(track, at_s, rng.uniform(0.4, 1) * play(score.pitch_hz(step, octave), length_s))
        at_s += length_s


def _drums(track: np.ndarray, score: _Score, rng: np.random.Generator) -> None:
    kick_hz, kick_s, snare_s, hat_s = rng.uniform(40, 90), *rng.uniform((0.05, 0.03, 0.008), (0.2, 0.15, 0.06))
    ring_hz = rng.uniform(150, 350)
    for k, at_s in enumerate(np.arange(0, len(track) / SAMPLE_RATE, score.beat_s / 2)):
        t = _seconds(0.3)
        if k % 4 == 0 or rng.random() < 0.1:
            _put(track, at_s, 1.2 * np.sin(2 * np.pi * kick_hz * t + 6 * np.exp(-t / 0.03)) * np.exp(-t / kick_s))
        if k % 4 == 2:
            snare = rng.standard_normal(len(t)) + np.sin(2 * np.pi * ring_hz * t)
            _put(track, at_s, 0.6 * snare * np.exp(-t / snare_s))
        if rng.random() < 0.8:
            _put(track, at_s, 0.3 * np.diff(rng.standard_normal(len(t) + 1)) * np.exp(-t / hat_s))


def _instrument(rng: np.random.Generator) -> Instrument:
    return (_additive, _frequency_modulated, _plucked)[rng.integers(3)](rng)


def _additive(rng: np.random.Generator) -> Instrument:
    """Organs, strings, pianos: harmonics that fall with their number, a little sharp, with or without vibrato."""
    count = int(rng.integers(2, 24))
    order = np.arange(1, count + 1)
    levels = order ** -rng.uniform(0.3, 2.5) * rng.uniform(0.1, 1, count) * (order % 2 if rng.random() < 0.2 else 1)
    stretch = rng.choice([0, 0, 4e-4])
    shape, vibrato = _envelope(rng), rng.choice([0, 0, 0.003, 0.01]) * rng.uniform(0.5, 1.5)
    fall = rng.uniform(0, 2)

    def play(pitch_hz: float, length_s: float) -> np.ndarray:
        t = _seconds(1.2 * length_s)
        phase = 2 * np.pi * pitch_hz * (t - vibrato / (2 * np.pi * 5.5) * np.cos(2 * np.pi * 5.5 * t))
        partials = order[order * pitch_hz < 0.45 * SAMPLE_RATE]
        tones = (
            levels[k - 1] * np.sin(k * np.sqrt(1 + stretch * k * k) * phase) * np.exp(-fall * (k - 1) * t)
            for k in partials
        )
        return sum(tones, np.zeros(len(t))) * shape(t, length_s)

    return play


def _frequency_modulated(rng: np.random.Generator) -> Instrument:
    """Brass, bells, electric pianos: one sine modulates another (Chowning 1973)."""
    ratio, index = rng.choice([0.5, 1, 1, 2, 3, 3.5, 1.41, 7]), rng.uniform(0.3, 7)
    shape, brightness_s = _envelope(rng), rng.uniform(0.05, 2)

    def play(pitch_hz: float, length_s: float) -> np.ndarray:
        t = _seconds(1.2 * length_s)
        bend = index * np.exp(-t / brightness_s) * np.sin(2 * np.pi * ratio * pitch_hz * t)
        return np.sin(2 * np.pi * pitch_hz * t + bend) * shape(t, length_s)

    return play


def _plucked(rng: np.random.Generator) -> Instrument:
    """Guitars, harps, basses: a burst of noise in a loop that loses its heights (Karplus and Strong 1983)."""
    soft, keep = rng.uniform(0.2, 0.9), rng.uniform(0.97, 0.998)
    drive = rng.choice([0, 0, 4])

    def play(pitch_hz: float, length_s: float) -> np.ndarray:
        period = max(2, round(SAMPLE_RATE / pitch_hz))
        burst = np.zeros(len(_seconds(1.4 * length_s)))
        head = min(period, len(burst))
        burst[:head] = lfilter([1 - soft], [1, -soft], rng.uniform(-1, 1, head))
        loop = np.zeros(period + 2)
        loop[0], loop[period], loop[period + 1] = 1, -0.5 * keep, -0.5 * keep
        tone = lfilter([1], loop, burst)
        tone = np.tanh(drive * tone / max(np.abs(tone).max(), 1e-9)) if drive else tone
        return tone * _release(_seconds(1.4 * length_s), 1.4 * length_s)

    return play


def _envelope(rng: np.random.Generator) -> Callable[[np.ndarray, float], np.ndarray]:
    attack_s, decay_s = 10 ** rng.uniform((-2.5, -0.8), (-0.6, 1))

    def shape(t: np.ndarray, length_s: float) -> np.ndarray:
        return np.minimum(1, t / attack_s) * np.exp(-t / decay_s) * _release(t, 1.2 * length_s)

    return shape


def _release(t: np.ndarray, end_s: float) -> np.ndarray:
    return np.clip((end_s - t) / 0.04, 0, 1)


def _through_a_body(track: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two resonances, such as bodies, pick-ups and loudspeakers have."""
    for _ in range(2):
        radius, angle = rng.uniform(0.8, 0.98), 2 * np.pi * 10 ** rng.uniform(2.2, 3.7) / SAMPLE_RATE
        ringing = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius * radius], track)
        track = track + rng.uniform(0, 3) * ringing
    return track


def _in_a_room(track: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    t = _seconds(0.8)
    echoes = rng.standard_normal(len(t)) * np.exp(-t / rng.uniform(0.03, 0.25))
    wet = fftconvolve(track, echoes / np.linalg.norm(echoes))[: len(track)]
    return track + rng.choice([0, 0.2, 0.6]) * wet


def _seconds(duration_s: float) -> np.ndarray:
    """Times (n,) of the samples of so long a sound."""
    return np.arange(max(1, round(duration_s * SAMPLE_RATE))) / SAMPLE_RATE


def _put(track: np.ndarray, at_s: float, sound: np.ndarray) -> None:
    """Add a sound to a track, as far as the track goes."""
    start = round(at_s * SAMPLE_RATE)
    room = track[start : start + len(sound)]
    room += sound[: len(room)]


def _levelled(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    peak = 10 ** rng.uniform(-1.5, -0.1)
    return (samples * peak / max(np.abs(samples).max(), 1e-9)).astype(np.float32)
