"""Speech sounds from audio alone: pocketsphinx's free phone loop, in windows, so that any length streams.

It needs no text and works on any language, as far as English sounds cover it. The acoustic model is in the
pocketsphinx wheel. About 25 times faster than real time on one core.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import uniform_filter1d

from vultus.core.errors import MissingPartError
from vultus.core.types import SAMPLE_RATE, Phone

if TYPE_CHECKING:
    from pocketsphinx import Decoder

SILENCE = "SIL"

_HOP = SAMPLE_RATE // 100
"""Samples in a 10 ms frame: the grid of the recogniser and of the silence gate."""

_WINDOW = 320
"""New frames needed before a stretch is recognised."""
_EARLIEST_CUT, _LATEST_CUT = 200, 300
"""A stretch ends at its quietest frame in this range, so that joins fall into pauses or stop gaps."""
_CONTEXT = 30
"""Frames before a stretch that are recognised again, as a run-up, and discarded."""

_SPOKEN_NOISE = "AH"
"""What stands for sounds the recogniser calls noise while the gate hears a voice: a neutral open vowel."""


class PhoneStream:
    """Phones of a voice as it arrives: `push` samples, get the phones that are final, `finish` for the rest.

    Phones are gapless from 0 s on, in order, upper-case ARPAbet without stress, or "SIL". They do not depend on how
    the samples are cut into chunks. Look-ahead is at most `lookahead_s`; memory is bounded.
    """

    LONGEST_HELD_S = 0.3
    """The last sound before a join is held back, so that it can be joined with its other half, unless it is longer."""
    lookahead_s = (_WINDOW + 1) * _HOP / SAMPLE_RATE + LONGEST_HELD_S
    """What happens at any moment is out when this much of the voice after it has been pushed."""

    def __init__(self) -> None:
        self._decoder = _allphone_decoder()
        self._gate = SpeechGate()
        self._samples = np.zeros(0, np.float32)
        self._run_up = 0  # frames at the head of _samples that are already recognised
        self._start = 0  # frame at which the next stretch starts
        self._last: Phone | None = None

    def push(self, samples: np.ndarray) -> list[Phone]:
        """Take (n,) float32 samples at 16 kHz in [-1, 1]; return the phones that became final."""
        self._samples = np.concatenate([self._samples, np.asarray(samples, np.float32)])
        final: list[Phone] = []
        while len(self._samples) >= (self._run_up + _WINDOW) * _HOP:
            window = self._samples[: (self._run_up + _WINDOW) * _HOP]
            level_db = uniform_filter1d(frame_levels_db(window), 5)
            first = self._run_up + _EARLIEST_CUT
            cut = first + int(np.argmin(level_db[first : self._run_up + _LATEST_CUT]))
            final += self._recognise(window, cut)
            kept = cut - _CONTEXT
            self._samples = self._samples[kept * _HOP :]
            self._run_up = _CONTEXT
        return final

    def finish(self) -> list[Phone]:
        """The remaining phones; the last one ends with the audio."""
        rest = len(self._samples) - self._run_up * _HOP
        end_s = self._start * _HOP / SAMPLE_RATE + rest / SAMPLE_RATE
        final: list[Phone] = []
        if rest > 0:
            frames = -(-len(self._samples) // _HOP)
            window = np.pad(self._samples, (0, frames * _HOP - len(self._samples)))
            final = self._recognise(window, frames)
        if self._last is not None:
            final.append(self._last)
        self._samples, self._run_up, self._last = self._samples[:0], 0, None
        if final:  # the last 10 ms frame may be longer than the audio
            final[-1] = Phone(final[-1].symbol, final[-1].start_s, min(final[-1].end_s, end_s))
        return final

    def _recognise(self, window: np.ndarray, cut: int) -> list[Phone]:
        """Phones between the run-up and frame `cut` of a window, after what was held back; holds back the last."""
        speech = self._gate(frame_levels_db(window))
        symbols = np.full(len(speech), SILENCE, dtype=object)
        if speech[self._run_up : cut].any():
            symbols[:] = self._decode(window, len(speech))
            symbols[~speech] = SILENCE
        stretch = _without_slivers(symbols[self._run_up : cut])
        final: list[Phone] = []
        edges = np.flatnonzero(np.r_[True, stretch[1:] != stretch[:-1], True])
        for a, b in pairwise(edges):
            phone = Phone(str(stretch[a]), (self._start + int(a)) * 0.01, (self._start + int(b)) * 0.01)
            if self._last is not None and self._last.symbol == phone.symbol and phone.symbol != SILENCE:
                phone = Phone(phone.symbol, self._last.start_s, phone.end_s)
            elif self._last is not None:
                final.append(self._last)
            self._last = phone
        # Silence need not wait for its end, and a long sound has waited long enough.
        if self._last is not None and (
            self._last.symbol == SILENCE or self._last.end_s - self._last.start_s > self.LONGEST_HELD_S
        ):
            final.append(self._last)
            self._last = None
        self._start += cut - self._run_up
        return final

    def _decode(self, window: np.ndarray, frames: int) -> np.ndarray:
        """The recogniser's symbol in each 10 ms frame; SIL where it has none."""
        pcm = (np.clip(window, -1, 1) * 32767).astype(np.int16)
        self._decoder.start_utt()
        self._decoder.process_raw(pcm.tobytes(), full_utt=True)
        self._decoder.end_utt()
        symbols = np.full(frames, SILENCE, dtype=object)
        for segment in self._decoder.seg() or ():
            symbol = _SPOKEN_NOISE if segment.word.startswith("+") else segment.word
            symbols[segment.start_frame : segment.end_frame + 1] = symbol
        return symbols


class SpeechGate:
    """Tells voice from silence by level: a frame is voice when it stands out of the noise floor of its window.

    Steady sound (hum, hiss) hardly varies and is taken for silence. A simple gate: loud music with a beat passes.
    """

    FLOOR_MARGIN_DB = 9.0
    LEAST_RANGE_DB = 12.0
    """Voice moves between syllables by more than this; windows that do not are silence."""
    BELOW_PEAK_DB = 36.0
    QUIETEST_DB = -58.0
    PEAK_DECAY_DB = 3.0
    """How much of the loudest level so far is forgotten with each window."""
    SHORTEST_VOICE, LONGEST_GAP = 5, 15
    """Frames: shorter bursts are clicks; shorter gaps are stop closures."""

    def __init__(self) -> None:
        self._peak_db = -40.0

    def __call__(self, level_db: np.ndarray) -> np.ndarray:
        """(n,) bool from (n,) frame levels in dB of full scale, for successive windows."""
        smooth_db = uniform_filter1d(level_db, 3)
        floor_db, loud_db = np.percentile(smooth_db, (10, 98))
        self._peak_db = max(loud_db, self._peak_db - self.PEAK_DECAY_DB)
        if loud_db - floor_db < self.LEAST_RANGE_DB:
            return np.zeros(len(level_db), bool)
        # Speech without a pause has no floor in sight: its tenth percentile is still voice.
        floor_db = min(floor_db, loud_db - 2 * self.LEAST_RANGE_DB)
        voice = smooth_db > max(floor_db + self.FLOOR_MARGIN_DB, self._peak_db - self.BELOW_PEAK_DB, self.QUIETEST_DB)
        voice = _without_runs(voice, False, self.LONGEST_GAP)
        return _without_runs(voice, True, self.SHORTEST_VOICE)


def frame_levels_db(samples: np.ndarray) -> np.ndarray:
    """RMS level of each whole 10 ms frame in dB of full scale, at least -100."""
    frames = samples[: len(samples) // _HOP * _HOP].reshape(-1, _HOP).astype(np.float64)
    return 10 * np.log10(np.square(frames).mean(1) + 1e-10)


def phones_of(waveform: np.ndarray) -> tuple[Phone, ...]:
    """Phones of a whole voice (n,) float32 at 16 kHz: `PhoneStream` in one go."""
    stream = PhoneStream()
    return (*stream.push(waveform), *stream.finish())


def _without_runs(flags: np.ndarray, value: bool, shortest: int) -> np.ndarray:
    """`flags` with inner runs of `value` that are shorter than `shortest` turned over."""
    flags = flags.copy()
    edges = np.flatnonzero(np.r_[True, flags[1:] != flags[:-1], True])
    for a, b in pairwise(edges):
        if flags[a] == value and b - a < shortest and a > 0 and b < len(flags):
            flags[a:b] = not value
    return flags


def _without_slivers(symbols: np.ndarray, shortest: int = 2) -> np.ndarray:
    """Symbols with runs shorter than `shortest` frames given to the run before (or after, at the head)."""
    symbols = symbols.copy()
    edges = np.flatnonzero(np.r_[True, symbols[1:] != symbols[:-1], True])
    for a, b in pairwise(edges):
        if b - a < shortest and len(edges) > 2:
            symbols[a:b] = symbols[a - 1] if a > 0 else symbols[b]
    return symbols


def _allphone_decoder() -> Decoder:
    try:
        import pocketsphinx
    except ImportError:
        raise MissingPartError("pocketsphinx is not installed", "lips", "run: pip install pocketsphinx") from None
    model = Path(pocketsphinx.__file__).parent / "model" / "en-us"
    settings: dict[str, Any] = {"hmm": str(model / "en-us"), "allphone": str(model / "en-us-phone.lm.bin")}
    return pocketsphinx.Decoder(
        **settings, samprate=float(SAMPLE_RATE), lw=2.0, beam=1e-20, pbeam=1e-20, cmn="batch", loglevel="FATAL"
    )
