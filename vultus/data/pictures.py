"""The videos of prepared clips: constant rate, a whole picture every second, so that training may begin anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np

from vultus.core.errors import InputError
from vultus.video.provenance import SYNTHETIC_TAG, TAG_KEY

QUALITY_CRF = "15"
"""x264's constant rate factor: about 45 dB, little enough to learn from."""
KEY_FRAME_S = 1.0

_BT709 = 1  # AVCOL_SPC_BT709, AVCOL_PRI_BT709, AVCOL_TRC_BT709: the numbers of ITU-T H.273
_LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG


class PictureWriter:
    """Encodes (height, width, 3) uint8 RGB pictures of even sides as H.264; a context manager.

    A recording is not signed; `synthetic` hands the mark of a made source on.
    """

    def __init__(self, path: Path, fps: float, width: int, height: int, synthetic: bool = False) -> None:
        self._rate = Fraction(fps).limit_denominator(1001)
        self._count = 0
        self._container = av.open(str(path), "w", container_options={"movflags": "+faststart"})
        if synthetic:
            self._container.metadata[TAG_KEY] = SYNTHETIC_TAG
        gop = str(max(1, round(KEY_FRAME_S * fps)))
        options = {"preset": "veryfast", "crf": QUALITY_CRF, "threads": "1", "g": gop, "bf": "0"}
        stream = self._container.add_stream("libx264", rate=self._rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.time_base = 1 / self._rate
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
        self._stream = stream

    def __enter__(self) -> PictureWriter:
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._container.mux(self._stream.encode())
        self._container.close()

    def add(self, image: np.ndarray) -> None:
        """The next picture."""
        picture = av.VideoFrame.from_ndarray(image, format="rgb24")
        picture = picture.reformat(format="yuv420p", dst_colorspace="ITU709")
        picture.pts, picture.time_base = self._count, 1 / self._rate
        self._container.mux(self._stream.encode(picture))
        self._count += 1


def read_pictures(path: Path, start: int, stop: int) -> Iterator[np.ndarray]:
    """Pictures `start` to `stop` of a video that `PictureWriter` wrote. Raises InputError for a damaged one."""
    if stop <= start:
        return
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            rate, base = stream.average_rate, stream.time_base
            assert rate is not None and base is not None
            container.seek(round(start / rate / base), stream=stream)
            for frame in container.decode(stream):
                index = round((frame.pts or 0) * base * rate)
                if index >= stop:
                    return
                if index >= start:
                    yield frame.to_ndarray(format="rgb24")
    except (av.FFmpegError, IndexError) as error:
        raise InputError("this prepared video is missing or damaged", path, "prepare the set again") from error
