"""Numbers of the mouth know nothing of pose and person; the curve tells how far, and which way, lips are off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.audio.io import read_speech
from vultus.core.errors import ControlError, InputError, MissingPartError
from vultus.core.pose import matrix_from_degrees
from vultus.core.types import SAMPLE_RATE
from vultus.face.head import FLIP, embedded_head
from vultus.motion.learned_lips import default_lips
from vultus.perception import judges
from vultus.perception.judges.mouth_numbers import NUMBERS, mouth_numbers
from vultus.perception.judges.sync import MOST_ROWS, SyncCurve, load_sync, sound_rows

torch = pytest.importorskip("torch", reason="torch is not installed")
from vultus.perception.judges.sync_net import SyncNet, SyncNetConfig, similarity  # noqa: E402

MIRRORED68 = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
     41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
)  # fmt: skip


def landmarks_of(expression: np.ndarray, size_px: float = 20.0) -> np.ndarray:
    """The mean head's 68 points (T, 68, 3) in pixels, y down, for ARKit weights (T, 52)."""
    head = embedded_head()
    points = head.landmarks68(head.mean) + np.tensordot(expression, head.landmarks68(head.expression_basis), 1)
    return points @ FLIP * size_px + [300, 250, 0]


@pytest.fixture(scope="module")
def talking() -> tuple[np.ndarray, np.ndarray]:
    """Lips (T, 68, 3) at 30 fps that say what the sample voice (n,) says."""
    voice = read_speech(judges.ASSETS / "sample_speech.flac").waveform
    lips = default_lips(30.0)
    expression = np.concatenate([lips.push(voice), lips.finish()])
    return landmarks_of(expression), voice


@settings(max_examples=15, deadline=None)
@given(st.tuples(*[st.floats(-40, 40)] * 3), st.floats(0.2, 5), st.tuples(*[st.floats(-500, 500)] * 3), st.booleans())
def test_numbers_of_the_mouth_ignore_pose_size_place_and_mirrors(turn, scale, place, mirrored):
    rng = np.random.default_rng(3)
    faces = landmarks_of(rng.uniform(0, 0.6, (40, 52)))
    plain = mouth_numbers(faces, 25)
    other = faces[:, MIRRORED68] * [-1, 1, 1] if mirrored else faces
    moved = scale * other @ matrix_from_degrees(np.array(turn)).T + place
    np.testing.assert_allclose(mouth_numbers(moved, 25), plain, atol=1e-3)
    assert plain.shape == (40, NUMBERS) and plain.dtype == np.float32


def test_other_rates_give_the_same_moments(talking):
    landmarks, _ = talking
    at_30 = mouth_numbers(landmarks, 30)
    at_60 = mouth_numbers(np.repeat(landmarks, 2, 0), 60)
    assert len(at_30) == len(at_60) == round(len(landmarks) / 30 * 25)
    assert np.corrcoef(at_30.ravel(), at_60.ravel())[0, 1] > 0.97


def test_gaps_are_bridged_and_an_empty_track_is_refused():
    faces = landmarks_of(np.random.default_rng(0).uniform(0, 0.5, (50, 52)))
    faces[20:23] = np.nan
    assert np.isfinite(mouth_numbers(faces, 25)).all()
    with pytest.raises(InputError, match="no face whose lips"):
        mouth_numbers(np.full((50, 68, 3), np.nan), 25)


@pytest.mark.parametrize("late_rows", [-4, 0, 3])
def test_lips_that_are_late_have_a_positive_offset(late_rows):
    sound = torch.nn.functional.normalize(torch.randn(1, 16, 120, generator=torch.Generator().manual_seed(0)), dim=1)
    lips = torch.roll(sound, late_rows, 2)
    found = similarity(lips, sound, MOST_ROWS)[0].mean(1)
    assert int(found.argmax()) - MOST_ROWS == late_rows
    assert float(found.max()) > 0.9


def test_a_curve_by_hand():
    offsets = np.arange(-2, 3) * 40.0
    curve = SyncCurve(offsets, np.array([0.0, 0.1, 0.5, 0.9, 0.5]))
    assert curve.offset_ms == pytest.approx(40.0)  # a symmetric peak
    assert curve.confidence == pytest.approx(0.9 - 0.5) and curve.in_sync == pytest.approx(0.0)
    leaning = SyncCurve(offsets, np.array([0.0, 0.1, 0.5, 0.9, 0.7]))
    assert leaning.offset_ms == pytest.approx(40 + 40 * 0.5 * (0.5 - 0.7) / (0.5 - 1.8 + 0.7))
    assert SyncCurve(offsets, np.array([0.9, 0.1, 0.5, 0.2, 0.1])).offset_ms == -80.0  # at the border: no parabola


def test_sound_rows_are_four_frames_to_40_ms():
    voice = np.random.default_rng(0).standard_normal(SAMPLE_RATE + 639).astype(np.float32)
    assert len(sound_rows(voice)) == 4 * 25
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[round(0.5 * SAMPLE_RATE)] = 1.0
    loud = np.flatnonzero(sound_rows(click).mean(1) > sound_rows(click).mean(1).min() + 1)
    assert (loud.mean() - 1.5) / 4 == pytest.approx(0.5 * 25 - 0.5, abs=0.1)  # row k stands for (k + .5) / 25 s


def test_embeddings_are_short_vectors_and_let_gradients_through():
    net = SyncNet(SyncNetConfig()).eval()
    mouth = torch.randn(2, NUMBERS, 50, requires_grad=True)
    seen, heard = net(mouth, torch.randn(2, 80, 200))
    assert seen.shape == heard.shape == (2, net.config.embedding, 50)
    assert float(seen.detach().norm(dim=1).max()) < 1
    (seen * heard).sum().backward()
    assert float(mouth.grad.abs().sum()) > 0


def test_loudness_of_the_whole_does_not_matter():
    net = SyncNet(SyncNetConfig()).eval()
    mel = torch.randn(1, 80, 200)
    np.testing.assert_allclose(net.hear(mel).detach(), net.hear(mel + 2.0).detach(), atol=1e-4)


@pytest.mark.parametrize("role", judges.ROLES)
@pytest.mark.parametrize("shift_s", [-0.2, 0.0, 0.16])
def test_the_shipped_judges_find_how_late_lips_are(shift_s, role, talking):
    landmarks, voice = talking
    samples = round(abs(shift_s) * SAMPLE_RATE)  # lips are late when the voice begins early
    heard = voice[samples:] if shift_s > 0 else np.concatenate([np.zeros(samples, np.float32), voice])
    curve = load_sync(role).curve(landmarks, 30.0, heard)
    assert curve.offset_ms == pytest.approx(1000 * shift_s, abs=45)
    assert curve.confidence > 0.05
    assert (curve.in_sync > 0.6 * curve.confidence) == (shift_s == 0.0)


def test_too_little_to_judge(talking):
    landmarks, voice = talking
    with pytest.raises(InputError, match="less than a second"):
        load_sync().curve(landmarks, 30.0, voice[: SAMPLE_RATE // 2])


def test_unknown_roles_and_missing_weights(tmp_path, monkeypatch):
    with pytest.raises(ControlError, match="choose teacher or judge"):
        judges.weights_folder("sync", "jury")
    monkeypatch.setattr(judges, "ASSETS", tmp_path)
    with pytest.raises(MissingPartError, match="vultus train sync"):
        load_sync()
    (tmp_path / "sync-judge-1-0").mkdir()
    with pytest.raises(InputError, match="no weights here"):
        load_sync()


def test_without_torch_the_fix_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("vultus.core.weights.find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match=r"pip install .*\[train\]"):
        load_sync(folder=tmp_path)
