"""A video re-voiced: other voices for the people in it, at its own size and rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vultus.animate import OnProgress, controls_of, perform
from vultus.core.bases import ARKIT52
from vultus.core.controls import Controls
from vultus.core.errors import ControlError
from vultus.core.files import spare
from vultus.core.method import Look
from vultus.core.types import FaceTrack, Footage, Frames, Performance, Playback
from vultus.methods import DEFAULT_METHOD, get_method
from vultus.video.read import Video, open_video
from vultus.video.write import check_target, write_video

FOOTAGE_CONTROLS = {"pose": "still", "blink": "none", "gaze": "still"}
"""Head, lids and eyes move as they do in the video."""
_BELOW_EYES = np.array([name.startswith(("mouth", "jaw", "tongue", "cheek", "nose")) for name in ARKIT52])


@dataclass(frozen=True)
class Scene:
    """A video whose people have been followed."""

    video: Video
    tracks: tuple[FaceTrack, ...]
    """Of everybody in it, the largest face first."""

    def __len__(self) -> int:
        return len(self.tracks[0])


@dataclass(frozen=True)
class DubbedFace:
    """What became of one face."""

    face: int
    """Its number, from 1, the largest first."""
    voice: str
    frames: int
    """In which it speaks with the new voice."""
    passed: int
    """Left as they were: no face, or one turned away."""


@dataclass(frozen=True)
class DubReport:
    """What a dub did."""

    path: Path
    frames: int
    fps: float
    shots: int
    people: int
    """In the video."""
    faces: tuple[DubbedFace, ...]


def follow(video: str | Path, on_progress: OnProgress | None = None) -> Scene:
    """Follow everybody in a video. Raises InputError when nobody's face is seen."""
    from vultus.face.footage import face_track
    from vultus.face.track import track_stream

    opened = open_video(video)
    frames = opened.frames()
    return Scene(opened, (face_track(track_stream(frames, where=video), frames.fps),))


def voice_performance(
    voice: str | Path, fps: float, *, method: str = DEFAULT_METHOD, start_s: float = 0.0, end_s: float | None = None,
    **controls: Any,
) -> Performance:  # fmt: skip
    """What a voice makes of a face that keeps its own head motion, eyes and blinks.

    Args:
        **controls: emotion, intensity, lip_scale, expression_scale and seed of `core.controls.Controls`. Without an
            emotion nothing above the cheeks moves.
    """
    chosen = controls_of(**controls, **FOOTAGE_CONTROLS)
    pieces, _ = perform(voice, chosen, fps, method=method, start_s=start_s, end_s=end_s)
    performance = Performance.concatenate(pieces)
    if chosen.emotion == Controls().emotion and performance.expression is not None:
        performance = replace(performance, expression=performance.expression * _BELOW_EYES)
    return performance


def dub_frames(
    scene: Scene, performances: Mapping[int, Performance], order: np.ndarray | None = None, method: str = DEFAULT_METHOD
) -> Frames:
    """The frames of a scene in which the faces of these numbers (from 1) perform; those of others stay.

    Args:
        order: (N,) which frame of the video each frame shows; all, in their own order, unless given.
    """
    order = np.arange(len(scene)) if order is None else order
    frames = scene.video.frames()
    for number, performance in performances.items():
        if not 1 <= number <= len(scene.tracks):
            raise ControlError(f"there is no face {number} in the video", "--face", f"it has {len(scene.tracks)}")
        footage = Footage(scene.video.frames, scene.tracks[number - 1], scene.video.path.name)
        renderer = get_method(method).renderer(footage, Look(fps=frames.fps))
        frames = renderer.play([performance], onto=Playback(frames, order))
    return frames


def dub(
    video: str | Path,
    voice: str | Path,
    output: str | Path,
    *,
    face: int = 1,
    method: str = DEFAULT_METHOD,
    start_s: float = 0.0,
    end_s: float | None = None,
    on_progress: OnProgress | None = None,
    **controls: Any,
) -> DubReport:
    """Give a person in a video another voice; the video ends with the shorter of both."""
    spare(Path(output), (video, voice))
    check_target(output, alpha=False)
    scene = follow(video)
    performance = voice_performance(
        voice, scene.video.fps, method=method, start_s=start_s, end_s=end_s, **controls
    )  # fmt: skip
    frames = dub_frames(scene, {face: performance}, method=method)
    path = write_video(frames, output, Path(voice), audio_start_s=start_s, audio_end_s=end_s, on_progress=on_progress)
    valid = scene.tracks[face - 1].performance.valid[: frames.count]
    dubbed = DubbedFace(face, str(voice), int(valid.sum()), int((~valid).sum()))
    return DubReport(path, len(valid), frames.fps, len(np.unique(scene.tracks[0].shot)), len(scene.tracks), (dubbed,))
