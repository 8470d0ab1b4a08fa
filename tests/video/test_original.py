"""Videos given back as they came: count, times, size, colours and tags of any file survive being read and written."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vultus.core.errors import InputError
from vultus.video.colour import Colour, FromRgb, ToRgb
from vultus.video.original import Original, open_original
from vultus.video.provenance import verify
from vultus.video.sound import SoundTrack
from vultus.video.span import reordered, span_of
from vultus.video.timing import exact_rate, timing_of
from vultus.video.write import write_video

LEVELS = [10, 60, 110, 160, 210, 20, 70, 120, 170, 220]


def scene(index: int, width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8: a smooth coloured picture, brighter with each index."""
    y, x = np.mgrid[:height, :width]
    red = 90 + 60 * np.sin(x / 17 + index) + 3 * index
    green = 110 + 50 * np.cos(y / 13)
    blue = 100 + 60 * np.sin((x + y) / 23)
    return np.clip(np.stack([red, green, blue], -1), 0, 255).astype(np.uint8)


def film(
    path: Path,
    ticks: Sequence[int],
    base: Fraction,
    *,
    codec: str = "libx264",
    size: tuple[int, int] = (96, 64),
    pixel_format: str = "yuv420p",
    colour: Colour = Colour(),  # noqa: B008 - frozen
    options: dict[str, str] | None = None,
    sound_from_s: float | None = None,
    rate: Fraction = Fraction(25),
) -> Path:
    """A coloured video with a picture at each tick; with sound from a time on, if one is given."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or {"crf": "8"} | {"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        context = stream.codec_context
        context.time_base = stream.time_base = base
        context.colorspace, context.color_range = colour.matrix, colour.range
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer
        voice = None if sound_from_s is None else container.add_stream("aac", rate=48_000, layout="mono")
        to_frame = FromRgb(colour, "rgb24", pixel_format.replace("yuvj", "yuv"), size[1])
        for index, tick in enumerate(ticks):
            frame = to_frame(scene(index, *size))
            frame.pts, frame.time_base = tick, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if voice is not None and sound_from_s is not None:
            block = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), format="fltp", layout="mono")
            block.sample_rate, block.pts, block.time_base = 48_000, round(sound_from_s * 48_000), Fraction(1, 48_000)
            container.mux(voice.encode(block))
            container.mux(voice.encode())
    return path


def dubbed(original: Original, path: Path, sound: Path | None = None) -> Original:
    """The original written out again, untouched."""
    return open_original(write_video(original.frames(), path, sound, like=original))


def psnr_db(one: Original, other: Original) -> float:
    pairs = zip(one.frames(), other.frames(), strict=True)
    return float(np.mean([10 * math.log10(255**2 / max(1e-9, np.mean((a.astype(float) - b) ** 2))) for a, b in pairs]))


def assert_same(one: Original, other: Original) -> None:
    assert len(one.timing) == len(other.timing) and one.timing.rate == other.timing.rate
    np.testing.assert_allclose(other.timing.times_s, one.timing.times_s, atol=1e-9)
    assert other.timing.end_s == pytest.approx(one.timing.end_s, abs=2e-3)
    assert (one.video.width, one.video.height) == (other.video.width, other.video.height)
    assert other.colour == one.colour


@pytest.mark.parametrize("rate", [24, 25, "24000/1001", "30000/1001", 50, 60, "60000/1001", 15])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_rates_are_exact(tmp_path, rate, suffix):
    exact = Fraction(rate)
    original = open_original(film(tmp_path / f"a{suffix}", range(40), 1 / exact, rate=exact))
    frames = original.frames()
    assert original.timing.rate == exact and exact_rate(frames.fps) == exact
    assert frames.times_s is None and frames.end_s is None and frames.count == 40 == len(list(frames))
    again = dubbed(original, tmp_path / "out.mp4")
    assert_same(original, again)
    with av.open(str(again.path)) as container:
        assert container.streams.video[0].average_rate == exact
    assert psnr_db(original, again) > 40


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    gaps=st.lists(st.sampled_from([500, 3000, 3003, 3600, 9000, 90_000]), min_size=2, max_size=12),
    first=st.sampled_from([0, 7200]),
    bframes=st.booleans(),
)
def test_irregular_times_are_kept(tmp_path, gaps, first, bframes):
    ticks = np.cumsum([first, *gaps]).tolist()
    options = {"crf": "8", "bf": "2"} if bframes else {"crf": "8", "preset": "ultrafast"}
    path = film(tmp_path / "a.mp4", ticks, Fraction(1, 90_000), options=options, sound_from_s=0.0)
    original = open_original(path)
    np.testing.assert_allclose(original.timing.times_s, np.array(ticks) / 90_000, atol=1.2e-5)
    frames = original.frames()
    assert (frames.times_s is None) == (first == 0 and original.timing.is_plain)
    assert_same(original, dubbed(original, tmp_path / "out.mp4", path))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_picture_track_that_begins_late(tmp_path, suffix):
    ticks = [7200 + 3600 * i for i in range(10)]
    path = film(tmp_path / f"a{suffix}", ticks, Fraction(1, 90_000), sound_from_s=0.0)
    original = open_original(path)
    assert original.timing.rate == 25
    frames = original.frames()
    assert frames.times_s is not None and frames.times_s[0] == pytest.approx(0.08, abs=0.03)
    again = dubbed(original, tmp_path / "out.mp4", path)
    assert again.timing.times_s[0] == pytest.approx(original.timing.times_s[0], abs=1e-3) and again.timing.rate == 25


def test_sound_that_begins_late_or_is_missing(tmp_path):
    late = film(tmp_path / "late.mp4", range(25), Fraction(1, 25), sound_from_s=0.3)
    original = open_original(late)
    assert original.timing.is_plain and original.video.has_audio
    assert_same(original, dubbed(original, tmp_path / "out.mp4", late))
    silent = open_original(film(tmp_path / "silent.mp4", range(25), Fraction(1, 25)))
    assert not dubbed(silent, tmp_path / "out.mp4").video.has_audio


@pytest.mark.parametrize(
    "colour",
    [
        Colour(),
        Colour(matrix=6, primaries=6, transfer=6),
        Colour(matrix=5, primaries=5, transfer=6, range=2),
        Colour(range=2),
        Colour(matrix=2, range=0, primaries=2, transfer=2),
        Colour(matrix=9, primaries=9, transfer=14),
    ],
    ids=["709", "601", "601-full", "709-full", "unstated", "2020"],
)
@pytest.mark.parametrize("size", [(96, 64), (96, 720)])
def test_colours_come_back_with_their_names(tmp_path, colour, size):
    original = open_original(film(tmp_path / "a.mp4", range(3), Fraction(1, 25), colour=colour, size=size))
    assert (original.colour.matrix, original.colour.working_range) == (colour.matrix, colour.working_range)
    shown = next(iter(original.frames()))
    assert np.abs(shown.astype(int) - scene(0, *size)).mean() < 1.6  # the right matrix and range
    again = dubbed(original, tmp_path / "out.mp4")
    assert_same(original, again)
    differences = [a.astype(int) - b for a, b in zip(original.frames(), again.frames(), strict=True)]
    assert np.abs(np.mean(differences, axis=(0, 1, 2))).max() < 0.8 and psnr_db(original, again) > 40


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 9])
def test_rgb_and_back_is_nearly_lossless(matrix, full):
    colour = Colour(matrix=matrix, range=2 if full else 1)
    picture = scene(0, 256, 256)
    frame = FromRgb(colour, "rgb24", "yuv420p", 256)(picture)
    to_rgb, from_rgb = ToRgb(colour, 256, 256, 256), FromRgb(colour, "rgb24", "yuv420p", 256)
    again = from_rgb(to_rgb(frame))
    for plane, other, most in zip(frame.planes, again.planes, (0.25, 0.9, 0.9), strict=True):
        one, two = (np.frombuffer(p, np.uint8).reshape(p.height, p.line_size)[:, : p.width] for p in (plane, other))
        assert np.abs(one.astype(int) - two).mean() < most


def test_ten_bit_is_written_with_eight(tmp_path):
    path = film(tmp_path / "a.mp4", range(5), Fraction(1, 25), pixel_format="yuv420p10le")
    original = open_original(path)
    assert "10-bit pictures are written with 8 bits" in original.notes
    again = dubbed(original, tmp_path / "out.mp4")
    assert again.notes == () and psnr_db(original, again) > 40


@pytest.mark.parametrize("transfer", [16, 18])
def test_high_dynamic_range_is_refused(tmp_path, transfer):
    colour = Colour(matrix=9, primaries=9, transfer=transfer)
    path = film(tmp_path / "a.mp4", range(3), Fraction(1, 25), pixel_format="yuv420p10le", colour=colour)
    with pytest.raises(InputError, match=r"is HDR \((PQ|HLG)\).*convert it to SDR first\.$"):
        open_original(path)


def test_interlaced_is_refused(tmp_path):
    path = film(tmp_path / "a.mp4", range(5), Fraction(1, 25), options={"flags": "+ildct+ilme", "x264-params": "tff=1"})
    with pytest.raises(InputError, match="interlaced"):
        open_original(path)


@pytest.mark.parametrize(
    ("name", "codec", "form"), [("a.mp4", "libx264", "yuv444p"), ("a.webm", "libvpx-vp9", "yuv420p")]
)
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_odd_sizes_are_kept(tmp_path, name, codec, form, suffix):
    path = film(tmp_path / name, range(5), Fraction(1, 25), codec=codec, size=(97, 65), pixel_format=form)
    original = open_original(path)
    again = dubbed(original, tmp_path / f"out{suffix}")
    assert (again.video.width, again.video.height) == (97, 65) and psnr_db(original, again) > 30


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_phone_videos_are_written_upright(tmp_path, degrees):
    path = film(tmp_path / "a.mp4", range(5), Fraction(1, 25))
    cos, sin = round(math.cos(math.radians(degrees))), round(math.sin(math.radians(degrees)))
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 44
    data[start : start + 36] = struct.pack(">9i", cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    original = open_original(path)
    expected = np.rot90(scene(0, 96, 64), -degrees // 90)
    again = dubbed(original, tmp_path / "out.mp4")
    assert again.video.rotation_deg == 0 and "upright" in original.notes[0]
    for video in (original, again):
        image = next(iter(video.frames()))
        assert image.shape == expected.shape and np.abs(image.astype(int) - expected).mean() < 3


@pytest.mark.parametrize(
    ("name", "codec", "form"),
    [("a.webm", "libvpx", "yuv420p"), ("a.avi", "mpeg4", "yuv420p"), ("b.avi", "mjpeg", "yuvj420p"),
     ("a.mov", "prores_ks", "yuv422p10le"), ("a.mkv", "ffv1", "bgr0")],
)  # fmt: skip
def test_other_codecs(tmp_path, name, codec, form):
    options = {"auto-alt-ref": "1", "lag-in-frames": "8"} if codec == "libvpx" else {}
    if codec == "mpeg4":
        options = {"bf": "2", "q": "3"}
    colour = Colour(range=2) if form == "yuvj420p" else Colour()
    path = film(
        tmp_path / name, range(30), Fraction(1, 25), codec=codec, pixel_format=form, options=options, colour=colour
    )
    original = open_original(path)
    with av.open(str(path)) as container:
        assert len(original.timing) == len(list(container.decode(video=0))) == len(list(original.frames()))
    again = dubbed(original, tmp_path / "out.mp4")
    assert original.timing.rate == again.timing.rate == 25 and len(again.timing) == len(original.timing)
    assert psnr_db(original, again) > 33


def test_tags_language_and_chapters_are_kept_under_the_mark(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        container.metadata.update(title="A talk", artist="Ann", comment="mine", creation_time="2020-02-03T04:05:06Z")
        parts = [(0, 400, "one"), (400, 800, "two"), (800, 5000, "three")]
        container.set_chapters(
            [{"id": i, "start": a, "end": b, "time_base": Fraction(1, 1000), "metadata": {"title": title}}
             for i, (a, b, title) in enumerate(parts)]
        )  # fmt: skip
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.metadata["language"] = "ger"
        for index in range(25):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(index, 64, 48))))
        container.mux(stream.encode())
    again = dubbed(open_original(path), tmp_path / "out.mp4")
    assert {k: again.tags[k] for k in ("title", "artist")} == {"title": "A talk", "artist": "Ann"}
    assert again.tags["creation_time"].startswith("2020-02-03T04:05:06") and again.language == "ger"
    assert again.tags["comment"].startswith("Synthetic media") and again.tags["comment"].endswith("; mine")
    assert [(round(c.start_s, 3), round(c.end_s, 3), c.title) for c in again.chapters] == [
        (0, 0.4, "one"), (0.4, 0.8, "two"), (0.8, 1.0, "three"),
    ]  # fmt: skip
    twice = dubbed(again, tmp_path / "twice.mp4")
    assert twice.tags == again.tags and verify(twice.path).valid


def actions_of(path: Path) -> list[str]:
    import json

    import c2pa

    with path.open("rb") as file, c2pa.Reader("video/mp4", file) as reader:
        report = json.loads(reader.json())
    manifest = report["manifests"][report["active_manifest"]]
    lists = [row["data"]["actions"] for row in manifest["assertions"] if row["label"].startswith("c2pa.actions")]
    return [action["action"] for actions in lists for action in actions]


def test_a_dub_is_signed_as_an_edit_of_its_original(tmp_path):
    original = open_original(film(tmp_path / "a.mp4", range(5), Fraction(1, 25)))
    again = dubbed(original, tmp_path / "out.mp4")
    assert actions_of(again.path) == ["c2pa.opened", "c2pa.edited"]
    found = verify(again.path)
    assert found.marked and found.valid and found.trusted and found.made_at
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(again.path.read_bytes() + b"\0\0\xff\xffmdat")  # players forgive it, C2PA does not
    assert verify(dubbed(open_original(torn), tmp_path / "twice.mp4").path).valid


@pytest.mark.parametrize("name", ["out.webm", "folder"])
def test_other_forms_of_a_dub_are_signed_too(tmp_path, name):
    original = open_original(film(tmp_path / "a.mkv", range(5), Fraction(1, 25)))
    path = write_video(original.frames(), tmp_path / name, like=original)
    assert verify(path).valid and verify(path).made_at


@pytest.mark.parametrize("hidden", [3, 10, 15])
def test_what_an_edit_list_hides_is_not_counted(tmp_path, hidden):
    whole = film(tmp_path / "whole.mp4", range(60), Fraction(1, 25), options={"crf": "8", "g": "10", "bf": "2"})
    path = tmp_path / "a.mp4"
    with av.open(str(whole)) as source, av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.pts -= round(hidden / 25 / stream.time_base)
                packet.dts -= round(hidden / 25 / stream.time_base)
                packet.stream = copy
                target.mux(packet)
    original = open_original(path)
    assert len(original.timing) == 60 - hidden and original.timing.is_plain
    shown = list(original.frames())
    assert len(shown) == 60 - hidden and np.abs(shown[0].astype(int) - scene(hidden, 96, 64)).mean() < 4


def test_oblong_pixels_are_written_square(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "8"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for index in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(index, 96, 64))))
        container.mux(stream.encode())
    original = open_original(path)
    assert original.notes == ("oblong pixels are written as 128 x 64 square ones",)
    again = dubbed(original, tmp_path / "out.mp4")
    assert (again.video.width, again.video.height) == (128, 64) and again.notes == ()
    assert psnr_db(original, again) > 38


def torn_file(tmp_path: Path, share: float) -> Path:
    """A video with its index at the start, cut off after a share of its bytes."""
    made = film(tmp_path / "whole.mkv", range(100), Fraction(1, 25), options={"crf": "8", "g": "10"}, size=(320, 240))
    path = tmp_path / "torn.mkv"
    path.write_bytes(made.read_bytes()[: int(made.stat().st_size * share)])
    return path


def test_a_cut_off_file_is_given_back_as_far_as_it_goes(tmp_path):
    original = open_original(torn_file(tmp_path, 0.6))
    count = len(original.timing)
    assert 40 < count < 75 and len(list(original.frames())) == count
    again = dubbed(original, tmp_path / "out.mp4")
    assert_same(original, again)


def test_few_pictures_lost_are_held_and_many_refused(tmp_path):
    made = film(
        tmp_path / "a.avi", range(200), Fraction(1, 25), codec="mjpeg", pixel_format="yuvj420p", options={"q": "2"}
    )
    whole = made.read_bytes()
    starts = [at for at in range(len(whole) - 4) if whole[at : at + 4] == b"00dc"][:200]
    for lost, fine in ((20, True), (120, False)):
        data = bytearray(whole)
        for at in starts[50 : 50 + lost]:
            size = struct.unpack("<I", data[at + 4 : at + 8])[0]
            data[at + 8 : at + 8 + size] = bytes(size)
        made.write_bytes(data)
        original = open_original(made)
        assert len(original.timing) == 200
        if fine:
            assert len(list(original.frames())) == 200
        else:
            with pytest.raises(InputError, match=r"damaged 2\.0 seconds in"):
                list(original.frames())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_ends_in_all_frames_or_one_sentence(clip, data):
    path = clip([i / 25 for i in range(5)], LEVELS[:5], name="damaged.mp4")
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged)
    try:
        original = open_original(path)
        assert len(original.timing) < 10_000
        assert sum(1 for _ in original.frames()) == len(original.timing)
        assert (np.diff(original.timing.times_s) > 0).all() and original.timing.end_s > original.timing.times_s[-1]
    except InputError as error:
        assert "\n" not in str(error)


@given(numerator=st.integers(1, 240_000), denominator=st.integers(1, 1001))
def test_a_rate_survives_being_a_float(numerator, denominator):
    rate = Fraction(numerator, denominator)
    assert exact_rate(float(rate)) == rate


def test_times_that_run_away(clip):
    with pytest.raises(InputError, match="hours"):
        open_original(clip([0, 0.04, 90_000], [10, 60, 110]))


def test_a_dropped_frame_of_a_coarse_clock_is_no_rounding(tmp_path):
    timing = timing_of(
        film(tmp_path / "a.avi", [0, 1, 2, 4, 5, 6], Fraction(1, 25), codec="mjpeg", pixel_format="yuvj420p")
    )
    assert timing.rate is None and timing.fps == 25
    np.testing.assert_allclose(timing.times_s, [0, 0.04, 0.08, 0.16, 0.2, 0.24])
    original = open_original(tmp_path / "a.avi")
    assert_same(original, dubbed(original, tmp_path / "out.mp4"))


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_longer_voice_over_irregular_pictures(tmp_path, suffix):
    """The original's own times first, then more at its usual rate, to the end; the sound ends with them."""
    import soundfile

    voice = tmp_path / "voice.wav"
    soundfile.write(voice, 0.1 * np.sin(np.arange(3 * 16_000) / 5), 16_000)
    ticks = [0, 3003, 6006, 15_015, 18_018, 21_021, 24_024]
    original = open_original(film(tmp_path / "a.mp4", ticks, Fraction(1, 90_000)))
    span = span_of(original.frames(), 3.0, extend="bounce")
    path = write_video(reordered(original.frames, span), tmp_path / f"out{suffix}", voice, like=original)
    timing = timing_of(path)
    assert len(timing) == len(span) > 80
    np.testing.assert_allclose(timing.times_s, span.times_s, atol=1e-4 if suffix == ".mp4" else 1e-3)
    assert timing.end_s == pytest.approx(span.end_s, abs=2e-3) and 3.0 <= span.end_s < 3.04
    sound = np.concatenate(list(SoundTrack(path).blocks()), 1)
    assert sound.shape[1] / SoundTrack(path).rate == pytest.approx(3.0, abs=0.03)
