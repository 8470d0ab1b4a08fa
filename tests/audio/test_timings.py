"""Marks of synthesisers become phones without gaps, and stops get their closures back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.audio.timings import Span, gapless, heard
from vultus.core.types import Phone

RATE = 16_000


@st.composite
def spans_in_order(draw: st.DrawFn) -> list[Span]:
    times_s = sorted(draw(st.lists(st.floats(0, 5), min_size=1, max_size=12)))
    kinds = st.sampled_from([("AA",), ("P",), ("SIL",), (), ("T", "S"), ("EH", "R", "AH")])
    return [Span(draw(kinds), a, b) for a, b in pairwise([*times_s, 5.0])]


@given(spans_in_order())
def test_phones_leave_no_gap(spans: list[Span]) -> None:
    phones = gapless(spans, 5.5)
    assert phones[0].start_s == 0 and phones[-1].end_s == 5.5
    for before, after in pairwise(phones):
        assert before.end_s == after.start_s < after.end_s


@given(spans_in_order())
def test_corrections_keep_order_and_ends(spans: list[Span]) -> None:
    fixed = heard(spans, np.zeros(5 * RATE, np.float32), RATE)
    assert len(fixed) == len(spans) and fixed[-1].end_s == 5.0
    for before, after in pairwise(fixed):
        assert before.start_s <= before.end_s == after.start_s


def voice(*parts: tuple[float, float]) -> np.ndarray:
    """A tone in pieces of (seconds, amplitude)."""
    level = np.concatenate([np.full(round(RATE * s), a) for s, a in parts])
    return (level * np.sin(0.3 * np.arange(len(level)))).astype(np.float32)


def test_a_stop_begins_with_its_closure() -> None:
    samples = voice((0.16, 0.5), (0.04, 0.0), (0.1, 0.2))
    vowel, stop = heard([Span(("AA",), 0, 0.204), Span(("P",), 0.204, 0.3)], samples, RATE)
    assert stop.start_s == vowel.end_s == pytest.approx(0.16, abs=0.003)


def test_a_closure_takes_only_the_end_of_a_pause() -> None:
    samples = voice((0.1, 0.5), (0.4, 0.0), (0.1, 0.2))
    spans = [Span(("AA",), 0, 0.1), Span(("SIL",), 0.1, 0.5), Span(("B",), 0.5, 0.6)]
    assert heard(spans, samples, RATE)[2].start_s == pytest.approx(0.44, abs=0.003)


def test_a_pause_that_sounds_is_none() -> None:
    samples = voice((0.3, 0.5))
    spans = heard([Span(("AA",), 0, 0.1), Span(("SIL",), 0.1, 0.2), Span(("N",), 0.2, 0.3)], samples, RATE)
    assert gapless(spans, 0.3) == (Phone("AA", 0.0, 0.2), Phone("N", 0.2, 0.3))
