"""Which videos belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from vultus.compare.pairs import pair_up, videos_in
from vultus.core.errors import InputError


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"video")
    folder.mkdir(exist_ok=True)
    return folder


def test_two_files(tmp_path):
    tree(tmp_path, "made.mp4", "real.mov")
    pairing = pair_up(tmp_path / "made.mp4", tmp_path / "real.mov")
    assert pairing.methods == ["made"] and pairing.groups[0].name == "real"
    assert pairing.groups[0].other_voice is None


def test_two_folders_pair_by_name_whatever_the_suffix(tmp_path):
    made = tree(tmp_path / "mine", "b.webm", "sub/a.mp4", "strange.mp4", "note.txt", "x.part.mp4")
    real = tree(tmp_path / "real", "b.mp4", "sub/a.mp4", "alone.mp4")
    pairing = pair_up(made, real)
    assert pairing.methods == ["mine"]
    assert [group.name for group in pairing.groups] == ["b", "sub/a"]
    assert pairing.groups[0].other_voice == real / "sub/a.mp4" and pairing.groups[1].other_voice == real / "b.mp4"
    assert pairing.notes == ["mine has no video for alone.", "mine: nothing real to compare strange with."]


def test_folders_of_folders_are_methods(tmp_path):
    made = tree(tmp_path / "all", "ours/a.mp4", "ours/b.mp4", "theirs/a.mp4", "empty/readme.txt")
    pairing = pair_up(made, tree(tmp_path / "real", "a.mp4", "b.mp4"))
    assert pairing.methods == ["ours", "theirs"]
    assert [sorted(group.generated) for group in pairing.groups] == [["ours", "theirs"], ["ours"]]
    assert pairing.notes == ["theirs has no video for b."]


def test_many_versions_of_one_clip(tmp_path):
    made = tree(tmp_path / "made", "blur.mp4", "still.mp4")
    (tmp_path / "real.mp4").write_bytes(b"")
    pairing = pair_up(made, tmp_path / "real.mp4")
    assert pairing.methods == ["blur", "still"] and len(pairing.groups) == 1


@pytest.mark.parametrize(
    ("made", "real", "sentence"),
    [
        ("a.mp4", "folder", "cannot be compared with a folder"),
        ("nothing", "folder", "no such file"),
        ("empty", "folder", "holds no video"),
        ("folder", "empty", "holds no video"),
        ("empty", "a.mp4", "holds no video"),
        ("others", "folder", "no video here has the name"),
        ("twice", "folder", "two videos are called a"),
    ],
)
def test_what_cannot_be_paired_is_one_sentence(tmp_path, made, real, sentence):
    tree(tmp_path, "a.mp4", "folder/a.mp4", "others/b.mp4", "twice/a.mp4", "twice/a.mov", "empty/note.txt")
    with pytest.raises(InputError, match=sentence):
        pair_up(tmp_path / made, tmp_path / real)


def test_videos_come_in_order(tmp_path):
    assert list(videos_in(tree(tmp_path, "c.mp4", "a.MP4", "b/z.mkv"))) == ["a", "b/z", "c"]
