"""Whatever a user hands in, the answer is a video or one sentence, and nothing half-done is left."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

from vultus.animate import open_portrait
from vultus.cli import run
from vultus.core.bases import index_of
from vultus.core.errors import ControlError, InputError
from vultus.core.types import Performance
from vultus.face.rig import load_performance, save_performance
from vultus.video.read import open_video

SHARED = Path(__file__).parents[2] / "shared" / "data" / "real" / "portraits"


@pytest.fixture(scope="module")
def good(astronaut: np.ndarray, tmp_path_factory) -> SimpleNamespace:
    """A folder of harmless inputs."""
    folder = tmp_path_factory.mktemp("good")
    Image.fromarray(astronaut).save(folder / "face.png")
    rng = np.random.default_rng(0)
    soundfile.write(folder / "voice.wav", rng.normal(0, 0.1, 4_800).astype(np.float32), 16_000)
    save_performance(Performance.neutral(3, 25), folder / "still.csv")
    return SimpleNamespace(
        folder=folder, face=folder / "face.png", voice=folder / "voice.wav", still=folder / "still.csv"
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


class Console:
    """Runs `vultus` and looks at what it says and leaves behind."""

    def __init__(self, good: SimpleNamespace, out: Path, capsys) -> None:
        self.good, self.out, self.capsys = good, out, capsys

    def refuses(self, *arguments: object) -> str:
        """The one sentence with which a command is refused; nothing may have been written."""
        before = sorted(os.listdir(self.out))
        code = run([str(a) for a in arguments])
        captured = self.capsys.readouterr()
        assert code == 2
        assert sorted(os.listdir(self.out)) == before
        assert captured.out == "" and captured.err.startswith("vultus: ")
        assert captured.err.count("\n") == 1 and captured.err.endswith(".\n")
        assert "Traceback" not in captured.err and "None" not in captured.err
        return captured.err

    def _speak(self, *options: object, portrait=None, voice=None, output="a.mp4") -> list[object]:
        head = ["speak", portrait or self.good.face, "--voice", voice or self.good.voice]
        return [*head, "-o", self.out / output, *options]

    def no_speech(self, *options: object, **inputs: object) -> str:
        return self.refuses(*self._speak(*options, **inputs))

    def speech(self, *options: object, output: str = "a.mp4", **inputs: object) -> Path:
        """A video that is really there."""
        arguments = self._speak("--size", 64, *options, output=output, **inputs)
        assert run([str(a) for a in arguments]) == 0
        assert self.capsys.readouterr().out.strip() == str(self.out / output)
        return self.out / output


@pytest.fixture
def vultus(good, out, capsys) -> Console:
    return Console(good, out, capsys)


def image_file(folder: Path, pixels: np.ndarray, name: str = "p.png", **options: object) -> Path:
    Image.fromarray(pixels).save(folder / name, **options)
    return folder / name


def resized(image: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((side, side)))


# --- portraits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["speak", "render"])
def test_a_missing_portrait(vultus, good, out, verb):
    rest = ["--voice", good.voice] if verb == "speak" else [good.still]
    assert "no such file" in vultus.refuses(verb, out / "nobody.png", *rest, "-o", out / "a.mp4")


def test_a_folder_for_a_portrait(vultus, good):
    assert "folder" in vultus.no_speech(portrait=good.folder)


def test_text_for_a_portrait(vultus, tmp_path):
    (tmp_path / "p.png").write_text("dear diary")
    assert "not a picture" in vultus.no_speech(portrait=tmp_path / "p.png")


def test_an_empty_portrait(vultus, tmp_path):
    (tmp_path / "p.png").touch()
    assert "empty" in vultus.no_speech(portrait=tmp_path / "p.png")


def test_a_truncated_portrait(vultus, good, tmp_path):
    (tmp_path / "p.png").write_bytes(good.face.read_bytes()[:90_000])
    assert "damaged or cut off" in vultus.no_speech(portrait=tmp_path / "p.png")


def test_a_decompression_bomb(vultus, tmp_path):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    (tmp_path / "p.png").write_bytes(data)
    assert "pixels" in vultus.no_speech(portrait=tmp_path / "p.png")


def test_no_codec_for_heic(vultus, tmp_path):
    (tmp_path / "p.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
    assert "HEIC" in vultus.no_speech(portrait=tmp_path / "p.heic")


def test_a_video_for_a_portrait(vultus, clip):
    assert "a video, not a picture" in vultus.no_speech(portrait=clip([0, 0.04], [9, 9]))


@pytest.mark.parametrize("scene", ["noise", "landscape", "black"])
def test_no_face(vultus, tmp_path, scene):
    y, x = np.mgrid[:240, :320]
    pixels = {
        "noise": np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8),
        "landscape": np.where((y > 140 + 20 * np.sin(x / 30))[..., None], [60, 120, 40], [120, 170, 230]).astype(
            np.uint8
        ),
        "black": np.zeros((240, 320, 3), np.uint8),
    }[scene]
    assert "no face found" in vultus.no_speech(portrait=image_file(tmp_path, pixels))


def test_a_tiny_face(vultus, tmp_path, astronaut):
    assert "too small" in vultus.no_speech(portrait=image_file(tmp_path, resized(astronaut, 120)))


@pytest.mark.parametrize("name", ["s25", "s39"])
def test_animals(vultus, name):
    found = list(SHARED.glob(f"{name}.*"))
    if not found:
        pytest.skip(f"the shared picture {name} is not beside this checkout")
    message = vultus.no_speech(portrait=found[0])
    assert "does not look human" in message or "no face found" in message


@pytest.fixture(scope="module")
def couple(astronaut, tmp_path_factory) -> Path:
    """Two faces, the larger one on the right."""
    left, right = resized(astronaut, 400), resized(astronaut, 600)[:400]
    return image_file(tmp_path_factory.mktemp("couple"), np.concatenate([left, right], 1))


def test_of_many_faces_the_largest_wins_and_the_others_can_be_chosen(couple):
    assert open_portrait(couple).fit.landmarks[1, 0] > 400
    assert open_portrait(couple, face=1).fit.landmarks[1, 0] > 400
    assert open_portrait(couple, face=2).fit.landmarks[1, 0] < 400


def test_the_second_face_speaks(vultus, couple):
    assert vultus.speech("--face", 2, portrait=couple).is_file()


@pytest.mark.parametrize("face", [9, 3, 0, -1])
def test_a_face_that_is_not_there(vultus, couple, face):
    assert f"there is no face {face}, only 2 faces" in vultus.no_speech("--face", face, portrait=couple)


def test_odd_sizes_and_strange_names(vultus, tmp_path, astronaut):
    for name in ("ünï 名 👩.png", "-dash.png", "a'b\"c;$(x) .png", "new\nline.png"):
        path = image_file(tmp_path, astronaut[:411, :333], name)
        assert open_video(vultus.speech(portrait=path, output=name.replace(".png", ".mp4"))).has_audio


def test_an_error_about_a_name_with_a_line_break_is_one_line(vultus, tmp_path):
    assert "no such file" in vultus.no_speech(portrait=tmp_path / "new\nline.png")


def test_transparent_portraits(vultus, tmp_path, astronaut):
    alpha = np.full((512, 512), 255, np.uint8)
    alpha[:, :80] = 0
    path = image_file(tmp_path, np.dstack([astronaut, alpha]))
    assert vultus.speech(portrait=path).is_file()
    assert (open_portrait(path).image[:, :80] == 255).all()  # what is under it shows as white, whatever it was
    assert vultus.speech("--background", "none", portrait=path, output="a.webm").is_file()


def test_a_wholly_transparent_portrait_has_no_face(vultus, tmp_path, astronaut):
    path = image_file(tmp_path, np.dstack([astronaut, np.zeros((512, 512), np.uint8)]))
    assert "no face found" in vultus.no_speech(portrait=path)


@pytest.mark.parametrize(("orientation", "turns"), [(3, 2), (6, 1), (8, 3)])
def test_a_photo_lying_on_its_side_is_put_upright(portrait, tmp_path, astronaut, orientation, turns):
    exif = Image.Exif()
    exif[274] = orientation
    opened = open_portrait(image_file(tmp_path, np.ascontiguousarray(np.rot90(astronaut, turns)), exif=exif))
    np.testing.assert_array_equal(opened.image, portrait.image)
    np.testing.assert_allclose(opened.fit.landmarks, portrait.fit.landmarks, atol=0.05)


def test_grey_16_bit_palette_and_cmyk_portraits(tmp_path, astronaut, portrait):
    grey = astronaut.mean(2)
    for name, picture in (
        ("grey.png", Image.fromarray(grey.astype(np.uint8))),
        ("deep.png", Image.fromarray((grey * 257).astype(np.uint16))),
        ("palette.png", Image.fromarray(astronaut).quantize(256)),
        ("cmyk.jpg", Image.fromarray(astronaut).convert("CMYK")),
    ):
        picture.save(tmp_path / name)
        opened = open_portrait(tmp_path / name)
        assert np.abs(opened.fit.landmarks - portrait.fit.landmarks)[:, :2].mean() < 2.5


def test_arrays_that_are_no_pictures(astronaut):
    for wrong in (astronaut.astype(np.float32), astronaut[..., 0], astronaut[:8], np.dstack([astronaut, astronaut])):
        with pytest.raises(InputError, match="uint8 RGB"):
            open_portrait(wrong)


# --- voices ----------------------------------------------------------------------------------------------------------


def wav(folder: Path, samples: np.ndarray, rate: int = 16_000) -> Path:
    soundfile.write(folder / "v.wav", samples, rate, subtype="FLOAT")
    return folder / "v.wav"


def test_a_missing_voice(vultus, tmp_path):
    assert "no such file" in vultus.no_speech(voice=tmp_path / "nothing.wav")


def test_a_folder_for_a_voice(vultus, good):
    assert "a folder" in vultus.no_speech(voice=good.folder)


def test_a_name_too_long_for_any_file(vultus, good):
    name = "x" * 400
    assert "not a usable file name" in vultus.no_speech(voice=f"{name}.wav")
    assert "not a usable file name" in vultus.no_speech(portrait=f"{name}.png")
    assert "not a usable file name" in vultus.no_speech("--save-performance", f"{name}.csv")
    assert "not a usable file name" in vultus.refuses("verify", f"{name}.mp4")
    assert "not a usable file name" in vultus.refuses("track", f"{name}.mp4", "-o", vultus.out / "p.csv")
    rest = ("--voice", f"{name}.wav", "-o", vultus.out / "a.mp4")
    assert "not a usable file name" in vultus.refuses("render", good.face, good.still, *rest)


def test_text_and_pictures_for_a_voice(vultus, good, tmp_path):
    (tmp_path / "v.wav").write_text("la la la")
    assert "not an audio" in vultus.no_speech(voice=tmp_path / "v.wav")
    Image.open(good.face).save(tmp_path / "face.jpg")
    for picture in (good.face, tmp_path / "face.jpg"):
        assert "a picture, not a voice" in vultus.no_speech(voice=picture)
        rest = ("--voice", picture, "-o", vultus.out / "a.mp4")
        assert "a picture, not a sound" in vultus.refuses("render", good.face, good.still, *rest)
    assert "a picture, not a video" in vultus.refuses("track", tmp_path / "face.jpg", "-o", vultus.out / "p.csv")


def test_a_silent_film_for_a_voice(vultus, clip):
    assert "no audio track" in vultus.no_speech(voice=clip([0, 0.04], [9, 9]))


def test_a_playlist_for_a_voice(vultus, good, tmp_path):
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{good.voice}\n#EXT-X-ENDLIST\n"
    for name in ("v.m3u8", "v.wav"):
        (tmp_path / name).write_text(text)
        vultus.no_speech(voice=tmp_path / name)
        vultus.refuses("render", good.face, good.still, "--voice", tmp_path / name, "-o", vultus.out / "a.mp4")
    (tmp_path / "v.txt").write_text(f"ffconcat version 1.0\nfile '{good.voice}'\n")
    vultus.no_speech(voice=tmp_path / "v.txt")
    vultus.refuses("render", good.face, good.still, "--voice", tmp_path / "v.txt", "-o", vultus.out / "a.mp4")


def test_a_playlist_for_a_video(vultus, good, clip, tmp_path):
    source = clip([0, 0.04, 0.08], [9, 9, 9])
    (tmp_path / "v.ffconcat").write_text(f"ffconcat version 1.0\nfile '{source.name}'\n")
    assert "playlist" in vultus.no_speech("--pose", tmp_path / "v.ffconcat")
    assert "playlist" in vultus.refuses("track", tmp_path / "v.ffconcat", "-o", vultus.out / "p.csv")


def test_a_voice_with_nan(vultus, good, tmp_path):
    samples = np.zeros(9_000, np.float32)
    samples[5_000] = np.nan
    assert "NaN or infinite" in vultus.no_speech(voice=wav(tmp_path, samples))
    samples[100] = np.nan  # within the three frames of the performance
    rest = ("--voice", wav(tmp_path, samples), "-o", vultus.out / "a.mp4", "--size", 64)
    assert "NaN or infinite" in vultus.refuses("render", good.face, good.still, *rest)


def test_silence_keeps_the_mouth_shut(vultus, tmp_path):
    performance = vultus.out / "p.npz"
    vultus.speech("--save-performance", performance, voice=wav(tmp_path, np.zeros(16_000, np.float32)))
    assert load_performance(performance).expression[:, index_of("jawOpen")].max() < 0.02


def test_unusual_sound(vultus, tmp_path):
    rng = np.random.default_rng(0)
    for k, (samples, rate) in enumerate((
        (rng.normal(0, 0.1, (4_000, 2)), 8_000),  # stereo from a telephone
        (rng.normal(0, 0.1, (10_000, 6)), 96_000),
        (rng.normal(0, 50, 3_000), 16_000),  # far too loud
        (np.zeros(1), 16_000),  # a single sample
    )):  # fmt: skip
        assert open_video(vultus.speech(voice=wav(tmp_path, samples.astype(np.float32), rate), output=f"{k}.mp4")).count


# --- videos that give the pose ---------------------------------------------------------------------------------------


def video_file(folder: Path, *frames: np.ndarray) -> Path:
    path = folder / "v.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("option", ["--pose", "--blink"])
def test_a_video_of_one_frame(vultus, tmp_path, astronaut, option):
    assert vultus.speech(option, video_file(tmp_path, astronaut)).is_file()


def test_a_video_of_one_frame_is_tracked(tmp_path, astronaut, out):
    assert run(["track", str(video_file(tmp_path, astronaut)), "-o", str(out / "p.csv")]) == 0
    assert len(load_performance(out / "p.csv")) == 1


def test_a_video_without_a_face(vultus, good, tmp_path):
    room = video_file(tmp_path, *[np.full((128, 160, 3), 90, np.uint8)] * 4)
    assert "no face" in vultus.no_speech("--pose", room)


def test_a_sound_or_a_picture_for_the_pose(vultus, good, tmp_path):
    assert "no picture track" in vultus.no_speech("--pose", good.voice)
    (tmp_path / "k.csv").write_text("time_s,yaw,pitch,roll\n0,nan,0,0\n")
    assert "k.csv" in vultus.no_speech("--pose", tmp_path / "k.csv")


@pytest.mark.parametrize("fps", ["0", "-1", "nan", "inf", "100000"])
def test_tracking_at_an_impossible_rate(vultus, tmp_path, astronaut, fps):
    vultus.refuses("track", video_file(tmp_path, astronaut), "-o", vultus.out / "p.csv", f"--fps={fps}")


# --- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (("--emotion", "0:happy 0:sad"), "two keys at 0 s"),
        (("--emotion", "0:happy x:sad"), "--emotion"),
        (("--emotion", "-1:happy"), "--emotion"),
        (("--emotion", "happy@9"), "out of range"),
        (("--emotion", "happy@nan"), "out of range"),
        (("--emotion", "happy:nan,sad:1"), "share"),
        (("--emotion", ""), "--emotion"),
        (("--emotion", "gloopy"), "is not an emotion"),
        (("--gaze", "90,0"), "too far aside"),
        (("--gaze", "nan,0"), "--gaze"),
        (("--blink", "1,nan"), "not finite"),
        (("--blink", "no.mp4"), "no such file"),
        (("--pose", "no.mp4"), "no such file"),
        (("--pose", "x" * 5000), "not a usable file name"),
        (("--intensity=-1",), "out of range"),
        (("--intensity=nan",), "out of range"),
        (("--lip-scale=inf",), "out of range"),
        (("--blink-rate=-3",), "out of range"),
        (("--seed=-1",), "not a seed"),
        (("--fps", "0"), "out of range"),
        (("--fps", "1000"), "out of range"),
        (("--fps", "nan"), "out of range"),
        (("--size", "10"), "out of range"),
        (("--size", "100000"), "out of range"),
        (("--background", "#12"), "is not a background"),
        (("--background", "missing.png"), "no such file"),
        (("--background", ""), "folder"),
        (("--background", "none"), "cannot be transparent"),
        (("--start=-1",), "choose 0 <= start < end"),
        (("--start=nan",), "choose 0 <= start < end"),
        (("--start", "2", "--end", "1"), "choose 0 <= start < end"),
        (("--end=nan",), "choose 0 <= start < end"),
        (("--start", "99"), "ends before the start"),
        (("--method", "magic"), "choose portrait"),
        (("--save-performance", "p.xyz"), "cannot be written as"),
        (("--save-performance", "no/such/p.csv"), "folder does not exist"),
    ],
)
def test_options_that_make_no_sense(vultus, options, fault):
    assert fault in vultus.no_speech(*options)


@pytest.mark.parametrize("options", [("--size", "big"), ("--crop", "half"), ("--unknown", "1"), ("--seed", "1.5")])
def test_options_of_the_wrong_kind_are_the_parsers_to_refuse(vultus, good, out, options):
    with pytest.raises(SystemExit) as caught:
        run(["speak", str(good.face), "--voice", str(good.voice), "-o", str(out / "a.mp4"), *options])
    assert caught.value.code == 2 and not os.listdir(out)


# --- outputs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("a.avi", "cannot be written as .avi"),
        ("a.mp4.exe", "cannot be written as .exe"),
        ("none/a.mp4", "folder to write into does not exist"),
        ("x" * 300 + ".mp4", "not a usable file name"),
        ("a\0b.mp4", "not a usable file name"),
        (os.fsdecode(b"\xff.mp4"), "not a usable file name"),
    ],
)
def test_outputs_that_cannot_be(vultus, name, fault):
    assert fault in vultus.no_speech(output=name)


def test_a_folder_with_somebodys_files_is_not_replaced(vultus):
    (vultus.out / "mine").mkdir()
    (vultus.out / "mine" / "letter.txt").write_text("dear")
    assert "holds other files" in vultus.no_speech(output="mine")
    (vultus.out / "film.mp4").mkdir()
    (vultus.out / "film.mp4" / "letter.txt").write_text("dear")
    assert "holds other files" in vultus.no_speech(output="film.mp4")
    assert (vultus.out / "mine" / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize("verb", ["speak", "render"])
def test_the_input_is_not_the_output(vultus, good, verb, tmp_path):
    before = {path: path.read_bytes() for path in good.folder.iterdir()}
    rest = ["--voice", good.voice] if verb == "speak" else [good.still]
    for output in (good.face, *rest[-1:]):
        assert "replace the input" in vultus.refuses(verb, good.face, *rest, "-o", output)
    assert {path: path.read_bytes() for path in good.folder.iterdir()} == before


def test_a_folder_that_may_not_be_written_to(vultus, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "may not be written to" in vultus.no_speech()


def test_ctrl_c_ends_quietly(vultus, good, out, monkeypatch, capsys):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vultus.rendering.portrait.PortraitRenderer.frame", interrupt)
    assert run(["speak", str(good.face), "--voice", str(good.voice), "-o", str(out / "a.mp4")]) == 130
    assert capsys.readouterr().err == "vultus: stopped; nothing was written.\n" and not os.listdir(out)


# --- performances ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", ["0", "-5", "nan", "inf", "1000"])
def test_rendering_at_an_impossible_rate(vultus, good, fps):
    message = vultus.refuses("render", good.face, good.still, "-o", vultus.out / "a.mp4", f"--fps={fps}")
    assert "frames per second is out of range" in message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.csv", b""),
        ("p.csv", b"time_s,valid\n"),
        ("p.csv", b"a,b\n1,2\n"),
        ("p.csv", b"\xff\xfe\x00"),
        ("p.npz", b"PK\x03\x04 nothing"),
        ("p.txt", b"hello"),
        ("p.mp4", b"hello"),
    ],
)
def test_performances_that_are_none(vultus, good, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert name in vultus.refuses("render", good.face, tmp_path / name, "-o", vultus.out / "a.mp4")


def test_a_missing_voice_for_a_performance(vultus, good):
    message = vultus.refuses(
        "render", good.face, good.still, "--voice", good.folder / "no.wav", "-o", vultus.out / "a.mp4"
    )
    assert "no such file" in message


def test_a_performance_with_nan_is_refused(good, out, portrait):
    from vultus.animate import render

    wild = replace(Performance.neutral(2, 25), expression=np.full((2, 52), np.nan, np.float32))
    with pytest.raises((InputError, ControlError), match="finite"):
        render(portrait, wild, out / "a.mp4", size=96)
    assert not os.listdir(out)
