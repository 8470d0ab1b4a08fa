"""Videos: frames at a constant rate whatever the times in the file; broken files end in one sentence."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vultus.core.errors import InputError
from vultus.core.types import Frames
from vultus.video.read import open_video
from vultus.video.sound import SoundTrack
from vultus.video.write import write_video


def levels_of(path: Path, fps: float | None = None) -> list[int]:
    """The grey level of every frame, to the nearest multiple of 10 (the test clips use those)."""
    return [round(float(image.mean()) / 10) * 10 for image in open_video(path).frames(fps)]


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        list(open_video(path).frames())
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".")
    return message


LEVELS = [10, 60, 110, 160, 210, 20, 70, 120, 170, 220]


def test_regular_clip_comes_back_frame_by_frame(clip):
    path = clip([i / 25 for i in range(10)], LEVELS)
    video = open_video(path)
    assert (video.width, video.height, video.fps, video.count, video.rotation_deg) == (64, 48, 25, 10, 0)
    assert video.duration_s == pytest.approx(0.4) and not video.has_audio
    frames = video.frames()
    assert (frames.width, frames.height, frames.fps, frames.count) == (64, 48, 25, 10)
    assert levels_of(path) == LEVELS
    assert next(iter(video.frames())).shape == (48, 64, 3)


def test_reading_twice_gives_the_same(clip):
    video = open_video(clip([i / 25 for i in range(5)], LEVELS[:5]))
    np.testing.assert_array_equal(list(video.frames()), list(video.frames()))


def test_colours_do_not_drift_however_often_a_video_is_written_and_read(tmp_path, astronaut):
    """The plain conversion loses more than a level of brightness each time."""
    picture = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    first = picture
    for turn in range(4):
        path = tmp_path / f"{turn}.mp4"
        write_video(Frames((picture.copy() for _ in range(3)), 25, 256, 256, 3), path)
        picture = list(open_video(path).frames())[1]
    assert np.abs((picture.astype(float) - first).mean((0, 1))).max() < 1.5


def test_pictures_that_start_after_the_sound_are_held_back(clip):
    path = clip([0.08 + i / 25 for i in range(10)], LEVELS, sound_s=0.48)
    assert open_video(path).has_audio
    assert levels_of(path, 25) == [10, 10, *LEVELS]


def test_late_start_without_sound_is_time_zero(clip):
    assert levels_of(clip([0.08 + i / 25 for i in range(10)], LEVELS), 25) == LEVELS


def test_variable_frame_rate_is_honoured(clip):
    path = clip([0, 0.04, 0.2, 0.24], [10, 60, 110, 160])
    assert levels_of(path, 25)[:6] == [10, 60, 60, 60, 60, 110]


@pytest.mark.parametrize(("fps", "expected"), [(50, np.repeat(LEVELS, 2)), (12.5, LEVELS[::2]), (25, LEVELS)])
def test_other_rates_repeat_or_drop(clip, fps, expected):
    assert levels_of(clip([i / 25 for i in range(10)], LEVELS), fps) == list(expected)


def test_times_rounded_to_milliseconds_lose_no_frame(clip):
    times_s = [round(i / 30, 3) for i in range(10)]
    assert levels_of(clip(times_s, LEVELS), 30) == LEVELS


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    gaps=st.lists(st.sampled_from([0.01, 0.033, 0.04, 0.05, 0.1, 0.3]), min_size=1, max_size=8),
    fps=st.sampled_from([10, 25, 29.97, 60]),
)
def test_every_frame_shows_what_was_on_at_its_time(clip, gaps, fps):
    times_s = np.cumsum([0.0, *gaps])
    levels = [20 * (i + 1) for i in range(len(times_s))]
    path = clip(times_s, levels)
    nominal = open_video(path).fps
    slack_s = 0.5 / max(fps, nominal) + 1e-3
    for index, level in enumerate(levels_of(path, fps)):
        shown = levels.index(level)
        start_s, end_s = times_s[shown], times_s[shown + 1] if shown + 1 < len(times_s) else math.inf
        assert start_s - slack_s <= index / fps <= end_s + slack_s


def test_one_frame_video(clip):
    assert levels_of(clip([0], [110])) == [110]


def test_ten_bit(clip):
    np.testing.assert_allclose(levels_of(clip([0, 0.04], [60, 160], pixel_format="yuv420p10le")), [60, 160])


def turned(path: Path, degrees: int) -> Path:
    """Have an MP4 shown turned clockwise by its track header's matrix (ISO 14496-12), as phones do."""
    cos, sin = round(math.cos(math.radians(degrees))), round(math.sin(math.radians(degrees)))
    matrix = [cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30]
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    data[start : start + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_applied(tmp_path, degrees):
    path = tmp_path / "turned.mp4"
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32] = 200
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    video = open_video(turned(path, degrees))
    image = next(iter(video.frames()))
    assert image.shape == (video.height, video.width, 3)
    assert video.rotation_deg == (360 - degrees) % 360
    assert np.abs(image.astype(int) - np.rot90(picture, -degrees // 90)).mean() < 4


def test_not_a_video(tmp_path):
    (tmp_path / "a.mp4").write_text("no video at all")
    assert "not a video" in refusal(tmp_path / "a.mp4")
    assert "no such file" in refusal(tmp_path / "none.mp4")
    assert "folder" in refusal(tmp_path)


def test_sound_without_pictures(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        voice = container.add_stream("aac", rate=16_000, layout="mono")
        block = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), format="fltp", layout="mono")
        block.sample_rate = 16_000
        container.mux(voice.encode(block))
        container.mux(voice.encode())
    assert "no picture track" in refusal(tmp_path / "a.mp4")


def test_cut_off_file(clip):
    path = clip([i / 25 for i in range(10)], LEVELS)
    path.write_bytes(path.read_bytes()[:-400])  # its index stands at the end
    assert "damaged" in refusal(path)


def test_unknown_codecs(clip):
    path = clip([0, 0.04], [10, 60], sound_s=0.5)
    data = path.read_bytes()
    path.write_bytes(
        data.replace(b"mp4a", b"zzzz").replace(b"\x40\x15", b"\xfe\x15")
    )  # and its ISO 14496-1 object type
    assert len(levels_of(path)) >= 2
    with pytest.raises(InputError, match="unknown codec"):
        SoundTrack(path)
    path.write_bytes(data.replace(b"avc1", b"zzzz"))
    assert "unknown codec" in refusal(path)


def test_tiny_video(clip):
    assert "16 x 16" in refusal(clip([0], [110], size=(16, 16)))


def test_times_that_run_away_end(clip):
    path = clip([0, 0.04, 90_000], [10, 60, 110])
    assert "hours" in refusal(path)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), 1e9])
def test_senseless_rates(clip, fps):
    with pytest.raises(InputError):
        open_video(clip([0], [110])).frames(fps)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_ends_in_frames_or_one_sentence(clip, data):
    path = clip([i / 25 for i in range(5)], LEVELS[:5], name="damaged.mp4")
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged)
    try:
        for _, image in zip(range(50), open_video(path).frames(), strict=False):
            assert image.ndim == 3 and image.shape[2] == 3
    except InputError as error:
        assert "\n" not in str(error)
