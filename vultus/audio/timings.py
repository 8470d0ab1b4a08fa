"""From the marks of a speech synthesiser to phones: gapless, stops with their closures, pauses that are silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vultus.audio.phones import SILENCE
from vultus.core.types import Phone

_STOPS = frozenset({"P", "B", "T", "D", "K", "G", "CH", "JH"})
_STEP_S = 0.001
_QUIET = 1e-3
"""Peak amplitude of silence, -60 dB of full scale."""
_LONGEST_CLOSURE_S, _CLOSURE_IN_PAUSE_S = 0.12, 0.06
"""How far back a stop's closure may reach into a sound, and into a pause, where lips close just in time."""
_JITTER_S = 0.01
"""A stop's mark lies this close to its burst."""


@dataclass(frozen=True)
class Span:
    """What a synthesiser says it makes between two times: phones in order, none for a mark without a sound."""

    phones: tuple[str, ...]
    start_s: float
    end_s: float


def heard(spans: Sequence[Span], samples: np.ndarray, sample_rate: float) -> list[Span]:
    """Spans corrected by what is in the sound, (n,) float32.

    eSpeak NG marks a stop at its burst and counts the closure, which is what lips show, to the sound before; and some
    of its nameless marks, elsewhere pauses, are the ends of sounds.
    """
    steps = int(len(samples) / sample_rate / _STEP_S)
    edges = (np.arange(steps) * _STEP_S * sample_rate).astype(int)
    quiet = np.maximum.reduceat(np.abs(samples), edges) < _QUIET if steps else np.zeros(0, bool)
    fixed: list[Span] = []
    for span in spans:
        inside = quiet[int(span.start_s / _STEP_S) : int(span.end_s / _STEP_S)]
        if span.phones == (SILENCE,) and len(inside) and inside.mean() < 0.5:
            span = replace(span, phones=())
        elif fixed and span.phones and span.phones[0] in _STOPS:
            before = fixed[-1]
            start_s = max(_closure_start_s(quiet, span.start_s, before), before.start_s)
            fixed[-1] = replace(before, end_s=start_s)
            span = replace(span, start_s=start_s)
        fixed.append(span)
    return fixed


def _closure_start_s(quiet: np.ndarray, mark_s: float, before: Span) -> float:
    longest_s = _CLOSURE_IN_PAUSE_S if before.phones == (SILENCE,) else _LONGEST_CLOSURE_S
    first = max(0, round((mark_s - longest_s) / _STEP_S), round(before.start_s / _STEP_S))
    at = min(round(mark_s / _STEP_S), len(quiet))
    silent = np.flatnonzero(quiet[max(first, at - round(_JITTER_S / _STEP_S)) : at])
    if not len(silent):
        return mark_s
    while at > first and (quiet[at - 1] or mark_s - at * _STEP_S < _JITTER_S):
        at -= 1
    return at * _STEP_S


def gapless(spans: Sequence[Span], end_s: float) -> tuple[Phone, ...]:
    """Phones from 0 s to `end_s`; marks without a sound belong to the sound before, holes are silence."""
    starts: list[tuple[str, float]] = [(SILENCE, 0.0)]
    for span in spans:
        for symbol, share in zip(span.phones, _shares(len(span.phones)), strict=True):
            at_s = span.start_s + share * (span.end_s - span.start_s)
            if at_s <= starts[-1][1]:
                starts.pop()
            if symbol != SILENCE or not starts or starts[-1][0] != SILENCE:
                starts.append((symbol, at_s))
    if spans and spans[-1].end_s < end_s and starts[-1][0] != SILENCE:
        starts.append((SILENCE, spans[-1].end_s))
    ends_s = [at_s for _, at_s in starts[1:]] + [end_s]
    return tuple(Phone(s, a, b) for (s, a), b in zip(starts, ends_s, strict=True) if b > a)


def _shares(count: int) -> list[float]:
    """Where the parts of a sound start, 0-1: the first of two is a little longer."""
    return [0.0, 0.6] if count == 2 else [i / count for i in range(count)]
