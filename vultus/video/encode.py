"""Three ways to put frames down: H.264 in MP4, VP9 in WebM, a folder of PNG files. Each takes one frame at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Protocol, cast

import av
import numpy as np
from PIL import Image, PngImagePlugin

from vultus.core.types import Frames
from vultus.video.provenance import SYNTHETIC_TAG, TAG_KEY
from vultus.video.sound import SoundTrack, write_wav

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
    even_sides: bool = False
    """Odd sides are padded by repeating the last row or column (4:2:0 colour in H.264 needs whole pairs)."""
    sample_rate_hz: int | None = None
    """The only rate that the sound codec takes, None if any."""


CODECS = {
    ".mp4": Codec(
        video="libx264",
        audio="aac",
        audio_bits_per_s=128_000,
        video_options={"preset": "veryfast", "crf": "18"},
        container_options={"movflags": "+faststart"},
        even_sides=True,
    ),
    ".webm": Codec(
        video="libvpx-vp9",
        audio="libopus",
        audio_bits_per_s=96_000,
        video_options={"deadline": "realtime", "cpu-used": "6", "row-mt": "1", "crf": "24", "b": "0"},
        sample_rate_hz=48_000,
    ),
}

_BT709 = 1  # AVCOL_SPC_BT709, AVCOL_PRI_BT709, AVCOL_TRC_BT709: the numbers of ITU-T H.273
_LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG


class ContainerEncoder:
    """Encodes and muxes pictures and sound, interleaved, with exact constant timing."""

    def __init__(self, path: Path, frames: Frames, sound: SoundTrack | None) -> None:
        self._codec = codec = CODECS[path.suffix.lower()]
        self._shape = (frames.height, frames.width, 4 if frames.alpha else 3)
        self._pixels, self._format = ("rgba", "yuva420p") if frames.alpha else ("rgb24", "yuv420p")
        self._rate = Fraction(frames.fps).limit_denominator(1001)  # 29.97 is 30000/1001
        self._count = 0
        self._container = av.open(str(path), "w", container_options=codec.container_options)
        self._container.metadata[TAG_KEY] = SYNTHETIC_TAG
        stream = self._container.add_stream(codec.video, rate=self._rate, options=dict(codec.video_options))
        self._picture = cast(av.VideoStream, stream)
        self._describe_picture()
        self._sound = _SoundMuxer(self._container, codec, sound) if sound is not None else None

    def _describe_picture(self) -> None:
        height, width, _ = self._shape
        stream, odd = self._picture, self._codec.even_sides
        stream.width, stream.height = (width + width % 2, height + height % 2) if odd else (width, height)
        stream.pix_fmt = self._format
        context = stream.codec_context
        context.time_base = 1 / self._rate
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE

    def add(self, image: np.ndarray) -> None:
        if image.shape != self._shape or image.dtype != np.uint8:
            raise ValueError(f"frame {self._count} is {image.shape} {image.dtype}, announced was {self._shape} uint8")
        if self._codec.even_sides and (image.shape[0] % 2 or image.shape[1] % 2):
            image = np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)), mode="edge")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=self._pixels)
        picture = picture.reformat(format=self._format, dst_colorspace="ITU709")
        picture.pts, picture.time_base = self._count, 1 / self._rate
        self._container.mux(self._picture.encode(picture))
        self._count += 1
        if self._sound is not None:
            self._sound.advance_to(self._count / self._rate)

    def finish(self) -> None:
        self._container.mux(self._picture.encode())
        if self._sound is not None:
            self._sound.finish(self._count / self._rate)
        self._container.close()

    def abandon(self) -> None:
        with suppress(av.FFmpegError):  # an unfinished file; it is thrown away
            self._container.close()


class _SoundMuxer:
    """Keeps the sound of a container abreast of its pictures, and ends it with them."""

    def __init__(self, container: av.container.OutputContainer, codec: Codec, sound: SoundTrack) -> None:
        self._container, self._rate, self._layout = container, sound.rate, sound.layout
        self._stream = cast(av.AudioStream, container.add_stream(codec.audio, rate=sound.rate, layout=sound.layout))
        self._stream.bit_rate = codec.audio_bits_per_s
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

    def __init__(self, folder: Path, frames: Frames, sound: SoundTrack | None) -> None:
        self._folder, self._fps, self._sound, self._count = folder, frames.fps, sound, 0
        self._tag = PngImagePlugin.PngInfo()
        self._tag.add_text(TAG_KEY, SYNTHETIC_TAG)
        folder.mkdir()

    def add(self, image: np.ndarray) -> None:
        path = self._folder / f"{self._count:06d}.png"
        Image.fromarray(image).save(path, pnginfo=self._tag, compress_level=PNG_COMPRESSION)
        self._count += 1

    def finish(self) -> None:
        if self._sound is not None:
            write_wav(self._folder / "audio.wav", self._sound, self._count / self._fps)

    def abandon(self) -> None:
        """Nothing is held open between frames."""
