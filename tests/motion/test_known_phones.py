"""Lips of known phones: closed when they should be, as many frames as the voice, whatever the chunks."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.types import SAMPLE_RATE, Phone
from vultus.motion.compose import closure
from vultus.motion.known_phones import KnownPhoneLips
from vultus.motion.lips import frame_count

PHONES = (Phone("SIL", 0, 0.5), Phone("M", 0.5, 0.6), Phone("AA", 0.6, 0.9), Phone("P", 0.9, 1.0),
          Phone("AA", 1.0, 1.3), Phone("SIL", 1.3, 2.5), Phone("F", 2.5, 2.7), Phone("IY", 2.7, 3.0))  # fmt: skip


def voice() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (0.2 * rng.standard_normal(3 * SAMPLE_RATE)).astype(np.float32)


@pytest.mark.parametrize("fps", [25.0, 60.0])
def test_lips_close_at_the_known_times(fps: float) -> None:
    lips = KnownPhoneLips(fps, PHONES)
    weights = np.concatenate([lips.push(voice()), lips.finish()])
    assert len(weights) == frame_count(3 * SAMPLE_RATE, fps)
    shut = closure(weights)
    for time_s, closed in ((0.55, True), (0.75, False), (0.94, True), (1.15, False)):
        assert (shut[round(time_s * fps - 0.5)] > 0.9) == closed, time_s


@pytest.mark.parametrize("chunk", [160, 1001, 16_000])
def test_chunks_make_no_difference_and_frames_come_in_time(chunk: int) -> None:
    whole = KnownPhoneLips(25, PHONES)
    expected = np.concatenate([whole.push(voice()), whole.finish()])
    lips, found = KnownPhoneLips(25, PHONES), np.zeros((0, 52), np.float32)
    for at in range(0, 3 * SAMPLE_RATE, chunk):
        found = np.concatenate([found, lips.push(voice()[at : at + chunk])])
        heard_s = min(at + chunk, 3 * SAMPLE_RATE) / SAMPLE_RATE
        assert len(found) >= int((heard_s - lips.lookahead_s) * 25)
    found = np.concatenate([found, lips.finish()])
    assert np.allclose(found, expected, atol=1e-6)


def test_a_voice_without_phones_rests() -> None:
    lips = KnownPhoneLips(25, ())
    weights = np.concatenate([lips.push(np.zeros(800, np.float32)), lips.finish()])
    assert weights.shape == (2, 52) and not closure(weights).any()
