"""A text to a talking video: draft voices with their exact phones, other programs' voices, nothing left behind."""

from __future__ import annotations

import shlex
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import vultus
from vultus import cli
from vultus.audio import tts
from vultus.audio.espeak import open_espeak
from vultus.audio.io import read_speech, voice_file
from vultus.core.errors import ControlError
from vultus.core.types import Portrait, Speech
from vultus.face.rig import load_performance
from vultus.motion.compose import closure

TEXT = "My baby moved the big paper boat."
needs_espeak = pytest.mark.skipif(open_espeak() is None, reason="eSpeak NG is not installed")


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go: what is in it in the end has been forgotten."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@needs_espeak
def test_a_text_is_spoken_with_its_exact_phones(portrait: Portrait, tmp_path: Path, scratch: Path) -> None:
    made = vultus.speak_text(
        portrait, TEXT, tmp_path / "a.mp4", size=96, fps=50, save_performance=tmp_path / "a.npz", blink="none"
    )
    speech = tts.synthesise(TEXT)
    heard = read_speech(made)
    assert heard.duration_s == pytest.approx(speech.duration_s, abs=0.1)
    performance = load_performance(tmp_path / "a.npz")
    assert performance.expression is not None
    shut = closure(performance.expression)
    for phone in speech.phones or ():
        if phone.symbol in "BPM":
            around = slice(max(0, int((phone.start_s - 0.02) * 50)), int((phone.end_s + 0.02) * 50) + 1)
            assert shut[around].max() > 0.9, phone
    assert not list(scratch.iterdir())


@needs_espeak
def test_a_part_of_a_text_keeps_its_phones(portrait: Portrait, tmp_path: Path) -> None:
    options = {"size": 96, "pose": "still", "blink": "none", "gaze": "still"}
    for name, start_s, end_s in (("whole", 0.0, None), ("part", 0.4, 1.2)):
        vultus.speak_text(portrait, TEXT, tmp_path / f"{name}.mp4", start_s=start_s, end_s=end_s,
                          save_performance=tmp_path / f"{name}.npz", **options)  # fmt: skip
    whole, part = (load_performance(tmp_path / f"{name}.npz").expression for name in ("whole", "part"))
    assert whole is not None and part is not None
    assert len(part) == 20
    assert np.abs(closure(whole)[10 + 5 : 30 - 5] - closure(part)[5:-5]).max() < 0.3


def test_another_programs_voice(portrait: Portrait, tmp_path: Path, scratch: Path) -> None:
    script = tmp_path / "engine.py"
    script.write_text(
        "import sys, soundfile, numpy as np\n"
        "soundfile.write(sys.argv[1], .1 * np.sin(.1 * np.arange(400 * len(sys.stdin.read()))), 16000)\n"
    )
    command = f"{shlex.quote(sys.executable)} {script} {{output}}"
    made = vultus.speak_text(portrait, TEXT, tmp_path / "a.mp4", size=96, tts_command=command)
    assert read_speech(made).duration_s == pytest.approx(len(TEXT) * 400 / 16_000, abs=0.1)
    assert not list(scratch.iterdir())


def test_a_voice_file_lasts_as_long_as_its_context(scratch: Path) -> None:
    speech = Speech(np.linspace(-1, 1, 1600, dtype=np.float32))
    with voice_file(speech) as path:
        assert np.abs(read_speech(path).waveform - speech.waveform).max() < 1e-4
    assert not list(scratch.iterdir())


def test_a_command_brings_its_own_voice(portrait: Portrait, tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="its own voice"):
        vultus.speak_text(portrait, TEXT, tmp_path / "a.mp4", voice_name="fr", tts_command="piper -f {output}")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "one of the two"),
        (["--text", "Hello", "--voice", "voice.wav"], "one of the two"),
        (["--voice", "voice.wav", "--voice-name", "fr"], "go with --text"),
        (["--voice", "voice.wav", "--tts-command", "piper {output}"], "go with --text"),
        (["--text", "Hello", "--tts-command", "no-such-engine {output}"], "cannot be run"),
        (["--text", " "], "nothing to say"),
    ],
)
def test_what_cannot_be_said_is_one_sentence(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["speak", "photo.png", "-o", str(tmp_path / "a.mp4"), *options]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@needs_espeak
def test_the_verb_speaks_a_text(tmp_path: Path, astronaut: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    Image.fromarray(astronaut).save(tmp_path / "photo.png")
    target = tmp_path / "a.mp4"
    command = ["speak", str(tmp_path / "photo.png"), "--text", "Bonjour", "--voice-name", "fr", "-o", str(target)]
    assert cli.run([*command, "--size", "96"]) == 0
    assert capsys.readouterr().out.strip() == str(target)
    assert target.stat().st_size > 1000
