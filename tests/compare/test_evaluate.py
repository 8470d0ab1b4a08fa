"""`vultus evaluate` on short videos: every measure sees what it is meant to see, and mistakes are one sentence."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import vultus
from tests.compare.conftest import SPOKEN_S, blurred, changed
from vultus.cli import run
from vultus.compare.clip import COPY, STILL
from vultus.compare.pictures import comparable
from vultus.compare.report import Report
from vultus.core.errors import ControlError, InputError
from vultus.video.read import open_video


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def report(spoken: Path, versions: Path, folder: Path) -> Report:
    return vultus.evaluate(versions, spoken.parent, folder / "report.json", plot=folder / "plots")


def test_copies_are_ranked_as_they_were_changed(report):
    def worse(measure: str, one: str, other: str) -> bool:
        lower = report.value(measure, one) < report.value(measure, other)
        return not lower if measure in ("lmd_all", "lmd_mouth", "pose_error") else lower

    assert report.methods == ["blurred", "mirrored"]
    assert worse("mouth_sharpness", "blurred", COPY) and report.value("mouth_sharpness", "blurred") < 0.5
    assert report.value("mouth_sharpness", "mirrored") > 0.85
    for measure in ("psnr", "ssim", "lmd_all", "lmd_mouth", "pose_error"):
        assert worse(measure, "mirrored", "blurred")
    assert report.value("aperture_r", "mirrored") > 0.85 > report.value("aperture_r", STILL)


def test_the_copied_reference_is_perfect_and_the_still_photo_is_not(report):
    best = {"psnr": math.inf, "ssim": 1, "lmd_all": 0, "pose_error": 0, "au45_error": 0, "aperture_r": 1}
    for measure, value in best.items():
        assert report.value(measure, COPY) == pytest.approx(value, abs=1e-5)
        assert report.value(measure, STILL) != pytest.approx(value, abs=0.02)
    assert report.value("flicker", STILL) == 0 and report.value("blink_rate", STILL) == 0


def test_the_voice_is_heard_and_a_strange_one_told_apart(report):
    assert {COPY, "swapped voice"} <= report.table["av_confidence"].keys()
    assert report.value("av_confidence", COPY) > report.value("av_confidence", "swapped voice")


def test_every_row_is_measured_or_says_why_not(report):
    from vultus.compare.measures import MEASURES

    for measure in MEASURES:
        assert (measure.name in report.table) != (measure.name in report.unavailable)


def test_report_and_pictures_are_written(report, folder):
    for method in report.methods:
        written = {path.name for path in (folder / "plots" / method / "a").iterdir()}
        assert written == {"overlay.png", "curves.png", "side_by_side.mp4"}
    assert json.loads((folder / "report.json").read_text())["seconds"] == pytest.approx(SPOKEN_S, abs=0.1)


def test_the_command_prints_the_report(spoken, versions, capsys):
    assert run(["evaluate", str(versions / "blurred" / "a.mp4"), "-r", str(spoken), "--jobs", "1"]) == 0
    text = capsys.readouterr().out
    assert f"1 clip, {SPOKEN_S:.0f} s" in text and "↑ ssim" in text and "unavailable: needs" in text


def test_a_silent_smaller_video_is_scaled_and_heard_with_the_real_voice(spoken, tmp_path):
    import cv2

    small = changed(spoken, tmp_path / "small.mp4", lambda image: cv2.resize(image, (192, 192)), None)
    report = vultus.evaluate(small, spoken, plot=tmp_path)
    assert open_video(tmp_path / "small" / "a" / "side_by_side.mp4").has_audio
    assert any("192x192 scaled to the real clip's 256x256" in note for note in report.notes)
    assert report.value("lmd_all") < 2 and report.value("psnr") > 25 and "av_confidence" in report.table


def test_another_part_of_the_picture_is_compared_face_to_face(spoken, tmp_path):
    wide = changed(spoken, tmp_path / "wide.mp4", lambda image: np.pad(image, ((0, 0), (64, 64), (0, 0))), spoken)
    report = vultus.evaluate(wide, spoken)
    assert any("faces compared" in note for note in report.notes)
    assert report.value("psnr") > 25 and report.value("lmd_mouth") < 3


def test_a_broken_version_does_not_harm_the_others(spoken, tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()
    changed(spoken, folder / "good.mp4", blurred, spoken)
    (folder / "broken.mp4").write_bytes(b"not a video")
    report = vultus.evaluate(folder, spoken)
    assert report.value("ssim", "good") > 0.5
    assert any("broken" in name and "not a video" in why for name, why in report.failed.items())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{bad}", "-r", "{real}"], "not a video"),
        (["{real}", "-r", "{bad}"], "not a video"),
        (["{blank}", "-r", "{real}"], "no face found"),
        (["{real}", "-r", "nowhere.mp4"], "no such file"),
        (["{real}", "-r", "{real}", "-o", "{real}.txt"], "written as .json"),
        (["{real}", "-r", "{real}", "--emotion", "hungry"], "no emotion 'hungry'"),
        (["{taken}", "-r", "{real}"], "no method can be called 'still photo'"),
        (["{real}", "-r", "{real}", "--jobs", "0"], "choose 1 or more"),
        (["{real}", "-r", "{real}", "--plot", "{real}"], "no folder here"),
    ],
)
def test_mistakes_end_in_one_sentence(spoken, tmp_path, clip, capsys, arguments, sentence):
    (tmp_path / "bad.mp4").write_bytes(b"not a video")
    blank = clip(np.arange(10) / 25, [90] * 10, name="blank.mp4")
    named = {"bad": tmp_path / "bad.mp4", "real": spoken, "blank": blank, "taken": tmp_path / "still photo.mp4"}
    named["taken"].write_bytes(b"")
    assert run(["evaluate", *(argument.format(**named) for argument in arguments)]) == 2
    *shown, said = capsys.readouterr().err.strip().splitlines()
    assert sentence in said and said.startswith("vultus: ")
    assert all(line.startswith("measuring") for line in shown)


def test_python_says_the_same(spoken):
    with pytest.raises(ControlError, match="hungry"):
        vultus.evaluate(spoken, spoken, emotion="hungry")
    with pytest.raises(InputError, match="no such file"):
        vultus.evaluate(spoken, "nowhere")


def test_pictures_that_cannot_be_laid_over_each_other_are_not_compared():
    a, b = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 128, 3), np.uint8)
    assert comparable(a, None, b, None) is None
    scaled = comparable(a, None, np.zeros((128, 128, 3), np.uint8), None)
    assert scaled is not None and scaled[1].shape == a.shape
