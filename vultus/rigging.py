"""From a voice, or a folder of them, to curves for other programs, and to a preview of the curves on the head."""

from __future__ import annotations

import csv
import io
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vultus.animate import OnProgress, controls_of, perform
from vultus.core.errors import ControlError, InputError, VultusError
from vultus.core.files import existing_path, spare, whole_file
from vultus.core.method import Look
from vultus.core.types import Frames, Performance
from vultus.face.exports import check_export, suffix_of, write_export
from vultus.methods import DEFAULT_RIG_METHOD

DEFAULT_FORMAT, DEFAULT_RIG_FPS = "metahuman", 60.0
PREVIEW_FPS = 30.0
"""Most frames a second that a preview shows; curves may have more."""
REPORT_NAME = "report.csv"
VOICE_SUFFIXES = frozenset({
    ".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".wma", ".aif", ".aiff",
    ".mp4", ".mov", ".mkv", ".webm", ".avi",
})  # fmt: skip
"""Files of a folder that are taken for voices."""


@dataclass(frozen=True)
class RigRow:
    """What became of one voice of a folder: its curves, or why there are none."""

    voice: str
    curves: str
    frames: int
    seconds: float
    """Time the work took."""
    error: str = ""


@dataclass(frozen=True)
class RigReport:
    """What a batch did, voice by voice; `path` is the table of it."""

    rows: tuple[RigRow, ...]
    path: Path

    @property
    def failed(self) -> tuple[RigRow, ...]:
        """Voices without curves."""
        return tuple(row for row in self.rows if row.error)


def rig(
    voice: str | Path | None,
    output: str | Path,
    *,
    performance: str | Path | Performance | None = None,
    format: str = DEFAULT_FORMAT,
    fps: float | None = None,
    method: str = DEFAULT_RIG_METHOD,
    preview: str | Path | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    on_progress: OnProgress | None = None,
    **controls: Any,
) -> Path:
    """Write the curves that make a face say a voice; returns the path of the file.

    Args:
        voice: an audio or video file, of which `start_s` and `end_s` choose a part; None with `performance`.
        output: the file to write: .csv (or .json for metahuman), .glb for gltf.
        performance: curves that exist already, in memory or a file that vultus reads, instead of a voice; the voice,
            if given too, is the preview's sound.
        format: metahuman, arkit, livelink or gltf; see `face.exports`.
        fps: frames a second; `DEFAULT_RIG_FPS` for a voice, the performance's own.
        method: whose driver makes the curves; see `vultus methods`.
        preview: also show the curves on the head itself, in a video (.mp4, .webm) or a folder of PNG files.
        on_progress: called with frames done and their total.
        **controls: emotion, intensity, pose, blink, blink_rate, gaze, lip_scale, expression_scale, seed: those of
            `vultus.speak`.

    Raises VultusError, one sentence; then nothing has been written, unless it concerns the preview: curves stay.
    """
    if voice is None and performance is None:
        raise ControlError("it takes a voice or a performance", "--voice, --performance", "give a file")
    target = check_export(Path(output), format)
    spare(target, (voice, performance))
    _check_preview(preview, (voice, performance, target))
    if performance is not None:
        acted = _existing(performance, fps, controls)
    else:
        assert voice is not None
        rate = Look(fps=fps or DEFAULT_RIG_FPS).fps  # checks the range
        pieces, count = perform(
            voice, controls_of(**controls), rate, method=method, start_s=start_s, end_s=end_s
        )  # fmt: skip
        acted = Performance.concatenate(_counted(pieces, count, on_progress))
    write_export(acted, target, format)
    if preview is not None:
        sound = None if voice is None else Path(voice)
        write_preview(acted, preview, sound, start_s, end_s, on_progress)
    return target


def rig_folder(
    folder: str | Path,
    output: str | Path,
    *,
    format: str = DEFAULT_FORMAT,
    preview: str | Path | None = None,
    on_voice: Callable[[int, int | None], None] | None = None,
    **options: Any,
) -> RigReport:
    """Write the curves of every voice in a folder into another one, and a table of what became of each.

    Args:
        folder: its audio and video files are taken, in order of name, folders within are not.
        output: a folder, made if it is not there; curves are named after their voices.
        format: as in `rig`.
        preview: a folder for previews, one .mp4 a voice.
        on_voice: called with voices done and their number.
        **options: those of `rig`.

    A voice that cannot be used is reported and does not stop the others. Raises VultusError for the rest.
    """
    voices = _voices_in(existing_path(folder))
    suffix = suffix_of(format)
    target, shown = _made(Path(output)), None if preview is None else _made(Path(preview))
    _refuse_same(Path(folder), target)
    rows = []
    for done, (voice, name) in enumerate(zip(voices, _names(voices), strict=True)):
        if on_voice is not None:
            on_voice(done, len(voices))
        video = None if shown is None else shown / f"{name}.mp4"
        rows.append(_one(voice, target / f"{name}{suffix}", {**options, "format": format, "preview": video}))
    if on_voice is not None:
        on_voice(len(voices), len(voices))
    return RigReport(tuple(rows), _write_report(target / REPORT_NAME, rows))


def write_preview(
    performance: Performance,
    path: str | Path,
    voice: Path | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    on_progress: OnProgress | None = None,
) -> Path:
    """Show a performance on the head itself, shaded, with the sound of a voice; returns the path of the video."""
    from vultus.rendering.head_preview import HeadPreview
    from vultus.video.write import write_video

    shown = performance.resampled(min(performance.fps, PREVIEW_FPS))
    frames: Frames = HeadPreview(shown.fps).play([shown], len(shown))
    return write_video(frames, path, voice, audio_start_s=start_s, audio_end_s=end_s, on_progress=on_progress)


def _existing(performance: str | Path | Performance, fps: float | None, controls: dict[str, Any]) -> Performance:
    """Curves that are there already, at the rate asked for."""
    from vultus.face.rig import load_performance

    if controls:
        first = next(iter(controls)).replace("_", "-")
        raise ControlError("curves that exist already cannot be steered", f"--{first}", "give a voice, or leave it out")
    acted = performance if isinstance(performance, Performance) else load_performance(Path(performance))
    if not all(np.isfinite(getattr(acted, name)).all() for name in acted.channels):
        raise InputError("the performance holds values that are not finite", fix="track or generate it anew")
    return acted if fps is None else acted.resampled(Look(fps=fps).fps)


def _check_preview(preview: str | Path | None, inputs: Iterable[object]) -> None:
    from vultus.video.write import check_target

    if preview is not None:
        spare(Path(preview), inputs)
        check_target(preview)


def _counted(pieces: Iterable[Performance], total: int | None, on_progress: OnProgress | None) -> Iterator[Performance]:
    done = 0
    for piece in pieces:
        yield piece
        done += len(piece)
        if on_progress is not None:
            on_progress(done, total)
    if done == 0:
        raise InputError("there are no frames to write", fix="give a longer sound")


def _voices_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError("this is no folder", folder, "give a folder of voices")
    voices = sorted(p for p in folder.iterdir() if p.suffix.lower() in VOICE_SUFFIXES and not p.name.startswith("."))
    if not voices:
        raise InputError("the folder holds no audio or video file", folder, "choose the folder of the voices")
    return voices


def _names(voices: list[Path]) -> list[str]:
    """What each voice's curves are called: its stem, or its whole name where two share a stem."""
    stems = [voice.stem for voice in voices]
    return [voice.name if stems.count(voice.stem) > 1 else voice.stem for voice in voices]


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder cannot be made ({error.strerror})", folder, "choose another place") from error
    return folder


def _refuse_same(source: Path, target: Path) -> None:
    if source.resolve() == target.resolve():
        raise InputError("the curves would lie among the voices", target, "choose another folder for the output")


def _one(voice: Path, target: Path, options: dict[str, Any]) -> RigRow:
    """The curves of one voice; an error becomes a row."""
    counts: list[int] = []
    began = time.perf_counter()
    try:
        rig(voice, target, on_progress=lambda done, _: counts.append(done), **options)
    except ControlError:
        raise  # an option is wrong: it would be for every voice
    except VultusError as error:
        return RigRow(voice.name, "", 0, round(time.perf_counter() - began, 2), str(error))
    frames = next((a for a, b in itertools.pairwise(counts) if b < a), counts[-1])  # then the preview's count begins
    return RigRow(voice.name, target.name, frames, round(time.perf_counter() - began, 2))


def _write_report(path: Path, rows: list[RigRow]) -> Path:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["voice", "curves", "frames", "seconds", "error"])
    writer.writerows([row.voice, row.curves, row.frames, row.seconds, row.error] for row in rows)
    with whole_file(path) as file:
        file.write(table.getvalue().encode())
    return path
