"""Another voice for people in a video: whose lips move, whose do not, and what comes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import vultus
from tests.conftest import files_in
from tests.film import COUNT, FACELESS, FPS, SIDE_PX, THIRD, Film, MadeVideo, gaps_seen, speech
from vultus.core.bases import ARKIT52
from vultus.core.errors import ControlError, InputError
from vultus.core.types import FaceTrack, Frames
from vultus.dubbing import Scene, _length_notes, dub, dub_frames, follow, voice_performance
from vultus.dubbing.scene import SETTLE_S
from vultus.video.read import open_video
from vultus.video.span import span_of
from vultus.video.write import write_video

ASSETS = Path(vultus.__file__).parent / "assets"
VOICE_S = 1.2
LATER = (np.arange(COUNT) + 12) % 26
"""Which frame of the film the second person is seen in."""


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second and a bit of our sample voice."""
    sound, rate = soundfile.read(ASSETS / "sample_speech.flac")
    path = tmp_path_factory.mktemp("voice") / "hello.wav"
    soundfile.write(path, sound[: round(VOICE_S * rate)], rate)
    return path


@pytest.fixture(scope="module")
def alone(film: Film) -> Scene:
    return Scene(film.video, (film.track,))


@pytest.fixture(scope="module")
def pair(film: Film) -> Scene:
    """Two people side by side, the second one at other moments of the film."""
    images = [np.hstack([film.images[t], film.images[k]]) for t, k in enumerate(LATER)]
    second = film.track.take(LATER)
    moved = FaceTrack(
        second.performance, second.points + np.float32([SIDE_PX, 0]), second.departure, second.units_px, second.shot * 0
    )
    return Scene(MadeVideo(tuple(images)), (film.track, moved))


def test_without_an_emotion_only_the_lower_face_speaks(voice):
    spoken = voice_performance(voice, FPS)
    assert spoken.fps == FPS and abs(len(spoken) - VOICE_S * FPS) <= 1
    above = [k for k, name in enumerate(ARKIT52) if name.startswith(("brow", "eye"))]
    assert not spoken.expression[:, above].any() and spoken.expression.max() > 0.1
    moved = voice_performance(voice, FPS, emotion="surprised")
    assert moved.expression[:, above].max() > 0.1


def test_a_part_of_the_voice_and_larger_lips_can_be_asked(voice):
    plain = voice_performance(voice, FPS, start_s=0.2, end_s=0.8)
    assert abs(len(plain) - 0.6 * FPS) <= 1
    large = voice_performance(voice, FPS, start_s=0.2, end_s=0.8, lip_scale=1.5)
    assert large.expression.sum() > 1.1 * plain.expression.sum()


def test_two_people_speak_each_with_their_own_voice(film, pair):
    lips = speech(0.3 * np.sin(np.arange(COUNT) / 3) ** 2), speech(np.zeros(COUNT))
    both = list(dub_frames(pair, dict(enumerate(lips, 1)))[0])
    first, second = (list(dub_frames(pair, {number: lips[number - 1]})[0]) for number in (1, 2))
    for t, image in enumerate(both):
        np.testing.assert_array_equal(image[:, :SIDE_PX], first[t][:, :SIDE_PX])
        np.testing.assert_array_equal(image[:, SIDE_PX:], second[t][:, SIDE_PX:])
        np.testing.assert_array_equal(first[t][:, SIDE_PX:], film.images[LATER[t]])
        np.testing.assert_array_equal(second[t][:, :SIDE_PX], film.images[t])
    assert np.nanmax(gaps_seen(image[:, SIDE_PX:] for image in both[:8])) < 0.05


def test_frames_can_be_shown_again(alone, film):
    frames = film.video.frames()
    span = span_of(frames, (COUNT + 10) / FPS, extend="bounce", since=THIRD)
    made, shown = dub_frames(alone, {1: speech(np.full(COUNT + 10, 0.3))}, span)
    made = list(made)
    assert len(made) == COUNT + 10 == len(shown[1]) and set(span.index[COUNT:]) <= set(range(THIRD, COUNT))
    for k, image in zip(span.index, made, strict=True):
        np.testing.assert_array_equal(image[:20], film.images[k][:20])
    assert shown[1][FACELESS] == 0 and shown[1][:10].min() == 1


def test_what_becomes_of_a_voice_that_lasts_longer_is_told(alone):
    count = alone.video.frames().count
    longer, equal = (span_of(alone.video.frames(), (count + more) / FPS) for more in (FPS, 0))
    assert _length_notes(alone, longer, "bounce") == [
        "the voice lasts 1.0 s longer than the video: its last seconds go back and forth"
    ]
    assert _length_notes(alone, longer, "hold")[0].endswith("its last picture is held")
    assert _length_notes(alone, equal, "bounce") == []


def test_after_the_voice_lips_come_to_rest(alone):
    made, _ = dub_frames(alone, {1: speech(np.full(8, 0.35))})
    seen = gaps_seen(image for t, image in enumerate(made) if t < 24)
    assert seen[4:8].min() > 0.1 and seen[8 + round(SETTLE_S * FPS) + 2 :].max() < 0.05


def test_a_face_that_is_not_there_is_refused(alone):
    for number in (0, 2):
        with pytest.raises(ControlError, match=f"face {number}"):
            dub_frames(alone, {number: speech([0.1])})


@pytest.mark.parametrize("who", [{"face": 0}, {"face": -2}])
def test_what_is_no_number_of_a_face_is_refused_unseen(film, voice, tmp_path, who):
    source = write_video(film.video.frames(), tmp_path / "film.mp4")
    with pytest.raises(ControlError, match="there is no face"):
        dub(source, voice, tmp_path / "out.mp4", on_follow=lambda *_: pytest.fail("the video was watched"), **who)
    assert files_in(tmp_path) == {"film.mp4"}


def test_a_video_without_a_face_is_refused(tmp_path):
    grey = Frames((np.full((128, 128, 3), 120, np.uint8) for _ in range(6)), FPS, 128, 128, 6)
    path = write_video(grey, tmp_path / "grey.mp4")
    with pytest.raises(InputError, match="face"):
        follow(path)


def test_a_file_comes_out_with_the_shorter_of_both(film, voice, tmp_path):
    source = write_video(film.video.frames(), tmp_path / "film.mp4")
    report = dub(source, voice, tmp_path / "out.mp4")
    made = open_video(report.path)
    expected = round(VOICE_S * FPS)
    assert abs(report.frames - expected) <= 1 and abs(made.count - expected) <= 1
    assert (made.width, made.height, made.fps, made.has_audio) == (SIDE_PX, SIDE_PX, FPS, True)
    assert report.faces[0].changed + report.faces[0].passed == report.frames and report.faces[0].passed >= 1
    assert any("of the video, after the voice, are left out" in note for note in report.notes)
    assert files_in(tmp_path) == {"film.mp4", "out.mp4"}


def test_neither_video_nor_voice_is_written_over(film, voice, tmp_path):
    source = write_video(film.video.frames(), tmp_path / "film.mp4")
    before = source.read_bytes()
    with pytest.raises((InputError, ControlError)):
        dub(source, voice, source)
    assert source.read_bytes() == before and files_in(tmp_path) == {"film.mp4"}
