"""Learned lips: one performance for any chunks, in time; at rest without a voice; moving with one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vultus
from vultus.audio.io import read_speech
from vultus.core.bases import ARKIT52
from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE
from vultus.core.weights import Card, save_weights
from vultus.data.sounds import music
from vultus.face.mouth import performed_mouth
from vultus.motion.components import COMPONENTS, basis, components_of
from vultus.motion.learned_lips import LearnedLips, default_lips, load_lips, shipped_lips
from vultus.motion.lips import PhoneLips, frame_count
from vultus.motion.visemes import SYMBOLS
from vultus.perception.speech import SpeechEncoder, states_of

SAMPLE = Path(vultus.__file__).parent / "assets" / "sample_speech.flac"
WEIGHTS = shipped_lips()
pytestmark = pytest.mark.skipif(WEIGHTS is None, reason="the lips' weights are not installed")


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    return read_speech(SAMPLE).waveform


def whole(waveform: np.ndarray, fps: float = 25, live: bool = False) -> np.ndarray:
    assert WEIGHTS is not None
    lips = LearnedLips(fps, WEIGHTS, live)
    return np.concatenate([lips.push(waveform), lips.finish()])


def aperture(waveform: np.ndarray) -> np.ndarray:
    return performed_mouth(whole(waveform))[:, 0]


@pytest.mark.parametrize("fps", [24, 25, 29.97, 30, 50, 60])
def test_it_covers_the_voice_at_any_rate(voice: np.ndarray, fps: float) -> None:
    weights = whole(voice[:33_333], fps)
    assert weights.shape == (frame_count(33_333, fps), len(ARKIT52)) and weights.dtype == np.float32
    assert weights.min() >= 0 and weights.max() <= 1


def test_lips_of_files_are_calmed_and_no_less_far(voice: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = aperture(voice)
    monkeypatch.setattr(LearnedLips, "CALM", 1e-3)
    restless = aperture(voice)
    assert np.abs(np.diff(calm)).mean() < 0.85 * np.abs(np.diff(restless)).mean()
    assert 0.9 < calm.std() / restless.std() < 1
    assert np.corrcoef(calm, restless)[0, 1] > 0.95


@settings(max_examples=12, deadline=None)
@given(cuts=st.lists(st.integers(0, 40_000), max_size=12), fps=st.sampled_from([25, 29.97, 60]), live=st.booleans())
def test_chunks_do_not_matter(cuts: list[int], fps: float, live: bool) -> None:
    assert WEIGHTS is not None
    waveform = read_speech(SAMPLE).waveform[:40_000]
    lips = LearnedLips(fps, WEIGHTS, live)
    parts = [lips.push(chunk) for chunk in np.split(waveform, sorted(cuts))] + [lips.finish()]
    np.testing.assert_allclose(np.concatenate(parts), whole(waveform, fps, live), atol=1e-5)


@pytest.mark.parametrize("live", [True, False])
def test_frames_are_out_in_time(voice: np.ndarray, live: bool) -> None:
    assert WEIGHTS is not None
    lips, frames = LearnedLips(30, WEIGHTS, live), 0
    assert lips.lookahead_s <= (0.12 if live else 1.0) + 1e-9
    for at in range(0, 48_000, 160):
        frames += len(lips.push(voice[at : at + 160]))
        due = np.floor(((at + 160) / SAMPLE_RATE - lips.lookahead_s) * 30 - 0.5) + 1
        assert frames >= due


def test_two_rates_show_the_same_mouth(voice: np.ndarray) -> None:
    slow, fast = whole(voice, 25), whole(voice, 75)
    np.testing.assert_allclose(fast[1::3][: len(slow)], slow[: len(fast[1::3])], atol=1e-5)


def test_silence_noise_and_music_leave_the_mouth_shut(voice: np.ndarray) -> None:
    speaking = np.median(aperture(voice))
    rng = np.random.default_rng(11)
    noise = (0.1 * rng.standard_normal(10 * SAMPLE_RATE)).astype(np.float32)
    for sound in (np.zeros(10 * SAMPLE_RATE, np.float32), noise, music(10, rng)):
        assert np.median(aperture(sound)) <= 0.15 * speaking


def test_the_mouth_comes_to_rest_after_a_voice(voice: np.ndarray) -> None:
    after = aperture(np.concatenate([voice[: 3 * SAMPLE_RATE], np.zeros(2 * SAMPLE_RATE, np.float32)]))
    assert after[:75].std() > 0.01 and after[-25:].max() < 1e-3


def test_lips_meet_where_b_p_and_m_are_heard(voice: np.ndarray) -> None:
    assert WEIGHTS is not None
    heard = states_of(SpeechEncoder(WEIGHTS.tensors, WEIGHTS.config, far=True), voice).posteriors
    assert heard is not None
    closing = heard[:, [SYMBOLS.index(phone) for phone in "BPM"]].sum(1) > 0.8
    gap = performed_mouth(whole(voice, 100))[:, 0]
    at = np.flatnonzero(closing[:-2])
    gap_there = np.minimum(gap[2 * at], gap[2 * at - 1])
    assert len(at) > 5 and gap_there.max() < 0.25 * np.median(gap[gap > 0])


def test_a_quieter_voice_moves_the_lips_as_much(voice: np.ndarray) -> None:
    loud, quiet = aperture(voice), aperture(0.1 * voice)
    assert 0.8 < quiet.std() / loud.std() < 1.25 and np.corrcoef(loud, quiet)[0, 1] > 0.9


def test_they_are_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(default_lips(25), LearnedLips)
    monkeypatch.setattr("vultus.motion.learned_lips.shipped_lips", lambda: None)
    assert isinstance(default_lips(25), PhoneLips)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    card = Card("lips", "small", "0", {"width": 128}, "nothing", "none")
    folder = save_weights(tmp_path, {"first.weight": torch.zeros(3)}, card)
    with pytest.raises(InputError, match="not of lips"):
        load_lips(folder)


def test_components_come_back_from_the_weights_they_make() -> None:
    shapes = np.random.default_rng(0).random((5, len(COMPONENTS))).astype(np.float32)
    np.testing.assert_allclose(components_of(shapes @ basis()), shapes, atol=1e-5)
