"""`prepare`: bad clips are listed, runs go on where they stopped, and nothing half-made is left."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.data import trees
from tests.data.conftest import HERE
from tests.data.footage import panned, write_clip
from vultus import cli
from vultus.core.errors import ControlError, InputError, MissingPartError
from vultus.core.types import SAMPLE_RATE
from vultus.data import prepare as module
from vultus.data.manifest import FAILED_FILE, MANIFEST_FILE, prepared_clips
from vultus.data.prepare import prepare
from vultus.data.recipe import PrepareOptions


def test_bad_clips_are_listed_and_stop_nothing(report):
    assert [facts.name for facts in report.prepared] == ["ann/a", "ann/b"]
    reasons = {failure.name: failure.reason for failure in report.failed}
    assert set(reasons) == {"bad/silent", "bad/hushed", "bad/faceless", "bad/corrupt", "bad/torn"}
    assert "no sound" in reasons["bad/silent"] and "silence" in reasons["bad/hushed"]
    assert "face" in reasons["bad/faceless"] and "video" in reasons["bad/corrupt"]
    assert all(failure.traceback is None for failure in report.failed)
    listed = [json.loads(line)["name"] for line in (report.out / FAILED_FILE).read_text().splitlines()]
    assert listed == sorted(reasons)
    assert report.duration_s == pytest.approx(24 / 25)


def test_what_is_left_in_the_folder(report):
    assert {path.name for path in report.out.iterdir()} == {"manifest.jsonl", "failed.jsonl", ".lock", "video"}
    kept = {path.name for path in (report.out / "video/ann/a").iterdir()}
    assert kept == {"video.mp4", "person.mp4", "audio.wav", "track.npz", "background.png", "meta.json"}


def copied(report, raw_folder: Path, tmp_path: Path) -> tuple[Path, Path]:
    raw = shutil.copytree(raw_folder, tmp_path / "raw")
    out = shutil.copytree(report.out, tmp_path / "out")
    return raw, out


@pytest.fixture
def worked_on(monkeypatch) -> list[str]:
    """Names of clips that are worked on."""
    names: list[str] = []
    real = module.do
    monkeypatch.setattr(module, "do", lambda job: (names.append(job.raw.name), real(job)))
    return names


def test_a_second_run_finds_all_done(report, raw_folder, tmp_path, worked_on):
    raw, out = copied(report, raw_folder, tmp_path)
    before = (out / MANIFEST_FILE).read_bytes(), (out / FAILED_FILE).read_bytes()
    prepare("video", raw, out, HERE)
    assert worked_on == []
    assert ((out / MANIFEST_FILE).read_bytes(), (out / FAILED_FILE).read_bytes()) == before


def test_changed_sources_are_prepared_again(report, raw_folder, tmp_path, worked_on, astronaut):
    raw, out = copied(report, raw_folder, tmp_path)
    write_clip(raw / "bad/silent.mp4", panned(astronaut), sound=0.2)
    write_clip(raw / "ann/a.mp4", panned(astronaut, count=8))
    again = prepare("video", raw, out, HERE)
    assert sorted(worked_on) == ["ann/a", "bad/silent"]
    assert {facts.name: facts.frames for facts in again.prepared} == {"ann/a": 8, "ann/b": 12, "bad/silent": 12}
    assert "bad/silent" not in {failure.name for failure in again.failed}


def test_silent_clips_can_be_kept(raw_folder, tmp_path):
    raw = tmp_path / "raw"
    shutil.copytree(raw_folder / "bad", raw, ignore=shutil.ignore_patterns("c*", "t*", "f*"))
    report = prepare("video", raw, tmp_path / "out", PrepareOptions(workers=0, keep_silent=True, crop="full"))
    assert [facts.name for facts in report.prepared] == ["hushed", "silent"] and not report.failed
    clip = prepared_clips(report.out)[0]
    assert (clip.facts.width, clip.facts.height, clip.facts.av_offset_ms) == (160, 160, None)
    with pytest.raises(InputError, match="no sound"):
        _ = clip.waveform


def test_other_options_are_refused(report, raw_folder, tmp_path):
    raw, out = copied(report, raw_folder, tmp_path)
    with pytest.raises(InputError, match=r"prepared otherwise, with crop 'ffhq'"):
        prepare("video", raw, out, PrepareOptions(workers=0, crop="pcavs"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (PrepareOptions(size=31), "--size"),
        (PrepareOptions(size=97), "98"),
        (PrepareOptions(fps=0.1), "--fps"),
        (PrepareOptions(workers=-1), "--workers"),
    ],
)
def test_impossible_options(raw_folder, tmp_path, options, said):
    with pytest.raises(ControlError, match=said):
        prepare("video", raw_folder, tmp_path / "out", options)
    assert not (tmp_path / "out").exists()


def test_what_a_dead_worker_left_is_in_nobodys_way(raw_folder, tmp_path, monkeypatch):
    shutil.copytree(raw_folder / "ann", tmp_path / "raw", ignore=shutil.ignore_patterns("b*"))
    real = module.do

    def do(job):
        job.partial.mkdir(parents=True)
        (job.partial / "video.mp4").touch()
        real(job)

    monkeypatch.setattr(module, "do", do)
    assert len(prepare("video", tmp_path / "raw", tmp_path / "out", HERE).prepared) == 1
    assert not (tmp_path / "out/.part").exists()


def test_two_runs_cannot_share_a_folder(raw_folder, tmp_path):
    with module._only_run(tmp_path / "out"), pytest.raises(InputError, match="another run"):
        prepare("video", raw_folder, tmp_path / "out", HERE)


def test_a_full_disk_ends_the_run_and_a_fault_of_ours_is_told_with_its_traceback(raw_folder, tmp_path, monkeypatch):
    def wrong(work, jobs, workers):
        for job in jobs:
            yield job, ZeroDivisionError("oh")

    monkeypatch.setattr(module, "run_in_processes", lambda work, jobs, n: ((job, OSError(28, "full")) for job in jobs))
    with pytest.raises(InputError, match="disk is full"):
        prepare("video", raw_folder, tmp_path / "out")
    gone = MissingPartError("a part is gone")
    monkeypatch.setattr(module, "run_in_processes", lambda work, jobs, n: ((job, gone) for job in jobs))
    with pytest.raises(MissingPartError):
        prepare("video", raw_folder, tmp_path / "out")
    monkeypatch.setattr(module, "run_in_processes", wrong)
    report = prepare("video", raw_folder, tmp_path / "out")
    assert len(report.failed) == 7 and "ZeroDivisionError: oh" in (report.failed[0].traceback or "")


def test_rig_curves_with_a_voice(tmp_path, sound_file):
    raw = tmp_path / "raw"
    trees.write_curves(raw / "train/VALID_CTR/happy_001.txt", 70)
    trees.write_curves(raw / "train/VALID_CTR/sad_002.txt", 30, columns=60)
    for name in ("happy_001", "sad_002"):
        (raw / "train/WAV").mkdir(exist_ok=True)
        shutil.copy(sound_file(1.0, (0, 1), rate=48_000), raw / f"train/WAV/{name}.wav")
    report = prepare("emoface", raw, tmp_path / "out", HERE)
    assert [failure.name for failure in report.failed] == ["sad_002"]
    (clip,) = prepared_clips(report.out)
    assert len(clip) == 60 and clip.fps == 60 and clip.facts.emotion == "happy" and not clip.has_pictures
    assert clip.track().controls.shape == (60, 174) and len(clip.waveform) == SAMPLE_RATE
    with pytest.raises(InputError, match="no pictures"):
        clip.frames()


def test_blinks_from_openface(tmp_path, astronaut):
    write_clip(tmp_path / "raw/a.mp4", panned(astronaut))
    write_clip(tmp_path / "raw/b.mp4", panned(astronaut))
    write_clip(tmp_path / "raw/c.mp4", panned(astronaut))
    (tmp_path / "csv").mkdir()
    for name, frames in (("a", 12), ("b", 40)):
        write_openface(tmp_path / f"csv/{name}.csv", frames)
    report = prepare("video", tmp_path / "raw", tmp_path / "out", PrepareOptions(workers=0, openface=tmp_path / "csv"))
    assert [failure.name for failure in report.failed] == ["b"] and "40 frames" in report.failed[0].reason
    a, c = sorted(prepared_clips(report.out), key=lambda clip: clip.name)
    assert (a.facts.au45_from, c.facts.au45_from) == ("openface", "tracking")
    np.testing.assert_allclose(a.track().au45, 2.5 * (np.arange(12) % 2), atol=1e-6)


def test_faces_of_small_videos_are_found_too(tmp_path, astronaut):
    """LRS2 and our own set have 160 and 128 pixels; whole pictures of such faces are refused as portraits."""
    write_clip(tmp_path / "raw/a.mp4", panned(astronaut, side=96))
    report = prepare("video", tmp_path / "raw", tmp_path / "out", PrepareOptions(workers=0, crop="full"))
    (clip,) = prepared_clips(report.out)
    points = clip.track().landmarks[0, :, :2]
    assert (clip.facts.width, clip.facts.seen) == (96, 1.0) and np.ptp(points[[36, 45], 0]) < 40
    masks = next(clip.masks())
    x, y = points[60:].mean(0).astype(int)
    assert masks.mouth[y, x] and points.min() > 0 and points.max() < 96


def write_openface(path: Path, frames: int) -> None:
    """OpenFace writes a blank before every name but the first."""
    header = "frame, timestamp, success, pose_Rx, pose_Ry, pose_Rz, AU45_r"
    rows = [f"{i + 1}, {i / 25:.3f}, 1, 0.0, 0.0, 0.0, {2.5 * (i % 2)}" for i in range(frames)]
    path.write_text("\n".join([header, *rows]) + "\n")


def test_one_persons_video_has_a_part_held_out(tmp_path, astronaut):
    write_clip(tmp_path / "me.mp4", panned(astronaut, count=20))
    report = prepare("person", tmp_path / "me.mp4", tmp_path / "out", PrepareOptions(workers=0, size=128))
    train, test = prepared_clips(report.out)
    assert (train.split, len(train), test.split, len(test)) == ("train", 18, "test", 2)
    assert np.ptp(np.concatenate([train.crop_from_source, test.crop_from_source]), axis=0).max() == 0


VULTUS = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background of a shell inherit it ignored
runpy.run_module("vultus", run_name="__main__")
"""


def run_cli(raw: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", VULTUS, "prepare", "video", str(raw), str(out), "--workers", "2"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)


def await_work(process: subprocess.Popen[bytes], out: Path) -> None:
    """Wait until a run has begun with its clips."""
    began = time.monotonic()
    while not (out / ".part").is_dir() and process.poll() is None and time.monotonic() - began < 60:
        time.sleep(0.02)


def workers_of(parent: int) -> list[str]:
    """Processes that multiprocessing started for a parent."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # processes end while they are listed
            if f"parent_pid={parent}".encode() in (folder / "cmdline").read_bytes():
                found.append(folder.name)
    return found


def test_killed_at_random_a_run_goes_on_to_the_same_lists(report, raw_folder, tmp_path):
    random_s = random.Random(5)
    out = tmp_path / "out"
    for _ in range(2):
        process = run_cli(raw_folder, out)
        await_work(process, out)
        time.sleep(random_s.uniform(0, 1.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        began = time.monotonic()
        while workers_of(process.pid):
            assert time.monotonic() - began < 10, "workers outlive the run that started them"
            time.sleep(0.05)
    process = run_cli(raw_folder, out)
    said, _ = process.communicate()
    assert process.returncode == 0 and b"2 clips" in said and b"bad/faceless: " in said
    for name in (MANIFEST_FILE, FAILED_FILE):
        assert (out / name).read_bytes() == (report.out / name).read_bytes()
    assert {path.name for path in out.iterdir()} == {path.name for path in report.out.iterdir()}


def test_ctrl_c_says_how_to_go_on(raw_folder, tmp_path):
    process = run_cli(raw_folder, tmp_path / "out")
    await_work(process, tmp_path / "out")
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 130 and b"goes on" in said and b"Traceback" not in said
    assert not (tmp_path / "out/.part").exists() and (tmp_path / "out" / MANIFEST_FILE).is_file()


def test_the_verb_says_what_failed(tmp_path, capsys):
    trees.touch(tmp_path / "raw", "empty.mp4")
    code = cli.run(["prepare", "video", str(tmp_path / "raw"), str(tmp_path / "out"), "--workers", "0"])
    said = capsys.readouterr().out
    assert code == 1 and "video/empty: " in said and "0 clips" in said
    assert cli.run(["prepare", "mead", str(tmp_path / "raw"), str(tmp_path / "out")]) == 2
    assert "laid out as MEAD" in capsys.readouterr().err


def test_help_of_the_verb(capsys):
    with pytest.raises(SystemExit):
        cli.run(["prepare", "--help"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "DATASET RAW OUT" in said and "None" not in said and "--no-" not in said and "one a core" in said
