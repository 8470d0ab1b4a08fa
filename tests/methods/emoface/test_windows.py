"""Windows on a stream: the same for any chunks, seamless, no frame lost, memory of one window."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.core.types import SAMPLE_RATE
from vultus.methods.emoface.windows import FILE, LIVE, FrameStates, InWindows, WindowedCurves, Windows
from vultus.motion.resampling import Resampled
from vultus.perception.speech import SpeechStates, state_count
from vultus.perception.wav2vec2 import resampled_states

SMALL_WINDOWS = Windows(past=4, hop=6, fade=3, ahead=2)


def echo(states: np.ndarray, emotion: np.ndarray) -> np.ndarray:
    """A network that shows what it is given: any seam or slip would be seen."""
    return np.concatenate([states, emotion], 1)


def streamed(windowed: WindowedCurves, frames: np.ndarray, sizes: list[int]) -> np.ndarray:
    parts, at = [], 0
    for size in [*sizes, len(frames)]:
        parts.append(windowed.push(frames[at : at + size, :1], frames[at : at + size, 1:]))
        at = min(at + size, len(frames))
    parts.append(windowed.finish())
    return np.concatenate([part for part in parts if len(part)] or [frames[:0]])


@settings(deadline=None, max_examples=60)
@given(count=st.integers(0, 60), sizes=st.lists(st.integers(0, 25), max_size=8), wide=st.booleans())
def test_nothing_is_lost_moved_or_changed(count, sizes, wide):
    frames = np.arange(count * 3, dtype=np.float32).reshape(count, 3)
    made = streamed(WindowedCurves(echo, FILE if wide else SMALL_WINDOWS), frames, sizes)
    np.testing.assert_allclose(made, frames, atol=1e-4)


@settings(deadline=None, max_examples=40)
@given(sizes=st.lists(st.integers(0, 40), max_size=12))
def test_windows_lie_where_they_lie_whatever_the_chunks(sizes):
    frames = np.random.default_rng(1).standard_normal((97, 3)).astype(np.float32)

    def touchy(states: np.ndarray, emotion: np.ndarray) -> np.ndarray:
        return np.cumsum(echo(states, emotion), 0)  # depends on where its window begins

    whole = streamed(WindowedCurves(touchy, SMALL_WINDOWS), frames, [])
    np.testing.assert_allclose(streamed(WindowedCurves(touchy, SMALL_WINDOWS), frames, sizes), whole, atol=1e-5)
    assert len(whole) == 97


def test_neighbours_cross_fade():
    number = iter(range(100))

    def counting(states: np.ndarray, emotion: np.ndarray) -> np.ndarray:
        return np.full((len(states), 1), next(number), np.float32)

    windowed = WindowedCurves(counting, SMALL_WINDOWS)
    made = streamed(windowed, np.zeros((18, 3), np.float32), [])[:, 0]
    np.testing.assert_allclose(made[:12], [0] * 6 + [0.25, 0.5, 0.75, 1, 1, 1])


@pytest.mark.parametrize("windows", [FILE, LIVE])
def test_frames_come_after_the_stated_lookahead_and_memory_stays_bounded(windows):
    windowed = WindowedCurves(echo, windows)
    made = 0
    for k in range(1500):
        made += len(windowed.push(np.full((1, 1), k, np.float32), np.zeros((1, 7), np.float32)))
        assert made >= k + 1 - windows.lookahead_frames
        assert len(windowed._states) <= windows.past + windows.lookahead_frames


@settings(deadline=None, max_examples=30)
@given(samples=st.integers(1, 30_000), sizes=st.lists(st.integers(1, 40), max_size=10))
def test_frames_between_states_are_those_of_the_whole(samples, sizes):
    states = np.random.default_rng(2).standard_normal((state_count(samples), 4)).astype(np.float32)
    stream, parts, at = FrameStates(), [], 0
    for size in [*sizes, len(states)]:
        parts.append(stream.push(SpeechStates(states[at : at + size])))
        at += size
    made = np.concatenate([*parts, stream.finish(samples)])
    count = int(np.ceil(samples * 60 / SAMPLE_RATE - 1e-6))
    np.testing.assert_allclose(made[:count], resampled_states(states, 60, count), atol=1e-4)


@settings(deadline=None, max_examples=30)
@given(count=st.integers(1, 90), fps=st.sampled_from([10, 24, 25, 29.97, 50, 120]), cut=st.integers(0, 90))
def test_another_rate_by_interpolation(count, fps, cut):
    ramp = np.arange(count, dtype=np.float32)[:, None]
    wanted = int(np.ceil(count * fps / 60 - 1e-6))
    stream = Resampled(60.0, fps)
    made = np.concatenate([stream.push(ramp[:cut]), stream.push(ramp[cut:]), stream.finish(wanted)])[:, 0]
    middles = (np.arange(wanted) + 0.5) * 60 / fps - 0.5
    np.testing.assert_allclose(made, np.clip(middles, 0, count - 1), atol=1e-3)


def numbered(heard: np.ndarray) -> np.ndarray:
    """A stand-in for wav2vec2: its states tell which sample they are of."""
    at = np.minimum(np.arange(state_count(len(heard))) * 320, len(heard) - 1)
    return heard[at][:, None]


@pytest.mark.parametrize("seconds", [0.5, 9.99, 10, 10.01, 31.7])
def test_any_length_is_heard_in_windows(seconds):
    samples = np.arange(round(seconds * SAMPLE_RATE), dtype=np.float32)
    ear = InWindows(numbered)
    parts = [ear.push(samples[at : at + 7000]).hidden for at in range(0, len(samples), 7000)]
    made = np.concatenate([part for part in (*parts, ear.finish().hidden) if len(part)])[:, 0]
    wanted = np.minimum(np.arange(state_count(len(samples))) * 320, len(samples) - 1)
    np.testing.assert_array_equal(made, wanted)
    assert len(ear._samples) <= 11 * SAMPLE_RATE
