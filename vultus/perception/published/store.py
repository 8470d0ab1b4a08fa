"""Where the files of published networks lie on this machine: finding, fetching and checking them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vultus.core.errors import InputError, MissingPartError
from vultus.core.files import existing_file, existing_path
from vultus.perception.published.download import Progress, copy, download, sha256_of
from vultus.perception.published.table import PublishedFile, PublishedNetwork, published_network

STORE_VARIABLE = "VULTUS_WEIGHTS"
"""Environment variable that names the folder of the store."""

State = Literal["absent", "whole", "changed"]


@dataclass(frozen=True)
class StoredFile:
    """A file of the table, and how it stands with it on this machine."""

    file: PublishedFile
    path: Path
    """Where it lies, or would lie."""
    state: State
    """`whole`: the published file, or the one first fetched where its authors tell no hash; `changed`: another."""


def store_folder() -> Path:
    """$VULTUS_WEIGHTS, else `vultus/weights` in the user's cache folder."""
    if given := os.environ.get(STORE_VARIABLE):
        return Path(given)
    if sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "vultus" / "weights"


def weights_path(name: str, file: str | None = None) -> Path:
    """A file of a fetched network: the one of that name, or the first of the table (the weights).

    Raises MissingPartError, which names the command that fetches it, if it is not there.
    """
    network = published_network(name)
    path = store_folder() / name / (file or network.files[0].name)
    if not path.is_file():
        raise MissingPartError(f"the weights of {name} are not on this machine", path, _how_to_fetch(network))
    return path


def weights_folder(name: str) -> Path:
    """The folder of a fetched network with all its files. Raises MissingPartError."""
    paths = [weights_path(name, file.name) for file in published_network(name).files]
    return paths[0].parent


def is_fetched(name: str) -> bool:
    """Whether all files of a network are in the store; says nothing of what is in them."""
    return all((store_folder() / name / file.name).is_file() for file in published_network(name).files)


def fetch(name: str, source: str | Path | None = None, on_progress: Progress | None = None) -> Path:
    """Bring a network's files into its folder, which is returned: downloaded, or copied from `source`.

    `source` is a file, or a folder that holds the files by their names. Files that are there and whole are left alone;
    a changed one is replaced. Raises MissingPartError where a file cannot be had, InputError where one is not what was
    published.
    """
    network = published_network(name)
    folder = store_folder() / name
    _make(folder)
    given = {} if source is None else _given_files(network, Path(source))
    for file in network.files:
        target = folder / file.name
        if file.name in given:
            copy(file, given[file.name], target)
        elif source is None and _state(file, target) != "whole":
            if not file.address:
                raise MissingPartError(f"{file.name} cannot be downloaded", name, _how_to_fetch(network))
            download(file, target, on_progress)
        else:
            continue
        _remember(file, target)
    return folder


def verify(name: str) -> Iterator[StoredFile]:
    """How it stands with each file of a network; reads them whole."""
    for file in published_network(name).files:
        path = store_folder() / name / file.name
        yield StoredFile(file, path, _state(file, path))


def _state(file: PublishedFile, path: Path) -> State:
    if not path.is_file():
        return "absent"
    expected = file.sha256
    if not expected and _memory(path).is_file():
        expected = _memory(path).read_text("ascii").strip()
    return "whole" if sha256_of(path).startswith(expected) else "changed"


def _memory(path: Path) -> Path:
    """Beside a file whose authors tell no hash: the hash of what was fetched first."""
    return path.with_name(f"{path.name}.sha256")


def _remember(file: PublishedFile, path: Path) -> None:
    if not file.sha256:
        partial = path.with_name(f"{path.name}.part.sha256")
        partial.write_text(sha256_of(path) + "\n", "ascii")
        partial.replace(_memory(path))


def _given_files(network: PublishedNetwork, source: Path) -> dict[str, Path]:
    """The user's copies of a network's files, by name. Raises InputError."""
    if existing_path(source).is_dir():
        return {file.name: existing_file(source / file.name) for file in network.files}
    source = existing_file(source)
    names = [file.name for file in network.files]
    if len(names) == 1:
        return {names[0]: source}
    if source.name not in names:
        raise InputError("this is none of the network's files", source, f"they are called {', '.join(names)}")
    return {source.name: source}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"there can be no folder for weights here ({error.strerror})"
        raise InputError(what, folder, f"name another in {STORE_VARIABLE}") from error


def _how_to_fetch(network: PublishedNetwork) -> str:
    command = f"vultus weights fetch {network.name}"
    if all(file.address for file in network.files):
        return f"run: {command}"
    return f"download it from {network.page}, then run: {command} --from FILE"
