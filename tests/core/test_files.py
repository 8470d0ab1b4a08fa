"""Files as users name them: missing, unreadable, too long, no file at all; what they hold; which part of them."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from vultus.core.errors import InputError
from vultus.core.files import (
    MAX_NAME_BYTES,
    check_format,
    check_part,
    existing_file,
    existing_path,
    is_usable_name,
    spare,
    whole_file,
)


def test_a_file_that_is_there(tmp_path):
    (tmp_path / "a.txt").touch()
    assert existing_file(str(tmp_path / "a.txt")) == tmp_path / "a.txt"
    assert existing_path(tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("name", "fault"),
    [("none.wav", "no such file"), ("x" * 400, "not a usable file name"), ("a\0b", "no such file")],
)
def test_names_of_nothing(tmp_path, name, fault):
    for find in (existing_file, existing_path):
        with pytest.raises(InputError, match=fault) as caught:
            find(tmp_path / name)
        assert len(str(caught.value)) < 250


def test_folders_and_pipes_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, fault in ((tmp_path, "a folder"), (tmp_path / "pipe", "not an ordinary file")):
        with pytest.raises(InputError, match=fault):
            existing_file(path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    (tmp_path / "a").touch()
    monkeypatch.setattr(os, "access", lambda *_: False)  # chmod would not stop root
    with pytest.raises(InputError, match="may not be read"):
        existing_file(tmp_path / "a")


def test_names_have_room_for_a_suffix():
    assert is_usable_name("é" * (MAX_NAME_BYTES // 2)) and not is_usable_name("é" * (MAX_NAME_BYTES // 2) + "e")
    assert not is_usable_name("a\0b") and not is_usable_name(os.fsdecode(b"\xff"))


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("hls", "a playlist, not a voice"),
        ("image2", "a picture, not a voice"),
        ("png_pipe", "a picture"),
        ("wav", None),
    ],
)
def test_formats_that_are_no_voice(name, fault):
    if fault is None:
        check_format(name, Path("a"), "voice")
        return
    with pytest.raises(InputError, match=fault):
        check_format(name, Path("a"), "voice")


@pytest.mark.parametrize("part", [(-1, None), (2, 1), (1, 1), (math.nan, None), (0, math.nan), (0, math.inf)])
def test_parts_that_are_none(part):
    with pytest.raises(InputError, match=r"the part from .* is empty or endless"):
        check_part(*part, Path("a.wav"))


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path):
    target = tmp_path / "curves.csv"
    with whole_file(target) as file:
        file.write(b"one")
        assert not target.exists() and ".part." in next(tmp_path.iterdir()).name
    assert target.read_bytes() == b"one"
    with pytest.raises(ValueError, match="midway"), whole_file(target) as file:
        file.write(b"two")
        raise ValueError("midway")
    assert target.read_bytes() == b"one" and [path.name for path in tmp_path.iterdir()] == ["curves.csv"]
    with pytest.raises(InputError, match="cannot be written"), whole_file(tmp_path / "none" / "x.csv"):
        pass


def test_an_input_is_never_written_over(tmp_path):
    source = tmp_path / "voice.wav"
    source.write_bytes(b"sound")
    for target in (source, tmp_path / "link.wav"):
        if target != source:
            target.symlink_to(source)
        with pytest.raises(InputError, match="would replace the input"):
            spare(target, (None, source))
    spare(tmp_path / "other.wav", (source, "keep", "x" * 5000))
