"""Decoding in a thread of its own, while another one works on the pictures that are there already."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

AHEAD = 4
"""Pictures that may wait: enough to even out the bursts of a decoder."""
_CHECK_S = 0.1


def ahead(items: Iterable[Item], most: int = AHEAD) -> Iterator[Item]:
    """The items in their order, up to `most` of them made before they are asked for.

    What making them raises is raised where the item would have come. Whoever stops early stops the thread too.
    """
    waiting: queue.Queue[tuple[Item | None, BaseException | None, bool]] = queue.Queue(most)
    stopped = threading.Event()

    def put(entry: tuple[Item | None, BaseException | None, bool]) -> None:
        while not stopped.is_set():
            try:
                waiting.put(entry, timeout=_CHECK_S)
                return
            except queue.Full:
                continue

    def make() -> None:
        source = iter(items)
        try:
            for item in source:
                put((item, None, False))
                if stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again in the other thread
            put((None, error, True))
        else:
            put((None, None, True))
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()

    thread = threading.Thread(target=make, name="vultus-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error, last = waiting.get()
            if error is not None:
                raise error
            if last:
                return
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()
