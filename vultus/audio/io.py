"""Voices from files: any container or codec FFmpeg reads, as lazily decoded mono 16 kHz samples."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vultus.core.errors import InputError
from vultus.core.files import SOUND_HOLE_S, check_format, check_part, existing_file
from vultus.core.types import SAMPLE_RATE, Speech

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.container import InputContainer

MAX_DURATION_S = 4 * 3600.0
"""Longest voice that is accepted."""

_CHUNK_SAMPLES = SAMPLE_RATE // 2


@dataclass(frozen=True)
class SpeechStream:
    """An opened voice: iterate once for (n,) float32 chunks in [-1, 1], mono, 16 kHz.

    Sample 0 is the container's time 0 plus `start_s`. `duration_s` is what the container states for the chosen part,
    or None where it states nothing; only the samples themselves are exact.
    """

    name: str
    duration_s: float | None
    chunks: Iterator[np.ndarray]

    def __iter__(self) -> Iterator[np.ndarray]:
        return self.chunks


def open_speech(path: str | Path, start_s: float = 0.0, end_s: float | None = None) -> SpeechStream:
    """Open the voice in an audio or video file, from `start_s` to `end_s` seconds (None: to its end).

    Stereo is averaged. A stream that starts late is padded with silence, so that it stays in step with the picture;
    the container's time 0 is its `start_time`, as players take it. Memory does not grow with length.
    Raises InputError for a file that is missing, not audio, without an audio track, empty, damaged, or that holds NaN
    or infinite samples, and for a part that is empty. Faults past the first half second surface while iterating.
    """
    path = Path(path)
    check_part(start_s, end_s, path)
    container = _open_container(path)
    stated_s = _stated_duration_s(container)
    if stated_s is not None and stated_s > MAX_DURATION_S and (end_s is None or end_s > MAX_DURATION_S):
        container.close()
        raise InputError(f"{stated_s / 3600:.1f} hours of audio is too much", path, "cut it with --start and --end")
    chunks = _rechunked(_cut(_timed_samples(container, path), start_s, end_s, path))
    first = next(chunks, None)
    if first is None:
        container.close()
        if start_s > 0:
            raise InputError(f"the audio ends before the start at {start_s:g} s", path, "choose an earlier --start")
        raise InputError("the audio track is empty", path, "give a file with a voice in it")
    duration_s = None
    if stated_s is not None:
        duration_s = max(0.0, min(stated_s, stated_s if end_s is None else end_s) - start_s)
    return SpeechStream(path.name, duration_s, chain([first], chunks))


def read_speech(path: str | Path, start_s: float = 0.0, end_s: float | None = None) -> Speech:
    """Read a whole voice into memory (64 kB a second). Raises InputError, see `open_speech`."""
    return Speech(np.concatenate(list(open_speech(path, start_s, end_s))))


@contextmanager
def voice_file(speech: Speech) -> Iterator[Path]:
    """A voice as a file for as long as the context lasts: 16-bit WAV, mono, 16 kHz."""
    with tempfile.TemporaryDirectory(prefix="vultus-") as folder:
        path = Path(folder) / "voice.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            file.writeframes(np.round(np.clip(speech.waveform, -1, 1) * 32767).astype("<i2").tobytes())
        yield path


def _open_container(path: Path) -> InputContainer:
    import av

    if existing_file(path).stat().st_size == 0:
        raise InputError("the file is empty", path, "give a file with a voice in it")
    try:
        # The whitelist keeps a hostile file from making FFmpeg open addresses on the network.
        container = av.open(str(path), options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except (av.FFmpegError, ValueError, OSError):
        raise InputError(
            "not an audio or video file that can be read", path, "give wav, mp3, flac, ogg, m4a or a video"
        ) from None
    try:
        check_format(container.format.name, path, "voice")
        if not container.streams.audio:
            raise InputError("there is no audio track in this file", path, "give a file with a voice in it")
    except InputError:
        container.close()
        raise
    return container


def _stated_duration_s(container: InputContainer) -> float | None:
    stream = container.streams.audio[0]
    if container.duration is not None:
        return container.duration / 1e6
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None


def _timed_samples(container: InputContainer, path: Path) -> Iterator[np.ndarray]:
    """Mono 16 kHz samples from the container's time 0 on, with silence where timestamps leave a hole."""
    import av

    zero_s = (container.start_time or 0) / 1e6
    resampler = av.AudioResampler(format="fltp", rate=SAMPLE_RATE)
    done = 0
    try:
        with container:
            for frame in container.decode(audio=0):
                if frame.time is not None:
                    missing_s = frame.time - zero_s - done / SAMPLE_RATE
                    if missing_s > (SOUND_HOLE_S if done else 0.5 / SAMPLE_RATE):
                        for silence in _silence(missing_s, path):
                            done += len(silence)
                            yield silence
                frame.pts = None
                for samples in _resampled(resampler, frame, done, path):
                    done += len(samples)
                    yield samples
            yield from _resampled(resampler, None, done, path)
    except (av.FFmpegError, ValueError) as error:
        fix = "convert it anew, or cut the damage off with --start and --end"
        raise InputError(f"the audio is damaged about {done / SAMPLE_RATE:.1f} s in", path, fix) from error


def _resampled(resampler: AudioResampler, frame: AudioFrame | None, done: int, path: Path) -> Iterator[np.ndarray]:
    for part in resampler.resample(frame):
        samples = part.to_ndarray().mean(0)
        if not np.isfinite(samples).all():
            at_s = done / SAMPLE_RATE
            raise InputError(f"there are NaN or infinite samples about {at_s:.1f} s in", path, "export the audio anew")
        yield np.clip(samples, -1, 1).astype(np.float32)


def _silence(seconds: float, path: Path) -> Iterator[np.ndarray]:
    if seconds > MAX_DURATION_S:
        raise InputError(f"timestamps jump by {seconds:.0f} s", path, "convert it anew")
    missing = round(seconds * SAMPLE_RATE)
    for at in range(0, missing, _CHUNK_SAMPLES):
        yield np.zeros(min(_CHUNK_SAMPLES, missing - at), np.float32)


def _cut(blocks: Iterator[np.ndarray], start_s: float, end_s: float | None, path: Path) -> Iterator[np.ndarray]:
    first = round(start_s * SAMPLE_RATE)
    last = None if end_s is None else round(end_s * SAMPLE_RATE)
    at = 0
    for block in blocks:
        piece = block[max(0, first - at) : None if last is None else max(0, last - at)]
        at += len(block)
        if len(piece):
            yield piece
        if last is not None and at >= last:
            return
        if at - first > MAX_DURATION_S * SAMPLE_RATE:
            raise InputError("there is too much audio", path, f"at most {MAX_DURATION_S / 3600:g} hours are accepted")


def _rechunked(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The same samples in chunks of half a second, so that their size does not depend on the codec."""
    held: list[np.ndarray] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += len(block)
        if count >= _CHUNK_SAMPLES:
            joined = np.concatenate(held)
            whole = count - count % _CHUNK_SAMPLES
            for at in range(0, whole, _CHUNK_SAMPLES):
                yield joined[at : at + _CHUNK_SAMPLES]
            held, count = [joined[whole:].copy()], count - whole
    if count:
        yield np.concatenate(held)
