"""The people of a video, and the frames in which they perform something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from vultus.animate import OnProgress, controls_of, perform
from vultus.core.bases import ARKIT52
from vultus.core.controls import Controls
from vultus.core.method import FootageRenderer, Look
from vultus.core.types import FaceTrack, Footage, Frames, Performance, Playback
from vultus.methods import DEFAULT_METHOD, get_method
from vultus.video.original import Original, open_original
from vultus.video.span import Span, reordered

FOOTAGE_CONTROLS = {"pose": "still", "blink": "none", "gaze": "still"}
"""Head, lids and eyes move as they do in the video."""
SETTLE_S = 0.25
"""Time in which lips come to rest after a voice that the video outlasts."""
SETTLING = ("expression", "voice")
"""Channels that do so: to a face at rest, to silence."""
_BELOW_EYES = np.array([name.startswith(("mouth", "jaw", "tongue", "cheek", "nose")) for name in ARKIT52])


@dataclass(frozen=True)
class Scene:
    """A video whose people have been followed."""

    video: Original
    tracks: tuple[FaceTrack, ...]
    """Of everybody in it, the largest face first."""

    def __len__(self) -> int:
        return len(self.tracks[0])

    @property
    def shots(self) -> int:
        return len(np.unique(self.tracks[0].shot))

    def footage(self, face: int) -> Footage:
        """One person's. Raises ControlError if there is no face of that number (from 1)."""
        from vultus.face.people import numbered

        return Footage(self.video.frames, numbered(self.tracks, face, self.video.path), self.video.path.name)


def follow(video: str | Path | Original, on_progress: OnProgress | None = None) -> Scene:
    """Follow everybody in a video, a file or one opened. Raises InputError when nobody's face is seen."""
    from vultus.face.people import follow_people
    from vultus.perception.judges.identity import load_identity

    original = video if isinstance(video, Original) else open_original(video)
    embed = load_identity("judge").vector
    crowd = follow_people(original.frames(), embed=embed, where=original.path, on_progress=on_progress)
    return Scene(original, tuple(crowd.tracks))


def voice_performance(
    voice: str | Path, fps: float, *, method: str = DEFAULT_METHOD, start_s: float = 0.0, end_s: float | None = None,
    **controls: Any,
) -> Performance:  # fmt: skip
    """What a voice makes of a face that keeps its own head motion, eyes and blinks.

    Args:
        **controls: emotion, intensity, lip_scale, expression_scale and seed of `core.controls.Controls`. Without an
            emotion nothing above the cheeks moves.
    """
    honoured = get_method(method).controls
    chosen = controls_of(**controls, **{name: value for name, value in FOOTAGE_CONTROLS.items() if name in honoured})
    pieces, _ = perform(voice, chosen, fps, method=method, start_s=start_s, end_s=end_s)
    performance = Performance.concatenate(pieces)
    if chosen.emotion == Controls().emotion and performance.expression is not None:
        performance = replace(performance, expression=performance.expression * _BELOW_EYES)
    return performance


def dub_frames(
    scene: Scene, performances: Mapping[int, Performance], span: Span | None = None, method: str = DEFAULT_METHOD
) -> tuple[Frames, dict[int, np.ndarray]]:
    """The frames of a scene in which the faces of these numbers (from 1) perform; those of others stay.

    Args:
        performances: at any rate, from the video's time zero on; after their end lips are at rest.
        span: which frames of the video are shown when; all of them unless given.

    Returns:
        The frames, lazily, and how much (N,) 0-1 each face's performance is seen in each of them.
    """
    if span is None:
        frames = scene.video.frames()
        order, times_s = np.arange(len(scene)), frames.times_s
        times_s = order / frames.fps if times_s is None else times_s[: len(scene)]
    else:
        frames, order, times_s = reordered(scene.video.frames, span), span.index, span.times_s
    shown: dict[int, np.ndarray] = {}
    for face, performance in performances.items():
        renderer = cast(FootageRenderer, get_method(method).renderer(scene.footage(face), Look(fps=frames.fps)))
        acted = over(performance, times_s)
        frames = renderer.play([acted], len(order), Playback(frames, order))
        shown[face] = renderer.shown
    return frames, shown


def over(performance: Performance, times_s: np.ndarray) -> Performance:
    """The performance in frames shown from times (N,) on; what comes after its end settles to rest."""
    acted = performance.sampled(times_s)
    after_s = times_s - performance.duration_s
    share = np.clip(1 - after_s / SETTLE_S, 0, 1).astype(np.float32)[:, None]
    settling = {name: getattr(acted, name) * share for name in SETTLING if name in acted.channels}
    return replace(acted, **settling)
