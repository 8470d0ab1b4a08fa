"""What is learned from: the authors' layout, and synthetic speech acted on the rig with lips and feeling."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.methods.emoface.voices import babble
from vultus.audio.sentences import SENTENCES
from vultus.core.controls import Emotion, parse_emotions
from vultus.core.errors import ControlError, InputError
from vultus.core.timeline import Timeline
from vultus.face.metahuman import COUNT, HIGH, LOW, index_of, mirrored
from vultus.face.mouth import performed_mouth
from vultus.face.rig_map import arkit_of
from vultus.methods.emoface import data
from vultus.methods.emoface.acting import BEYOND, TONGUE, act, beyond
from vultus.methods.emoface.config import EMOTIONS, PAPER, SMALL, TINY, DataConfig
from vultus.methods.emoface.feelings import emotion_row, emotion_rows
from vultus.motion.visemes import VISEMES


def label(name: str, level: float = 2.0) -> Timeline[Emotion]:
    return Timeline.constant(Emotion(((name, 1.0),), level))


def emoface_folder(root: Path, lengths: dict[str, dict[str, int]]) -> Path:
    import soundfile

    for split, names in lengths.items():
        for kind in ("WAV", "VALID_CTR"):
            (root / split / kind).mkdir(parents=True)
        for name, frames in names.items():
            soundfile.write(root / split / "WAV" / f"{name}.wav", np.zeros(frames * 800), 48_000)
            np.savetxt(root / split / "VALID_CTR" / f"{name}.txt", np.full((frames + 2, COUNT), 0.25), delimiter=",")
    return root


def test_rows_of_emotions():
    angry = emotion_row(Emotion((("angry", 1.0),), 2.0), 0)
    assert angry.tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert emotion_row(Emotion((("sad", 1.0),)), 3.0).tolist() == [0, 0, 0, 0, -0.5, 1.5, 0]
    assert emotion_row(Emotion((("happy", 0.5), ("surprised", 0.5))), 1.0).tolist() == [0, 0, 0, 0.25, 0.5, 0, 0.25]
    assert emotion_row(Emotion(), 3.0).tolist() == [0, 0, 0, 0, 1, 0, 0]
    over_time = emotion_rows(parse_emotions("0:angry 1:happy@1"), 2.0, 1.0, np.array([0.1, 1.0, 3.0]))
    np.testing.assert_allclose(over_time.sum(1), 1)
    np.testing.assert_allclose(over_time[1], [0.5, 0, 0, 0.25, 0.25, 0, 0], atol=1e-6)
    with pytest.raises(ControlError, match="contempt"):
        emotion_row(Emotion((("contempt", 1.0),)), 2.0)


def test_the_authors_layout_is_read(tmp_path):
    lengths = {"train": {"angry_a_001": 40, "hap_a_002": 25}, "validation": {"sur_a_003": 31}}
    found = data.recorded(emoface_folder(tmp_path, lengths), None)
    assert [len(u.controls) for u in found.train] == [40, 25] and len(found.val) == 1
    angry, happy = found.train
    assert angry.emotion[0].argmax() == EMOTIONS.index("angry") and happy.emotion[-1].argmax() == 3
    assert angry.controls.shape == (40, COUNT) and angry.controls.max() == 0.25
    assert abs(len(angry.waveform) - 40 / 60 * 16_000) <= 2 and angry.states is None
    heard = data.recorded(tmp_path, data.Ear(TINY.net)).train[0]
    assert heard.states.shape == (40, 128)
    with pytest.raises(InputError, match="VALID_CTR"):
        data.material(PAPER.net, PAPER.data, tmp_path / "train")


def test_acted_curves_speak():
    speech = babble()
    acted = act(speech, label("neutral"), 1, 0.0)
    expression, _ = arkit_of(acted.controls)
    aperture = performed_mouth(expression)[:, 0]
    time_s = (np.arange(len(aperture)) + 0.5) / 60
    opened = (time_s // 0.15) % 2 == 1
    middle = np.abs(time_s % 0.15 - 0.075) < 0.03
    assert aperture[opened & middle][4:].mean() > 3 * aperture[~opened & middle][4:].mean()
    assert (acted.controls >= LOW).all() and (acted.controls <= HIGH).all() and len(acted.emotion) == len(time_s)


@pytest.mark.parametrize("emotion", [name for name in EMOTIONS if name != "neutral"])
def test_every_feeling_is_acted_over_the_whole_face_and_lives(emotion):
    calm, felt, strong = (
        act(babble(), m, 1, 0.0).controls for m in (label("neutral"), label(emotion), label(emotion, 3))
    )
    moved = np.abs(felt - calm).mean(0)
    areas = {name: moved[data_columns].max() for name, data_columns in AREAS.items()}
    assert all(move > 0.04 for move in areas.values()), areas
    assert np.abs(strong - calm).sum() > 1.2 * np.abs(felt - calm).sum()
    assert np.median(felt[:, moved > 0.1].std(0)) > 0.005, "a held feeling is frozen"
    assert beyond(Emotion(((emotion, 1.0),), 3.0)) == pytest.approx(mirrored(beyond(Emotion(((emotion, 1.0),), 3.0))))


AREAS = {
    "upper": [index_of(w, "left") for w in ("brow_down", "brow_raiseIn", "brow_raiseOut", "eye_squintInner")]
    + [index_of("eye_blink", "left"), index_of("eye_cheekRaise", "left")],
    "lower": [index_of(w, "left") for w in ("mouth_cornerPull", "mouth_cornerDepress", "mouth_stretch")]
    + [index_of("jaw"), index_of("mouth_pressU", "left"), index_of("mouth_funnelD", "left")],
    "beyond ARKit": [index_of(w, "left") for w in ("nose_nasolabialDeepen", "neck_stretch", "brow_lateral")],
}


def test_emotions_change_on_the_way():
    mood = Timeline(((0.0, Emotion((("sad", 1.0),), 2.0)), (0.9, Emotion((("happy", 1.0),), 2.0))))
    curves = act(babble(), mood, 1, 0.0).controls
    smile = curves[:, index_of("mouth_cornerPull", "left")]
    assert smile[-20:].mean() > 0.25 > 0.05 > smile[:20].mean()


def test_every_sound_has_a_known_tongue():
    assert set(TONGUE) <= set(VISEMES) and set(BEYOND) == set(EMOTIONS)


def test_synthetic_speech_keeps_voices_and_sentences_apart(monkeypatch):
    pytest.importorskip("espeakng_loader", reason="eSpeak NG is not installed")
    said: dict[bool, set[str]] = {True: set(), False: set()}
    rng = np.random.default_rng(0)
    for _ in range(300):
        for held_out in (True, False):
            said[held_out].add(data._text("en-us", rng, held_out))
    assert not said[True] & said[False] and said[True] <= set(SENTENCES["en-us"])
    config = DataConfig("synthetic", speech_s=12.0, held_out=3)
    made = data.material(SMALL.net, config, Path())
    assert sum(len(u.controls) for u in made.train) >= 12 * 60 and len(made.val) == 3
    assert {u.name.split()[0] for u in made.train}.isdisjoint(u.name.split()[0] for u in made.val)
    assert [u.emotion[0].argmax() for u in made.val] == [0, 1, 2]
    for one, two in pairwise([*made.train, *made.val]):
        assert one.states.shape == (len(one.controls), 128) and len(one.emotion) == len(one.controls)
        assert one.name != two.name


def test_moods_hold_change_and_mix():
    rng = np.random.default_rng(0)
    moods = [data.random_mood(5.0, rng) for _ in range(300)]
    assert 0.2 < np.mean([len(mood.keys) == 2 for mood in moods]) < 0.5
    assert 0.05 < np.mean([len(mood.keys[0][1].mix) == 2 for mood in moods]) < 0.3
    assert {mood.keys[0][1].level for mood in moods} == {1.0, 2.0, 3.0}
    assert len(data.random_mood(1.0, rng).keys) == 1


def test_an_ear_of_chance_hears_otherwise():
    from dataclasses import replace

    waveform = babble().waveform
    learned, chance = (data.Ear(replace(TINY.net, initialised=i))(waveform, 50) for i in (True, False))
    assert learned.shape == chance.shape == (50, 128) and np.isfinite(chance).all()
    assert not np.allclose(learned, chance) and chance.std() > 1e-3
