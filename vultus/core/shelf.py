"""Long series of numbers that lie in temporary files, so that the length of a video costs no memory."""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

import numpy as np

from vultus.core.errors import InputError

LARGE_BYTES = 2 << 20
"""Series from this size on lie in a file."""
PIECE = 500
"""Rows that are looked at together."""


def zeros(shape: tuple[int, ...], dtype: type | str = np.float32) -> np.ndarray:
    """Zeros, to be written; large ones are mapped from a file without a name, which goes when they do.

    Raises InputError if there is no room for it.
    """
    size = np.dtype(dtype).itemsize * int(np.prod(shape))
    if size < LARGE_BYTES:
        return np.zeros(shape, dtype)
    with _room(), tempfile.TemporaryFile(prefix="vultus-") as file:
        os.posix_fallocate(file.fileno(), 0, size)  # a full disk must be noticed now: writing to a map would kill us
        return np.memmap(file, dtype, "w+", shape=shape)


def pieces(count: int, *series: np.ndarray, size: int = PIECE) -> Iterator[slice]:
    """The slices of `size` rows that `count` rows consist of; of the series no more than that stays in memory."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
        put_away(*series)


def taken(series: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Rows (N, ...) of a series by their numbers (N,)."""
    found = zeros((len(index), *series.shape[1:]), series.dtype.str)
    for part in pieces(len(index), series, found):
        found[part] = series[index[part]]
    return found


def put_away(*series: np.ndarray) -> None:
    """Give back the memory that rows of large series were read into or wait in to be written; nothing is lost."""
    for one in series:
        memory = getattr(one, "_mmap", None)
        if memory is not None and hasattr(mmap, "MADV_DONTNEED"):
            memory.madvise(mmap.MADV_DONTNEED)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        fix = "make some, or name another folder in TMPDIR"
        raise InputError("there is no room for temporary files", tempfile.gettempdir(), fix) from error


def _drop(file: BinaryIO) -> None:
    """Close a file that nobody wants any more, nor what could not be written into it."""
    with suppress(OSError):
        file.close()


class Rows:
    """Rows of one shape, added one by one; what is more than `LARGE_BYTES` lies in a file."""

    def __init__(self, dtype: type | str = np.float32) -> None:
        self._dtype = np.dtype(dtype)
        self._shape: tuple[int, ...] = ()
        self._count = 0
        file = tempfile.SpooledTemporaryFile(LARGE_BYTES, prefix="vultus-")  # noqa: SIM115 - lives as long as this
        self._file = cast(BinaryIO, file)
        weakref.finalize(self, _drop, self._file)

    def __len__(self) -> int:
        return self._count

    def append(self, row: np.ndarray) -> int:
        """Add a row (...), of the same shape as all, and tell its number. Raises InputError if there is no room."""
        row = np.ascontiguousarray(row, self._dtype)
        if self._count and row.shape != self._shape:
            raise ValueError(f"a row of shape {row.shape} among rows of shape {self._shape}")
        self._shape = row.shape
        with _room():
            self._file.seek(0, 2)
            self._file.write(row.tobytes())
        self._count += 1
        return self._count - 1

    def read(self, first: int, count: int) -> np.ndarray:
        """Rows (count, ...) from number `first` on, of which there must be so many."""
        if not 0 <= first <= first + count <= self._count:
            raise IndexError(f"rows {first} to {first + count} of {self._count}")
        size = self._dtype.itemsize * int(np.prod(self._shape, dtype=int))
        self._file.seek(first * size)
        return np.frombuffer(self._file.read(count * size), self._dtype).reshape(count, *self._shape)

    def spread(self, where: np.ndarray) -> np.ndarray:
        """(T, ...) with the rows in turn where `where` (T,) bool is true, as often as there are rows; else 0."""
        whole, before = zeros((len(where), *self._shape), self._dtype.str), 0
        for part in pieces(len(where), whole):
            here = where[part]
            count = int(here.sum())
            whole[part][here] = self.read(before, count)
            before += count
        return whole
