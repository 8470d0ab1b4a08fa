"""The command line: exit codes, one sentence for a user's mistake, quick help."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from vultus import cli
from vultus.core.errors import ControlError
from vultus.video.write import write_video


@pytest.fixture
def verb(monkeypatch):
    """Put a function in as the verb `act`."""
    return lambda function: monkeypatch.setitem(cli.VERBS, "act", function)


def test_verify_a_video(tmp_path, grey_frames, capsys):
    path = write_video(grey_frames([10, 60]), tmp_path / "a.mp4")
    assert cli.run(["verify", str(path)]) == 0
    said = capsys.readouterr().out
    assert "marked as synthetic" in said and "this installation's key" in said


def test_verify_tells_of_tampering(tmp_path, grey_frames, capsys):
    path = write_video(grey_frames([10, 60]), tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    assert cli.run(["verify", str(path)]) == cli.NOT_VERIFIED
    assert "NOT what was signed" in capsys.readouterr().out


def test_verify_as_json(tmp_path, grey_frames, capsys):
    path = write_video(grey_frames([10, 60]), tmp_path / "a.mp4")
    cli.run(["verify", str(path), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["valid"] is True and told["path"] == str(path)


def test_a_users_mistake_is_one_sentence(tmp_path, capsys):
    assert cli.run(["verify", str(tmp_path / "none.mp4")]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and captured.err.startswith("vultus: ")


def test_every_vultus_error_ends_in_its_exit_code(verb, capsys):
    def act() -> None:
        raise ControlError("too happy", "--emotion", "be sad")

    verb(act)
    assert cli.run(["act"]) == 2
    assert capsys.readouterr().err == "vultus: --emotion: too happy; be sad.\n"


def test_ctrl_c(verb, capsys):
    def act() -> None:
        raise KeyboardInterrupt

    verb(act)
    assert cli.run(["act"]) == 130
    assert "stopped" in capsys.readouterr().err


def test_a_bug_keeps_its_traceback(verb):
    def act() -> None:
        raise ZeroDivisionError

    verb(act)
    with pytest.raises(ZeroDivisionError):
        cli.run(["act"])


def test_methods_lists_the_registry(capsys):
    assert cli.run(["methods"]) == 0
    assert capsys.readouterr().out.startswith("portrait ")


def test_version(capsys):
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == "vultus 0.1.0\n"


def test_unknown_verb(capsys):
    assert cli.run(["sing"]) == 2
    assert "choose speak, dub" in capsys.readouterr().err
    assert cli.run(["speek", "a.jpg"]) == 2
    assert capsys.readouterr().err == "vultus: there is no verb 'speek'; did you mean speak.\n"


def test_an_unknown_option_brings_up_those_of_its_verb_alone(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.run(["speak", "a.jpg", "--voice", "b.wav", "-o", "c.mp4", "--emoton", "happy"])
    said = capsys.readouterr().err
    assert caught.value.code == 2 and "--emotion STR" in said and "dub" not in said


def test_nothing_asked_for_is_help(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.run([])
    assert not caught.value.code and "Make a portrait speak" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("verb", "shown"),
    [
        (
            "speak",
            ["PORTRAIT", "about 30", "at most 1280", "the largest", "its end", "roll + clockwise", "start of the"],
        ),
        ("render", ["PORTRAIT PERFORMANCE", "--start", "--end", "the performance's own", "silent"]),
        ("track", ["VIDEO", "the video's own"]),
        ("verify", ["FILE", "--json"]),
    ],
)
def test_help_says_what_happens_by_default(verb, shown, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.run([verb, "--help"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert caught.value.code == 0 and "None" not in said and "--no-" not in said
    assert [part for part in shown if part not in said] == []


def test_help_names_the_version(capsys):
    with pytest.raises(SystemExit):
        cli.run(["--help"])
    assert "--version" in capsys.readouterr().out


def test_help_loads_nothing_heavy():
    """So that it is quick: .2 s on an idle machine."""
    heavy = ["torch", "numba", "cv2", "mediapipe", "av", "c2pa", "scipy", "PIL", "safetensors", "lightning"]
    program = (
        "import sys\nfrom vultus import cli\n"
        "try: cli.run(['--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "verify" in done.stdout and done.stderr.strip() == "[]"


def test_progress_bar_shows_speed_and_time_left(capsys):
    with cli.progress_bar("rendering") as progress:
        for done in range(1, 11):
            progress(done, 10)
    said = capsys.readouterr().err
    assert "rendering" in said and "10/10" in said and "frames/s" in said


def test_a_bar_tells_the_speed_though_the_total_became_known_last(capsys):
    with cli.progress_bar("speaking") as progress:
        for done in range(1, 11):
            progress(done, None)
            time.sleep(0.01)
        progress(10, 10)
    last = capsys.readouterr().err.rstrip().splitlines()[-1]
    assert "10/10" in last and " 0.0 frames/s" not in last


def test_one_bar_serves_two_pieces_of_work(capsys):
    with cli.progress_bar("looking for people") as progress:
        for done in range(1, 6):
            progress(done, 5)
        for done in range(1, 4):
            progress(done, 3, "dubbing")
    last = capsys.readouterr().err.rstrip().splitlines()[-1]
    assert "dubbing" in last and "3/3" in last
