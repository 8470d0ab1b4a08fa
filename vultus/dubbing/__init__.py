"""A video re-voiced: other voices for the people in it, at its own size, rate and colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vultus.animate import OnProgress, playable
from vultus.audio.io import read_speech
from vultus.core.errors import ControlError
from vultus.core.files import check_file_target, spare
from vultus.core.types import Performance
from vultus.dubbing.check import LipWatch
from vultus.dubbing.report import DubbedFace, DubReport, LipCheck
from vultus.dubbing.scene import Scene, dub_frames, follow, over, voice_performance
from vultus.methods import DEFAULT_METHOD
from vultus.video.dub_sound import dub_sound
from vultus.video.original import open_original
from vultus.video.span import DEFAULT_EXTEND, Extend, Span, span_of
from vultus.video.write import check_target, write_video

__all__ = [
    "DubReport",
    "DubbedFace",
    "LipCheck",
    "Scene",
    "dub",
    "dub_frames",
    "follow",
    "reenact",
    "voice_performance",
]


def dub(
    video: str | Path,
    voice: str | Path | Mapping[int, str | Path],
    output: str | Path,
    *,
    face: int = 1,
    all_faces: bool = False,
    method: str = DEFAULT_METHOD,
    start_s: float = 0.0,
    end_s: float | None = None,
    pad: bool = False,
    extend: Extend = DEFAULT_EXTEND,
    keep_music: bool = False,
    check: bool = False,
    report: str | Path | None = None,
    plot: str | Path | None = None,
    on_follow: OnProgress | None = None,
    on_progress: OnProgress | None = None,
    **controls: Any,
) -> DubReport:
    """Give people in a video other voices; the video ends with the longest of them.

    Args:
        voice: an audio or video file, of which `start_s` and `end_s` choose a part, for face number `face`, or for
            `all_faces`; or a voice for each of several faces, by their numbers (from 1, the largest first).
        output: .mp4, .webm, or a folder for PNG files.
        pad: show the rest of the video after a shorter voice, with lips at rest.
        extend: under a longer voice, "bounce" through the last seconds or "hold" the last picture.
        keep_music: keep the video's own sound under the voices, its old voice taken down (`video.dub_sound`).
        check: track the dubbed faces anew and tell how their lips follow the voice.
        report: also write the report there, as JSON.
        plot: also write original and dub side by side, as a video.
        on_follow, on_progress: called with steps done and their total while people are looked for, and then with
            frames.
        **controls: those of `voice_performance`.

    Raises VultusError, one sentence; then nothing has been written, unless it concerns report or plot: the dub stays.
    """
    files = list(dict.fromkeys(map(str, voice.values() if isinstance(voice, Mapping) else [voice])))
    _check_outputs([output, report, plot], [video, *files])
    _check_numbers(voice if isinstance(voice, Mapping) else [face])
    sound = dub_sound(files, video if keep_music else None, start_s=start_s, end_s=end_s)
    original = open_original(video)
    part: dict[str, Any] = {"start_s": start_s, "end_s": end_s}
    said = {file: voice_performance(file, original.timing.fps, method=method, **part, **controls) for file in files}
    scene = follow(original, on_follow)
    voices = _voices(voice, range(1, len(scene.tracks) + 1) if all_faces else (face,))
    for number in voices:
        scene.footage(number)  # who is not there is missed before any mouth is cut
    performances = {number: said[file] for number, file in voices.items()}
    span = _span(scene, max(performance.duration_s for performance in said.values()), pad, extend)
    frames, shown = dub_frames(scene, performances, span, method)
    watch = LipWatch(frames.fps) if check else None
    if watch is not None:
        frames = replace(frames, images=watch.watched(frames.images))
    path = write_video(frames, output, sound, like=original, on_progress=on_progress)
    faces = []
    for number, file in voices.items():
        lips = None
        if watch is not None:
            middle = scene.tracks[number - 1].points[span.index].mean(1)
            heard = read_speech(file, start_s, end_s).waveform
            lips = watch.check(middle, over(performances[number], span.times_s), shown[number], heard)
        changed = int((shown[number] > 0).sum())
        faces.append(DubbedFace(number, file, changed, len(span) - changed, lips))
    notes = (*original.notes, *_length_notes(scene, span, extend))
    made = DubReport(path, len(span), frames.fps, scene.shots, len(scene.tracks), tuple(faces), notes)
    if report is not None:
        made.save(Path(report))
    if plot is not None:
        _plot(Path(video), path, Path(plot), frames.fps)
    return made


def reenact(
    video: str | Path,
    performance: str | Path | Performance,
    output: str | Path,
    *,
    voice: str | Path | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    face: int = 1,
    method: str = DEFAULT_METHOD,
    on_follow: OnProgress | None = None,
    on_progress: OnProgress | None = None,
) -> Path:
    """Play the expressions of a performance on a person in a video, whose head keeps its own motion.

    Args:
        performance: one in memory, or a file: ours, ARKit's, Live Link Face's; from the video's time zero on.
        voice: sound to go with it, of which `start_s` and `end_s` choose a part.

    The video ends with the performance. Raises VultusError, one sentence; then nothing has been written.
    """
    files = [] if voice is None else [str(voice)]
    _check_outputs([output, None, None], [video, *files])
    acted = playable(performance)
    sound = dub_sound(files, None, start_s=start_s, end_s=end_s) if files else None
    scene = follow(video, on_follow)
    span = _span(scene, acted.duration_s, pad=False, extend=DEFAULT_EXTEND)
    frames, _ = dub_frames(scene, {face: acted}, span, method)
    return write_video(frames, output, sound, like=scene.video, on_progress=on_progress)


def _check_outputs(outputs: list[str | Path | None], inputs: list[str | Path]) -> None:
    """Refuse, before any work, what could not be written or would cost one of the inputs, or one another."""
    video, report, plot = outputs
    assert video is not None
    given: list[str | Path] = list(inputs)
    for target in (video, report, plot):
        if target is not None:
            spare(Path(target), given)
            given.append(target)
    check_target(video, alpha=False)
    if plot is not None:
        check_target(plot, alpha=False)
        if Path(video).suffix == "":
            raise ControlError("a folder of pictures cannot be shown beside the original", "--plot", "write a video")
    if report is not None:
        check_file_target(Path(report))


def _check_numbers(faces: Iterable[int]) -> None:
    """Refuse, before the video is watched, what is no number of a face."""
    for face in faces:
        if face < 1:
            raise ControlError(f"there is no face {face}", "--face", "faces count from 1, the largest first")


def _voices(voice: str | Path | Mapping[int, str | Path], faces: Any) -> dict[int, str]:
    """Which face speaks with which file."""
    if isinstance(voice, Mapping):
        return {number: str(file) for number, file in voice.items()}
    return dict.fromkeys(faces, str(voice))


def _span(scene: Scene, voice_s: float, pad: bool, extend: Extend) -> Span:
    shot = scene.tracks[0].shot
    last_shot = int(np.searchsorted(shot, shot[-1]))
    return span_of(scene.video.frames(), voice_s, pad=pad, extend=extend, since=last_shot)


def _length_notes(scene: Scene, span: Span, extend: Extend) -> list[str]:
    """What became of the difference between voice and video, where there is one, in a line."""
    count = scene.video.frames().count
    assert count is not None
    seconds = f"{abs(len(span) - count) / span.fps:.1f} s"
    if len(span) > count:
        again = "its last seconds go back and forth" if extend == "bounce" else "its last picture is held"
        return [f"the voice lasts {seconds} longer than the video: {again}"]
    return [f"the last {seconds} of the video, after the voice, are left out"] if len(span) < count else []


def _plot(video: Path, dubbed: Path, target: Path, fps: float) -> None:
    from vultus.compare.plots import side_by_side

    write_video(side_by_side(video, dubbed, fps, ("original", "dubbed")), target, dubbed)
