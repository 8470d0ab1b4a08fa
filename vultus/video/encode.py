"""Three ways to put frames down: H.264 in MP4, VP9 in WebM, a folder of PNG files. Each takes one frame at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, cast

import av
import numpy as np
from PIL import Image, PngImagePlugin

from vultus.core.types import Frames
from vultus.video.colour import Colour, FromRgb
from vultus.video.original import Original
from vultus.video.provenance import SYNTHETIC_TAG, TAG_KEY
from vultus.video.sound import Sound, write_wav
from vultus.video.timing import exact_rate

PNG_COMPRESSION = 1
"""zlib level: higher ones cost several times the time for a tenth of the size."""


class Encoder(Protocol):
    """Takes the frames of one video in order; `finish` completes the file, `abandon` lets go of it."""

    def add(self, image: np.ndarray) -> None: ...

    def finish(self) -> None: ...

    def abandon(self) -> None: ...


@dataclass(frozen=True)
class Codec:
    """How a container is filled."""

    video: str
    audio: str
    audio_bits_per_s: int
    video_options: dict[str, str]
    container_options: dict[str, str] = field(default_factory=dict)
    faithful_options: dict[str, str] = field(default_factory=dict)
    """Instead of `video_options` for a video whose pictures must come out as they went in."""
    faithful_large_options: dict[str, str] = field(default_factory=dict)
    """The same from `LARGE_PX` pixels on."""
    even_sides: bool = False
    """4:2:0 colour needs whole pairs: odd sides are padded by repeating the last row or column, and where the size
    has to be kept colour is 4:4:4."""
    sample_rate_hz: int | None = None
    """The only rate that the sound codec takes, None if any."""


CODECS = {
    ".mp4": Codec(
        video="libx264",
        audio="aac",
        audio_bits_per_s=128_000,
        video_options={"preset": "veryfast", "crf": "18"},
        container_options={"movflags": "+faststart"},
        # Without B-frames the last picture's duration is kept too.
        faithful_options={"preset": "superfast", "crf": "14", "bf": "0"},
        faithful_large_options={"preset": "ultrafast", "crf": "14", "bf": "0"},
        even_sides=True,
    ),
    ".webm": Codec(
        video="libvpx-vp9",
        audio="libopus",
        audio_bits_per_s=96_000,
        video_options={"deadline": "realtime", "cpu-used": "6", "row-mt": "1", "crf": "24", "b": "0"},
        faithful_options={"deadline": "realtime", "cpu-used": "7", "row-mt": "1", "crf": "12", "b": "0"},
        faithful_large_options={"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "crf": "12", "b": "0"},
        sample_rate_hz=48_000,
    ),
}

LARGE_PX = 1280 * 960
"""Pixels of a frame from which on speed comes before size of file."""
FAITHFUL_AUDIO_BITS_PER_S = 192_000

_FINEST_BASE, _DEFAULT_BASE, _COARSEST_BASE = Fraction(1, 1_000_000), Fraction(1, 90_000), Fraction(1, 10_000)


class ContainerEncoder:
    """Encodes and muxes pictures and sound, interleaved, with exact timing; `like` an original where one is given."""

    def __init__(self, path: Path, frames: Frames, sound: Sound | None, like: Original | None = None) -> None:
        self._codec = codec = CODECS[path.suffix.lower()]
        self._shape = (frames.height, frames.width, 4 if frames.alpha else 3)
        self._clock = _Clock(frames, like)
        self._pad = codec.even_sides and like is None
        self._count = 0
        self._container = av.open(str(path), "w", container_options=codec.container_options)
        self._container.metadata.update(_tags(like))
        stream = self._container.add_stream(codec.video, rate=self._clock.rate, options=self._options(frames, like))
        self._picture = cast(av.VideoStream, stream)
        self._describe_picture(frames.alpha, like)
        bits_per_s = FAITHFUL_AUDIO_BITS_PER_S if like else codec.audio_bits_per_s
        self._sound = _SoundMuxer(self._container, codec.audio, bits_per_s, sound) if sound is not None else None
        if like is not None and like.chapters:
            self._container.set_chapters(_chapters(like, self._clock.end_s))

    def _options(self, frames: Frames, like: Original | None) -> dict[str, str]:
        if like is None:
            return dict(self._codec.video_options)
        large = frames.width * frames.height >= LARGE_PX
        return dict(self._codec.faithful_large_options if large else self._codec.faithful_options)

    def _describe_picture(self, alpha: bool, like: Original | None) -> None:
        height, width, _ = self._shape
        odd = bool(width % 2 or height % 2)
        pixel_format = "yuv444p" if odd and self._codec.even_sides and not self._pad else "yuv420p"
        stream = self._picture
        stream.width, stream.height = (width + width % 2, height + height % 2) if self._pad else (width, height)
        stream.pix_fmt = "yuva420p" if alpha else pixel_format
        stored_height_px = like.stored_height_px if like else height
        colour = like.colour if like else Colour()
        self._from_rgb = FromRgb(colour, "rgba" if alpha else "rgb24", stream.pix_fmt, stored_height_px)
        context, said = stream.codec_context, colour.written(stored_height_px)
        context.time_base = stream.time_base = self._clock.base
        context.colorspace, context.color_range = said.matrix, said.range
        context.color_primaries, context.color_trc = said.primaries, said.transfer
        if like is not None and like.language:
            stream.metadata["language"] = like.language

    def add(self, image: np.ndarray) -> None:
        if image.shape != self._shape or image.dtype != np.uint8:
            raise ValueError(f"frame {self._count} is {image.shape} {image.dtype}, announced was {self._shape} uint8")
        if self._pad and (image.shape[0] % 2 or image.shape[1] % 2):
            image = np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)), mode="edge")
        picture = self._from_rgb(image)
        picture.pts, picture.time_base = self._clock.span(self._count)[0], self._clock.base
        self._mux(self._picture.encode(picture))
        self._count += 1
        if self._sound is not None:
            self._sound.advance_to(self._clock.end_of(self._count))

    def _mux(self, packets: list[av.Packet]) -> None:
        for packet in packets:
            if packet.pts is not None and packet.time_base == self._clock.base:
                packet.duration = self._clock.lasts(packet.pts)
            self._container.mux(packet)

    def finish(self) -> None:
        self._mux(self._picture.encode())
        if self._sound is not None:
            self._sound.finish(self._clock.end_of(self._count))
        self._container.close()

    def abandon(self) -> None:
        with suppress(av.FFmpegError):  # an unfinished file; it is thrown away
            self._container.close()


class _Clock:
    """When each frame is shown, in whole units of `base` seconds: exact for regular frames and for an original's."""

    def __init__(self, frames: Frames, like: Original | None) -> None:
        self.rate = exact_rate(frames.fps)
        self.base, self._ticks, self._last = 1 / self.rate, None, 1
        self.end_s = frames.end_s or (frames.count and frames.count / frames.fps)
        if frames.times_s is None:
            return
        base = like.timing.time_base if like else _DEFAULT_BASE
        base = base if base >= _FINEST_BASE else _DEFAULT_BASE
        self.base = base / math.ceil(base / _COARSEST_BASE)  # holds the original's times and others that follow
        rising = np.arange(len(frames.times_s))
        ticks = np.round(frames.times_s / float(self.base)).astype(np.int64)
        self._ticks = np.maximum.accumulate(ticks - rising) + rising
        usual = max(1, round(1 / (self.rate * self.base)))
        stated = usual if frames.end_s is None else round(frames.end_s / float(self.base)) - int(self._ticks[-1])
        self._last = max(1, stated)

    def span(self, index: int) -> tuple[int, int]:
        """Time and duration of a frame."""
        if self._ticks is None:
            return index, 1
        if index >= len(self._ticks):
            raise ValueError(f"there are times for {len(self._ticks)} frames, but more came")
        start = int(self._ticks[index])
        return start, int(self._ticks[index + 1]) - start if index + 1 < len(self._ticks) else self._last

    def lasts(self, start: int) -> int:
        """Duration of the frame that is shown from `start` on."""
        return 1 if self._ticks is None else self.span(int(np.searchsorted(self._ticks, start)))[1]

    def end_of(self, count: int) -> Fraction:
        """When the first `count` frames have been shown."""
        return sum(self.span(count - 1)) * self.base


def _tags(like: Original | None) -> dict[str, str]:
    """An original's own tags under the mark of a made face."""
    tags = dict(like.tags) if like else {}
    said = tags.get(TAG_KEY, SYNTHETIC_TAG)
    return {**tags, TAG_KEY: said if said.startswith(SYNTHETIC_TAG) else f"{SYNTHETIC_TAG}; {said}"}


def _chapters(like: Original, end_s: float | None) -> list[Any]:
    """The original's chapters as far as the pictures go."""
    return [
        {
            "id": number,
            "start": round(chapter.start_s * 1000),
            "end": round(min(chapter.end_s, end_s or chapter.end_s) * 1000),
            "time_base": Fraction(1, 1000),
            "metadata": {"title": chapter.title},
        }
        for number, chapter in enumerate(like.chapters)
        if end_s is None or chapter.start_s < end_s
    ]


class _SoundMuxer:
    """Keeps the sound of a container abreast of its pictures, and ends it with them."""

    def __init__(self, container: av.container.OutputContainer, codec: str, bits_per_s: int, sound: Sound) -> None:
        self._container, self._rate, self._layout = container, sound.rate, sound.layout
        self._stream = cast(av.AudioStream, container.add_stream(codec, rate=sound.rate, layout=sound.layout))
        self._stream.bit_rate = bits_per_s
        self._blocks: Iterator[np.ndarray] = sound.blocks()
        self._waiting = next(self._blocks, None)
        self._written = 0

    def advance_to(self, time_s: Fraction) -> None:
        """Mux the blocks that end before `time_s`; one that might outlast the pictures waits."""
        while self._waiting is not None and self._written + self._waiting.shape[1] <= time_s * self._rate:
            self._put(self._waiting)
            self._waiting = next(self._blocks, None)

    def finish(self, end_s: Fraction) -> None:
        """Mux the rest up to the end of the pictures."""
        self.advance_to(end_s)
        left = round(end_s * self._rate) - self._written
        if self._waiting is not None and left > 0:
            self._put(self._waiting[:, :left])
        self._container.mux(self._stream.encode())

    def _put(self, block: np.ndarray) -> None:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._written, Fraction(1, self._rate)
        self._written += block.shape[1]
        self._container.mux(self._stream.encode(frame))


class FolderEncoder:
    """Writes 000000.png, 000001.png, ... and audio.wav into a new folder."""

    def __init__(self, folder: Path, frames: Frames, sound: Sound | None) -> None:
        self._folder, self._frames, self._sound, self._count = folder, frames, sound, 0
        self._tag = PngImagePlugin.PngInfo()
        self._tag.add_text(TAG_KEY, SYNTHETIC_TAG)
        folder.mkdir()

    def add(self, image: np.ndarray) -> None:
        path = self._folder / f"{self._count:06d}.png"
        Image.fromarray(image).save(path, pnginfo=self._tag, compress_level=PNG_COMPRESSION)
        self._count += 1

    def finish(self) -> None:
        if self._sound is not None:
            frames = self._frames
            write_wav(self._folder / "audio.wav", self._sound, frames.end_s or self._count / frames.fps)

    def abandon(self) -> None:
        """Nothing is held open between frames."""
