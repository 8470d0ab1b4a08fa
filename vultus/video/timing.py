"""When each picture of a file is shown: read from its packets, without decoding them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np

from vultus.core.errors import InputError
from vultus.video.read import MAX_VIDEO_S, open_container

MAX_LAST_S = 30.0
"""A last picture said to stay longer is taken for a fault of the file."""

USUAL_RATES = (
    *(Fraction(rate) for rate in (24, 25, 30, 50, 60)),
    *(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120)),
    *(Fraction(rate) for rate in (12, 15, 48, 100, 120, 240)),
)
"""Rates tried where the file's own statement does not fit its times."""

_PACKETS_ARE_NO_PICTURES = frozenset({"vp8", "mpeg4", "msmpeg4v3", "vc1", "wmv3", "rv30", "rv40", "svq3", "h263"})
"""Codecs whose packets may hold no picture to show, or two: these files are decoded to be counted."""


@dataclass(frozen=True)
class Timing:
    """The presentation times of all pictures of a file, in seconds from the container's time zero."""

    ticks: tuple[int, ...]
    """Rising time stamps as the decoder will give them, in units of `time_base`; equal ones are possible."""
    time_base: Fraction
    """Seconds a tick."""
    times_s: np.ndarray
    """(T,) float64, rising."""
    rate: Fraction | None
    """Pictures per second where they come regularly, within the rounding of the time base; exact."""
    fps: float
    """The rate, or where there is none the usual distance of pictures as one."""
    end_s: float
    """When the last picture ceases."""

    def __len__(self) -> int:
        return len(self.ticks)

    @property
    def is_plain(self) -> bool:
        """Regular from time zero on: picture i is shown from i / rate to (i + 1) / rate."""
        return self.rate is not None and self.times_s[0] == 0 and abs(self.end_s * self.fps - len(self)) < 1e-6


def timing_of(path: Path) -> Timing:
    """The times of a video file's pictures. Raises InputError where there are none, or over more than `MAX_VIDEO_S`."""
    with open_container(path) as container:
        stream = container.streams.video[0]
        base, zero = cast(Fraction, stream.time_base), Fraction(container.start_time or 0, av.time_base)
        rates = [rate for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate) if rate]
        counted = stream.codec_context.name not in _PACKETS_ARE_NO_PICTURES
        stamps = _packet_stamps(container, stream) if counted else None
    if stamps is None:
        with open_container(path) as container:
            stamps = _decoded_stamps(container, rates[0] if rates else Fraction(25))
    if not stamps:
        raise InputError("the video holds no frame", path)
    stamps.sort()
    ticks = np.array([stamp for stamp, _ in stamps], np.float64)
    times_s = _rising((ticks - float(zero / base)) * float(base), float(base))
    if times_s[-1] > MAX_VIDEO_S:
        fix = f"cut it to {MAX_VIDEO_S / 3600:g} hours at the most"
        raise InputError(f"the video's times run up to {times_s[-1] / 3600:.1f} hours", path, fix)
    return _described(stamps, base, times_s, rates)


def _described(stamps: list[tuple[int, int]], base: Fraction, times_s: np.ndarray, rates: list[Fraction]) -> Timing:
    rate = _regular_rate(times_s, float(base), rates)
    fps = float(rate) if rate else _usual_rate(times_s, rates)
    if rate is not None:
        first_s = 0.0 if times_s[0] <= _slack_s(float(base), fps) else times_s[0]
        times_s = first_s + np.arange(len(stamps)) / float(rate)
    lasting_s = float(stamps[-1][1] * base)
    if not 0 < lasting_s < MAX_LAST_S or (rate is not None and abs(lasting_s - 1 / fps) < 0.5 / fps):
        lasting_s = 1 / fps  # files are careless about their very end
    return Timing(tuple(stamp for stamp, _ in stamps), base, times_s, rate, fps, float(times_s[-1] + lasting_s))


def decoded(container: av.container.InputContainer) -> Iterator[av.VideoFrame]:
    """All pictures of the first track that can be decoded, in order of presentation; packets that cannot are passed."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # a torn end: the file goes on as far as it can be read
            packet = None
        if packet is None:
            break
        if packet.size == 0:
            continue
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue
    with suppress(av.FFmpegError):
        yield from stream.decode(None)


def _packet_stamps(container: av.container.InputContainer, stream: av.VideoStream) -> list[tuple[int, int]] | None:
    """(time stamp, duration) of every packet that shows a picture; None where some have no time."""
    stamps: list[tuple[int, int]] = []
    with suppress(av.FFmpegError):  # a torn end: the file goes on as far as it can be read
        for packet in container.demux(stream):
            if packet.size == 0 or packet.is_discard:  # outside an edit list: decoded, never shown
                continue
            if packet.pts is None:
                return None
            stamps.append((packet.pts, packet.duration or 0))
    return stamps


def _decoded_stamps(container: av.container.InputContainer, rate: Fraction) -> list[tuple[int, int]]:
    stamps: list[tuple[int, int]] = []
    step = max(1, round(1 / (rate * cast(Fraction, container.streams.video[0].time_base))))
    for frame in decoded(container):
        following = stamps[-1][0] + step if stamps else 0
        stamps.append((following if frame.pts is None else frame.pts, frame.duration or step))
    return stamps


def _slack_s(tick_s: float, fps: float) -> float:
    """How far rounding to the time base can shift pictures against each other; no rounding to whole frames."""
    return min(1.01 * tick_s, 0.25 / fps) + 1e-9


def _rising(times_s: np.ndarray, tick_s: float) -> np.ndarray:
    """Times that begin no earlier than 0 and differ by a tick at least."""
    floor_s = np.arange(len(times_s)) * tick_s
    return np.maximum.accumulate(np.maximum(times_s, 0) - floor_s) + floor_s


def _regular_rate(times_s: np.ndarray, tick_s: float, stated: list[Fraction]) -> Fraction | None:
    """The rate at which all times lie within a tick of a regular grid, None if there is none."""
    if len(times_s) == 1:
        return stated[0] if stated else USUAL_RATES[1]
    fitted = Fraction((len(times_s) - 1) / (times_s[-1] - times_s[0]))
    count = np.arange(len(times_s))
    # Containers with coarse times state what they measured (19001/317): the usual rate that was meant comes first.
    meant = [usual for rate in stated for usual in USUAL_RATES if abs(usual / rate - 1) < 1e-4]
    for rate in [*meant, *stated, *USUAL_RATES, fitted.limit_denominator(1001)]:
        if rate <= 0:
            continue
        off_s = times_s - count / float(rate)
        if off_s.max() - off_s.min() <= _slack_s(tick_s, float(rate)):
            return rate
    return None


def _usual_rate(times_s: np.ndarray, stated: list[Fraction]) -> float:
    """A rate for pictures that come irregularly: their median distance, as a usual or stated rate if it is near one."""
    fps = float(1 / np.median(np.diff(times_s)))
    for rate in (*stated, *USUAL_RATES):
        if abs(math.log(fps / float(rate))) < 0.02:
            return float(rate)
    return fps


def exact_rate(fps: float) -> Fraction:
    """The rate that `fps` was before it became a float: 30000/1001, not 29.97003."""
    for most in (1001, 100_000):
        rate = Fraction(fps).limit_denominator(most)
        if abs(float(rate) - fps) <= 1e-9 * fps:
            return rate
    return Fraction(fps).limit_denominator(1001)
