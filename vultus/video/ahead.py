"""Decoding in a thread of its own, while another one works on the pictures that are there already."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

AHEAD = 4
"""Pictures that may wait: enough to even out the bursts of a decoder."""
_END = object()


def ahead(items: Iterable[Item], most: int = AHEAD) -> Iterator[Item]:
    """The items in their order, up to `most` of them made before they are asked for.

    What making them raises is raised where the item would have come. Whoever stops early stops the making too.
    """
    source = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="vultus-ahead") as worker:
        waiting = deque(worker.submit(next, source, _END) for _ in range(most))
        try:
            while (item := waiting.popleft().result()) is not _END:
                waiting.append(worker.submit(next, source, _END))
                yield item  # type: ignore[misc]
        finally:
            for future in waiting:
                future.cancel()
            close = getattr(source, "close", None)
            if close is not None:
                worker.submit(close).result()
