"""`vultus weights`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from vultus.cli.exits import INTERRUPTED, NOT_VERIFIED
from vultus.cli.options import optional
from vultus.cli.progress import progress_bar
from vultus.core.errors import InputError

if TYPE_CHECKING:
    from vultus.perception.published.table import PublishedNetwork

MB = 1_000_000


def weights(
    action: tyro.conf.Positional[Literal["list", "fetch", "verify"]],
    name: tyro.conf.Positional[Annotated[str | None, optional("NAME", "all, for list and verify")]] = None,
    /,
    source: Annotated[Path | None, tyro.conf.arg(name="from"), optional("PATH", "downloaded")] = None,
) -> int:
    """Fetch networks that others published, which some measures and methods need; `list` shows them.

    They are kept in $VULTUS_WEIGHTS, else in vultus/weights in your cache folder. `verify` exits with 1 if a file that
    is there is not the published one.

    Args:
        action: What to do.
        name: Which network.
        source: With fetch: a copy of the file, or a folder with the files, that you have already.
    """
    if source is not None and action != "fetch":
        raise InputError("only fetch takes a copy", "--from", "leave it out")
    if action == "list":
        return _list(name)
    if action == "verify":
        return _verify(name)
    if name is None:
        raise InputError("no network is named", "weights fetch", "give one; `vultus weights list` shows them")
    return _fetch(name, source)


def _list(name: str | None) -> int:
    from vultus.perception.published.store import is_fetched

    for network in _chosen(name):
        sizes = [file.size_bytes for file in network.files if file.size_bytes is not None]
        size = f"{sum(sizes) / MB:.1f} MB" if sizes else "?"
        print(f"{network.name:<20} {'here' if is_fetched(network.name) else '-':<5} {size:>9}  {network.purpose}")
        print(f"{'':<36}  {network.licence}; {network.page}")
    return 0


def _fetch(name: str, source: Path | None) -> int:
    from vultus.perception.published import store

    with progress_bar(name, "MB") as show:
        try:
            folder = store.fetch(name, source, lambda done, total: show(done // MB, total and total // MB))
        except KeyboardInterrupt:
            print("vultus: stopped; the same command goes on from here.", file=sys.stderr)
            return INTERRUPTED
    print(folder)
    return 0


def _verify(name: str | None) -> int:
    from vultus.perception.published import store

    sentences = {"absent": "not here", "whole": "whole", "changed": "NOT the published file"}
    right = True
    for network in _chosen(name):
        for stored in store.verify(network.name):
            right &= stored.state != "changed"
            known = "" if stored.file.sha256 or stored.state != "whole" else " (its authors publish no hash)"
            print(f"{network.name:<20} {stored.file.name:<38} {sentences[stored.state]}{known}")
    return 0 if right else NOT_VERIFIED


def _chosen(name: str | None) -> list[PublishedNetwork]:
    from vultus.perception.published.table import TABLE, published_network

    return list(TABLE.values()) if name is None else [published_network(name)]
