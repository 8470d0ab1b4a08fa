"""The sound of a dub: new voices from time zero on and, if it is kept, the old track with its own voice taken down.

There is no network here that separates voices from music, so what is done is plain, and stated in docs/video.md:

- a stereo track: what both sides share in the band of voices (where a voice is mixed) goes down by `OLD_VOICE_DB`,
  always; what differs between the sides stays. Under the new voice all of it goes down by `STEREO_DUCK_DB` more;
- a mono track (or two equal sides): all of it goes down by `OLD_VOICE_DB` where something stands out above its own
  background, as the old voice does (and a drum solo), and by `MONO_DUCK_DB` under the new voice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vultus.video.sound import Sound, SoundTrack

RATE = 48_000
"""Sample rate in Hz of all that is mixed: one that every container takes."""
OLD_VOICE_DB, STEREO_DUCK_DB, MONO_DUCK_DB = -24.0, -6.0, -12.0
VOICE_BAND_HZ = (85.0, 10_000.0)
"""Where the shared part of a stereo track is taken down: a bass and a bass drum stay."""
LEVEL_HZ = 100
"""Levels are looked at a hundred times a second."""
AHEAD_S, HOLD_S = 0.15, 0.35
"""A track is down this long before speech begins and after it ends; it goes and comes within `RAMP_S`."""
RAMP_S = 0.12
STANDS_OUT_DB, BACKGROUND_S = 6.0, 8.0
"""Speech in a mono track: this much above the quiet fifth of the seconds around it."""
AUDIBLE_DB = -50.0
"""Quieter than this, re full scale, nobody speaks."""
ONE_SIDED_DB = -25.0
"""A stereo track whose sides differ by less, re what they share, is mono."""
CEILING = 0.89
"""No sample is louder: -1 dB, which leaves room for what the codec adds."""

_BLOCK = RATE // 10
_LEVEL = RATE // LEVEL_HZ


@dataclass(frozen=True)
class DubSound:
    """Voices, all from time zero on, over the old track; a `Sound` to write. Memory does not grow with length."""

    voices: tuple[SoundTrack, ...]
    music: SoundTrack | None = None
    rate: int = field(default=RATE, init=False)

    @property
    def channels(self) -> int:
        return max(track.channels for track in (*self.voices, *([self.music] if self.music else [])))

    @property
    def layout(self) -> str:
        return "mono" if self.channels == 1 else "stereo"

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield (channels, samples) float32 within `CEILING` until the last of the tracks ends."""
        parts: list[Iterator[np.ndarray]] = [_even(voice.blocks(), self.channels) for voice in self.voices]
        if self.music is not None:
            parts.append(_ducked(self.music, self.voices, self.channels))
        return _limited(_summed(parts))


def dub_sound(
    voices: Sequence[str | Path], music: str | Path | None = None, *, start_s: float = 0.0, end_s: float | None = None
) -> Sound:
    """The sound of a dub with the voices of these files, each from `start_s` to `end_s` of it, from time zero on.

    `music` is the file (the video) whose sound goes on under them. Raises InputError for a file without readable
    sound, at once or where the damage is met.
    """
    tracks = tuple(SoundTrack(Path(voice), start_s, end_s, RATE) for voice in voices)
    if music is None and len(tracks) == 1:
        return tracks[0]
    return DubSound(tracks, None if music is None else SoundTrack(Path(music), rate=RATE))


def _even(blocks: Iterable[np.ndarray], channels: int) -> Iterator[np.ndarray]:
    """The same sound with so many channels in blocks of `_BLOCK` samples; the last one is filled up with silence."""
    held = np.zeros((channels, 0), np.float32)
    for block in blocks:
        wide = block if len(block) == channels else np.repeat(block.mean(0, keepdims=True), channels, 0)
        held = np.concatenate([held, wide], 1)
        while held.shape[1] >= _BLOCK:
            yield held[:, :_BLOCK]
            held = held[:, _BLOCK:]
    if held.shape[1]:
        yield np.pad(held, ((0, 0), (0, _BLOCK - held.shape[1])))


def _summed(parts: list[Iterator[np.ndarray]]) -> Iterator[np.ndarray]:
    while True:
        blocks = [block for block in (next(part, None) for part in parts) if block is not None]
        if not blocks:
            return
        yield np.sum(blocks, axis=0, dtype=np.float32)


# --- how loud the old track may be -------------------------------------------------------------------------------


def _ducked(music: SoundTrack, voices: Sequence[SoundTrack], channels: int) -> Iterator[np.ndarray]:
    old, sides_db = _levels_db(music)
    speaking = np.zeros(len(old), bool)
    for voice in voices:
        levels, _ = _levels_db(voice)
        loud = levels > max(AUDIBLE_DB, float(np.percentile(levels, 95)) - 30 if len(levels) else AUDIBLE_DB)
        speaking[: len(loud)] |= loud[: len(speaking)]
    stereo = music.channels == 2 and sides_db > ONE_SIDED_DB
    gain_db = np.where(_spread(speaking), STEREO_DUCK_DB if stereo else MONO_DUCK_DB, 0.0)
    if not stereo:
        gain_db = np.minimum(gain_db, np.where(_spread(stands_out(old)), OLD_VOICE_DB, 0.0))
    gain = 10 ** (_ramped(gain_db) / 20)
    sound = _even(music.blocks(), music.channels)
    return _gained(_even(_centre_lowered(sound) if stereo else sound, channels), gain)


def _levels_db(track: SoundTrack) -> tuple[np.ndarray, float]:
    """Levels (M,) in the band of voices, `LEVEL_HZ` a second, dB re full scale; and the sides' re the centre."""
    from scipy.signal import butter, sosfilt

    band = butter(2, (200, 4000), "bandpass", fs=RATE, output="sos")
    state = np.zeros((len(band), track.channels, 2))
    levels, shared, apart = [np.zeros(0)], 1e-12, 1e-12
    for block in _even(track.blocks(), track.channels):
        heard, state = sosfilt(band, block, zi=state)
        levels.append(np.mean(heard.reshape(track.channels, -1, _LEVEL) ** 2, (0, 2)))
        shared += float(np.sum(heard.mean(0) ** 2))
        apart += float(np.sum((heard[0] - heard[-1]) ** 2)) / 4
    return 10 * np.log10(np.concatenate(levels) + 1e-10), 10 * np.log10(apart / shared)


def stands_out(levels_db: np.ndarray) -> np.ndarray:
    """(M,) bool: where a track of such levels, `LEVEL_HZ` a second, is audible and louder than its background."""
    from scipy.ndimage import percentile_filter, uniform_filter1d

    if len(levels_db) == 0:
        return np.zeros(0, bool)
    tenth = LEVEL_HZ // 10  # the background is looked at ten times a second
    coarse = uniform_filter1d(levels_db, tenth)[::tenth]
    background = percentile_filter(coarse, 20, round(BACKGROUND_S * 10))
    floor_db = np.repeat(background, tenth)[: len(levels_db)]
    return (uniform_filter1d(levels_db, 5) > floor_db + STANDS_OUT_DB) & (levels_db > AUDIBLE_DB)


def _spread(spoken: np.ndarray) -> np.ndarray:
    """The same stretches, begun `AHEAD_S` earlier and ended `HOLD_S` later."""
    ahead, hold = round(AHEAD_S * LEVEL_HZ), round(HOLD_S * LEVEL_HZ)
    reach = np.concatenate([[0], np.cumsum(spoken)])
    at = np.arange(len(spoken))
    return reach[np.minimum(at + ahead + 1, len(spoken))] > reach[np.maximum(at - hold, 0)]


def _ramped(gain_db: np.ndarray) -> np.ndarray:
    from scipy.ndimage import uniform_filter1d

    return uniform_filter1d(gain_db, round(RAMP_S * LEVEL_HZ)) if len(gain_db) else gain_db


def _gained(blocks: Iterator[np.ndarray], gain: np.ndarray) -> Iterator[np.ndarray]:
    """Blocks times a gain that is given `LEVEL_HZ` a second and goes straight in between."""
    middle = (np.arange(len(gain)) + 0.5) * _LEVEL
    for number, block in enumerate(blocks):
        at = number * _BLOCK + np.arange(block.shape[1])
        yield (block * np.interp(at, middle, gain)).astype(np.float32) if len(gain) else block


# --- taking down what both sides share ---------------------------------------------------------------------------

_WINDOW, _HOP = 2048, 512
_MEMORY = 0.6
"""Share of the past in the correlation of the sides: about three windows, a syllable's length."""


def _centre_lowered(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Stereo (2, n) with the part that both sides share lowered in `VOICE_BAND_HZ`, in step with what came in.

    In each band of a short Fourier transform (hop 11 ms) the sides' correlation says how much of it is shared
    (compare C. Avendano and J.-M. Jot, 2004, on extracting ambience); so much of the middle is taken off both.
    """
    window = np.sqrt(np.hanning(_WINDOW + 1)[:-1])
    scale = _HOP / np.sum(window**2)
    share = _band_weights() * (1 - 10 ** (OLD_VOICE_DB / 20))
    powers = np.zeros((3, _WINDOW // 2 + 1))
    held, tail = np.zeros((2, _WINDOW - _HOP)), np.zeros((2, _WINDOW))
    late = _WINDOW - _HOP
    for block in _flushed(blocks, _WINDOW):
        held = np.concatenate([held, block], 1)
        ready: list[np.ndarray] = []
        while held.shape[1] >= _WINDOW:
            left, right = np.fft.rfft(held[:, :_WINDOW] * window, axis=1)
            now = np.stack([np.abs(left) ** 2, np.abs(right) ** 2, (left * right.conj()).real])
            powers = _MEMORY * powers + (1 - _MEMORY) * now
            common = 2 * powers[2] / (powers[0] + powers[1] + 1e-12)
            middle = share * np.clip((common - 0.2) / 0.6, 0, 1) * (left + right) / 2
            tail += np.fft.irfft(np.stack([left - middle, right - middle]), _WINDOW, axis=1) * window * scale
            ready.append(tail[:, :_HOP].copy())
            tail = np.concatenate([tail[:, _HOP:], np.zeros((2, _HOP))], 1)
            held = held[:, _HOP:]
        if ready:
            out = np.concatenate(ready, 1).astype(np.float32)
            skipped = min(late, out.shape[1])
            late -= skipped
            yield out[:, skipped:]


def _band_weights() -> np.ndarray:
    """0 outside `VOICE_BAND_HZ` to 1 inside, over a quarter of an octave."""
    hertz = np.fft.rfftfreq(_WINDOW, 1 / RATE) + 1e-9
    low, high = VOICE_BAND_HZ
    return np.clip(4 * np.log2(hertz / low), 0, 1) * np.clip(4 * np.log2(high / hertz) + 1, 0, 1)


def _flushed(blocks: Iterator[np.ndarray], samples: int) -> Iterator[np.ndarray]:
    yield from blocks
    yield np.zeros((2, samples), np.float32)


# --- no sample too loud ------------------------------------------------------------------------------------------

_REACH = RATE // 100
"""The limiter goes down within this many samples before a peak and comes back as slowly after it."""


def _limited(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The same sound within `CEILING`: where a sample is louder, all around it goes down smoothly."""
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    size, context = 2 * _REACH + 1, 2 * _REACH
    held: np.ndarray | None = None
    for block in _with_end(blocks, context):
        held = np.pad(block, ((0, 0), (context, 0))) if held is None else np.concatenate([held, block], 1)
        count = held.shape[1] - 2 * context
        if count <= 0:
            continue
        need = CEILING / np.maximum(np.abs(held).max(0), CEILING)
        gain = uniform_filter1d(minimum_filter1d(need, size), size) if need.min() < 1 else need
        yield np.clip(held[:, context:-context] * gain[context:-context], -CEILING, CEILING).astype(np.float32)
        held = held[:, count:]


def _with_end(blocks: Iterator[np.ndarray], samples: int) -> Iterator[np.ndarray]:
    channels = 0
    for block in blocks:
        channels = len(block)
        yield block
    if channels:
        yield np.zeros((channels, samples), np.float32)
