"""Colours of a video: which matrix and range its numbers stand for, to RGB and back without a lasting loss.

A video states matrix, range, primaries and transfer by the code points of ITU-T H.273 (FFmpeg uses the same numbers);
RGB here keeps primaries and transfer as they are, so that only matrix and range take part in the conversion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

RGB, BT709, UNSTATED, FCC, BT470BG, SMPTE170M, SMPTE240M, BT2020, BT2020_CONSTANT = 0, 1, 2, 4, 5, 6, 7, 9, 10
"""Matrix coefficients (and, but for RGB, primaries and transfers of the same numbers)."""
PQ, HLG = 16, 18
"""Transfers of high dynamic range: SMPTE ST 2084 and ARIB STD-B67."""
LIMITED, FULL = 1, 2
"""Ranges: black to white is 16 to 235, or 0 to 255."""

_CONVERTIBLE = (BT709, FCC, BT470BG, SMPTE240M, BT2020)

HD_HEIGHT_PX = 720
"""From this height on players take an unstated matrix for BT.709, below for BT.601."""

# The plain conversion truncates and loses a level of brightness a round trip; these round (see docs/video.md).
_TO_RGB = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_FROM_RGB = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
_RESIZE = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


@dataclass(frozen=True)
class Colour:
    """What a video states about its colours: code points, `UNSTATED` (range: 0) where it says nothing."""

    matrix: int = BT709
    range: int = LIMITED
    primaries: int = BT709
    transfer: int = BT709

    @property
    def is_hdr(self) -> bool:
        """High dynamic range: shown without a conversion made for it, such a video is dull and grey."""
        return self.transfer in (PQ, HLG)

    def working_matrix(self, height_px: int) -> int:
        """The matrix to convert with, as the converter knows it: what is stated, else what players assume."""
        if self.matrix in (UNSTATED, RGB):
            return BT709 if height_px >= HD_HEIGHT_PX else BT470BG
        known = {SMPTE170M: BT470BG, BT2020_CONSTANT: BT2020}
        return known.get(self.matrix, self.matrix if self.matrix in _CONVERTIBLE else BT470BG)

    def written(self, height_px: int) -> Colour:
        """What a file says that holds such a video converted by `working_matrix`: the same, if that is possible."""
        if self.matrix in (UNSTATED, SMPTE170M, *_CONVERTIBLE):
            return self
        limited = LIMITED if self.matrix == RGB else self.range
        return replace(self, matrix=self.working_matrix(height_px), range=limited)

    @property
    def working_range(self) -> int:
        """Limited unless full is stated."""
        return FULL if self.range == FULL else LIMITED


def colour_of(frame: av.VideoFrame) -> Colour:
    """What a decoded frame states. Formats named yuvj... are of full range whatever else is said."""
    full = frame.format.name.startswith("yuvj")
    return Colour(frame.colorspace, FULL if full else frame.color_range, frame.color_primaries, frame.color_trc)


class ToRgb:
    """Decoded frames to RGB of one size, by the matrix and range of `colour`."""

    def __init__(self, colour: Colour, stored_height_px: int, width: int, height: int) -> None:
        self._matrix, self._range = colour.working_matrix(stored_height_px), colour.working_range
        self._width, self._height = width, height
        self._converter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """(height, width, 3) uint8 RGB, a fresh array; frames of another size are scaled."""
        same = (frame.width, frame.height) == (self._width, self._height)
        picture = self._converter.reformat(
            frame,
            self._width,
            self._height,
            "rgb24",
            src_colorspace=self._matrix,
            src_color_range=FULL if frame.format.is_rgb else self._range,
            interpolation=_TO_RGB if same else _RESIZE,
            threads=1,
        )
        return picture.to_ndarray()


class FromRgb:
    """RGB to frames for an encoder, in the matrix and range of `colour` and with all that it states.

    `pixels` and `pixel_format` are FFmpeg's names of what comes and what goes; `height_px` decides unstated matrices.
    """

    def __init__(self, colour: Colour, pixels: str, pixel_format: str, height_px: int) -> None:
        self._colour, self._pixels, self._format = colour.written(height_px), pixels, pixel_format
        self._matrix = colour.working_matrix(height_px)
        self._to_yuv, self._to_8bit = VideoReformatter(), VideoReformatter()

    def __call__(self, image: np.ndarray) -> av.VideoFrame:
        """A frame of (height, width, 3 or 4) uint8."""
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=self._pixels)
        picture.color_range = FULL
        if self._colour.working_range == FULL:  # straight to 8 bits, colours would lose half a level
            picture = self._converted(self._to_yuv, picture, f"{self._format}10le")
        frame = self._converted(self._to_8bit, picture, self._format)
        frame.colorspace, frame.color_range = self._colour.matrix, self._colour.range
        frame.color_primaries, frame.color_trc = self._colour.primaries, self._colour.transfer
        return frame

    def _converted(self, converter: VideoReformatter, picture: av.VideoFrame, pixel_format: str) -> av.VideoFrame:
        return converter.reformat(
            picture,
            format=pixel_format,
            dst_colorspace=self._matrix,
            dst_color_range=self._colour.working_range,
            interpolation=_FROM_RGB,
            threads=1,
        )
