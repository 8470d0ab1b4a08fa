"""`vultus dub --method emogen` and `vultus speak`, from files to a file, with random weights and without any."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")

from tests.conftest import files_in
from tests.methods.emogen.faces import COUNT, FPS, frames_of, images, made_track
from vultus import dubbing
from vultus.cli import run
from vultus.dubbing import Scene
from vultus.methods.emogen.weights import FOLDER_VARIABLE
from vultus.video.read import open_video
from vultus.video.write import write_video


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A video whose face is known without looking."""
    monkeypatch.setattr(dubbing, "follow", lambda video, *_: Scene(video, (made_track(),)))
    return write_video(frames_of(images()), tmp_path / "film.mp4")


@pytest.mark.parametrize(("voice_s", "frames"), [(0.4, 10), (1.0, 25)])
def test_a_video_is_dubbed(source, sound_file, tmp_path, capsys, voice_s, frames):
    voice = sound_file(voice_s, (0.1, voice_s))
    out = tmp_path / "out.mp4"
    chosen = ["--method", "emogen", "--emotion", "HAP"]
    assert run(["dub", str(source), "--voice", str(voice), "-o", str(out), *chosen]) == 0
    made = open_video(out)
    assert (made.count, made.fps, made.has_audio) == (frames, FPS, True) and 10 < COUNT < 25
    assert "out.mp4" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [(["--emotion", "surprised"], "not learned surprised"), (["--lip-scale", "2"], "no control lip_scale")],
)
def test_what_it_cannot_do_is_one_sentence(source, sound_file, tmp_path, capsys, options, says):
    voice, out = sound_file(0.4, (0.1, 0.3)), tmp_path / "out.mp4"
    assert run(["dub", str(source), "--voice", str(voice), "-o", str(out), "--method", "emogen", *options]) == 2
    assert says in capsys.readouterr().err and not out.exists()


def test_without_weights_it_says_how_to_get_some(source, sound_file, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setattr("vultus.methods.emogen.weights.ASSETS", tmp_path)
    voice = sound_file(0.4, (0.1, 0.3))
    before = files_in(tmp_path)
    assert run(["dub", str(source), "--voice", str(voice), "-o", str(tmp_path / "o.mp4"), "--method", "emogen"]) == 2
    said = capsys.readouterr().err
    assert "no weights of emogen are installed" in said and FOLDER_VARIABLE in said and "vultus train emogen" in said
    assert files_in(tmp_path) == before
