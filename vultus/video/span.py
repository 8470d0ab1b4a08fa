"""Which picture of a video is shown when, under a voice that is shorter or longer than the video."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

import numpy as np

from vultus.core.types import Frames

Extend = Literal["hold", "bounce"]
"""What follows the last picture under a longer voice: that picture, or the last seconds backwards and forwards."""
DEFAULT_EXTEND: Extend = "bounce"
"""A face that is held does not blink, and its head stands still while the mouth goes on."""

BOUNCE_S = 3.0
"""So much of a video's end goes backwards and forwards."""
MEMORY_BYTES = 256_000_000
"""Pictures that are shown again are kept in memory up to here, then in a temporary file."""

_ROUNDING = 1e-6
"""Of a frame: a voice that is longer by less is not longer (as `motion.lips.frame_count` has it)."""


@dataclass(frozen=True)
class Span:
    """N pictures to show: which of a video's, and when."""

    index: np.ndarray
    """(N,) int: the video's picture that each one is."""
    times_s: np.ndarray
    """(N,) float64, rising: when each is shown."""
    end_s: float
    """When the last one ceases."""
    fps: float
    regular: bool
    """Picture i is shown from i / fps on, and the last as long as all others."""
    spoken: int
    """Pictures, from the first on, during which the voice lasts; under the others the mouth stays shut."""

    def __len__(self) -> int:
        return len(self.index)


def span_of(
    frames: Frames, voice_s: float, *, pad: bool = False, extend: Extend = DEFAULT_EXTEND, since: int = 0
) -> Span:
    """Fit a video (its counted frames, of which none is read) to a voice of `voice_s` seconds.

    Pictures shown before the voice ends are shown, so that its last moment is seen; with `pad` all the rest too. Under
    a longer voice pictures follow at `fps` until it ends, as `extend` says; those before picture `since` (where the
    last shot begins) are not shown again.
    """
    count = frames.count
    if count is None or count < 1 or not voice_s > 0 or not 0 <= since < count:
        raise ValueError(f"{count} frames from {since} on cannot be spanned by {voice_s} s")
    fps, regular = frames.fps, frames.times_s is None
    times_s = np.arange(count) / fps if frames.times_s is None else frames.times_s
    end_s = frames.end_s or (count / fps if regular else float(times_s[-1]) + 1 / fps)
    lacking = math.ceil((voice_s - end_s) * fps - _ROUNDING)
    if lacking > 0:
        again = _bounce(times_s, fps, lacking, since) if extend == "bounce" else np.full(lacking, count - 1)
        index = np.concatenate([np.arange(count), again])
        later_s = (np.arange(count, count + lacking) / fps) if regular else end_s + np.arange(lacking) / fps
        last_s = len(index) / fps if regular else end_s + lacking / fps
        return Span(index, np.concatenate([times_s, later_s]), last_s, fps, regular, len(index))
    spoken = max(1, int(np.searchsorted(times_s, voice_s - _ROUNDING / fps)))
    shown = count if pad else spoken
    if shown < count:
        whole_s = float(times_s[shown - 1]) + 1 / fps
        end_s = shown / fps if regular else min(float(times_s[shown]), max(voice_s, whole_s))
    return Span(np.arange(shown), times_s[:shown], end_s, fps, regular, spoken)


def _bounce(times_s: np.ndarray, fps: float, count: int, since: int) -> np.ndarray:
    """`count` pictures after the last: backwards through the last `BOUNCE_S`, forwards, backwards, ... at its speed."""
    first = max(since, int(np.searchsorted(times_s, times_s[-1] - BOUNCE_S - _ROUNDING)))
    length_s = float(times_s[-1] - times_s[first])
    if length_s <= 0:
        return np.full(count, len(times_s) - 1)
    way_s = (np.arange(count) + 1) / fps % (2 * length_s)
    source_s = times_s[-1] - np.minimum(way_s, 2 * length_s - way_s)
    return np.maximum(np.searchsorted(times_s, source_s + 0.25 / fps, side="right") - 1, first)


def reordered(open_frames: Callable[[], Frames], span: Span) -> Frames:
    """The pictures of a video as `span` has them, from one reading of it.

    Pictures that are shown again later wait in memory, or beyond `MEMORY_BYTES` in a temporary file. Raises ValueError
    while being read if the video has fewer pictures than the span.
    """
    frames = open_frames()
    return Frames(
        _played(frames, span.index),
        span.fps,
        frames.width,
        frames.height,
        len(span),
        frames.alpha,
        None if span.regular else span.times_s,
        None if span.regular else span.end_s,
    )


def _played(frames: Frames, index: np.ndarray) -> Iterator[np.ndarray]:
    last_use = {int(source): position for position, source in enumerate(index)}
    final, at = int(index.max()), -1
    images, image = iter(frames), None
    with _Waiting() as waiting:
        for position, source in enumerate(index.tolist()):
            while at < source:
                image = next(images, None)
                at += 1
                if image is None:
                    raise ValueError(f"picture {source} of {at} is asked for")
                if at != final and last_use.get(at, -1) > (position if at == source else position - 1):
                    waiting.put(at, image)
            yield cast(np.ndarray, image) if source == at else waiting.get(source)
            if last_use[source] == position:
                waiting.forget(source)


class _Waiting:
    """Pictures of one size to be shown again, by number."""

    def __init__(self) -> None:
        self._held: dict[int, np.ndarray] = {}
        self._places: dict[int, int] = {}
        self._file: BinaryIO | None = None
        self._shape: tuple[int, ...] = ()
        self._open = ExitStack()

    def __enter__(self) -> _Waiting:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def put(self, number: int, image: np.ndarray) -> None:
        self._shape = image.shape
        if (len(self._held) + 1) * image.nbytes <= MEMORY_BYTES:
            self._held[number] = image.copy()  # the video may use its buffer again
            return
        if self._file is None:
            file = tempfile.TemporaryFile(prefix="vultus-")  # noqa: SIM115 - closed with the rest
            self._file = cast(BinaryIO, self._open.enter_context(file))
        self._places[number] = self._file.seek(0, 2)
        self._file.write(np.ascontiguousarray(image).data)

    def get(self, number: int) -> np.ndarray:
        if number in self._held:
            return self._held[number]
        assert self._file is not None
        self._file.seek(self._places[number])
        size = math.prod(self._shape)
        return np.frombuffer(bytearray(self._file.read(size)), np.uint8).reshape(self._shape)

    def forget(self, number: int) -> None:
        self._held.pop(number, None)
        self._places.pop(number, None)
