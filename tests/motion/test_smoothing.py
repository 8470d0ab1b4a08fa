"""Savitzky-Golay smoothing as a stream against scipy's filter of the whole."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import savgol_filter

from vultus.motion.smoothing import SavitzkyGolay, smooth


@settings(max_examples=40, deadline=None)
@given(length=st.integers(15, 90), seed=st.integers(0, 2**31), cuts=st.lists(st.integers(0, 90), max_size=6))
def test_any_chunks_give_what_scipy_gives(length: int, seed: int, cuts: list[int]) -> None:
    curves = np.random.default_rng(seed).normal(size=(length, 3))
    stream = SavitzkyGolay()
    edges = [0, *sorted(min(cut, length) for cut in cuts), length]
    parts = [stream.push(curves[a:b]) for a, b in pairwise(edges)] + [stream.finish()]
    whole = np.concatenate([part for part in parts if len(part)])
    np.testing.assert_allclose(whole, savgol_filter(curves, 15, 3, axis=0), atol=1e-5)


@pytest.mark.parametrize("length", range(15))
def test_curves_shorter_than_a_window_keep_their_length(length: int) -> None:
    time = np.linspace(-1, 1, length)[:, None]
    cubic = 1 + time - 2 * time**3
    smoothed = smooth(cubic)
    assert len(smoothed) == length
    if length:
        np.testing.assert_allclose(smoothed, cubic, atol=1e-5)


def test_a_frame_waits_for_seven_others() -> None:
    stream = SavitzkyGolay()
    assert stream.lookahead == 7
    out = 0
    for i in range(40):
        out += len(stream.push(np.zeros((1, 2))))
        assert out == (0 if i < 14 else i - 6)


def test_noise_shrinks_and_impossible_windows_are_refused() -> None:
    noise = np.random.default_rng(0).normal(size=(500, 1))
    assert smooth(noise).std() < 0.5 * noise.std()
    for window, order in ((14, 3), (3, 3)):
        with pytest.raises(ValueError, match="window"):
            SavitzkyGolay(window, order)
