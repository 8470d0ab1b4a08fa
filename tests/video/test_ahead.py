"""Pictures made ahead of need: order, errors, and no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.video.ahead import ahead


def running() -> int:
    return sum(thread.name.startswith("vultus-ahead") for thread in threading.enumerate())


@given(st.lists(st.integers()), st.integers(1, 5))
def test_everything_comes_in_its_order(items, most):
    assert list(ahead(items, most)) == items and running() == 0


def test_an_error_comes_where_the_item_would_have():
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise KeyError("third")

    got = ahead(broken())
    assert [next(got), next(got)] == [1, 2]
    with pytest.raises(KeyError, match="third"):
        next(got)
    assert running() == 0


def test_who_stops_early_closes_the_source():
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    got = ahead(endless())
    assert next(got) == 0
    got.close()
    assert closed.is_set() and running() == 0


def test_no_more_are_made_than_may_wait():
    made = []

    def counted() -> Iterator[int]:
        for k in range(100):
            made.append(k)
            yield k

    got = ahead(counted(), most=3)
    next(got)
    threading.Event().wait(0.3)
    assert len(made) <= 6
    got.close()
