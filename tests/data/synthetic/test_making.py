"""Synthetic sets on disk: readable in every layout, the same for the same seed, continued where they stopped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vultus.core.errors import ControlError, InputError, MissingPartError, VultusError
from vultus.data.readers import read_clips
from vultus.data.synthetic import making
from vultus.data.synthetic.clips import rendered_clip
from vultus.data.synthetic.layouts import LAYOUTS
from vultus.data.synthetic.making import synthesize
from vultus.data.synthetic.plan import SynthesisOptions
from vultus.video.read import open_video

QUICK = SynthesisOptions(people=3, clips_per_person=2, seconds=0.5, size=64, workers=0)


class Puppet:
    """An actor who is drawn in no time."""

    size = 64

    def absolute(self, performance):
        return performance

    def frame(self, expression, rotation_deg, shift, gaze_deg):
        return np.full((64, 64, 3), round(200 * float(expression.mean())), np.uint8)

    def landmarks68(self, expression, rotation_deg, shift):
        return np.full((68, 3), rotation_deg[0])

    def translation(self, rotation_deg, shift):
        return np.asarray(shift)


@pytest.fixture
def puppet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "actor_of", lambda options, plan: Puppet())


def labels_in(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for s in ("npz", "json") for p in sorted(root.rglob(f"*.{s}"))}


def with_layout(name: str) -> SynthesisOptions:
    return SynthesisOptions(people=3, clips_per_person=2, seconds=0.5, size=64, workers=0, layout=name)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_is_read_by_its_data_sets_reader(name, tmp_path, puppet):
    report = synthesize(tmp_path / "set", with_layout(name))
    assert (report.made, report.kept, report.failed) == (6, 0, ())
    clips = read_clips(name, tmp_path / "set")
    assert len(clips) == 6
    assert {clip.split for clip in clips} >= ({"train"} if name == "emoface" else {"train", "test"})
    for clip in clips:
        if clip.video is not None:
            assert open_video(clip.video).duration_s == pytest.approx(0.5, abs=0.05)
    if name not in ("hdtf", "voxceleb2", "lrs2"):
        assert all(clip.emotion is not None for clip in clips)
    if name == "lrs2":
        assert all(clip.text and clip.text.isupper() for clip in clips)
    assert not list((tmp_path / "set").rglob("*.part*"))


def test_our_own_layout_says_everything(tmp_path, puppet):
    synthesize(tmp_path / "set", QUICK)
    for clip in read_clips("synthetic", tmp_path / "set"):
        facts = json.loads(clip.video.with_suffix(".json").read_text("utf-8"))
        assert facts["split"] == clip.split and facts["emotion"] == clip.emotion
        assert facts["sources"]["voice"] and facts["text"]
        labels = np.load(clip.labels, allow_pickle=False)
        assert labels["expression"].shape == (13, 52) and labels["expression"].dtype == np.float16
        assert labels["landmarks"].shape == (13, 68, 2)
        assert {"rotation", "translation", "gaze", "au45", "phones", "phone_times_s", "fps"} <= set(labels)
        assert len(labels["phones"]) == len(labels["phone_times_s"])


def test_the_same_seed_gives_the_same_labels_to_the_byte(tmp_path, puppet):
    for name in ("one", "two"):
        synthesize(tmp_path / name, QUICK)
    assert labels_in(tmp_path / "one") == labels_in(tmp_path / "two")


def test_a_set_that_was_stopped_is_continued(tmp_path, puppet, monkeypatch):
    synthesize(tmp_path / "whole", QUICK)
    write, left = making._write_media, [3]

    def stops(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        write(*arguments)

    monkeypatch.setattr(making, "_write_media", stops)
    with pytest.raises(KeyboardInterrupt):
        synthesize(tmp_path / "broken", QUICK)
    monkeypatch.setattr(making, "_write_media", write)
    (tmp_path / "broken" / "p0001" / "001_sad_1.part.77-1.mp4").write_bytes(b"half")  # as a killed process leaves it
    report = synthesize(tmp_path / "broken", QUICK)
    assert not list((tmp_path / "broken").rglob("*.part*"))
    assert (report.made, report.kept) == (3, 3)
    assert labels_in(tmp_path / "whole") == labels_in(tmp_path / "broken")


def test_one_clip_that_fails_stops_no_other(tmp_path, puppet, monkeypatch):
    write, turn = making._write_media, iter(range(100))

    def fails_once(*arguments):
        if next(turn) == 2:
            raise InputError("the disk is full", "here")
        write(*arguments)

    monkeypatch.setattr(making, "_write_media", fails_once)
    report = synthesize(tmp_path / "set", QUICK)
    assert report.made == 5
    assert [reason for _, reason in report.failed] == ["here: the disk is full."]
    assert synthesize(tmp_path / "set", QUICK).made == 1


def test_foreign_folders_and_other_options_are_refused(tmp_path, puppet):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="other files"):
        synthesize(tmp_path / "mine", QUICK)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file of this name"):
        synthesize(tmp_path / "file", QUICK)
    synthesize(tmp_path / "set", QUICK)
    with pytest.raises(InputError, match="other options"):
        synthesize(tmp_path / "set", with_layout("mead"))
    with pytest.raises(ControlError, match="none of these"):
        synthesize(tmp_path / "new", SynthesisOptions(emotions=("contempt",), layout="crema_d"))
    assert not (tmp_path / "new").exists()


def test_without_voices_nothing_is_begun(tmp_path, monkeypatch):
    monkeypatch.setattr("vultus.data.spoken.voices", list)
    with pytest.raises(MissingPartError, match="eSpeak"):
        synthesize(tmp_path / "set", QUICK)
    assert not (tmp_path / "set").exists()


def test_a_rendered_clip_is_the_same_twice_and_in_step():
    clips = [rendered_clip(8, seconds=0.2, size=64) for _ in range(2)]
    one, two = (list(clip.frames) for clip in clips)
    assert len(one) == len(clips[0].truth) == 5
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    truth = clips[0].truth
    assert set(truth.channels) == {"expression", "rotation", "translation", "gaze", "au45", "landmarks"}
    inside = (truth.landmarks[..., :2] > 0) & (truth.landmarks[..., :2] < 64)
    assert inside[:, 17:].mean() > 0.95


def test_a_users_portrait_speaks_with_labels_that_fit_it(tmp_path, astronaut):
    from PIL import Image

    from vultus.face.landmarks import FaceMesh
    from vultus.face.points import landmarks68

    (tmp_path / "pictures").mkdir()
    Image.fromarray(astronaut).save(tmp_path / "pictures" / "a.png")
    options = SynthesisOptions(1, 1, 0.5, 128, portraits=tmp_path / "pictures", workers=0)
    assert synthesize(tmp_path / "set", options).failed == ()
    (clip,) = read_clips("synthetic", tmp_path / "set")
    frame = next(iter(open_video(clip.video).frames(25.0)))
    with FaceMesh() as mesh:
        found = landmarks68(mesh.find(frame)[0].landmarks)[:, :2]
    truth = np.load(clip.labels)["landmarks"][0]
    wide = np.linalg.norm(truth[36] - truth[45])
    assert np.median(np.linalg.norm(found - truth, axis=1)) < 0.06 * wide


def test_the_verb_answers_mistakes_in_one_sentence(tmp_path, capsys):
    from vultus.cli import run

    assert run(["synthesize", str(tmp_path / "set"), "--people", "0"]) == VultusError.exit_code
    assert run(["synthesize", str(tmp_path / "set"), "--emotions", "glum"]) == VultusError.exit_code
    assert run(["synthesize", str(tmp_path / "set"), "--portraits", str(tmp_path)]) == VultusError.exit_code
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 3
    assert not (tmp_path / "set").exists()


def test_cremas_actors_are_filmed_in_one_session():
    options = SynthesisOptions(1, 2, 0.5, 64, layout="crema_d", workers=0)
    pose = (np.zeros(52, np.float32), np.zeros(3), np.zeros(3), np.zeros(2))
    first, later = making.fitted(making.plan_clips(options), "crema_d")
    one = making.actor_of(options, first).frame(*pose)
    making.actor_of(options, first).frame(*pose)
    assert np.array_equal(making.actor_of(options, later).frame(*pose), one)
    apart = [making.actor_of(SynthesisOptions(1, 2, 0.5, 64), plan).frame(*pose) for plan in (first, later)]
    assert np.abs(apart[0].astype(int) - apart[1]).mean() > 5


def test_clips_that_are_alike_differ_in_voice_and_emotion_alone():
    options = SynthesisOptions(1, 2, 1.0, 64, emotions=("happy", "sad"), levels=(3,), alike=True, workers=0)
    plans = making.plan_clips(options)
    (_, voice, _, acted), (_, other_voice, _, otherwise) = (making.performed(options, plan) for plan in plans)
    for channel in ("rotation", "translation", "gaze", "au45"):
        assert np.array_equal(getattr(acted, channel), getattr(otherwise, channel))
    assert not np.array_equal(voice.waveform, other_voice.waveform)
    assert np.abs(acted.expression.mean(0) - otherwise.expression.mean(0)).max() > 0.2
    pose = (np.zeros(52, np.float32), np.zeros(3), np.zeros(3), np.zeros(2))
    drawn = [making.actor_of(options, plan).frame(*pose) for plan in plans]
    assert np.array_equal(*drawn)
