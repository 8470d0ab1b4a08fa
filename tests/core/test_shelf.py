"""Long series in files: they read back as they were written, and the memory they took is given back."""

from __future__ import annotations

import resource

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.core.errors import InputError
from vultus.core.shelf import LARGE_BYTES, Rows, pieces, put_away, taken, zeros


def resident_bytes() -> int:
    """Memory that this process holds now."""
    with open("/proc/self/statm") as statistics:
        return int(statistics.read().split()[1]) * resource.getpagesize()


def test_small_series_lie_in_memory_and_large_ones_in_a_file():
    assert not isinstance(zeros((10, 3)), np.memmap)
    large = zeros((LARGE_BYTES // 8 + 1, 2))
    assert isinstance(large, np.memmap) and large.dtype == np.float32 and not large.any()


def test_what_was_written_is_there_after_it_was_put_away():
    series = zeros((3000, 300))
    for part in pieces(len(series), series):
        series[part] = np.arange(part.start, part.stop)[:, None]
    put_away(series)
    np.testing.assert_array_equal(series[:, 7], np.arange(3000))


def test_a_long_series_costs_no_memory():
    before = resident_bytes()
    series, once_more = zeros((60_000, 500)), zeros((60_000, 500))
    for part in pieces(len(series), series, once_more):
        series[part] = 1
        once_more[part] = series[part] + 1
    assert series.nbytes + once_more.nbytes > 200e6
    assert resident_bytes() - before < 40e6
    assert once_more[59_999, 3] == 2


@given(st.integers(0, 40), st.integers(1, 15))
def test_pieces_are_all_rows_once_and_in_order(count, size):
    rows = [row for part in pieces(count, size=size) for row in range(count)[part]]
    assert rows == list(range(count))


@pytest.mark.parametrize("width", [3, LARGE_BYTES // 40])
def test_rows_come_back_from_memory_and_from_a_file(width):
    rows = Rows(np.int16)
    for k in range(30):
        assert rows.append(np.full((width, 2), k)) == k
    np.testing.assert_array_equal(rows.read(11, 1)[0], np.full((width, 2), 11))
    rows.append(np.full((width, 2), 30))  # reading does not disturb writing
    assert rows.read(29, 2)[:, 0, 0].tolist() == [29, 30]
    where = np.zeros(60, bool)
    where[5:36] = True
    whole = rows.spread(where)
    assert whole.shape == (60, width, 2) and whole[5:36, 1, 1].tolist() == list(range(31))
    assert not whole[:5].any() and not whole[36:].any()


def test_rows_of_another_shape_and_rows_that_are_not_there_are_refused():
    rows = Rows()
    rows.append(np.zeros(3))
    with pytest.raises(ValueError, match="shape"):
        rows.append(np.zeros(4))
    with pytest.raises(IndexError):
        rows.read(0, 2)


def test_numbered_rows_of_a_series_are_taken_in_any_order():
    series = np.arange(40.0, dtype=np.float32).reshape(20, 2)
    index = np.array([3, 3, 19, 0])
    np.testing.assert_array_equal(taken(series, index), series[index])


def test_a_full_disk_is_told_in_one_sentence(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(InputError, match="no room for temporary files"):
        zeros((LARGE_BYTES,))
