"""Networks' measures with small stand-ins for the networks, and what is said of those that are not there."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from vultus.compare import judges, networks
from vultus.compare.judges import unavailable, why_not
from vultus.compare.networks import Faces, compare_faces, inception_moments, voice_as_long_as
from vultus.compare.watch import Seen
from vultus.core.controls import EMOTIONS
from vultus.core.types import Performance


class MeanColour:
    """Stands for every network: it sees the mean colour."""

    def embed(self, pictures, *rest):
        return pictures.reshape(len(pictures), -1, 3).mean(1)

    def distance(self, a, b):
        return np.abs(self.embed(a) - self.embed(b)).mean(1)

    def probabilities(self, pictures, *rest):
        red = self.embed(pictures)[:, 0] / 255
        return np.stack([1 - red, red, *[np.zeros(len(red))] * (len(EMOTIONS) - 2)], 1)


@pytest.fixture
def stand_ins(monkeypatch):
    def use(*needs: str) -> None:
        monkeypatch.setattr(
            judges, "_loaded", lambda need: (MeanColour(), None) if need in needs else (None, "needs it")
        )

    return use


def faces(red: int, count: int = 3) -> Faces:
    pictures = [np.full((64, 64, 3), (red, 50, 50), np.uint8) for _ in range(count)]
    points = np.tile(np.random.default_rng(0).uniform(20, 44, (478, 3)).astype(np.float32), (count, 1, 1))
    return Faces(pictures, points, np.zeros((count, 52), np.float32))


def test_only_what_is_there_is_measured(stand_ins):
    stand_ins("judge:perceptual", "judge:identity")
    values = compare_faces(faces(200), faces(50), None)
    assert values.keys() == {"perceptual_vultus", "identity_vultus"}
    assert values["perceptual_vultus"] == pytest.approx(50)
    expected = (200 * 50 + 2 * 2500) / np.sqrt((200**2 + 5000) * 7500)
    assert values["identity_vultus"] == pytest.approx(expected, abs=1e-6)


def test_emotion_is_what_was_asked_for_or_what_the_real_clip_shows(stand_ins):
    stand_ins("judge:emotion_image")
    shown = compare_faces(faces(200), faces(190), None)
    assert shown["emotion_vultus"] == 1 and shown["emotion_vultus_distance"] == pytest.approx(10)
    assert compare_faces(faces(200), faces(20), None)["emotion_vultus"] == 0
    assert compare_faces(faces(200), faces(20), EMOTIONS[1])["emotion_vultus"] == 1
    assert compare_faces(faces(20), faces(20), EMOTIONS[1])["emotion_vultus"] == 0


def test_our_judges_never_stand_in_an_official_row(stand_ins):
    stand_ins(*(f"judge:{name}" for name in ("perceptual", "identity", "emotion_image", "sync")))
    values = compare_faces(faces(200), faces(50), None)
    assert values and all("vultus" in name for name in values)


def test_no_faces_tell_nothing(stand_ins):
    stand_ins("judge:perceptual")
    assert compare_faces(faces(1, 0), faces(1, 0), None) == {}


def test_inception_features_become_moments(stand_ins):
    stand_ins("weights:inception-fid")
    assert inception_moments(faces(9)).count == 3
    assert inception_moments(faces(9, 1)) is None
    stand_ins()
    assert inception_moments(faces(9)) is None


def test_absent_weights_are_named_with_the_command_that_fetches_them(monkeypatch, tmp_path):
    monkeypatch.setenv("VULTUS_WEIGHTS", str(tmp_path))
    judges._loaded.cache_clear()
    assert why_not("weights:syncnet-v2") == "needs syncnet-v2 (vultus weights fetch syncnet-v2)"
    assert "vultus weights fetch alexnet" in unavailable()["lpips"]
    assert {"fid", "csim", "lse_c", "lse_d", "emo_acc", "efd"} <= unavailable().keys()
    judges._loaded.cache_clear()


def test_a_voice_is_cut_or_ended_by_silence():
    np.testing.assert_array_equal(voice_as_long_as(np.ones(10), 4 / 16_000), np.ones(4))
    np.testing.assert_array_equal(voice_as_long_as(np.ones(2), 4 / 16_000), [1, 1, 0, 0])


def test_syncnet_gives_both_rows(monkeypatch):
    rng = np.random.default_rng(0)
    lips = rng.normal(size=(60, 8))
    fake = SimpleNamespace(embed_clip=lambda pictures, sound: (lips, lips))
    points, shown = np.tile(rng.uniform(20, 40, (478, 3)), (50, 1, 1)), np.ones(50, bool)
    seen = Seen(25.0, (64, 64), points, shown, Performance(25.0, shown))
    images = [np.zeros((64, 64, 3), np.uint8)] * 50
    monkeypatch.setattr("vultus.video.read.open_video", lambda path: SimpleNamespace(frames=lambda fps: iter(images)))
    confidence, distance = networks._syncnet(fake, None, seen, np.zeros(32_000, np.float32))
    assert distance < 1e-3 and confidence > 1
