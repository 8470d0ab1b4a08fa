"""`vultus dub` as a user meets it: who speaks with which file, what it says, and mistakes in one sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.film import Film
from vultus.cli import run
from vultus.cli.dub import read_voices
from vultus.core.errors import InputError
from vultus.dubbing import DubbedFace, DubReport, LipCheck
from vultus.video.write import write_video


@pytest.fixture
def listed(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "cast.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_voices_are_found_beside_their_list(listed, tmp_path):
    assert read_voices(listed("face,voice\n2, b.wav\n1,sub/a.wav\n")) == {
        2: tmp_path / "b.wav",
        1: tmp_path / "sub/a.wav",
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"),
        ("face,voice\n", "empty"),
        ("who,what\n1,a.wav\n", "line 2"),
        ("face,voice\n0,a.wav\n", "line 2"),
        ("face,voice\n1,a.wav\n1,b.wav\n", "line 3 gives face 1 a second voice"),
        ("face,voice\n1\n", "line 2"),
        ('face,voice\n1,"a.wav\n', "no list of voices"),
    ],
)
def test_a_list_that_names_nobody_is_refused(listed, text, fault):
    with pytest.raises(InputError, match=fault):
        read_voices(listed(text))


@given(st.dictionaries(st.integers(1, 99), st.text("abc ö-_", min_size=1).map(str.strip).filter(bool), min_size=1))
def test_every_list_is_read_as_it_was_written(tmp_path_factory, cast):
    path = tmp_path_factory.mktemp("cast") / "cast.csv"
    path.write_text("face,voice\n" + "".join(f"{face},{voice}\n" for face, voice in cast.items()), encoding="utf-8")
    assert read_voices(path) == {face: path.parent / voice for face, voice in cast.items()}


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ([], "it takes one of the two"),
        (["--voice", "a.wav", "--voices", "c.csv"], "it takes one of the two"),
        (["--voice", "a.wav", "--face", "2", "--all-faces"], "the face is chosen already"),
        (["--voices", "c.csv", "--face", "2"], "the face is chosen already"),
        (["--voices", "c.csv", "--all-faces"], "the list says who speaks"),
        (["--voice", "a.wav"], "no such file"),
    ],
)
def test_contradictions_are_one_sentence(options, fault, tmp_path, capsys):
    assert run(["dub", str(tmp_path / "film.mp4"), "-o", str(tmp_path / "out.mp4"), *options]) == 2
    said = capsys.readouterr().err
    assert fault in said and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_no_film(astronaut, sound_file, tmp_path, capsys):
    from PIL import Image

    voice, picture = sound_file(1.0, (0.2, 0.8)), tmp_path / "photo.png"
    Image.fromarray(astronaut).save(picture)
    before = {path.name for path in tmp_path.iterdir()}
    assert run(["dub", str(picture), "--voice", str(voice), "-o", str(tmp_path / "out.mp4")]) == 2
    assert capsys.readouterr().err.startswith("vultus: ")
    assert {path.name for path in tmp_path.iterdir()} == before


def test_the_report_tells_what_was_done():
    lips = LipCheck(0.97, None, 0.3)
    report = DubReport(
        Path("out.mp4"), 50, 30000 / 1001, 2, 3, (DubbedFace(2, "a.wav", 40, 10, lips),), ("10-bit is written as 8",)
    )
    assert report.text().splitlines() == [
        "50 frames at 29.97 a second, 3 people in 2 shots",
        "face 2: a.wav, 40 frames changed, 10 passed through; aperture r 0.97, width r -, sync_vultus 0.30",
        "note: 10-bit is written as 8",
    ]
    alone = replace(report, people=1, shots=1, faces=(), notes=())
    assert alone.text() == "50 frames at 29.97 a second, one person in one shot"


def test_a_film_is_dubbed_checked_and_shown_beside_itself(film: Film, sound_file, tmp_path, capsys):
    pytest.importorskip("torch", reason="the check asks sync_vultus, which needs torch")
    voice = sound_file(1.0, (0.1, 0.9))
    source = write_video(film.video.frames(), tmp_path / "film.mp4")
    out, told, plot = tmp_path / "out.mp4", tmp_path / "told.json", tmp_path / "both.mp4"
    command = ["dub", str(source), "--voice", str(voice), "-o", str(out), "--check", "--pad"]
    assert run([*command, "--report", str(told), "--plot", str(plot)]) == 0
    assert str(out) in capsys.readouterr().out
    report = json.loads(told.read_text())
    face = report["faces"][0]
    assert report["frames"] == face["changed"] + face["passed"] and face["changed"] > 0 and face["lips"] is not None
    assert plot.stat().st_size > 0
