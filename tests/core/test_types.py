"""Performances are checked when made, cut, joined and brought to other rates without losing step."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.core.bases import ARKIT52, BASES, index_of
from vultus.core.types import SAMPLE_RATE, Frames, Performance, Speech


def some(count: int, fps: float = 25.0, seed: int = 0) -> Performance:
    rng = np.random.default_rng(seed)
    return Performance(
        fps=fps,
        valid=rng.random(count) > 0.3,
        expression=rng.random((count, 52)).astype(np.float32),
        rotation=rng.normal(size=(count, 3)).astype(np.float32),
        au45=rng.random(count).astype(np.float32),
        landmarks=rng.normal(size=(count, 68, 3)).astype(np.float32),
        source={"from": "a test"},
    )


def test_arkit_names():
    assert len(ARKIT52) == len(set(ARKIT52)) == 52 and len(BASES["bfm64"]) == 64
    assert ARKIT52[index_of("jawOpen")] == "jawOpen" and index_of("bfm07", "bfm64") == 7
    with pytest.raises(KeyError):
        index_of("smirk")


def test_speech_knows_its_length():
    assert Speech(np.zeros(SAMPLE_RATE // 2, np.float32)).duration_s == 0.5


def test_neutral_is_still():
    still = Performance.neutral(7, 30)
    assert len(still) == 7 and still.duration_s == pytest.approx(7 / 30) and still.valid.all()
    assert still.channels == ("expression", "rotation", "translation", "gaze")
    assert not any(getattr(still, name).any() for name in still.channels)
    assert len(Performance.neutral(0, 25)) == 0


@pytest.mark.parametrize("fps", [0, -1.0, math.nan, math.inf])
def test_a_rate_is_positive(fps):
    with pytest.raises(ValueError, match="fps must be positive"):
        Performance.neutral(1, fps)


@pytest.mark.parametrize("name", Performance.CHANNELS)
def test_channels_keep_step_with_validity(name):
    with pytest.raises(ValueError, match=name):
        Performance(25, np.ones(4, bool), **{name: np.zeros((3, 52), np.float32)})


def test_an_expression_fits_its_basis():
    with pytest.raises(ValueError, match="bfm64"):
        replace(Performance.neutral(2, 25), basis="bfm64")
    assert replace(Performance.neutral(2, 25), expression=np.zeros((2, 64), np.float32), basis="bfm64").basis == "bfm64"


def test_nothing_can_be_assigned():
    with pytest.raises(FrozenInstanceError):
        Performance.neutral(1, 25).fps = 30


@given(st.integers(0, 30), st.integers(-35, 35), st.integers(-35, 35))
def test_slices_cut_every_channel(count, start, stop):
    whole = some(count)
    part = whole[start:stop]
    np.testing.assert_array_equal(part.valid, whole.valid[start:stop])
    for name in whole.channels:
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[start:stop])
    assert part.channels == whole.channels and part.source == whole.source


@given(st.integers(1, 30), st.lists(st.integers(0, 30), max_size=4))
def test_pieces_joined_are_the_whole(count, cuts):
    whole = some(count)
    edges = [0, *sorted(min(c, count) for c in cuts), count]
    joined = Performance.concatenate(whole[a:b] for a, b in pairwise(edges))
    assert joined.channels == whole.channels and joined.fps == whole.fps
    for name in ("valid", *whole.channels):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))


@settings(deadline=None)
@given(st.integers(1, 60), st.sampled_from([12.0, 24, 25, 29.97, 30, 60, 100]), st.sampled_from([10.0, 25, 30, 60, 90]))
def test_resampling_keeps_length_and_range(count, before, after):
    whole = some(count, before)
    other = whole.resampled(after)
    assert other.fps == after and len(other) == max(1, round(count / before * after))
    for name in whole.channels:
        channel, new = getattr(whole, name), getattr(other, name)
        assert new.dtype == np.float32 and new.shape[1:] == channel.shape[1:]
        assert new.min() >= channel.min() - 1e-6 and new.max() <= channel.max() + 1e-6
    assert other.valid.dtype == bool


def test_resampling_puts_frames_at_the_right_moment():
    time_s = (np.arange(50) + 0.5) / 25
    ramp = replace(Performance.neutral(50, 25), rotation=np.repeat(time_s[:, None], 3, 1).astype(np.float32))
    faster = ramp.resampled(60)
    expected = (np.arange(120) + 0.5) / 60
    np.testing.assert_allclose(faster.rotation[3:-3, 0], expected[3:-3], atol=1e-5)
    assert ramp.resampled(25).rotation is ramp.rotation


def test_resampling_takes_the_nearest_validity():
    blinked = replace(Performance.neutral(4, 10), valid=np.array([True, False, True, True]))
    np.testing.assert_array_equal(blinked.resampled(20).valid, [True, True, False, False, True, True, True, True])
    assert len(Performance.neutral(0, 25).resampled(50)) == 0


def test_frames_are_read_once():
    images = [np.zeros((2, 3, 3), np.uint8)] * 2
    frames = Frames(iter(images), 25, 3, 2, 2)
    assert len(list(frames)) == 2 and list(frames) == []
