"""Frames and a voice to a finished, marked video: encoded in a thread of its own, nothing ever left half-written."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import av

from vultus.core.errors import InputError
from vultus.core.files import MAX_NAME_BYTES, is_usable_name
from vultus.core.types import Frames
from vultus.video.encode import CODECS, ContainerEncoder, Encoder, FolderEncoder
from vultus.video.original import Original
from vultus.video.provenance import FOLDER_LIST, FOLDER_MANIFEST, sidecar_of, sign, sign_folder
from vultus.video.signing import signing_identity
from vultus.video.sound import Sound, SoundTrack

QUEUE_FRAMES = 8
"""Frames that may wait for the encoder: enough to even out its bursts, few enough to cost no memory."""
QUEUE_BYTES = 64_000_000
"""Of large frames fewer wait, though never less than two."""

Progress = Callable[[int, int | None], None]
"""Called with the frames made so far and their total, None if unknown."""


def write_video(
    frames: Frames,
    path: str | Path,
    audio: Path | Sound | None = None,
    *,
    like: Original | None = None,
    audio_start_s: float = 0.0,
    audio_end_s: float | None = None,
    on_progress: Progress | None = None,
) -> Path:
    """Write frames, and the sound of the file `audio` between two times (or a `Sound`), to `path`; returns the path.

    The name chooses the form: .mp4 (H.264 + AAC), .webm (VP9 + Opus, transparent if the frames are), and without a
    suffix a folder of PNG files (and audio.wav). The sound ends with the pictures. With `like` the video is that
    original edited: its size, colours, tags and chapters are kept and little is lost in encoding. The result is marked
    and signed (`video.provenance`). Frames are pulled in this thread while another one encodes. Raises InputError for a
    target or sound that cannot be used, and whatever `frames` raises; then nothing has been written.
    """
    target = check_target(path, frames.alpha)
    identity = signing_identity()  # a fault in the key should show before the work, not after
    codec = CODECS.get(target.suffix.lower())
    rate = codec.sample_rate_hz if codec else None
    sound = SoundTrack(Path(audio), audio_start_s, audio_end_s, rate) if isinstance(audio, str | Path) else audio
    try:
        with _partial(target) as partial:
            if codec is None:
                _encode(FolderEncoder(partial, frames, sound), frames, on_progress)
                sign_folder(partial, target.name, identity, like.path if like else None)
                _replace_folder(partial, target)
            else:
                _encode(_container_encoder(partial, frames, sound, like), frames, on_progress)
                with _partial(target) as signed:
                    edited = like.path if like else None
                    _put_in_place(signed, target, sign(partial, signed, target.name, identity, edited))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise InputError("the disk is full", target, "make room or choose another place") from error
    return target


def is_folder_target(path: str | Path) -> bool:
    """Whether `path` names a folder of PNG files rather than a video file."""
    return str(path).endswith(("/", os.sep)) or Path(path).suffix == "" or Path(path).is_dir()


def check_target(path: str | Path, alpha: bool = False) -> Path:
    """The path itself, if a video (with `alpha`: a transparent one) can be written there. Raises InputError."""
    target = Path(path)
    suffix = target.suffix.lower()
    if not is_usable_name(target.name):
        fix = f"choose a shorter one, up to {MAX_NAME_BYTES} bytes of valid UTF-8"
        raise InputError("this is not a usable file name", repr(str(target)[:80]), fix)
    if not target.parent.is_dir():
        raise InputError("the folder to write into does not exist", target.parent, "create it first")
    if is_folder_target(path):
        _check_folder(target)
    elif suffix not in CODECS:
        forms = ", ".join(CODECS)
        raise InputError(f"videos cannot be written as {suffix}", target, f"use {forms} or a folder name")
    elif suffix == ".mp4" and alpha:
        raise InputError("MP4 cannot be transparent", target, "use .webm or a folder name, or set a background")
    if not os.access(target.parent, os.W_OK):
        raise InputError("the folder may not be written to", target.parent, "choose another place")
    return target


def _check_folder(folder: Path) -> None:
    """Only a new folder, an empty one or an earlier result is written to: replacing must not cost anybody's files."""
    if folder.exists() and not folder.is_dir():
        raise InputError("there is a file of this name", folder, "choose another name for the folder")
    if not folder.is_dir():
        return
    names = {entry.name for entry in folder.iterdir()}
    own = {FOLDER_LIST, FOLDER_MANIFEST, "audio.wav"}
    strangers = {name for name in names - own if not (name.endswith(".png") and name[:-4].isdecimal())}
    if strangers or (names and not own & names - {"audio.wav"}):
        raise InputError("the folder holds other files", folder, "choose a new or empty folder")


def _container_encoder(path: Path, frames: Frames, sound: Sound | None, like: Original | None) -> Encoder:
    try:
        return ContainerEncoder(path, frames, sound, like)
    except av.FFmpegError as error:
        size = f"{frames.width} x {frames.height} at {frames.fps:g} frames per second"
        raise InputError(f"the encoder refuses {size}", path.suffix, "choose another size or form") from error


def _encode(encoder: Encoder, frames: Frames, on_progress: Progress | None) -> None:
    """Pull all frames through the encoder, which works in its own thread; an error on either side ends both."""
    done = False
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="encode") as thread:
        try:
            count = _feed(thread, encoder, frames, on_progress)
            if count == 0:
                raise InputError("there are no frames to write", fix="give a longer sound")
            thread.submit(encoder.finish).result()
            done = True
        finally:
            thread.shutdown(wait=True, cancel_futures=True)
            if not done:
                encoder.abandon()
    if on_progress:
        on_progress(count, count)


def _feed(thread: ThreadPoolExecutor, encoder: Encoder, frames: Frames, on_progress: Progress | None) -> int:
    waiting: deque[Future[None]] = deque()
    count = 0
    most = min(QUEUE_FRAMES, max(2, QUEUE_BYTES // (3 * frames.width * frames.height)))
    for image in frames:
        while len(waiting) >= most or (waiting and waiting[0].done()):
            waiting.popleft().result()  # raises what the encoder raised
        waiting.append(thread.submit(encoder.add, image.copy()))  # a renderer may use its buffer again
        count += 1
        if on_progress:
            on_progress(count, frames.count)
    while waiting:
        waiting.popleft().result()
    return count


_partials = itertools.count()


@contextmanager
def _partial(target: Path) -> Iterator[Path]:
    """A temporary name beside `target`, with its suffix; whatever still stands there in the end is removed."""
    partial = target.with_name(f"{target.stem}.part.{os.getpid()}-{next(_partials)}{target.suffix}")
    try:
        yield partial
    finally:
        _remove(partial)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _put_in_place(signed: Path, target: Path, manifest: bytes | None) -> None:
    """Give the signed file its name; a manifest of its own goes first, so that no video ever stands without it."""
    sidecar = sidecar_of(target)
    if sidecar is None or manifest is None:
        signed.replace(target)
        return
    with _partial(sidecar) as partial:
        partial.write_bytes(manifest)
        partial.replace(sidecar)
    signed.replace(target)


def _replace_folder(partial: Path, target: Path) -> None:
    if target.is_dir():
        with _partial(target) as old:
            target.rename(old)
            partial.rename(target)
    else:
        partial.rename(target)
