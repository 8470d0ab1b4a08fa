"""Log-mel and its running normalisation: right, and the same for any chunks."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.audio import features
from vultus.audio.features import BANDS, HOP, LogMel, RunningNorm, log_mel, mel_filters
from vultus.core.types import SAMPLE_RATE

RNG = np.random.default_rng(0)
VOICE = (0.1 * RNG.standard_normal(SAMPLE_RATE) * np.sin(np.arange(SAMPLE_RATE) / 3000)).astype(np.float32)


def test_a_tone_lies_in_its_band() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    peak = int(log_mel(tone)[50].argmax())
    centre_hz = 700 * (10 ** (np.linspace(features._mel(60), features._mel(7600), BANDS + 2)[peak + 1] / 2595) - 1)
    assert abs(centre_hz - 1000) < 50


def test_every_bin_between_the_limits_is_heard_once() -> None:
    middle = mel_filters()[:, 20:200].sum(0)
    np.testing.assert_allclose(middle, 1, atol=1e-5)


def test_a_frame_sees_only_its_past() -> None:
    changed = VOICE.copy()
    changed[51 * HOP :] = 0
    np.testing.assert_array_equal(log_mel(changed)[:51], log_mel(VOICE)[:51])
    assert not np.array_equal(log_mel(changed)[51], log_mel(VOICE)[51])


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, len(VOICE)), max_size=12))
def test_chunks_do_not_matter(cuts: list[int]) -> None:
    mel, norm = LogMel(), RunningNorm(np.full(BANDS, -5.0), 3.0)
    parts = [norm.push(mel.push(chunk)) for chunk in np.split(VOICE, sorted(cuts))]
    whole = RunningNorm(np.full(BANDS, -5.0), 3.0).push(log_mel(VOICE))
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


def test_loudness_is_forgotten() -> None:
    """After some seconds a voice and the same voice at a tenth of its level are heard alike."""
    voice = np.tile(VOICE, 14) + 0.03 * RNG.standard_normal(14 * SAMPLE_RATE).astype(np.float32)
    loud, quiet = (RunningNorm(np.full(BANDS, -5.0), 3.0).push(log_mel(gain * voice))[-100:] for gain in (1, 0.1))
    assert np.abs(loud - quiet).mean() < 0.1


def test_what_stands_out_is_prominent_and_a_steady_background_is_not() -> None:
    noise = 0.02 * np.random.default_rng(2).standard_normal(4 * SAMPLE_RATE).astype(np.float32)
    sound = noise.copy()
    sound[2 * SAMPLE_RATE : 2 * SAMPLE_RATE + 4000] *= 20
    frames = log_mel(sound)
    whole = RunningNorm(np.full(BANDS, -5.0), 3.0).centre(frames)[2]
    assert whole[50:195].max() < 0.2 and whole[205:220].min() > 0.9 and whole[300:].mean() < 0.05
    parts = RunningNorm(np.full(BANDS, -5.0), 3.0)
    np.testing.assert_allclose(np.concatenate([parts.centre(p)[2] for p in np.split(frames, [1, 50, 210])]), whole)
