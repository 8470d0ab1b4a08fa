"""Which picture is shown when: every rule on any timing, and played back from one reading with flat memory."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.core.types import SAMPLE_RATE, Frames
from vultus.motion.lips import frame_count
from vultus.video import span as spans
from vultus.video.span import BOUNCE_S, Span, reordered, span_of

RATES = st.sampled_from([24.0, 25.0, 24000 / 1001, 30000 / 1001, 50.0, 60.0])
GAPS_S = st.lists(st.sampled_from([0.008, 0.02, 0.033, 0.04, 0.25, 1.5]), min_size=0, max_size=40)


def unread(count: int, fps: float, times_s: np.ndarray | None = None, end_s: float | None = None) -> Frames:
    def images():
        raise AssertionError("no frame may be read")
        yield

    return Frames(images(), fps, 64, 48, count, times_s=times_s, end_s=end_s)


def numbered(count: int) -> Frames:
    """Frames that show their number; one buffer is used again and again."""

    def images():
        buffer = np.zeros((4, 4, 3), np.uint8)
        for number in range(count):
            buffer[:] = number
            yield buffer

    return Frames(images(), 25.0, 4, 4, count)


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 200), fps=RATES, samples=st.integers(1, 200_000), pad=st.booleans())
def test_regular_videos_get_a_frame_for_every_moment_of_the_voice(count, fps, samples, pad):
    span = span_of(unread(count, fps), samples / SAMPLE_RATE, pad=pad, extend="hold")
    spoken = frame_count(samples, fps)
    assert span.regular and span.spoken == spoken
    assert len(span) == (max(spoken, count) if pad else spoken)
    assert span.index.tolist() == np.minimum(np.arange(len(span)), count - 1).tolist()
    np.testing.assert_allclose(span.times_s, np.arange(len(span)) / fps, rtol=1e-12)
    assert span.end_s == pytest.approx(len(span) / fps)


@settings(max_examples=50, deadline=None)
@given(
    first_s=st.sampled_from([0.0, 0.08]), gaps_s=GAPS_S, fps=RATES, voice_s=st.floats(0.01, 90), pad=st.booleans(),
    extend=st.sampled_from(["hold", "bounce"]), since=st.integers(0, 40),
)  # fmt: skip
def test_irregular_videos_keep_their_times(first_s, gaps_s, fps, voice_s, pad, extend, since):
    times_s = first_s + np.cumsum([0.0, *gaps_s])
    count, end_s = len(times_s), float(times_s[-1]) + 0.05
    since = min(since, count - 1)
    span = span_of(unread(count, fps, times_s, end_s), voice_s, pad=pad, extend=extend, since=since)
    own = min(count, len(span))
    assert span.index[:own].tolist() == list(range(own)) and span.index.max() == own - 1
    np.testing.assert_array_equal(span.times_s[:own], times_s[:own])
    assert (np.diff(span.times_s) > 0).all() and span.end_s > span.times_s[-1] and not span.regular
    assert span.end_s >= voice_s - 1e-6 or span.end_s == times_s[len(span)]
    assert (span.times_s[: span.spoken] < max(voice_s, first_s + 1e-9)).all() and span.spoken >= 1
    assert (span.times_s[span.spoken :] >= voice_s - 1e-6).all()
    if pad:
        assert len(span) >= count and span.end_s >= end_s
    if len(span) > count:
        again = span.index[count:]
        assert again.min() >= min(since, count - 1) and times_s[again].min() >= times_s[-1] - BOUNCE_S - 1e-6
        np.testing.assert_allclose(span.times_s[count:], end_s + np.arange(len(again)) / fps)
        assert extend == "bounce" or (again == count - 1).all()


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 300), fps=RATES, extra=st.integers(1, 500), since=st.integers(0, 300))
def test_bouncing_steps_by_one_picture_and_stays_in_the_last_shot(count, fps, extra, since):
    since = min(since, count - 1)
    span = span_of(unread(count, fps), (count + extra) / fps, extend="bounce", since=since)
    first = max(since, math.ceil(count - 1 - BOUNCE_S * fps - 1e-6))
    assert len(span) == count + extra
    steps = np.diff(span.index)
    if first == count - 1:
        assert (steps[count - 1 :] == 0).all()
    else:
        assert (np.abs(steps) == 1).all()
        assert span.index[count:].min() == max(first, count - 1 - extra) and span.index.max() == count - 1


def test_a_late_first_picture_is_shown_to_a_voice_that_ends_before_it():
    span = span_of(unread(3, 25, np.array([0.2, 0.24, 0.28])), 0.1)
    assert span.index.tolist() == [0] and span.end_s == pytest.approx(0.24)


@pytest.mark.parametrize(("count", "voice_s", "since"), [(0, 1.0, 0), (5, 0.0, 0), (5, math.nan, 0), (5, 1.0, 5)])
def test_spans_of_nothing(count, voice_s, since):
    with pytest.raises(ValueError, match="spanned"):
        span_of(unread(count, 25), voice_s, since=since)


@pytest.mark.parametrize("memory", [0, 200, 10**9])
@settings(max_examples=50, deadline=None)
@given(index=st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_any_order_is_played_from_one_reading(memory, index):
    order = np.array(index)
    span = Span(order, np.arange(len(order)) / 25, len(order) / 25, 25.0, True, len(order))
    opened = []

    def open_frames():
        opened.append(1)
        return numbered(31)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spans, "MEMORY_BYTES", memory)
        shown = [int(image[0, 0, 0]) for image in reordered(open_frames, span)]
    assert shown == index and len(opened) == 1


def test_holding_and_going_straight_on_keep_no_picture(monkeypatch):
    monkeypatch.setattr(spans._Waiting, "put", lambda *_: pytest.fail("nothing is shown twice from afar"))
    frames = reordered(lambda: numbered(10), span_of(unread(10, 25), 2.0, extend="hold"))
    assert [int(image[0, 0, 0]) for image in frames] == [*range(10), *[9] * 40] and frames.count == 50


def test_bouncing_keeps_only_the_last_seconds(monkeypatch):
    kept = []
    put = spans._Waiting.put
    monkeypatch.setattr(
        spans._Waiting, "put", lambda self, number, image: (kept.append(number), put(self, number, image))
    )
    frames = reordered(lambda: numbered(200), span_of(unread(200, 25), 20.0, extend="bounce"))
    shown = [int(image[0, 0, 0]) for image in frames]
    assert kept == list(range(199 - 75, 199)) and shown[198:203] == [198, 199, 198, 197, 196] and len(shown) == 500


def test_a_video_shorter_than_announced():
    with pytest.raises(ValueError, match="picture 5 of 5"):
        list(reordered(lambda: numbered(5), span_of(unread(10, 25), 0.4)))
