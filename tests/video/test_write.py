"""Written videos: right frames, right times, right sound; an interruption at any point leaves nothing behind."""

from __future__ import annotations

import errno
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from subprocess import PIPE

import av
import numpy as np
import pytest
from PIL import Image

from vultus.core.errors import InputError
from vultus.core.types import Frames
from vultus.video import write
from vultus.video.provenance import SYNTHETIC_TAG
from vultus.video.read import open_video
from vultus.video.sound import SoundTrack
from vultus.video.write import write_video

LEVELS = [10, 60, 110, 160, 210, 20, 70, 120, 170, 220]


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def decoded_sound(path: Path) -> tuple[np.ndarray, int]:
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].sample_rate
        blocks = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(blocks, axis=1), rate


def tone_span_s(path: Path) -> tuple[float, float]:
    """First and last time at which the sound is loud."""
    sound, rate = decoded_sound(path)
    loud = np.flatnonzero(np.abs(sound[0]) > 0.2)
    return loud[0] / rate, loud[-1] / rate


@pytest.fixture
def out(tmp_path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("size", [(64, 48), (65, 49)])
def test_frames_come_back(out, grey_frames, suffix, size):
    path = write_video(grey_frames(LEVELS, 25, *size), out / f"a{suffix}")
    video = open_video(path)
    expected = tuple(side + side % 2 for side in size) if suffix == ".mp4" else size
    assert (video.width, video.height) == expected
    got = [float(image.mean()) for image in video.frames()]
    np.testing.assert_allclose(got, LEVELS, atol=3)


def test_odd_side_repeats_its_last_column(out):
    picture = np.full((48, 65, 3), 40, np.uint8)
    picture[:, -1] = 200
    path = write_video(Frames([picture], 25, 65, 48, 1), out / "a.mp4")
    row = next(iter(open_video(path).frames()))[20, :, 0]
    assert row[64] > 180 and row[65] > 180 and row[60] < 60


@pytest.mark.parametrize("fps", [25, 24000 / 1001, 29.97, 60, 12.5])
def test_timing_is_exact(out, grey_frames, fps):
    with av.open(str(write_video(grey_frames(LEVELS, fps), out / "a.mp4"))) as container:
        times_s = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
        assert container.streams.video[0].duration * container.streams.video[0].time_base == pytest.approx(
            10 / fps, abs=1e-4
        )
    np.testing.assert_allclose(times_s, np.arange(10) / fps, atol=1e-4)


def test_colours_survive_and_are_labelled(out):
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:] = (200, 60, 40)
    path = write_video(Frames([picture] * 3, 25, 64, 64, 3), out / "a.mp4")
    np.testing.assert_allclose(next(iter(open_video(path).frames()))[30, 30], (200, 60, 40), atol=4)
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)  # BT.709


def boxes(path: Path) -> list[bytes]:
    """Kinds of an MP4's outer boxes, in order."""
    data, position, kinds = path.read_bytes(), 0, []
    while position < len(data):
        size, kind = struct.unpack(">I4s", data[position : position + 8])
        kinds.append(kind)
        position += size
    return kinds


def test_index_stands_before_the_pictures(out, grey_frames):
    assert boxes(write_video(grey_frames(LEVELS), out / "a.mp4")) == [b"ftyp", b"uuid", b"moov", b"free", b"mdat"]


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2), (8_000, 2), (48_000, 1)])
def test_sound_is_in_step_and_ends_with_the_pictures(out, grey_frames, sound_file, suffix, rate, channels):
    sound = sound_file(4.0, (1.0, 1.5), rate, channels)
    path = write_video(grey_frames([100] * 50), out / f"a{suffix}", sound)
    start_s, end_s = tone_span_s(path)
    assert start_s == pytest.approx(1.0, abs=0.03) and end_s == pytest.approx(1.5, abs=0.03)
    decoded, decoded_rate = decoded_sound(path)
    assert decoded.shape[0] == channels
    assert decoded.shape[1] / decoded_rate == pytest.approx(2.0, abs=0.03)


def test_sound_is_cut_at_both_ends(out, grey_frames, sound_file):
    sound = sound_file(4.0, (1.0, 3.0))
    path = write_video(grey_frames([100] * 50), out / "a.mp4", sound, audio_start_s=0.75, audio_end_s=1.75)
    start_s, end_s = tone_span_s(path)
    assert start_s == pytest.approx(0.25, abs=0.03) and end_s == pytest.approx(1.0, abs=0.03)


def test_sound_of_a_video_can_be_used(out, grey_frames, sound_file):
    first = write_video(grey_frames([100] * 50), out / "a.mp4", sound_file(2.0, (0.5, 1.0)))
    second = write_video(grey_frames([50] * 50), out / "b.mp4", first)
    assert tone_span_s(second)[0] == pytest.approx(0.5, abs=0.04)


def test_transparency_survives_in_webm(out, grey_frames):
    path = write_video(grey_frames(LEVELS, alpha=True), out / "a.webm")
    decoder = av.CodecContext.create("libvpx-vp9", "r")  # ffmpeg's own decoder leaves alpha out
    with av.open(str(path)) as container:
        packet = next(container.demux(video=0))
        frame = decoder.decode(packet)[0]
    assert frame.format.name == "yuva420p"
    assert abs(int(frame.to_ndarray(format="rgba")[20, 20, 3]) - 128) < 4


def test_folder_of_pictures(out, grey_frames, sound_file):
    folder = write_video(grey_frames(LEVELS, alpha=True), out / "seq", sound_file(2.0, (0.1, 0.2), 44_100))
    pictures = [f"{i:06d}.png" for i in range(10)]
    assert names(folder) == sorted([*pictures, "audio.wav", "vultus.json", "vultus.c2pa"])
    with Image.open(folder / "000003.png") as picture:
        assert picture.info["comment"] == SYNTHETIC_TAG
        np.testing.assert_array_equal(np.asarray(picture)[0, 0], [160, 160, 160, 128])
    sound, rate = decoded_sound(folder / "audio.wav")
    assert rate == 44_100 and sound.size == round(0.4 * 44_100)
    assert tone_span_s(folder / "audio.wav")[0] == pytest.approx(0.1, abs=0.01)


def test_an_earlier_folder_is_replaced_but_nobody_elses(out, grey_frames):
    write_video(grey_frames(LEVELS), out / "seq")
    assert len(names(write_video(grey_frames(LEVELS[:3]), out / "seq"))) == 3 + 2
    (out / "seq" / "diary.txt").write_text("mine")
    with pytest.raises(InputError, match="other files"):
        write_video(grey_frames(LEVELS), out / "seq")
    (out / "holiday").mkdir()
    (out / "holiday" / "001.png").write_bytes(b"mine")
    with pytest.raises(InputError, match="other files"):
        write_video(grey_frames(LEVELS), str(out / "holiday") + "/")
    assert names(out) == ["holiday", "seq"]


@pytest.mark.parametrize(
    ("name", "alpha", "fault"),
    [("a.avi", False, ".avi"), ("a.mp4", True, "transparent"), ("none/a.mp4", False, "does not exist")],
)
def test_targets_that_cannot_be(out, grey_frames, name, alpha, fault):
    with pytest.raises(InputError, match=fault):
        write_video(grey_frames(LEVELS, alpha=alpha), out / name)
    assert names(out) == []


def test_sound_that_cannot_be(out, tmp_path, grey_frames, clip, sound_file):
    (tmp_path / "a.wav").write_text("no sound")
    cases = [(tmp_path / "a.wav", "not a sound file"), (tmp_path / "none.wav", "no such file")]
    cases.append((clip([0, 0.04], [10, 60]), "holds no sound"))
    for sound, fault in cases:
        with pytest.raises(InputError, match=fault):
            write_video(grey_frames(LEVELS), out / "a.mp4", sound)
    with pytest.raises(InputError, match="from 2 s to 1 s is empty"):
        write_video(grey_frames(LEVELS), out / "a.mp4", sound_file(1, (0, 1)), audio_start_s=2, audio_end_s=1)
    with pytest.raises(InputError, match="ends before the start at 5 s"):
        write_video(grey_frames(LEVELS), out / "a.mp4", sound_file(1, (0, 1)), audio_start_s=5)
    assert names(out) == []


@pytest.mark.parametrize("part", [(-1.0, None), (np.nan, None), (0.0, np.nan), (0.0, np.inf)])
def test_parts_of_a_sound_that_are_none(sound_file, part):
    with pytest.raises(InputError, match="is empty or endless"):
        SoundTrack(sound_file(1, (0, 1)), *part)


def test_no_frames(out):
    with pytest.raises(InputError, match="no frames"):
        write_video(Frames([], 25, 64, 48, 0), out / "a.mp4")
    assert names(out) == []


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "seq"])
@pytest.mark.parametrize("fault", [KeyboardInterrupt, ValueError, InputError])
def test_nothing_is_left_after_an_interruption(out, grey_frames, sound_file, name, fault):
    def images():
        yield from grey_frames(LEVELS)
        assert any(".part." in entry for entry in names(out))
        raise fault("stop")

    with pytest.raises(fault):
        write_video(Frames(images(), 25, 64, 48, 100), out / name, sound_file(2.0, (0.1, 0.2)))
    assert names(out) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("encode")]


def test_an_interruption_keeps_the_earlier_file(out, grey_frames):
    before = write_video(grey_frames(LEVELS), out / "a.mp4").read_bytes()

    def images():
        yield from grey_frames(LEVELS)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(Frames(images(), 25, 64, 48, 100), out / "a.mp4")
    assert (out / "a.mp4").read_bytes() == before and names(out) == ["a.mp4"]


def test_an_error_of_the_encoder_stops_the_renderer(out):
    made = 0

    def images():
        nonlocal made
        for made in range(10_000):
            yield np.zeros((48, 64 if made < 5 else 66, 3), np.uint8)

    with pytest.raises(ValueError, match="announced"):
        write_video(Frames(images(), 25, 64, 48, 10_000), out / "a.mp4")
    assert made < 100 and names(out) == []


def test_rendering_and_encoding_overlap_and_the_queue_is_bounded(out, monkeypatch):
    """A renderer goes on while the encoder is busy, but not without end."""
    ahead, encoded = [], 0

    class SlowEncoder:
        def add(self, image):
            nonlocal encoded
            time.sleep(0.005)
            encoded += 1

        def finish(self):
            (out / "made").touch()

        def abandon(self): ...

    def images():
        for index in range(100):
            ahead.append(index - encoded)
            time.sleep(0.002)
            yield np.zeros((4, 4, 3), np.uint8)

    write._encode(SlowEncoder(), Frames(images(), 25, 4, 4, 100), None)
    assert 2 < max(ahead) <= write.QUEUE_FRAMES + 2 and (out / "made").exists()


def test_progress_counts_to_the_end(out, grey_frames):
    seen = []
    write_video(grey_frames(LEVELS), out / "a.mp4", on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 10) for i in range(1, 11)] + [(10, 10)]


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "seq"])
def test_sound_with_nan_is_refused_and_overflow_is_tamed(out, tmp_path, grey_frames, name):
    import soundfile

    wave = 0.5 * np.sin(np.arange(32_000) * 0.1).astype(np.float32)
    wave[500:600] = 1e30
    soundfile.write(tmp_path / "a.wav", wave, 16_000, subtype="FLOAT")
    path = write_video(grey_frames(LEVELS), out / name, tmp_path / "a.wav")
    sound, _ = decoded_sound(path / "audio.wav" if path.is_dir() else path)
    assert np.isfinite(sound).all() and sound.size > 0
    before = names(out)
    for wrong in (np.nan, np.inf):
        wave[100] = wrong
        soundfile.write(tmp_path / "a.wav", wave, 16_000, subtype="FLOAT")
        with pytest.raises(InputError, match=r"NaN or infinite samples about 0\.\d s in"):
            write_video(grey_frames(LEVELS), out / f"2{name}", tmp_path / "a.wav")
    assert names(out) == before


def test_silence_shorter_than_the_pictures(out, grey_frames, sound_file):
    path = write_video(grey_frames([100] * 25), out / "a.mp4", sound_file(0.2, (0, 0)))
    assert open_video(path).count == 25
    sound, rate = decoded_sound(path)
    assert sound.shape[1] / rate == pytest.approx(0.2, abs=0.05)


def test_a_full_disk_is_one_sentence(out, grey_frames, monkeypatch):
    def add(self, image):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(write.ContainerEncoder, "add", add)
    with pytest.raises(InputError, match="disk is full"):
        write_video(grey_frames(LEVELS), out / "a.mp4")
    assert names(out) == []


PROGRAM = """
import signal, sys, time
import numpy as np
from vultus import cli
from vultus.core.types import Frames
from vultus.video.sound import SoundTrack
from vultus.video.write import write_video

def act() -> None:
    def images():
        for index in range(10_000):
            if index == 20:
                print("going", flush=True)
            time.sleep(0.005)
            yield np.full((48, 64, 3), index % 255, np.uint8)
    write_video(Frames(images(), 25, 64, 48), sys.argv[1])

signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background inherits none
cli.VERBS["act"] = act
sys.exit(cli.run(["act"]))
"""


def test_ctrl_c_in_a_real_process(out):
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(out / "a.mp4")], stdout=PIPE, stderr=PIPE) as process:
        process.stdout.readline()
        assert names(out)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130 and said == b"vultus: stopped; nothing was written.\n" and names(out) == []
