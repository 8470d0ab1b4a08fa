"""One file from the net: a broken download goes on where it stopped, and what comes is what was published."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vultus.core.errors import InputError, MissingPartError
from vultus.perception.published.table import PublishedFile

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and those there will be, if that is known."""

TIMEOUT_S = 30.0
"""For the server to say something."""
CHUNK_BYTES = 1 << 20
_RANGE_NOT_SATISFIABLE = 416
_PARTIAL_CONTENT = 206


def download(file: PublishedFile, target: Path, on_progress: Progress | None = None) -> None:
    """Put the file at `target`, checked, or leave nothing there but what a next call goes on from.

    Raises MissingPartError where it cannot be had now, InputError where something else than the published file comes.
    """
    partial = partial_name(target)
    if not file.sha256:  # nothing would tell halves of two different files from a whole one
        partial.unlink(missing_ok=True)
    try:
        _continue_download(file, partial, on_progress)
    except urllib.error.HTTPError as error:
        fix = f"look for it on the authors' page and give it by --from; it is called {file.name}"
        raise MissingPartError(f"the server answers {error.code} {error.reason}", file.address, fix) from error
    except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
        fix = "check connection and disk, and run the same command again; it goes on where it stopped"
        reason = getattr(error, "reason", None) or error
        raise MissingPartError(f"{file.name} could not be fetched ({reason})", file.address, fix) from error
    install(file, partial, target)


def copy(file: PublishedFile, source: Path, target: Path) -> None:
    """Put a local copy of the file at `target`. Raises InputError if it is not the published file."""
    partial = target.with_name(f"{target.name}.part.copy")
    try:
        shutil.copyfile(source, partial)
        install(file, partial, target, where=source)
    except OSError as error:
        raise InputError(f"it could not be copied ({error.strerror})", source, "check the disk") from error
    finally:
        partial.unlink(missing_ok=True)


def install(file: PublishedFile, partial: Path, target: Path, where: Path | None = None) -> None:
    """Rename a whole file to `target` if it is the published one, else remove it and raise InputError."""
    found = sha256_of(partial)
    if not found.startswith(file.sha256):
        partial.unlink()
        what = f"this is not the published {file.name}: its SHA-256 begins with {found[:8]}, not {file.sha256[:8]}"
        raise InputError(what, where or file.address, "fetch it again, or from the authors' page")
    partial.replace(target)


def partial_name(target: Path) -> Path:
    """Where a download lies until it is whole."""
    return target.with_name(f"{target.name}.part.download")


def sha256_of(path: Path) -> str:
    """Of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _continue_download(file: PublishedFile, partial: Path, on_progress: Progress | None) -> None:
    start = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(file.address, headers={"User-Agent": "vultus"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            if answer.status != _PARTIAL_CONTENT:  # the whole file, whatever was asked for
                start = 0
            _write(answer, partial, start, on_progress)
    except urllib.error.HTTPError as error:
        if error.code != _RANGE_NOT_SATISFIABLE or not start:
            raise
        # Everything was there already; `install` tells whether it is right.


def _write(answer: Any, partial: Path, start: int, on_progress: Progress | None) -> None:
    """Write what the server sends after the first `start` bytes. Raises OSError if it ends too soon."""
    length = answer.headers.get("Content-Length")
    total = None if length is None else start + int(length)
    done = start
    with partial.open("r+b" if start else "wb") as sink:
        sink.seek(start)
        while chunk := answer.read(CHUNK_BYTES):
            sink.write(chunk)
            done += len(chunk)
            if on_progress is not None:
                on_progress(done, total)
    if total is not None and done < total:
        raise ConnectionError(f"the connection broke after {done} of {total} bytes")
