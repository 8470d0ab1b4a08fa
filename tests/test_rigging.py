"""From a voice to curves: every format, existing curves, folders, previews, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import vultus
from tests.conftest import files_in
from vultus.cli import run
from vultus.core.bases import index_of
from vultus.core.errors import ControlError, InputError
from vultus.core.types import Performance
from vultus.face.rig import load_performance

ASSETS = Path(vultus.__file__).parent / "assets"


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of our sample voice."""
    import soundfile

    sound, rate = soundfile.read(ASSETS / "sample_speech.flac")
    path = tmp_path_factory.mktemp("voice") / "hello.wav"
    soundfile.write(path, sound[: int(1.2 * rate)], rate)
    return path


@pytest.mark.parametrize(("format", "name"), [("metahuman", "c.csv"), ("arkit", "c.csv"), ("livelink", "c.csv")])
def test_every_table_holds_the_same_curves_at_sixty_frames(tmp_path: Path, voice: Path, format: str, name: str) -> None:
    written = vultus.rig(voice, tmp_path / name, format=format, emotion="happy")
    from vultus.face.rig import convert

    back = convert(load_performance(written), "arkit52")
    assert (back.fps, len(back)) == (60, 72)
    reference = vultus.rig(voice, tmp_path / "r.csv", format="arkit", emotion="happy")
    wanted = load_performance(reference)
    lips = [index_of(n) for n in ("jawOpen", "mouthSmileLeft", "mouthPucker", "mouthClose", "browInnerUp")]
    np.testing.assert_allclose(back.expression[:, lips], wanted.expression[:, lips], atol=0.02)
    assert wanted.expression[:, index_of("jawOpen")].max() > 0.05
    np.testing.assert_allclose(back.rotation, wanted.rotation, atol=0.01)


def test_curves_that_exist_are_converted_and_keep_their_rate(tmp_path: Path, voice: Path) -> None:
    first = vultus.rig(voice, tmp_path / "a.csv", fps=30)
    second = vultus.rig(None, tmp_path / "b.glb", performance=first, format="gltf")
    assert second.read_bytes()[:4] == b"glTF"
    slower = vultus.rig(None, tmp_path / "c.csv", performance=load_performance(first), fps=15)
    assert (load_performance(first).fps, load_performance(slower).fps) == (30, 15)


def test_metahuman_curves_play_on_the_portrait(tmp_path: Path, voice: Path, portrait) -> None:
    curves = vultus.rig(voice, tmp_path / "c.csv", fps=25)
    video = vultus.render(portrait, curves, tmp_path / "v", crop="face", size=64)
    assert len([name for name in files_in(video) if name.endswith(".png")]) == len(load_performance(curves))


def test_a_preview_has_frames_and_the_voice(tmp_path: Path, voice: Path) -> None:
    import av

    vultus.rig(voice, tmp_path / "c.csv", preview=tmp_path / "p.mp4")
    with av.open(str(tmp_path / "p.mp4")) as container:
        assert {stream.type for stream in container.streams} == {"video", "audio"}
        assert container.streams.video[0].average_rate == 30
        assert sum(1 for _ in container.decode(video=0)) == 36


def test_a_folder_makes_curves_of_each_voice_and_a_report(tmp_path: Path, voice: Path) -> None:
    voices, out = tmp_path / "voices", tmp_path / "out"
    voices.mkdir()
    (voices / "one.wav").write_bytes(voice.read_bytes())
    (voices / "one.flac").write_bytes((ASSETS / "sample_speech.flac").read_bytes()[:2000])
    (voices / "two.wav").write_bytes(voice.read_bytes())
    (voices / "notes.txt").write_text("no voice")
    seen: list[tuple[int, int | None]] = []
    report = vultus.rig_folder(voices, out, format="arkit", fps=25, on_voice=lambda *at: seen.append(at))
    assert [row.voice for row in report.rows] == ["one.flac", "one.wav", "two.wav"]
    assert [row.voice for row in report.failed] == ["one.flac"]
    assert files_in(out) == {"one.wav.csv", "two.csv", "report.csv"}
    rows = list(csv.DictReader(report.path.read_text().splitlines()))
    assert [(row["curves"], row["frames"]) for row in rows] == [("", "0"), ("one.wav.csv", "30"), ("two.csv", "30")]
    assert "one.flac" in rows[0]["error"] and seen[-1] == (3, 3)


def test_what_cannot_be_done_is_said_before_any_work(tmp_path: Path, voice: Path) -> None:
    with pytest.raises(ControlError, match="voice or a performance"):
        vultus.rig(None, tmp_path / "c.csv")
    with pytest.raises(InputError, match=r"end the name in \.csv or \.json"):
        vultus.rig(voice, tmp_path / "c.glb")
    with pytest.raises(ControlError, match="out of range"):
        vultus.rig(voice, tmp_path / "c.csv", fps=1000)
    with pytest.raises(InputError, match="videos cannot be written as"):
        vultus.rig(voice, tmp_path / "c.csv", preview=tmp_path / "p.gif")
    curves = tmp_path / "mine.csv"
    curves.write_text("# fps=25\nCTRL_C_jaw-translateY\n0\n1\n")
    with pytest.raises(InputError, match="would replace the input"):
        vultus.rig(None, curves, performance=curves)
    with pytest.raises(ControlError, match="--emotion: curves that exist already cannot be steered"):
        vultus.rig(None, tmp_path / "c.csv", performance=curves, emotion="happy")
    broken = Performance(fps=25, valid=np.ones(1, bool), controls=np.full((1, 174), np.nan, np.float32))
    with pytest.raises(InputError, match="not finite"):
        vultus.rig(None, tmp_path / "c.csv", performance=broken)
    with pytest.raises(InputError, match="no such file"):
        vultus.rig(tmp_path / "none.wav", tmp_path / "c.csv")
    assert files_in(tmp_path) == {"mine.csv"}


def test_folders_without_voices_and_among_them_are_refused(tmp_path: Path, voice: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no audio or video file"):
        vultus.rig_folder(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(InputError, match="among the voices"):
        vultus.rig_folder(voice.parent, voice.parent)
    with pytest.raises(ControlError, match="not an emotion"):
        vultus.rig_folder(voice.parent, tmp_path / "out", emotion="hangry")


def test_the_verb(tmp_path: Path, voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    curves = tmp_path / "c.csv"
    assert run(["rig", "--voice", str(voice), "-o", str(curves), "--emotion", "sad", "--fps", "30"]) == 0
    assert capsys.readouterr().out.strip() == str(curves) and load_performance(curves).fps == 30
    assert run(["rig", "--performance", str(curves), "-o", str(tmp_path / "l.csv"), "--format", "livelink"]) == 0
    assert run(["rig", "--voice", str(voice.parent), "-o", str(tmp_path / "all")]) == 0
    assert "curves of 1 of 1 voices" in capsys.readouterr().out
    assert run(["rig", "--voice", str(voice), "-o", str(tmp_path / "c.glb")]) == 2
    assert "end the name in" in capsys.readouterr().err


def test_an_emotion_may_be_described_in_words(tmp_path: Path, voice: Path) -> None:
    described, named = tmp_path / "described.csv", tmp_path / "named.csv"
    vultus.rig(voice, described, emotion="she is absolutely furious", blink="none")
    vultus.rig(voice, named, emotion="neutral", blink="none")
    assert described.read_text() != named.read_text()
