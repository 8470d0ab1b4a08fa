"""The main paths from end to end: right length, right sound, marked, repeatable, and nothing left behind."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

import vultus
from vultus.animate import open_portrait, render, speak, track
from vultus.audio.io import read_speech
from vultus.cli import run
from vultus.core.bases import index_of
from vultus.core.errors import ControlError, InputError
from vultus.core.types import Performance, Portrait
from vultus.face.rig import load_performance, save_performance
from vultus.motion.lips import frame_count
from vultus.video.provenance import verify
from vultus.video.read import open_video

VOICE = Path(vultus.__file__).parent / "assets" / "sample_speech.flac"
SMALL = {"size": 128, "end_s": 0.5}


def pictures(folder: Path) -> np.ndarray:
    """All pictures (T, H, W, C) of a folder that vultus wrote."""
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty folder to write into: what stands there in the end is what was written."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("fps", [24, 25, 30, 60, 29.97, 12.5])
def test_speak_to_mp4_lasts_as_long_as_the_voice(portrait, out, fps):
    path = speak(portrait, VOICE, out / "a.mp4", fps=fps, size=96, end_s=0.7)
    video = open_video(path)
    shown = sum(1 for _ in video.frames())
    assert shown == frame_count(round(0.7 * 16_000), fps)
    assert video.fps == pytest.approx(fps, rel=1e-3) and (video.width, video.height) == (96, 96)
    assert video.has_audio and video.duration_s == pytest.approx(shown / fps, abs=0.01)
    assert [p.name for p in out.iterdir()] == ["a.mp4"]


def test_the_file_is_marked_signed_and_holds_the_voice(portrait, out):
    path = speak(portrait, str(VOICE), str(out / "a.mp4"), size=96, start_s=0.5, end_s=1.3)
    seal = verify(path)
    assert seal.marked and seal.signed and seal.valid and seal.trusted and not seal.tampered
    heard, said = read_speech(path).waveform, read_speech(VOICE, 0.5, 1.3).waveform
    count = min(len(heard), len(said))
    assert abs(len(heard) - len(said)) < 1600
    lag = range(-64, 65)
    score = max(np.corrcoef(heard[64 : count - 64], said[64 + k : count - 64 + k])[0, 1] for k in lag)
    assert score > 0.95


def test_speak_to_webm_without_background_is_transparent(portrait, out):
    path = speak(portrait, VOICE, out / "a.webm", background="none", **SMALL)
    decoder = av.CodecContext.create("libvpx-vp9", "r")  # ffmpeg's own decoder leaves alpha out
    with av.open(str(path)) as container:
        frame = next(f for packet in container.demux(video=0) for f in decoder.decode(packet))
    assert frame.format.name == "yuva420p"
    alpha = frame.to_ndarray(format="rgba")[..., 3]
    assert alpha[64, 64] > 250  # her face, in the picture's middle
    assert alpha[:40, :10].max() < 30  # the room
    assert {p.name for p in out.iterdir()} == {"a.webm", "a.c2pa"} and verify(path).valid


def test_speak_to_a_folder(portrait, out):
    folder = speak(portrait, VOICE, out / "frames", **SMALL)
    shown = pictures(folder)
    assert shown.shape == (13, 128, 128, 3)
    assert (folder / "audio.wav").is_file() and verify(folder).valid
    assert np.abs(np.diff(shown.astype(int), axis=0)).max() > 10  # somebody moves
    again = speak(portrait, VOICE, out / "frames", **SMALL)  # an earlier result may be replaced
    assert len(pictures(again)) == 13 and [p.name for p in out.iterdir()] == ["frames"]


@pytest.mark.parametrize(("crop", "size"), [("full", 101), ("face", 75)])
def test_odd_sizes(portrait, out, crop, size):
    video = open_video(speak(portrait, VOICE, out / "a.mp4", crop=crop, size=size, end_s=0.2))
    assert abs(video.width - size) <= 1 and abs(video.height - size) <= 1
    assert pictures(speak(portrait, VOICE, out / "f", crop=crop, size=size, end_s=0.2)).shape[1:3] == (size, size)


@pytest.fixture(scope="module")
def made(portrait: Portrait, tmp_path_factory) -> SimpleNamespace:
    """Frames of one call of `speak` and the performance it saved."""
    folder = tmp_path_factory.mktemp("made")
    performance = folder / "p.npz"
    speak(portrait, VOICE, folder / "f", seed=3, emotion="happy", save_performance=performance, **SMALL)
    return SimpleNamespace(frames=pictures(folder / "f"), performance=performance)


def test_the_same_seed_gives_the_same_frames(portrait, out, made):
    again = pictures(speak(portrait, VOICE, out / "f", seed=3, emotion="happy", **SMALL))
    np.testing.assert_array_equal(again, made.frames)


def test_another_seed_gives_other_frames(portrait, out, made):
    assert (pictures(speak(portrait, VOICE, out / "f", seed=4, emotion="happy", **SMALL)) != made.frames).any()


def test_a_saved_performance_renders_to_the_same_frames(portrait, out, made):
    again = pictures(render(portrait, made.performance, out / "f", size=128))
    np.testing.assert_array_equal(again, made.frames)


def test_a_performance_through_csv_renders_nearly_the_same(portrait, out, made):
    save_performance(load_performance(made.performance), out / "p.csv")
    again = pictures(render(portrait, out / "p.csv", out / "f", size=128))
    assert np.abs(again.astype(int) - made.frames).mean() < 0.05


@pytest.mark.parametrize("fps", [12.5, 50])
def test_a_performance_at_another_rate(portrait, out, made, fps):
    path = render(portrait, made.performance, out / "a.mp4", size=96, fps=fps, voice=VOICE)
    video = open_video(path)
    assert sum(1 for _ in video.frames()) == round(13 / 25 * fps) and video.has_audio


def test_a_part_of_the_voice_goes_with_a_performance(portrait, out, made):
    cli = ["render", "--size", "96", "--voice", str(VOICE), "--start", "0.5", "--end", "0.9"]
    made_by_python = render(portrait, made.performance, out / "a.mp4", size=96, voice=VOICE, start_s=0.5, end_s=0.9)
    heard, said = read_speech(made_by_python).waveform, read_speech(VOICE, 0.5, 0.9).waveform
    assert abs(len(heard) - len(said)) < 1600  # shorter than the 13 frames
    count = min(len(heard), len(said))
    lag = range(-64, 65)
    assert max(np.corrcoef(heard[64 : count - 64], said[64 + k : count - 64 + k])[0, 1] for k in lag) > 0.95
    Image.fromarray(np.array(portrait.image)).save(out / "p.png")
    assert run([*cli, str(out / "p.png"), str(made.performance), "-o", str(out / "b.mp4")]) == 0
    np.testing.assert_array_equal(read_speech(out / "b.mp4").waveform, heard)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"start_s": 1.0}, "no voice to take a part of"),
        ({"voice": VOICE, "start_s": 2.0, "end_s": 1.0}, "is empty"),
        ({"voice": VOICE, "start_s": 500.0}, "ends before the start"),
        ({"face": 1}, "chosen when it was opened"),
    ],
)
def test_parts_and_faces_that_cannot_be_chosen(portrait, out, options, fault):
    with pytest.raises((ControlError, InputError), match=fault):
        render(portrait, Performance.neutral(3, 25), out / "a.mp4", size=96, **options)
    assert list(out.iterdir()) == []


def test_a_video_stays_when_its_performance_cannot_be_saved(portrait, out, monkeypatch):
    def full(*_: object) -> None:
        raise InputError("the file cannot be written (No space left on device)", out / "p.csv")

    monkeypatch.setattr("vultus.face.rig.save_performance", full)
    with pytest.raises(InputError, match="No space left"):
        speak(portrait, VOICE, out / "a.mp4", size=96, end_s=0.2, save_performance=out / "p.csv")
    assert [p.name for p in out.iterdir()] == ["a.mp4"] and verify(out / "a.mp4").valid


def test_a_tracked_video_plays_on_a_portrait(portrait, out):
    source = speak(portrait, VOICE, out / "a.mp4", crop="face", size=232, end_s=0.4, pose="still", blink="none")
    seen: list[tuple[int, int | None]] = []
    performance = track(source, out / "p.csv", on_progress=lambda done, total: seen.append((done, total)))
    assert len(performance) == 10 and performance.valid.all() and performance.reference == "camera"
    assert seen[-1] == (10, 10)
    shown = pictures(render(portrait, out / "p.csv", out / "f", size=128))
    assert shown.shape == (10, 128, 128, 3)
    np.testing.assert_array_equal(
        shown, pictures(render(portrait, load_performance(out / "p.csv"), out / "g", size=128))
    )


def test_a_voice_opens_the_mouth_and_silence_does_not(portrait, out, sound_file):
    speak(portrait, sound_file(1.0, (0, 0)), out / "a.mp4", size=96, save_performance=out / "silent.npz")
    speak(portrait, VOICE, out / "b.mp4", size=96, end_s=1.5, save_performance=out / "loud.npz")
    jaw = lambda name: load_performance(out / name).expression[:, index_of("jawOpen")].max()  # noqa: E731
    assert jaw("silent.npz") < 0.02 and jaw("loud.npz") > 0.1


def test_backgrounds(portrait, out):
    Image.fromarray(np.full((40, 90, 3), (10, 200, 30), np.uint8)).save(out / "green.png")
    for name, background in (("f", "#0ac81e"), ("g", out / "green.png"), ("h", str(out / "green.png"))):
        shown = pictures(speak(portrait, VOICE, out / name, background=background, **SMALL))
        assert np.abs(shown[:, :40, :8].astype(int) - (10, 200, 30)).max() <= 6
        assert np.abs(shown[0, 30, 56].astype(int) - (10, 200, 30)).max() > 60  # her face


def test_portraits_from_array_file_and_name_are_the_same(astronaut, tmp_path, portrait):
    Image.fromarray(astronaut).save(tmp_path / "a.png")
    for picture in (tmp_path / "a.png", str(tmp_path / "a.png"), np.array(astronaut)):
        opened = open_portrait(picture)
        np.testing.assert_array_equal(opened.image, portrait.image)
        np.testing.assert_allclose(opened.fit.landmarks, portrait.fit.landmarks, atol=0.05)
    assert open_portrait(tmp_path / "a.png").name == "a.png"


class Stop(KeyboardInterrupt):
    """Ctrl-C at a moment of our choice."""


def stop_at(frame: int) -> Callable[[int, int | None], None]:
    def on_progress(done: int, total: int | None) -> None:
        if done == frame:
            raise Stop

    return on_progress


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "frames"])
def test_an_interrupt_leaves_nothing_behind(portrait, out, name):
    with pytest.raises(Stop):
        speak(portrait, VOICE, out / name, on_progress=stop_at(5), save_performance=out / "p.csv", **SMALL)
    assert list(out.iterdir()) == []


def test_an_interrupt_leaves_the_earlier_result(portrait, out):
    path = speak(portrait, VOICE, out / "a.mp4", size=96, end_s=0.2)
    before = path.read_bytes()
    with pytest.raises(Stop):
        speak(portrait, VOICE, path, on_progress=stop_at(3), **SMALL)
    assert path.read_bytes() == before and len(list(out.iterdir())) == 1


def test_a_stopped_tracking_writes_nothing(portrait, out):
    source = speak(portrait, VOICE, out / "a.mp4", crop="face", size=160, end_s=0.3)
    with pytest.raises(Stop):
        track(source, out / "p.csv", on_progress=stop_at(3))
    assert [p.name for p in out.iterdir()] == ["a.mp4"]


def test_a_damaged_voice_is_noticed_on_the_way_and_leaves_nothing(portrait, out, tmp_path):
    import soundfile

    samples = np.zeros(40_000, np.float32)
    samples[30_000] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 16_000, subtype="FLOAT")
    with pytest.raises(InputError, match=r"about 1\.9 s in"):
        speak(portrait, tmp_path / "nan.wav", out / "a.mp4", size=96, save_performance=out / "p.npz")
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"save_performance": "p.xyz"}, "cannot be written as"),
        ({"save_performance": "none/p.csv"}, "folder does not exist"),
        ({"background": "none"}, "cannot be transparent"),
        ({"method": "nobody"}, "choose portrait"),
        ({"emotion": "happy:0.5,grumpy:0.5"}, "emotions are neutral"),
        ({"size": 10}, "out of range"),
        ({"fps": float("nan")}, "out of range"),
        ({"crop": "half"}, "choose full or face"),
    ],
)
def test_what_cannot_be_done_is_said_before_any_work(astronaut, out, options, fault, monkeypatch):
    monkeypatch.setattr("vultus.animate.open_portrait", lambda *_: pytest.fail("the face was fitted first"))
    if "save_performance" in options:
        options = {"save_performance": out / options["save_performance"]}
    with pytest.raises((ControlError, InputError), match=fault):
        speak(astronaut, VOICE, out / "a.mp4", **options)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("fps", [0, -5, 1000, float("nan"), float("inf")])
def test_a_performance_is_not_rendered_at_an_impossible_rate(portrait, out, fps):
    with pytest.raises(ControlError, match="frames per second is out of range"):
        render(portrait, Performance.neutral(5, 25), out / "a.mp4", fps=fps)
    assert list(out.iterdir()) == []


def test_a_performance_in_another_basis_is_refused_in_a_sentence(portrait, out):
    strange = replace(Performance.neutral(3, 25), expression=np.zeros((3, 64), np.float32), basis="bfm64")
    with pytest.raises((ControlError, InputError), match="arkit52"):
        render(portrait, strange, out / "a.mp4")
    assert list(out.iterdir()) == []


def test_a_performance_without_expression_is_refused_in_a_sentence(portrait, out):
    with pytest.raises((ControlError, InputError), match="expression"):
        render(portrait, replace(Performance.neutral(3, 25), expression=None), out / "a.mp4")
    assert list(out.iterdir()) == []


@pytest.fixture
def mute(monkeypatch) -> None:
    """A method in the registry that honours the seed and nothing else."""
    from vultus.methods import METHODS

    monkeypatch.setitem(METHODS, "mute", "mute_method")
    method = SimpleNamespace(name="mute", controls=frozenset({"seed"}), driver=lambda *_: pytest.fail("too late"))
    monkeypatch.setitem(sys.modules, "mute_method", SimpleNamespace(METHOD=method))


@pytest.mark.parametrize("options", [{"emotion": "happy"}, {"blink": "none"}, {"lip_scale": 0.5}, {"gaze": "3,4"}])
def test_a_control_that_the_method_lacks_names_those_that_have_it(portrait, out, mute, options):
    with pytest.raises(
        ControlError, match=r"method mute has no control \w+; choose portrait or emoface( or emogen)?\."
    ):
        speak(portrait, VOICE, out / "a.mp4", method="mute", **options)


def test_controls_at_their_defaults_ask_nothing_of_a_method(portrait, out, mute):
    with pytest.raises(pytest.fail.Exception, match="too late"):
        speak(portrait, VOICE, out / "a.mp4", method="mute", emotion="neutral", blink="natural", lip_scale=1.0, seed=9)


def test_inputs_are_never_written_over(portrait, astronaut, out):
    video = speak(portrait, VOICE, out / "a.mp4", crop="face", size=160, end_s=0.3)
    frames = speak(portrait, VOICE, out / "f", crop="face", size=256, end_s=0.1)
    (out / "link.mp4").symlink_to(video)
    save_performance(Performance.neutral(3, 25), out / "p.csv")
    keys = out / "k.csv"
    keys.write_text("time_s,yaw,pitch,roll\n0,0,0,0\n1,5,0,0\n")
    before = {p: p.read_bytes() for p in (video, frames / "000000.png", out / "p.csv", keys)}
    for call in (
        lambda: speak(portrait, video, video),
        lambda: speak(portrait, video, out / "link.mp4"),
        lambda: speak(portrait, video, out / "f" / ".." / "a.mp4"),
        lambda: speak(frames / "000000.png", VOICE, frames),
        lambda: speak(portrait, VOICE, video, pose=str(video)),
        lambda: speak(portrait, VOICE, video, blink=str(video)),
        lambda: speak(portrait, VOICE, out / "b.mp4", pose=str(keys), save_performance=keys),
        lambda: speak(portrait, VOICE, frames, background=frames / "000000.png"),
        lambda: render(portrait, out / "p.csv", video, voice=video),
        lambda: track(out / "p.csv", out / "p.csv"),
    ):
        with pytest.raises(InputError, match="would replace the input"):
            call()
    assert {p: p.read_bytes() for p in before} == before and not (out / "b.mp4").exists()


def test_a_video_gives_pose_and_blinks_and_is_tracked_once(portrait, out, monkeypatch):
    source = speak(portrait, VOICE, out / "a.mp4", crop="face", size=224, end_s=0.2)
    times: list[object] = []
    original = vultus.animate.track
    monkeypatch.setattr("vultus.animate.track", lambda path: times.append(path) or original(path))
    speak(portrait, VOICE, out / "b.mp4", pose=str(source), blink=str(source), **SMALL)
    assert times == [source]
