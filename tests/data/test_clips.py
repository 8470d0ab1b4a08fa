"""Prepared clips: what they give, that it fits together, and the way back to the source."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE
from vultus.data.clips import ClipFacts, parts_of
from vultus.data.manifest import prepared_clips
from vultus.video.read import open_video


@pytest.fixture(scope="module")
def prepared(report):
    return prepared_clips(report.out)[0]


def test_all_channels_are_as_long_as_the_clip(prepared):
    count = len(prepared)
    assert count == 12 and prepared.fps == 25 and prepared.name == "video/ann/a"
    track = prepared.track()
    assert len(track) == count and {"expression", "rotation", "gaze", "au45", "landmarks"} <= set(track.channels)
    assert prepared.waveform.dtype == np.float32 and len(prepared.waveform) == round(count / 25 * SAMPLE_RATE)
    assert prepared.speech.duration_s == pytest.approx(count / 25)
    assert prepared.mouth.shape == (count, 2) and prepared.crop_from_source.shape == (count, 2, 3)
    assert len(list(prepared.frames())) == len(list(prepared.masks())) == count


def test_frames_can_be_read_from_anywhere(prepared):
    frames = prepared.frames()
    every = list(frames)
    assert (frames.width, frames.height, frames.count) == (256, 256, 12)
    assert every[0].shape == (256, 256, 3) and every[0].dtype == np.uint8
    some = list(prepared.frames(5, 8))
    assert len(some) == 3 and all((a == b).all() for a, b in zip(some, every[5:8], strict=True))
    assert list(prepared.frames(8, 8)) == []


def test_the_sound_is_the_sources(prepared):
    spectrum = np.abs(np.fft.rfft(prepared.waveform[:4800]))
    assert np.argmax(spectrum) * SAMPLE_RATE / 4800 == pytest.approx(220, abs=4)
    assert np.abs(prepared.waveform).max() == pytest.approx(0.3, abs=0.05)


def test_landmarks_lie_on_the_face_of_the_crop(prepared):
    points = prepared.track().landmarks[..., :2]
    eyes, mouth = points[:, 36:48].mean(1), points[:, 48:].mean(1)
    assert np.abs(eyes[:, 0] - 128).max() < 20 and (mouth[:, 1] > eyes[:, 1] + 30).all()
    left, top, right, bottom = prepared.boxes("mouth").T
    assert ((left < mouth[:, 0]) & (mouth[:, 0] < right) & (top < mouth[:, 1]) & (mouth[:, 1] < bottom)).all()


def test_the_way_back_to_the_source(prepared, raw_folder):
    """A patch of the prepared frame, looked up in the source by the kept map, has the same colours."""
    frame = 6
    source = list(open_video(raw_folder / "ann/a.mp4").frames(25))[frame].astype(int)
    crop = next(iter(prepared.frames(frame, frame + 1))).astype(int)
    y, x = np.mgrid[100:160:10, 100:160:10].reshape(2, -1) + 0.5
    back = prepared.to_source(np.stack([x, y], 1), frame)
    there = source[back[:, 1].astype(int), back[:, 0].astype(int)]
    here = crop[y.astype(int), x.astype(int)]
    assert np.abs(there - here).mean() < 12
    forth = (
        np.einsum("ij,nj->ni", prepared.crop_from_source[frame][:, :2], back) + prepared.crop_from_source[frame][:, 2]
    )
    np.testing.assert_allclose(forth, np.stack([x, y], 1), atol=1e-2)


def test_masks_show_mouth_eyes_and_person(prepared):
    masks = next(prepared.masks())
    points = prepared.track().landmarks[0, :, :2]
    mouth_x, mouth_y = points[60:].mean(0).astype(int)
    assert masks.mouth.shape == (256, 256) and masks.mouth[mouth_y, mouth_x] and not masks.eyes[mouth_y, mouth_x]
    for eye in (slice(36, 42), slice(42, 48)):
        x, y = points[eye].mean(0).astype(int)
        assert masks.eyes[y, x] and not masks.mouth[y, x]
    assert 0.002 < masks.mouth.mean() < 0.05 and 0.0005 < masks.eyes.mean() < 0.02
    assert masks.person[mouth_y, mouth_x] > 0.9 and masks.person.dtype == np.float32


def test_the_background_has_the_size_of_a_frame(prepared):
    assert prepared.background(3).shape == (256, 256, 3)


def test_parts_of_a_clip_share_it_out(prepared):
    facts = ClipFacts(**{**json.loads(prepared.facts.to_json()), "held_out_frames": 3})
    begin, end = parts_of(prepared.folder, facts)
    assert (begin.split, end.split, len(begin), len(end)) == (facts.split, "test", 9, 3)
    assert (next(iter(end.frames())) == list(prepared.frames())[9]).all()
    np.testing.assert_array_equal(np.concatenate([begin.waveform, end.waveform]), prepared.waveform)
    np.testing.assert_array_equal(end.track().rotation, prepared.track().rotation[9:])
    np.testing.assert_array_equal(end.boxes("left_eye"), prepared.boxes("left_eye")[9:])
    assert len(list(end.masks())) == 3


def test_facts_come_back_from_their_line(prepared):
    again = ClipFacts.from_json(prepared.facts.to_json(), prepared.folder)
    assert again == prepared.facts and again.seen == 1.0 and again.sound
    with pytest.raises(InputError, match="damaged"):
        ClipFacts.from_json("{}", prepared.folder)


def test_choosing_clips(report, tmp_path):
    assert {clip.split for clip in prepared_clips(report.out, "video")} == {"train"}
    for dataset, split in (("mead", None), (None, "val")):
        with pytest.raises(InputError, match="no prepared clip"):
            prepared_clips(report.out, dataset, split)
    with pytest.raises(InputError, match="no manifest"):
        prepared_clips(tmp_path)
