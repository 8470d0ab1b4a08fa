"""A video that will be given back almost as it came: every picture once, at its time, with all that must be kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from vultus.core.errors import InputError
from vultus.core.types import Frames
from vultus.video.ahead import ahead
from vultus.video.colour import HLG, Colour, ToRgb, colour_of
from vultus.video.read import Video, open_container, open_video
from vultus.video.timing import Timing, decoded, timing_of

MAX_LOST_S = 2.0
"""Pictures that cannot be decoded show the one before, or at the start the one after, for so long at the most."""

_KEPT_TAGS = (
    "title", "artist", "album", "album_artist", "composer", "date", "genre", "copyright", "description", "synopsis",
    "comment", "show", "episode_id", "season_number", "episode_sort", "network", "keywords", "creation_time",
)  # fmt: skip


@dataclass(frozen=True)
class Chapter:
    """A named part of a video."""

    start_s: float
    end_s: float
    title: str


@dataclass(frozen=True)
class Original:
    """A video to be re-made at its own size, timing and colours; `open_original` makes it."""

    video: Video
    timing: Timing
    colour: Colour
    stored_height_px: int
    """Before rotation: it decides what an unstated matrix is taken for."""
    notes: tuple[str, ...] = ()
    """What cannot be kept, one line each."""
    tags: dict[str, str] = field(default_factory=dict)
    """What the container says of itself, of what MP4 and WebM have a place for: title, creation_time, ..."""
    language: str | None = None
    """Of the picture track, as its file names it."""
    chapters: tuple[Chapter, ...] = ()

    @property
    def path(self) -> Path:
        return self.video.path

    def frames(self) -> Frames:
        """Every picture exactly once, in order of presentation, upright, as RGB by the video's own matrix and range.

        `times_s` is None where the pictures come at `fps` from time zero on; the count is exact. A picture that cannot
        be decoded shows the one before. They are decoded in a thread of its own; memory does not grow with length. The
        stream raises InputError where more than `MAX_LOST_S` in a row cannot be decoded.
        """
        video, timing = self.video, self.timing
        irregular = not timing.is_plain
        return Frames(
            ahead(_pictures(self)),
            timing.fps,
            video.width,
            video.height,
            len(timing),
            times_s=timing.times_s if irregular else None,
            end_s=timing.end_s if irregular else None,
        )


def open_original(path: str | Path) -> Original:
    """Look into a video and read all its times. Raises InputError for what is no video, is HDR or is interlaced."""
    video = open_video(path)
    with open_container(video.path) as container:
        first = next(decoded(container), None)
        stream = container.streams.video[0]
        if first is None:
            raise InputError("the video holds no frame", video.path)
        colour = colour_of(first)
        if colour.is_hdr:
            kind = "HLG" if colour.transfer == HLG else "PQ"
            fault = f"the video is HDR ({kind}), which cannot be given back faithfully"
            raise InputError(fault, video.path, "convert it to SDR first")
        if first.interlaced_frame:
            raise InputError("the video is interlaced", video.path, "deinterlace it first (ffmpeg: -vf bwdif)")
        tags = {key.lower(): value for key, value in container.metadata.items()}
        kept = {key: tags[key] for key in _KEPT_TAGS if tags.get(key)}
        language = stream.metadata.get("language")
        chapters = tuple(_chapters(container))
        notes = tuple(_notes(video, container, first))
    timing = timing_of(video.path)
    return Original(video, timing, colour, first.height, notes, kept, language, chapters)


def _notes(video: Video, container: av.container.InputContainer, first: av.VideoFrame) -> Iterator[str]:
    form, stream = first.format, container.streams.video[0]
    bits = max(component.bits for component in form.components)
    if bits > 8:
        yield f"{bits}-bit pictures are written with 8 bits"
    even = video.width % 2 == video.height % 2 == 0
    if even and not form.chroma_width(16) == form.chroma_height(16) == 8:
        yield "colour at full resolution is written at half (4:2:0)"
    if any(component.is_alpha for component in form.components):
        yield "transparency is not kept"
    if (stream.sample_aspect_ratio or Fraction(1)) != 1:
        yield f"oblong pixels are written as {video.width} x {video.height} square ones"
    if video.rotation_deg:
        yield "pictures are written upright, without a rotation mark"
    for kind, count in (
        ("further picture tracks", len(container.streams.video) - 1),
        ("subtitles", len(container.streams.subtitles)),
    ):
        if count:
            yield f"{kind} are left out ({count})"


def _chapters(container: av.container.InputContainer) -> Iterator[Chapter]:
    zero_s = (container.start_time or 0) / av.time_base
    for chapter in container.chapters():
        unit_s = float(chapter["time_base"] or 0)
        start_s, end_s = chapter["start"] * unit_s - zero_s, chapter["end"] * unit_s - zero_s
        if end_s > max(start_s, 0):
            yield Chapter(max(start_s, 0.0), end_s, chapter["metadata"].get("title", ""))


def _pictures(original: Original) -> Iterator[np.ndarray]:
    """Each of the timing's pictures once: decoded ones find their place by their time stamp."""
    ticks, most = original.timing.ticks, round(MAX_LOST_S * original.timing.fps) + 1
    upright = _Upright(original)
    done = 0
    pixels: np.ndarray | None = None
    with open_container(original.path) as container:
        for frame in decoded(container):
            if done == len(ticks):
                break
            if frame.pts is not None and frame.pts < ticks[done]:
                continue  # was never announced by a packet of its own
            first = done
            while frame.pts is not None and done < len(ticks) - 1 and ticks[done] < frame.pts:
                done += 1
            lost = done - first
            _check_loss(lost, most, original, first)
            following = upright(frame)
            for _ in range(lost):
                yield following if pixels is None else pixels
            pixels = following
            yield pixels
            done += 1
    _check_loss(len(ticks) - done if pixels is not None else most + 1, most, original, done)
    for _ in range(len(ticks) - done):
        assert pixels is not None
        yield pixels


def _check_loss(lost: int, most: int, original: Original, index: int) -> None:
    if lost > most:
        at_s = original.timing.times_s[min(index, len(original.timing) - 1)]
        fix = "re-encode it or cut it before that"
        raise InputError(f"the video is damaged {at_s:.1f} seconds in", original.path, fix)


class _Upright:
    """Decoded frames as upright RGB of the video's size."""

    def __init__(self, original: Original) -> None:
        video = original.video
        self._turns = video.rotation_deg // 90
        width, height = (video.height, video.width) if self._turns % 2 else (video.width, video.height)
        self._to_rgb = ToRgb(original.colour, original.stored_height_px, width, height)

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        pixels = self._to_rgb(frame)
        return np.ascontiguousarray(np.rot90(pixels, self._turns)) if self._turns else pixels
