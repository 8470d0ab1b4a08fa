"""Pictures and videos from files nobody vouches for: straightened out here, or refused in one sentence."""

from __future__ import annotations

import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from vultus.core.errors import InputError
from vultus.core.files import check_format, existing_file
from vultus.core.types import Frames
from vultus.video.colour import ToRgb, colour_of

MAX_IMAGE_BYTES = 200_000_000
"""Larger picture files are refused unread."""
MAX_IMAGE_PIXELS = 64_000_000
"""Larger pictures are refused before their pixels are unpacked (decompression bombs)."""
MIN_SIDE_PX = 32
"""Smaller pictures and videos cannot show a face."""
MAX_VIDEO_PIXELS = 8192 * 4320
"""Largest video frame that is read: 8K."""
MAX_VIDEO_S = 6 * 3600.0
"""Longest video that is read, in seconds."""
MAX_READ_FPS = 240.0
"""Highest constant frame rate that a video can be read at."""

_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")

# What Pillow's decoders are known to raise on damaged files, besides OSError.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)


def read_image(path: str | Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Read a picture upright, in sRGB: image (H, W, 3) uint8 RGB and alpha (H, W) uint8, None if it is opaque.

    Of an animation the first picture is read. Raises InputError for anything that is not a whole picture of bearable
    size.
    """
    path = existing_file(path)
    size = path.stat().st_size
    if size > MAX_IMAGE_BYTES:
        limit = f"reduce it below {MAX_IMAGE_BYTES // 1_000_000} MB"
        raise InputError(f"the picture file has {size / 1e6:.0f} MB", path, limit)
    try:
        with warnings.catch_warnings():  # Pillow's, of bombs (our limit is lower) and of odd metadata
            warnings.simplefilter("ignore")
            with Image.open(path) as picture:
                _check_image_size(picture, path)
                return _rgb_and_alpha(_in_srgb(ImageOps.exif_transpose(picture)))
    except Image.DecompressionBombError as error:
        raise InputError("the picture has far too many pixels", path, _smaller_image()) from error
    except UnidentifiedImageError as error:
        raise InputError(_not_a_picture(path), path, "give a photo as PNG, JPEG or WebP") from error
    except _DAMAGE as error:
        raise InputError("the picture file is damaged or cut off", path, "save or download it again") from error


def _check_image_size(picture: Image.Image, path: Path) -> None:
    width, height = picture.size
    if width * height > MAX_IMAGE_PIXELS:
        raise InputError(f"the picture has {width} x {height} pixels", path, _smaller_image())
    if min(width, height) < MIN_SIDE_PX:
        fix = f"at least {MIN_SIDE_PX} on each side are needed"
        raise InputError(f"the picture has only {width} x {height} pixels", path, fix)


def _smaller_image() -> str:
    return f"scale it below {MAX_IMAGE_PIXELS // 1_000_000} million"


def _not_a_picture(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        return "the file is empty"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "HEIC pictures cannot be read here"
    if head[4:8] == b"ftyp" or head[:4] == b"\x1aE\xdf\xa3":
        return "this is a video, not a picture"
    return "this is not a picture"


def _in_srgb(picture: Image.Image) -> Image.Image:
    """Convert an 8-bit RGB picture with a colour profile (phones: Display P3) to sRGB."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA"):
        return picture
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return picture
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError):
        return picture  # every viewer shows a picture with a broken profile as sRGB
    return picture if converted is None else converted


def _rgb_and_alpha(picture: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    if picture.mode.startswith(("I", "F")):
        grey = _grey_8bit(np.asarray(picture), picture.mode)
        return np.repeat(grey[:, :, None], 3, axis=2), None
    if not picture.has_transparency_data:
        return np.array(picture.convert("RGB")), None
    rgba = np.array(picture.convert("RGBA"))
    alpha = rgba[:, :, 3].copy()
    return rgba[:, :, :3].copy(), None if alpha.min() == 255 else alpha


def _grey_8bit(grey: np.ndarray, mode: str) -> np.ndarray:
    """16-bit grey scaled to 8 bit; 32-bit and float pictures have no agreed white and are stretched to their range."""
    values = np.nan_to_num(grey.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    if mode.startswith("I;16"):
        return np.round(values / 257).astype(np.uint8)
    low, high = values.min(), values.max()
    return np.round((values - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)


@dataclass(frozen=True)
class Video:
    """What a video file holds, and its frames at any constant rate."""

    path: Path
    width: int
    """Pixels as shown: after rotation and with square pixels."""
    height: int
    fps: float
    """Nominal frames per second; the frames themselves may come at irregular times."""
    duration_s: float | None
    """From the container's time zero to the end of its last frame; None where the container does not say."""
    rotation_deg: int
    """Turn that the frames have been given to stand upright, counter-clockwise: 0, 90, 180 or 270."""
    has_audio: bool

    @property
    def count(self) -> int | None:
        """Frames expected at the nominal rate."""
        return None if self.duration_s is None else max(1, round(self.duration_s * self.fps))

    def frames(self, fps: float | None = None) -> Frames:
        """Stream the frames at a constant rate, honouring presentation times; the nominal rate unless asked otherwise.

        Frame i is the picture nearest to i / fps that is no more than half a frame ahead; time zero is the container's,
        at which its sound starts too, so that a picture track that begins late shows its first picture meanwhile. A
        picture is held until the next one. Memory does not grow with length. The stream raises InputError where the
        file turns out to be damaged.
        """
        rate = self.fps if fps is None else float(fps)
        if not 0 < rate <= MAX_READ_FPS:
            raise InputError(f"cannot read at {rate:g} frames per second", self.path, f"choose up to {MAX_READ_FPS:g}")
        count = None if self.duration_s is None else max(1, round(self.duration_s * rate))
        return Frames(_constant_rate(self, rate), rate, self.width, self.height, count)


def open_container(path: Path, wanted: str = "video") -> av.container.InputContainer:
    """Open a media file. Raises InputError, naming what is `wanted`, for pictures and for lists of other files."""
    container = av.open(str(existing_file(path)), options={"protocol_whitelist": "file"}, metadata_errors="replace")
    try:
        check_format(container.format.name, path, wanted)
    except InputError:
        container.close()
        raise
    return container


def open_video(path: str | Path) -> Video:
    """Look into a video file and decode its first frame. Raises InputError for anything that is not a video."""
    path = existing_file(path)
    try:
        with open_container(path) as container:
            if not container.streams.video:
                raise InputError("the file holds no picture track", path, "give a video")
            stream = container.streams.video[0]
            if stream.codec_context is None:  # PyAV's answer to a codec that ffmpeg does not know
                raise InputError("the video has an unknown codec", path, "convert it to H.264 first")
            first = next(iter(container.decode(stream)), None)
            if first is None:
                raise InputError("the video holds no frame", path)
            video = _described(path, container, stream, first)
    except av.FFmpegError as error:
        raise InputError("this is not a video or it is damaged", path, "give a whole MP4, MOV, WebM or AVI") from error
    if video.width * video.height > MAX_VIDEO_PIXELS:
        raise InputError(f"the video has {video.width} x {video.height} pixels", path, "8K is the most")
    if min(video.width, video.height) < MIN_SIDE_PX:
        fix = f"at least {MIN_SIDE_PX} on each side are needed"
        raise InputError(f"the video has only {video.width} x {video.height} pixels", path, fix)
    if video.duration_s is not None and video.duration_s > MAX_VIDEO_S:
        raise InputError(f"the video lasts {video.duration_s / 3600:.1f} hours", path, _shorter())
    return video


def _shorter() -> str:
    return f"cut it to {MAX_VIDEO_S / 3600:g} hours at the most"


def _described(
    path: Path, container: av.container.InputContainer, stream: av.VideoStream, first: av.VideoFrame
) -> Video:
    rotation_deg = round(first.rotation / 90) % 4 * 90
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width, height = max(1, round(first.width * aspect)), first.height
    if rotation_deg in (90, 270):
        width, height = height, width
    fps = float(stream.average_rate or stream.guessed_rate or 0)
    if not 0 < fps <= MAX_READ_FPS:
        fps = float(stream.guessed_rate or 0)
    if not 0 < fps <= MAX_READ_FPS:
        raise InputError("the video has no sensible frame rate", path, "re-encode it at 25 frames per second")
    end_s = _end_s(container, stream)
    duration_s = None if end_s is None else max(end_s - _zero_s(container), 1 / fps)
    return Video(path, width, height, fps, duration_s, rotation_deg, bool(container.streams.audio))


def _zero_s(container: av.container.InputContainer) -> float:
    return (container.start_time or 0) / av.time_base


def _end_s(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float((stream.duration + (stream.start_time or 0)) * stream.time_base)
    if container.duration is not None:
        return _zero_s(container) + container.duration / av.time_base
    return None


def _constant_rate(video: Video, fps: float) -> Iterator[np.ndarray]:
    """Yield (H, W, 3) uint8 RGB frames at times i / fps."""
    early_s = 0.5 / max(fps, video.fps)  # times rounded to milliseconds must not cost a frame
    upright = _Upright(video)
    shown: av.VideoFrame | None = None
    pixels: np.ndarray | None = None
    index, end_s = 0, 0.0
    for start_s, frame in _timed(video):
        while shown is not None and index / fps + early_s < start_s:
            pixels = upright(shown) if pixels is None else pixels
            yield pixels
            index += 1
        shown, pixels = frame, None
        lasts_s = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
        end_s = start_s + (lasts_s if 0 < lasts_s < 1 else 1 / video.fps)
    if shown is None:
        raise InputError("the video holds no frame", video.path)
    pixels = upright(shown) if pixels is None else pixels
    for _ in range(index, max(index + (index == 0), math.ceil(end_s * fps - 0.5))):
        yield pixels


def _timed(video: Video) -> Iterator[tuple[float, av.VideoFrame]]:
    """Frames with their times in seconds after the container's zero, rising."""
    start_s = -math.inf
    try:
        with open_container(video.path) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            zero_s = _zero_s(container)
            for frame in container.decode(stream):
                follows_s = start_s + 1 / video.fps if start_s > -math.inf else 0.0
                start_s = follows_s if frame.time is None else max(start_s, frame.time - zero_s)
                if start_s > MAX_VIDEO_S:
                    raise InputError("the video's times run away", video.path, _shorter())
                yield start_s, frame
    except av.FFmpegError as error:
        at = "at its start" if start_s == -math.inf else f"{max(start_s, 0):.1f} seconds in"
        raise InputError(f"the video is damaged {at}", video.path, "re-encode it or cut it before that") from error


class _Upright:
    """Decoded frames of a video as RGB of its size, turned upright; by the colours that the first of them states."""

    def __init__(self, video: Video) -> None:
        self._quarter_turns = video.rotation_deg // 90
        turned = self._quarter_turns % 2 == 1
        self._size = (video.height, video.width) if turned else (video.width, video.height)
        self._to_rgb: ToRgb | None = None

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """(H, W, 3) uint8, a fresh array."""
        if self._to_rgb is None:
            self._to_rgb = ToRgb(colour_of(frame), frame.height, *self._size)
        return np.ascontiguousarray(np.rot90(self._to_rgb(frame), self._quarter_turns))
