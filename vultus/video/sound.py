"""The sound track of a video being written: decoded from its source bit by bit, cut and resampled on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import av
import numpy as np

from vultus.core.errors import InputError
from vultus.core.files import SOUND_HOLE_S, check_part
from vultus.video.read import open_container

KEPT_RATES = (44_100, 48_000)
"""Sample rates in Hz that are left as they are; all others become the last of these."""


class Sound(Protocol):
    """What a writer takes: (channels, samples) float32 blocks at `rate` Hz, "mono" or "stereo"."""

    @property
    def rate(self) -> int: ...

    @property
    def channels(self) -> int: ...

    @property
    def layout(self) -> str: ...

    def blocks(self) -> Iterator[np.ndarray]: ...


class SoundTrack:
    """Sound from `start_s` to `end_s` of a file, as planar float32 blocks (channels, samples).

    `rate` in Hz is the file's own where that is usual, unless one is asked for. One channel stays one, more become
    stereo. Time zero is the container's, as for its pictures; where the track begins later or
    has a hole there is silence. Memory does not grow with length. Raises InputError for a file without readable sound,
    at once or where the damage is met.
    """

    def __init__(self, path: Path, start_s: float = 0.0, end_s: float | None = None, rate: int | None = None) -> None:
        check_part(start_s, end_s, path)
        self.path, self.start_s, self.end_s = path, start_s, end_s
        try:
            with open_container(path, "sound") as container:
                if not container.streams.audio:
                    raise InputError("the file holds no sound", path, "give a file with a sound track")
                codec = container.streams.audio[0].codec_context
                if codec is None:  # PyAV's answer to a codec that ffmpeg does not know
                    raise InputError("the sound has an unknown codec", path, "convert it to WAV first")
                self.channels = min(2, max(1, codec.channels))
                kept = codec.sample_rate if codec.sample_rate in KEPT_RATES else KEPT_RATES[-1]
                self.rate = rate or kept
        except av.FFmpegError as error:
            raise InputError("this is not a sound file or it is damaged", path, "give WAV, MP3, M4A or FLAC") from error

    @property
    def layout(self) -> str:
        return "mono" if self.channels == 1 else "stereo"

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield (channels, samples) float32 in [-1, 1]. Raises InputError for NaN and for a start past the end."""
        done = 0
        skip = round(self.start_s * self.rate)
        left = None if self.end_s is None else round(self.end_s * self.rate) - skip
        for block in self._whole():
            if not np.isfinite(block).all():
                at_s = done / self.rate
                fault = f"there are NaN or infinite samples about {at_s:.1f} s in"
                raise InputError(fault, self.path, "export the audio anew")
            done += block.shape[1]
            cut = np.clip(block[:, skip:], -1, 1)  # float files may hold anything
            skip = max(0, skip - block.shape[1])
            if left is not None:
                cut = cut[:, :left]
                left -= cut.shape[1]
            if cut.shape[1]:
                yield cut
            if left == 0:
                return
        if self.start_s > 0 and done <= round(self.start_s * self.rate):
            raise InputError(
                f"the sound ends before the start at {self.start_s:g} s", self.path, "choose an earlier --start"
            )

    def _whole(self) -> Iterator[np.ndarray]:
        resampler = av.AudioResampler(format="fltp", layout=self.layout, rate=self.rate)
        try:
            with open_container(self.path, "sound") as container:
                zero_s = (container.start_time or 0) / av.time_base
                yield from self._decoded(container, resampler, zero_s)
        except av.FFmpegError as error:
            raise InputError("the sound is damaged", self.path, "convert it to WAV first") from error
        for frame in resampler.resample(None):
            yield frame.to_ndarray()

    def _decoded(
        self, container: av.container.InputContainer, resampler: av.AudioResampler, zero_s: float
    ) -> Iterator[np.ndarray]:
        done = 0
        second = np.zeros((self.channels, self.rate), np.float32)
        for frame in container.decode(audio=0):
            missing_s = 0.0 if frame.time is None else frame.time - zero_s - done / self.rate
            if missing_s > (SOUND_HOLE_S if done else 0):
                silent = round(missing_s * self.rate)
                done += silent
                for position in range(0, silent, self.rate):
                    yield second[:, : silent - position]
            frame.pts = None  # holes are filled here, not by the resampler
            for resampled in resampler.resample(frame):
                block = resampled.to_ndarray()
                done += block.shape[1]
                yield block


def write_wav(path: Path, sound: Sound, duration_s: float) -> None:
    """Write the first `duration_s` of a track as 16-bit WAV."""
    import wave

    left = round(duration_s * sound.rate)
    with wave.open(str(path), "wb") as file:
        file.setparams((sound.channels, 2, sound.rate, 0, "NONE", ""))
        for block in sound.blocks():
            samples = np.clip(np.round(block[:, :left].T * 32767), -32768, 32767)
            file.writeframes(samples.astype("<i2").tobytes())
            left -= len(samples)
            if left == 0:
                return
