"""Files as users name them: whether they are there, stand for themselves, and which part of a sound is meant."""

from __future__ import annotations

import math
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from vultus.core.errors import InputError

MAX_NAME_BYTES = 220
"""Longest name of a file to write; file systems take 255, and names are written with a suffix first."""

PLAYLISTS = frozenset({"hls", "concat", "dash", "sdp", "rtsp", "lavfi", "imf"})
"""FFmpeg's names of formats that name other files or addresses: an input must be one self-contained file."""

SOUND_HOLE_S = 0.1
"""Holes between packets of sound longer than this are filled with silence; shorter ones are rounding of timestamps.

One rule for the lips and for the sound that is written with them, or they would part after a hole.
"""


def existing_path(path: str | Path) -> Path:
    """The path itself, if a file or folder is there. Raises InputError."""
    path = Path(path)
    try:
        if not path.exists():
            raise InputError("there is no such file", path, "check the spelling of the path")
        return path
    except PermissionError as error:
        raise InputError("the file may not be read", path, "change its permissions") from error
    except OSError as error:  # a name too long
        raise InputError("this is not a usable file name", repr(str(path)[:80])) from error


def existing_file(path: str | Path) -> Path:
    """The path itself, if a file that may be read is there. Raises InputError."""
    path = existing_path(path)
    if path.is_dir():
        raise InputError("this is a folder, not a file", path)
    if not path.is_file():  # a pipe or a device: reading it might never end
        raise InputError("this is not an ordinary file", path)
    if not os.access(path, os.R_OK):
        raise InputError("the file may not be read", path, "change its permissions")
    return path


def is_usable_name(name: str) -> bool:
    """Whether file systems, and the manifest that holds the name, can take it, with room for a temporary suffix."""
    try:
        return len(name.encode()) <= MAX_NAME_BYTES and "\0" not in name
    except UnicodeEncodeError:  # bytes of a file name that were not UTF-8
        return False


def check_file_target(path: Path) -> Path:
    """The path itself, if a file can be written there. Raises InputError."""
    if not is_usable_name(path.name):
        fix = f"choose a shorter one, up to {MAX_NAME_BYTES} bytes of valid UTF-8"
        raise InputError("this is not a usable file name", repr(str(path)[:80]), fix)
    if path.is_dir():
        raise InputError("there is a folder of this name", path, "choose another name")
    if not path.parent.is_dir():
        raise InputError("the file cannot be written: its folder does not exist", path, "create the folder first")
    if not os.access(path.parent, os.W_OK):
        raise InputError("the folder may not be written to", path.parent, "choose another place")
    return path


def spare(output: Path, inputs: Iterable[object]) -> None:
    """Raise InputError if writing `output` would replace one of the inputs (those that are not paths do not matter)."""
    for given in inputs:
        if not isinstance(given, str | Path):
            continue
        try:
            source, target = Path(given).resolve(), output.resolve()
            lost = source.is_file() and target.exists() and (source.samefile(target) or target in source.parents)
        except (OSError, ValueError):  # no usable name: whoever opens it says so better
            continue
        if lost:
            raise InputError("writing here would replace the input", output, "choose another name for the output")


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that gets its name, `path`, when the block ends without an error. Raises InputError."""
    partial = path.with_name(f".{path.name}.part.{uuid.uuid4().hex[:8]}")
    try:
        with partial.open("wb") as file:
            yield file
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f"the file cannot be written ({error.strerror})", path) from error
    finally:
        partial.unlink(missing_ok=True)


def check_format(name: str, path: Path, wanted: str) -> None:
    """Raise InputError if FFmpeg's name of a format says that a file is no `wanted` ("voice") but a list or a picture.

    Some formats have several names, separated by commas.
    """
    names = set(name.split(","))
    if PLAYLISTS & names:
        raise InputError(f"this is a playlist, not a {wanted}", path, "give the file itself")
    if any(one == "image2" or one.endswith("_pipe") for one in names):
        raise InputError(f"this is a picture, not a {wanted}", path, f"give a {wanted}")


def check_part(start_s: float, end_s: float | None, path: Path) -> None:
    """Raise InputError unless `start_s` to `end_s` seconds (None: to the end) can be a part of a file."""
    if math.isfinite(start_s) and start_s >= 0 and (end_s is None or (math.isfinite(end_s) and end_s > start_s)):
        return
    end = "the end" if end_s is None else f"{end_s:g} s"
    raise InputError(f"the part from {start_s:g} s to {end} is empty or endless", path, "choose 0 <= start < end")
