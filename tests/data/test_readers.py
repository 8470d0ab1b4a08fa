"""Readers: each data set's layout, names, emotions and splits, on tiny trees and the real samples."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data import trees
from vultus.core.errors import ControlError, InputError
from vultus.data.clips import RawClip
from vultus.data.readers import READERS, read_clips
from vultus.data.readers.crema_d import parse_name
from vultus.data.readers.emoface import HELD_OUT
from vultus.data.readers.folder import speaker_of as folder_speaker
from vultus.data.readers.hdtf import speaker_of as hdtf_speaker
from vultus.data.readers.person import expectation
from vultus.data.readers.splits import split_by_number, split_by_share
from vultus.face.metahuman_files import read_curves

REAL = Path(__file__).parents[3] / "shared/data/real"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the real samples (../shared/data/real) are not here")
ONE_PERSON = ("emoface", "person")


def make_tree(dataset: str, root: Path) -> None:
    if dataset == "person":
        trees.touch(root, "me.mp4")
    elif dataset == "video":
        trees.touch(root, "a/talk_clip1.mp4", "a/talk_clip2.mov", "b/other.webm", "b/.hidden.mp4", "b/notes.txt")
    else:
        getattr(trees, dataset)(root)


@pytest.fixture(params=READERS)
def tree(request, tmp_path) -> tuple[str, Path]:
    make_tree(request.param, tmp_path)
    return request.param, tmp_path


def test_every_layout_is_read_and_split_by_speaker(tree):
    dataset, root = tree
    clips = read_clips(dataset, root)
    assert clips and all(clip.dataset == dataset and clip.source.is_file() for clip in clips)
    assert len({clip.name for clip in clips}) == len(clips)
    if dataset not in ONE_PERSON:
        splits = {speaker: {c.split for c in clips if c.speaker == speaker} for speaker in {c.speaker for c in clips}}
        assert all(len(found) == 1 for found in splits.values())
        assert {"train", "test"} <= {clip.split for clip in clips}


def test_the_seed_alone_chooses_the_split(tree):
    dataset, root = tree
    assert read_clips(dataset, root, 3) == read_clips(dataset, root, 3)
    tested = {frozenset(c.speaker for c in read_clips(dataset, root, seed) if c.split == "test") for seed in range(9)}
    fixed_by_others = dataset in (*ONE_PERSON, "lrs2")
    assert (len(tested) == 1) == fixed_by_others


def test_another_layout_is_one_sentence(tree, tmp_path_factory):
    dataset, _ = tree
    other = tmp_path_factory.mktemp("other")
    trees.touch(other, "cats/cat.jpg")
    with pytest.raises(InputError, match="laid out") as caught:
        read_clips(dataset, other)
    assert READERS[dataset].layout in str(caught.value) and "\n" not in str(caught.value)


def test_an_unknown_data_set_and_a_missing_folder(tmp_path):
    with pytest.raises(ControlError, match="voxceleb2, mead"):
        read_clips("lrw", tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_clips("mead", tmp_path / "none")


def test_voxceleb2_takes_344_and_86_identities(tmp_path):
    for number in range(450):
        trees.touch(tmp_path, f"mp4/id{number:05d}/v/00001.mp4")
    clips = read_clips("voxceleb2", tmp_path)
    assert Counter(clip.split for clip in clips) == {"train": 344, "test": 86}
    assert clips[0].name.count("/") == 2 and clips[0].speaker == clips[0].name.split("/")[0]


def test_voxceleb2_finds_the_sound_in_its_own_tree(tmp_path):
    trees.voxceleb2(tmp_path)
    clips = read_clips("voxceleb2", tmp_path)
    assert Counter(clip.split for clip in clips) == {"train": 16, "test": 4}
    for clip in clips:
        has_own = "xyz" in clip.name
        assert (clip.audio is not None and "aac" in clip.audio.parts) == has_own


def test_mead_front_views_levels_and_the_36_people(tmp_path):
    people = tuple(f"{'MW'[n % 2]}{3 + n:03d}" for n in range(48))
    assert people[0] == "M003"
    trees.mead(tmp_path, people)
    clips = read_clips("mead", tmp_path)
    by_split = {split: {clip.speaker for clip in clips if clip.split == split} for split in ("train", "test")}
    assert len(by_split["train"]) == 36 and len(by_split["test"]) == 12 and "M003" in by_split["test"]
    happy = [clip for clip in clips if clip.speaker == "M003" and clip.emotion == "happy"]
    assert [clip.level for clip in happy] == [1, 2, 3] and {clip.view for clip in clips} == {"front"}
    assert {clip.audio is not None for clip in clips if clip.emotion == "neutral"} == {True}


def test_crema_d_tests_on_five_actors_of_whom_1011_is_one(tmp_path):
    actors = tuple(range(1001, 1092))
    trees.crema_d(tmp_path, actors)
    clips = read_clips("crema_d", tmp_path)
    tested = {clip.speaker for clip in clips if clip.split == "test"}
    assert len(clips) == 91 * 3 and len(tested) == 5 and "1011" in tested
    assert clips[0].text == "Don't forget a jacket." and clips[0].emotion == "angry" and clips[0].level is None
    assert clips[0].audio is not None


@needs_real
def test_crema_d_knows_all_its_7442_names():
    with (REAL / "cremad/SentenceFilenames.csv").open() as file:
        names = [parse_name(row["Filename"]) for row in csv.DictReader(file)]
    with (REAL / "cremad/VideoDemographics.csv").open() as file:
        actors = {row["ActorID"] for row in csv.DictReader(file)}
    assert len(names) == 7442 and None not in names
    assert {name.actor for name in names if name} == actors and len(actors) == 91
    counts = Counter(name.emotion for name in names if name)
    assert counts == dict.fromkeys(("angry", "disgusted", "fear", "happy", "sad"), 1271) | {"neutral": 1087}
    assert len({name.text for name in names if name}) == 12


@pytest.mark.parametrize("name", ["1001_DFA_ANG_XX.flv", "1001_DFA_BAD_XX", "101_DFA_ANG_XX", "1001_DFA_ANG", ""])
def test_crema_d_refuses_other_names(name):
    assert parse_name(name) is None


def test_lrs2_keeps_its_authors_lists(tmp_path):
    trees.lrs2(tmp_path)
    found = {clip.name: clip for clip in read_clips("lrs2", tmp_path)}
    assert {name: clip.split for name, clip in found.items()} == {
        "main/111/00001": "train",
        "main/111/00002": "train",
        "main/222/00001": "val",
        "main/333/00007": "test",
        "pretrain/111/00001": "train",
        "pretrain/444/00001": "train",  # 333 is tested on
    }
    assert found["main/111/00001"].text == "WHEN YOU'RE COOKING CHIPS AT HOME"
    (tmp_path / "val.txt").unlink()
    with pytest.raises(InputError, match=r"list val\.txt"):
        read_clips("lrs2", tmp_path)


@pytest.mark.parametrize(
    ("stem", "speaker"),
    [
        ("WDA_KatieHill_000", "KatieHill"),
        ("WDA_BarbaraLee1_000", "BarbaraLee"),
        ("WRA_JohnBoozman_001", "JohnBoozman"),
        ("RD_Radio31_002", "Radio31"),
        ("Radio34_10", "Radio34"),
        ("AmyKlobuchar1_3", "AmyKlobuchar"),
        ("LucilleRoybal-Allard_0", "LucilleRoybal-Allard"),
        ("WDA_WhipJimClyburn_000", "JamesClyburn"),
        ("lecture", None),
    ],
)
def test_hdtf_speakers(stem, speaker):
    assert hdtf_speaker(stem) == speaker


def test_emoface_keeps_its_folders_or_holds_out_by_emotion(tmp_path):
    trees.emoface(tmp_path / "given", split=True)
    assert Counter(c.split for c in read_clips("emoface", tmp_path / "given")) == {"train": 30, "val": 10}
    trees.emoface(tmp_path / "all", utterances=1600)
    clips = read_clips("emoface", tmp_path / "all")
    held_out = Counter(clip.emotion for clip in clips if clip.split == "val")
    assert held_out == HELD_OUT and held_out.total() == 41


def test_emoface_curves(tmp_path):
    trees.write_curves(tmp_path / "a.txt", 12)
    assert read_curves(tmp_path / "a.txt").shape == (12, 174)
    trees.write_curves(tmp_path / "b.txt", 12, columns=51)
    (tmp_path / "c.txt").write_text("hello, there")
    (tmp_path / "d.txt").write_text(",".join(["nan"] * 174))
    for name in "bcd":
        with pytest.raises(InputError, match=r"rig controls|numbers|finite"):
            read_curves(tmp_path / f"{name}.txt")


def test_a_persons_video_holds_out_its_end(tmp_path):
    trees.touch(tmp_path, "me.mp4")
    for root in (tmp_path, tmp_path / "me.mp4"):
        (clip,) = read_clips("person", root)
        assert clip.held_out == pytest.approx(0.1) and clip.name == "me"
    trees.touch(tmp_path, "you.mp4")
    with pytest.raises(InputError, match="one video file"):
        read_clips("person", tmp_path)


@pytest.mark.parametrize(
    ("path", "speaker"),
    [
        ("talk/feifeili_clip2_short.mp4", "talk/feifeili"),
        ("talk/andrew_clip_1.mp4", "talk/andrew"),
        ("voxceleb2/00015.mp4", "voxceleb2/00015"),
        ("me.mp4", "me"),
    ],
)
def test_speakers_of_a_folder_of_videos(path, speaker):
    assert folder_speaker(Path(path)) == speaker


def test_videos_of_one_name_and_other_suffixes_are_told_apart(tmp_path):
    trees.touch(tmp_path, "talk.mp4", "talk.mov", "song.mp4", "song.wav")
    found = {clip.name: clip.audio for clip in read_clips("video", tmp_path)}
    assert set(found) == {"talk_mp4", "talk_mov", "song"} and found["song"] == tmp_path / "song.wav"


def test_synthetic_facts_must_be_whole(tmp_path):
    trees.synthetic(tmp_path)
    clip = read_clips("synthetic", tmp_path)[0]
    assert (clip.speaker, clip.emotion, clip.level, clip.text) == ("p000", "happy", 2, "Hello.")
    assert clip.labels is not None
    (tmp_path / "p003/000.json").write_text("{}")
    with pytest.raises(InputError, match="damaged"):
        read_clips("synthetic", tmp_path)


@needs_real
def test_real_samples_are_read_as_what_they_are():
    found = {clip.name: clip.speaker for clip in read_clips("hdtf", REAL / "hdtf")}
    assert found == {"WDA_KatieHill_000": "KatieHill"}
    (person,) = read_clips("person", REAL / "person")
    assert person.name == "anchor_71s"
    everything = read_clips("video", REAL)
    assert len(everything) == 28 and sum(clip.speaker == "talk/Obama" for clip in everything) == 3


@pytest.mark.parametrize("name", ["../x", "/x", "a/../b", "", "a\\b"])
def test_unsafe_names_are_refused(name):
    with pytest.raises(ValueError, match="safe"):
        RawClip("video", name, "s", "train", Path("x.mp4"))


def test_raw_clips_say_what_they_show():
    with pytest.raises(ValueError, match="emotion"):
        RawClip("video", "x", "s", "train", Path("x.mp4"), emotion="ANG")
    with pytest.raises(ValueError, match="neither"):
        RawClip("video", "x", "s", "train", audio=Path("x.wav"))


names = st.sets(st.text("abcdef0123", min_size=1, max_size=6), min_size=1, max_size=40)


@settings(deadline=None, max_examples=80)
@given(names, st.integers(0, 5))
def test_shares_cover_everyone_and_test_someone(people, seed):
    split_of = split_by_share(people, "x", seed, {"train": 8, "val": 1, "test": 1})
    assert set(split_of) == people
    sizes = Counter(split_of.values())
    assert sizes["train"] >= 1 and (len(people) == 1 or sizes["test"] >= 1)
    assert abs(sizes["train"] - 0.8 * len(people)) <= 2


@settings(deadline=None, max_examples=80)
@given(names, st.integers(1, 30), st.integers(1, 10), st.integers(0, 3))
def test_numbers_are_kept_where_there_are_enough(people, train, test, seed):
    fixed = min(people)
    split_of = split_by_number(people, "x", seed, {"train": train, "test": test}, (fixed,))
    sizes = Counter(split_of.values())
    if len(people) >= train + test:
        assert sizes == {"train": train, "test": test}
    else:
        assert set(split_of) == people
    assert len(people) == 1 or split_of[fixed] == "test"


def test_what_a_length_of_video_promises():
    said = [expectation(seconds) for seconds in (10, 31, 100, 240, 600)]
    assert len(set(said)) == 5 and "too short" in said[0] and "paper's" in said[3]
