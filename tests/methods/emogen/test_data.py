"""Windows: five frames in step with their voice, augmented alike; actors in one split only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.methods.emogen.faces import MadeClip
from vultus.core.errors import InputError
from vultus.methods.emogen import data as module
from vultus.methods.emogen.augment import Augmentation, draw
from vultus.methods.emogen.config import EMOTIONS, TINY, DataConfig
from vultus.methods.emogen.data import Shelf, actors_apart, material, talking_face, window_starts
from vultus.methods.emogen.mel import RATE_HZ, mel_of

WHERE = Path("prepared")
PLAIN = DataConfig()


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_windows_keep_to_stretches_with_a_face():
    valid = np.ones(16, bool)
    valid[7] = False
    assert window_starts(valid).tolist() == [0, 1, 2, 8, 9, 10, 11]
    assert len(window_starts(valid[:4])) == 0


def test_a_clip_is_read_with_its_label_and_its_size():
    face = talking_face(MadeClip("1001", "sad", side=96), 64)
    assert face.frames.shape == (20, 64, 64, 3) and face.frames.dtype == np.uint8
    assert EMOTIONS[face.emotion] == "sad" and face.offset_s == 0
    assert face.frames[5, 40, 40].tolist() == [105, 105, 105]


def test_frames_and_voice_are_of_one_moment():
    face = talking_face(MadeClip("1001"), 64)
    mels = face.voices(8)
    whole = mel_of(MadeClip("1001").waveform)
    for k in range(5):
        first = int(np.floor((8 + k + 0.5) / 25 * RATE_HZ - 7.5 + 1e-6))
        np.testing.assert_array_equal(mels[k], whole[first : first + 16].T)


def test_a_measured_offset_is_taken_out():
    straight, late = (talking_face(MadeClip("1001", offset_ms=ms), 64) for ms in (None, 80))
    np.testing.assert_array_equal(late.voices(9), straight.voices(7))


def test_a_sample_has_what_the_paper_names():
    shelf = Shelf([MadeClip("1001")], 64, 4)
    sample = shelf.window(0, rng(3), PLAIN, augment=False)
    assert sample.faces.shape == sample.references.shape == (5, 64, 64, 3)
    assert sample.mels.shape == (5, 80, 16) and 0 <= sample.faces.min() <= sample.faces.max() <= 1
    greys = np.round(sample.faces[:, 40, 40, 0] * 255) - 100
    assert np.diff(greys).tolist() == [1, 1, 1, 1]
    start = int(greys[0])
    np.testing.assert_array_equal(sample.mels, shelf[0].voices(start))
    assert np.abs(sample.wrong_mel - sample.mels[2]).max() > 0.5


def test_references_may_come_from_another_clip_of_the_actor():
    clips = [MadeClip("1001", "happy"), MadeClip("1001", "sad", level=180), MadeClip("1002", "sad", level=10)]
    shelf = Shelf(clips, 64, 4)
    other = replace(PLAIN, reference="actor")
    seen = {round(float(shelf.window(0, rng(k), other, False).references[0, 40, 40, 0]) * 255) for k in range(20)}
    assert any(level >= 180 for level in seen) and any(100 <= level < 120 for level in seen)
    assert not any(level < 100 for level in seen)
    own = {round(float(shelf.window(0, rng(k), PLAIN, False).references[0, 40, 40, 0]) * 255) for k in range(20)}
    assert all(100 <= level < 120 for level in own)


def test_references_may_be_held_as_the_frames_are():
    clips = [MadeClip("1001", "happy", yaw_deg=3), MadeClip("1001", "sad", level=180), MadeClip("1002", level=10)]
    shelf = Shelf(clips, 64, 4)
    for seed in range(20):
        sample = shelf.window(0, rng(seed), replace(PLAIN, reference="pose"), False)
        start = round(float(sample.faces[0, 40, 40, 0]) * 255) - 100
        away = round(float(sample.references[0, 40, 40, 0]) * 255) - 180
        assert away == min(start + 3, 15)
    alone = shelf.window(2, rng(0), replace(PLAIN, reference="pose"), False)  # an actor with one clip
    assert alone.references[0, 40, 40, 0] < 40 / 255


def test_frames_are_laid_over_such_references():
    pose = replace(PLAIN, reference="pose")
    clips = [MadeClip("1", "happy"), MadeClip("1", "sad", eyes_px=(35.0, 26.0))]
    sample = Shelf(clips, 64, 4).window(0, rng(), pose, False)
    bar = np.abs(sample.faces[2, :, 30] - np.array([200, 30, 60]) / 255).max(1) < 0.02
    assert bar.tolist() == [True] * 14 + [False] * 50  # eight rows, and six by which the eyes stand lower
    plain = Shelf(clips, 64, 4).window(0, rng(), PLAIN, False)
    assert (np.abs(plain.faces[2, :, 30] - np.array([200, 30, 60]) / 255).max(1) < 0.02).sum() == 8


def test_a_clip_has_a_counterpart_among_the_actors_clips():
    clips = [MadeClip("1", "happy", yaw_deg=3), MadeClip("1", "sad", level=180, eyes_px=(32.0, 25.0)), MadeClip("2")]
    shelf = Shelf(clips, 64, 4)
    given, truth = shelf.counterpart(0)
    assert given[:, 40, 40, 0].tolist() == [180 + min(t + 3, 19) for t in range(20)]
    assert (truth[:, 40, 40, 0] == 100 + np.arange(20)).all()
    assert (truth[0, :, 9, 0] == 200).sum() == 8 + 5  # laid over: the eyes stand lower there
    given, truth = shelf.counterpart(2)
    assert given[0, 40, 40, 0] == truth[10, 40, 40, 0] and np.array_equal(truth, shelf[2].frames)


def test_the_shelf_forgets_the_oldest(monkeypatch):
    read = []
    monkeypatch.setattr(module, "talking_face", lambda clip, side: read.append(clip.actor) or clip)
    shelf = Shelf([MadeClip(str(k)) for k in range(3)], 64, 2)
    for number in (0, 1, 0, 2, 0, 1):
        assert shelf[number].actor == str(number)
    assert read == ["0", "1", "2", "1"]


def test_augmentation_is_the_same_for_all_pictures_of_a_window():
    pictures = np.full((10, 8, 8, 3), (50, 130, 180), np.uint8)
    changed = 0
    for seed in range(30):
        made = draw(8, rng(seed))(pictures)
        assert made.dtype == np.float32 and 0 <= made.min() <= made.max() <= 1
        for row in made[1:]:
            np.testing.assert_array_equal(row, made[0])
        changed += not np.allclose(made, pictures / np.float32(255))
    assert changed >= 25


def test_each_augmentation_by_hand():
    picture = np.full((1, 2, 2, 3), (51, 102, 204), np.uint8)  # .2 .4 .8
    cases = [
        (Augmentation(), [0.2, 0.4, 0.8]),
        (Augmentation(contrast=1.2, brightness=-0.1), [0.14, 0.38, 0.86]),
        (Augmentation(gamma=2.0), [0.04, 0.16, 0.64]),
        (Augmentation(channels=(2, 0, 1)), [0.8, 0.2, 0.4]),
        (Augmentation(shift=(0.1, -0.1, 0.3)), [0.3, 0.3, 1.0]),
        (Augmentation(noise=np.full((2, 2, 3), -0.3)), [0.0, 0.1, 0.5]),
        (Augmentation(brightness=0.3, gamma=2.0, shift=(-0.1, 0.0, 0.0)), [0.15, 0.49, 1.0]),
    ]
    for change, wanted in cases:
        np.testing.assert_allclose(change(picture)[0, 1, 1], wanted, atol=1e-6)


def test_all_five_are_drawn():
    drawn = [draw(4, rng(seed)) for seed in range(60)]
    for name in ("contrast", "gamma", "channels", "shift"):
        values = [getattr(one, name) for one in drawn]
        assert 10 < sum(value != getattr(Augmentation(), name) for value in values) < 50
    assert 10 < sum(one.noise is not None for one in drawn) < 50


def test_no_actor_is_in_two_splits():
    clips = [MadeClip(str(k // 2), EMOTIONS[k % 6]) for k in range(20)] + [MadeClip("99", split="test")]
    train, val, test = actors_apart(clips, replace(PLAIN, val_actors=3), WHERE)  # type: ignore[arg-type]
    actors = [{clip.actor for clip in part} for part in (train, val, test)]
    assert [len(some) for some in actors] == [7, 3, 1]
    assert not actors[0] & actors[1] and not (actors[0] | actors[1]) & actors[2]
    again = actors_apart(clips[::-1], replace(PLAIN, val_actors=3), WHERE)[1]  # type: ignore[arg-type]
    assert {clip.actor for clip in again} == actors[1]


def test_leaks_and_too_few_actors_are_refused():
    leak = [MadeClip("1"), MadeClip("2"), MadeClip("1", split="test")]
    with pytest.raises(InputError, match="actor 1 is in the splits train and test"):
        actors_apart(leak, replace(PLAIN, val_actors=0), WHERE)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="too few"):
        actors_apart(leak[:2], PLAIN, WHERE)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="for training"):
        actors_apart(leak[2:], replace(PLAIN, val_actors=0), WHERE)  # type: ignore[arg-type]


def test_what_cannot_be_learned_from_is_left_out_or_refused(monkeypatch):
    good = MadeClip("1")
    clips = [
        good,
        MadeClip("2", "contempt"),
        MadeClip("3", None),
        MadeClip("4", count=4),
        MadeClip("5", has_pictures=False),
    ]
    monkeypatch.setattr(module, "prepared_clips", lambda data, dataset: clips)
    assert list(material(WHERE, 64, TINY.data).train.clips) == [good]
    clips[:] = [MadeClip("1", crop="ffhq")]
    with pytest.raises(InputError, match="--crop wav2lip"):
        material(WHERE, 64, TINY.data)
    clips[:] = [MadeClip("3", None)]
    with pytest.raises(InputError, match="six emotions"):
        material(WHERE, 64, TINY.data)
    assert len(material(WHERE, 64, TINY.data, feeling=False).train) == 1
