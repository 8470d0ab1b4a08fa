"""How far a picture runs ahead of its sound, or behind: lips that are seen against lips performed for the voice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from vultus.face.mouth import performed_mouth
from vultus.motion.learned_lips import default_lips
from vultus.motion.lips import LipMotion

SEARCH_S = 0.4
"""Offsets up to this are looked for, either way."""
PLAUSIBLE_S = 0.25
"""Offsets beyond this are not believed: peaks out there are as often chance as truth."""

_RATE_HZ = 100
"""Grid on which both mouths are compared; a parabola through the peak refines its steps of 10 ms."""
_SMOOTH_S = 0.03
_DRIFT_S = 1.0
"""Slower motion than this is expression and tracking drift, and not speech."""
_PEAK_REACH_S = 0.16
"""A peak of the correlation is about as wide as a syllable: only what is further off is its rival."""
_LEAST_OVERLAP_S = 2.0
_LONG_ENOUGH_S = 8.0
"""More seconds than this do not make the same correlation more convincing."""
_EVEN_EVIDENCE, _EVIDENCE_SPREAD = 1.05, 0.15
"""Evidence that is as likely of a right as of a wrong voice, and the slope about it (`AvOffset.confidence`)."""


@dataclass(frozen=True)
class MouthSeries:
    """A mouth over time: `mouth` (T, 2) aperture and width (`face.mouth`); frames not `valid` (T,) are ignored.

    Frame k is shown from `first_s + k / fps` to `first_s + (k + 1) / fps` on the clock of the voice, whose first sample
    is at 0 s, and stands for the middle of that time (as in `motion.noise.frame_times`).
    """

    mouth: np.ndarray
    fps: float
    valid: np.ndarray | None = None
    first_s: float = 0.0

    @property
    def frame_s(self) -> np.ndarray:
        """The moment (T,) that each frame stands for."""
        return self.first_s + (np.arange(len(self.mouth)) + 0.5) / self.fps


@dataclass(frozen=True)
class AvOffset:
    """An offset, and whether to believe it."""

    offset_s: float
    """Time of the picture's lips less the time of the same lips in the sound: negative when the picture is early."""
    confidence: float
    """0-1: the probability that lips and voice belong together, if they do in half of all cases.

    A logistic function of (2 peak - rival) * sqrt(seconds, at most `_LONG_ENOUGH_S`), where `rival` is the highest
    correlation away from the peak; its two constants were set between 22 real clips with their own voices and the same
    clips with voices of others (`benchmarks.av_offset` measures both kinds anew). 0 where the peak is beyond
    `PLAUSIBLE_S`, or where lips and voice overlap too little.
    """
    correlation: float
    """Pearson's r at the peak, mean of aperture and width."""

    @property
    def offset_ms(self) -> int:
        """`offset_s` in whole milliseconds."""
        return round(1000 * self.offset_s)

    @property
    def in_sync(self) -> bool:
        """Whether lips and voice belong together, but for the constant `offset_s`; where not, no offset was found."""
        return self.confidence >= 0.5


def av_offset(waveform: np.ndarray, seen: MouthSeries, lips: LipMotion | None = None) -> AvOffset:
    """The offset of a seen mouth against a voice (n,) float32, mono, 16 kHz, whose first sample is at 0 s.

    `lips` performs the voice, `default_lips` unless given. Where the picture's clock is the container's (presentation
    times), `seen.first_s` is when its first frame is shown; where frames are counted instead, it is 0, and the offset
    lacks what the picture track starts late.
    """
    lips = default_lips(_RATE_HZ / 2) if lips is None else lips
    expression = np.concatenate([lips.push(waveform), lips.finish()])
    return offset_between(MouthSeries(performed_mouth(expression), lips.fps), seen)


def offset_between(performed: MouthSeries, seen: MouthSeries) -> AvOffset:
    """The offset of a seen mouth against a performed one on the same clock; no confidence where they barely overlap."""
    curve, overlap_s = _correlation_by_lag(performed, seen)
    top = int(np.argmax(curve))
    lag_s = np.arange(-(len(curve) // 2), len(curve) // 2 + 1) / _RATE_HZ
    away = np.abs(lag_s - lag_s[top]) > _PEAK_REACH_S
    evidence = (2 * curve[top] - curve[away].max()) * np.sqrt(min(overlap_s, _LONG_ENOUGH_S))
    confidence = 1 / (1 + np.exp(-(evidence - _EVEN_EVIDENCE) / _EVIDENCE_SPREAD))
    inside = 0 < top < len(curve) - 1  # at the border of the search there is a slope and not a peak
    shift = _parabola_shift(*curve[top - 1 : top + 2]) if inside else 0.0
    offset_s = float(lag_s[top] + shift / _RATE_HZ)
    believable = abs(offset_s) <= PLAUSIBLE_S and overlap_s >= _LEAST_OVERLAP_S
    return AvOffset(offset_s, float(confidence) if believable else 0.0, float(curve[top]))


def _correlation_by_lag(performed: MouthSeries, seen: MouthSeries) -> tuple[np.ndarray, float]:
    """Correlation (2 n + 1,) of the mouths for offsets of -n to n steps, and the seconds they share at offset 0."""
    steps = round(SEARCH_S * _RATE_HZ)
    begin_s = min(performed.frame_s[0], seen.frame_s[0])
    end_s = max(performed.frame_s[-1], seen.frame_s[-1])
    grid_s = np.arange(begin_s, end_s + 1 / _RATE_HZ, 1 / _RATE_HZ)
    (spoken, heard), (shown, visible) = _on_grid(performed, grid_s), _on_grid(seen, grid_s)
    spoken, heard = np.pad(spoken, ((steps, steps), (0, 0))), np.pad(heard, steps)
    curve = np.zeros(2 * steps + 1)
    for place in range(len(curve)):  # lips seen at t show the sound of t - lag
        before = slice(2 * steps - place, 2 * steps - place + len(grid_s))
        both = visible & heard[before]
        if both.sum() >= _LEAST_OVERLAP_S * _RATE_HZ:
            pairs = zip(spoken[before][both].T, shown[both].T, strict=True)
            curve[place] = np.mean([_pearson(*pair) for pair in pairs])
    return curve, float((visible & heard[steps : steps + len(grid_s)]).sum() / _RATE_HZ)


def _on_grid(series: MouthSeries, grid_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mouth (n, 2) at times (n,), without noise and drift, and where it is known (n,)."""
    valid = np.ones(len(series.mouth), bool) if series.valid is None else np.asarray(series.valid, bool)
    at_s = series.frame_s
    if not valid.any():
        return np.zeros((len(grid_s), 2)), np.zeros(len(grid_s), bool)
    columns = [np.interp(grid_s, at_s[valid], column) for column in np.asarray(series.mouth, np.float64)[valid].T]
    mouth = gaussian_filter1d(np.stack(columns, -1), _SMOOTH_S * _RATE_HZ, axis=0)
    mouth -= gaussian_filter1d(mouth, _DRIFT_S * _RATE_HZ, axis=0)
    known = np.interp(grid_s, at_s, valid.astype(float), left=0, right=0) > 0.99
    return mouth, known


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 1e-9 else 0.0


def _parabola_shift(before: float, top: float, after: float) -> float:
    """Where the parabola through three neighbouring values peaks, in steps from the middle one."""
    bend = before - 2 * top + after
    return float(0.5 * (before - after) / bend) if bend < 0 else 0.0
