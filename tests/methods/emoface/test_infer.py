"""The EmoFace driver: whole and in step for any chunks; emotions, levels, blinks and gaze as asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import savgol_filter

import vultus
from tests.methods.emoface.voices import CHANNELS, performed, toy_curves, toy_rig
from vultus.audio.io import read_speech
from vultus.core.config import resolved
from vultus.core.controls import Controls
from vultus.core.errors import ControlError, InputError, MissingPartError
from vultus.core.types import SAMPLE_RATE, Performance
from vultus.core.weights import Card, save_weights
from vultus.face.metahuman import HIGH, LOW, NAMES, index_of
from vultus.methods.emoface import infer
from vultus.methods.emoface.config import TINY
from vultus.methods.emoface.data import Ear
from vultus.methods.emoface.infer import EmoFaceDriver, RigWeights, load_rig
from vultus.methods.emoface.windows import LIVE
from vultus.motion.lips import frame_count
from vultus.motion.rig_eyes import BLINK_COLUMNS, EYE_COLUMNS
from vultus.perception.speech import state_count

SAMPLE = Path(vultus.__file__).parent / "assets" / "sample_speech.flac"
STILL = {"pose": "still", "blink": "none", "gaze": "still"}


@pytest.fixture(scope="module")
def waveform() -> np.ndarray:
    return read_speech(SAMPLE, end_s=5).waveform


@pytest.mark.parametrize("fps", [10, 25, 29.97, 60])
def test_it_covers_the_voice_with_every_channel_in_range(waveform, fps):
    made = performed(waveform, fps=fps, emotion="0:happy@3 2:angry@3")
    assert len(made) == frame_count(len(waveform), fps)
    assert set(made.channels) == set(CHANNELS) and made.controls.shape[1] == len(NAMES) == 174
    assert (made.reference, made.basis, made.fps) == ("rest", "arkit52", fps)
    assert (made.controls >= LOW).all() and (made.controls <= HIGH).all()
    assert all(np.isfinite(getattr(made, name)).all() for name in CHANNELS)


@pytest.mark.parametrize("windows", [infer.FILE, LIVE])
@pytest.mark.parametrize("fps", [25, 60])
def test_chunks_do_not_matter(waveform, fps, windows):
    asked = {"emotion": "0:sad 2:happy", "gaze": "0:natural 2:5,5", "seed": 3, "fps": fps, "windows": windows}
    whole = performed(waveform, **asked)
    pieces = performed(waveform, [1, 20_000, 0, 3_000, 31_000], **asked)
    for name in CHANNELS:
        np.testing.assert_allclose(getattr(whole, name), getattr(pieces, name), atol=1e-4, err_msg=name)


@pytest.mark.parametrize("windows", [infer.FILE, LIVE])
def test_frames_come_within_the_stated_lookahead(waveform, windows):
    driver = EmoFaceDriver(Controls(), 25, rig=toy_rig(), windows=windows)
    made = 0
    for at in range(0, len(waveform), 800):
        part = driver.push(waveform[at : at + 800])
        made += 0 if part is None else len(part)
        known_s = min(at + 800, len(waveform)) / SAMPLE_RATE
        assert made >= int((known_s - driver.lookahead_s) * 25)
    assert made > 0 and driver.lookahead_s < (1.5 if windows is LIVE else 4)


def test_an_ear_that_needs_whole_voices_streams_in_windows():
    def hear(waveform: np.ndarray) -> np.ndarray:
        return np.repeat(np.resize(waveform, state_count(len(waveform)))[:, None], 8, 1)

    rig = RigWeights(toy_curves, TINY.net, hear)
    voice = np.random.default_rng(0).normal(0, 1, 23 * SAMPLE_RATE).astype(np.float32)
    whole, pieces = (performed(voice, sizes, rig=rig, seed=2) for sizes in ([], [1, 30_000, 200_000, 7]))
    assert len(whole) == 23 * 60
    np.testing.assert_allclose(whole.controls, pieces.controls, atol=1e-4)


def test_a_long_voice_stays_in_little_memory():
    driver = EmoFaceDriver(Controls(), 25, rig=toy_rig())
    made, second = 0, np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    for _ in range(60):
        part = driver.push(second)
        made += 0 if part is None else len(part)
        held = (driver._windowed._states, driver._frames._states, driver._resampled._curves, driver._waiting)
        assert all(h is None or len(h) < 300 for h in held)
    made += len(driver.finish())
    assert made == 60 * 25


def test_curves_are_smoothed_as_in_the_paper(waveform):
    rig = toy_rig()
    made = performed(waveform, rig=rig, **STILL).controls[:, index_of("jaw")]
    states = Ear(TINY.net)(waveform, len(made))
    raw = toy_curves(states, np.zeros((len(made), 7), np.float32))[:, index_of("jaw")]
    np.testing.assert_allclose(made, savgol_filter(raw, 15, 3), atol=1e-4)


def test_emotions_over_time_mixes_and_levels(waveform):
    brow, smile = index_of("brow_down", "left"), index_of("mouth_cornerPull", "left")
    over_time = performed(waveform, emotion="0:angry 2.5:happy", **STILL).controls
    assert over_time[60, brow] == pytest.approx(0.4, abs=1e-4) and over_time[60, smile] == pytest.approx(0, abs=1e-4)
    assert over_time[270, brow] == pytest.approx(0, abs=1e-4) and over_time[270, smile] == pytest.approx(0.5, abs=1e-4)
    between = performed(waveform, emotion="angry:0.5,happy:0.5", **STILL).controls[60]
    assert between[brow] == pytest.approx(0.2, abs=1e-4) and between[smile] == pytest.approx(0.25, abs=1e-4)
    for level, share in ((0, 0), (1, 0.5), (3, 1.5)):
        made = performed(waveform, emotion="angry", intensity=level, **STILL).controls[60, brow]
        assert made == pytest.approx(0.4 * share, abs=1e-4)
    scaled = performed(waveform, emotion="angry", expression_scale=0.5, **STILL).controls[60, brow]
    assert scaled == pytest.approx(0.2, abs=1e-4)


def test_lips_are_scaled_and_the_rest_is_not(waveform):
    jaw, brow = index_of("jaw"), index_of("brow_down", "left")
    half, plain, twice = (
        performed(waveform, emotion="angry", lip_scale=scale, **STILL).controls for scale in (0.5, 1.0, 2.0)
    )
    np.testing.assert_allclose(half[:, jaw], plain[:, jaw] / 2, atol=1e-4)
    np.testing.assert_allclose(twice[:, jaw], np.minimum(2 * plain[:, jaw], 1), atol=1e-4)
    np.testing.assert_allclose(twice[:, brow], plain[:, brow], atol=1e-6)
    assert not {index_of("mouth_lipsTogetherU", "left"), index_of("mouth_pressU", "left")} & set(infer.SPOKEN.tolist())


def test_contempt_is_refused_in_one_sentence():
    with pytest.raises(ControlError, match="has not learned contempt; choose angry"):
        performed(np.zeros(0, np.float32), emotion="0:happy 3:contempt:0.5,sad:0.5")


def test_blinks_as_asked_for(waveform):
    made = performed(waveform, blink="1.0,3.0")
    lids = made.controls[:, list(BLINK_COLUMNS)].mean(1)
    shut_s = (np.flatnonzero(lids > 0.9) + 0.5) / 60
    np.testing.assert_allclose(np.minimum(abs(shut_s - 1), abs(shut_s - 3)), 0, atol=0.06)
    assert len(shut_s) and made.au45.max() > 4.5
    natural = performed(np.tile(waveform, 3), seed=1).controls[:, BLINK_COLUMNS[0]]
    assert natural.max() > 0.95 and np.median(natural) < 0.1
    assert not performed(waveform, blink="none").controls[:, list(BLINK_COLUMNS)].any()
    source = Performance(fps=30, valid=np.ones(30, bool), au45=np.full(30, 5, np.float32))
    tracked = performed(waveform, blink=str(SAMPLE), sources={"blink_source": source})
    assert tracked.au45.min() == pytest.approx(5, abs=1e-4)


def test_gaze_as_asked_for(waveform):
    still = performed(waveform, gaze="still").controls[:, list(EYE_COLUMNS)]
    assert not still.any()
    natural = performed(waveform, gaze="natural").controls[:, list(EYE_COLUMNS)]
    assert 0.05 < np.hypot(*natural.T).max() <= 0.2 + 1e-6
    np.testing.assert_allclose(performed(waveform, gaze="8,-4").gaze[100], [8, -4], atol=1e-3)


def test_seeds_reproduce_and_differ(waveform):
    first, again, other = performed(waveform, seed=1), performed(waveform, seed=1), performed(waveform, seed=2)
    for name in CHANNELS:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.rotation, other.rotation)
    assert not np.array_equal(first.controls[:, list(EYE_COLUMNS)], other.controls[:, list(EYE_COLUMNS)])


def test_an_empty_voice_gives_no_frame():
    driver = EmoFaceDriver(Controls(), 25, rig=toy_rig())
    assert driver.push(np.zeros(0, np.float32)) is None and driver.finish() is None
    driver = EmoFaceDriver(Controls(), 25, rig=toy_rig())
    driver.push(np.zeros(1, np.float32))
    assert len(driver.finish()) == 1


def saved(folder: Path, heard_by: str, config=TINY, method: str = "emoface", ear=None) -> Path:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from vultus.methods.emoface.model import EmoFaceNet

    torch.manual_seed(0)
    net = EmoFaceNet(config.net, heard_by)
    tensors = {f"net.{name}": tensor for name, tensor in net.state_dict().items()}
    if ear is not None:
        tensors |= {f"ear.{name}": tensor for name, tensor in ear.state_dict().items()}
    return save_weights(folder, tensors, Card(method, "tiny", "1", resolved(config), "none", "none"))


def test_an_ear_that_learned_along_comes_with_the_weights(tmp_path, monkeypatch, waveform):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from vultus.methods.emoface import model

    class Convolution(torch.nn.Module):
        def __init__(self, initialised: bool = False) -> None:
            super().__init__()
            self.layer = torch.nn.Conv1d(1, 16, 400, 320)

        def forward(self, samples):
            return self.layer(samples[:, None]).transpose(1, 2)

    monkeypatch.setattr(model, "Wav2Vec2Ear", Convolution)
    ear = Convolution()
    config = replace(TINY, net=replace(TINY.net, ear="wav2vec2", states=16))
    rig = load_rig(saved(tmp_path, "", config, ear=ear))
    states = rig.hear(waveform)
    assert states.shape == (state_count(len(waveform)), 16)
    centred = torch.from_numpy((waveform - waveform.mean()) / waveform.std())[None]
    np.testing.assert_allclose(states[:200], ear(centred)[0, :200].detach(), atol=1e-3)
    assert len(performed(waveform, rig=rig)) == 300 and rig.hear(waveform[:5]).shape == (2, 16)


def test_trained_weights_play(tmp_path, waveform):
    rig = load_rig(saved(tmp_path, Ear(TINY.net).sha8))
    assert rig.config == TINY.net
    assert performed(waveform, rig=rig).controls.shape == (300, 174)


def test_weights_of_another_ear_are_refused(tmp_path):
    with pytest.raises(InputError, match="listen through the speech encoder 0badcafe, and the one installed is"):
        load_rig(saved(tmp_path, "0badcafe"))
    with pytest.raises(InputError, match="not of emoface"):
        load_rig(saved(tmp_path, "0badcafe", method="lips"))


def test_missing_weights_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(infer, "ASSETS", tmp_path)
    infer.shipped_rig.cache_clear()
    with pytest.raises(MissingPartError, match="vultus train emoface"):
        EmoFaceDriver(Controls(), 25)
    infer.shipped_rig.cache_clear()
