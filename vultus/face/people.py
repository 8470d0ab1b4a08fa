"""Everybody in a video, followed through its shots in one pass: a `core.types.FaceTrack` for each person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np

from vultus.core.errors import ControlError, InputError
from vultus.core.types import FaceTrack, Frames
from vultus.face.crowd_watch import CrowdWatch
from vultus.face.footage import face_track
from vultus.face.head import HeadModel, embedded_head
from vultus.face.stretches import Embed, Stretch, people_of
from vultus.face.track import track_points

MOST_PEOPLE = 8
"""People that are followed unless it is said."""
_MIN_SEEN_S = 0.2
"""Who is seen for less is nobody, unless there is nobody else."""

OnProgress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Crowd:
    """Everybody in a video."""

    tracks: list[FaceTrack]
    """Of every person, as long as the video; who has the largest face, on average, comes first."""
    shot: np.ndarray
    """(T,) int: number of the shot that a frame belongs to, from 0; the same in all tracks."""
    frames: int
    """T."""

    def person(self, face: int, where: object = None) -> FaceTrack:
        """Number `face`, from 1. Raises ControlError if there are fewer; `where` names the video in it."""
        return numbered(self.tracks, face, where)


def numbered(tracks: Sequence[FaceTrack], face: int, where: object = None) -> FaceTrack:
    """Number `face`, from 1, of tracks. Raises ControlError if there are fewer; `where` names the video in it."""
    if not 1 <= face <= len(tracks):
        count = "one face" if len(tracks) == 1 else f"{len(tracks)} faces"
        raise ControlError(f"there is no face {face}, only {count}", where, "faces count from 1, the largest first")
    return tracks[face - 1]


def follow_people(
    frames: Frames,
    *,
    most: int = MOST_PEOPLE,
    embed: Embed | None = None,
    head: HeadModel | None = None,
    where: object = None,
    on_progress: OnProgress | None = None,
) -> Crowd:
    """Follow the people in a video, `most` of them at a time and in the end, in one pass that holds one picture.

    Numbers, 3 to 8 KB a frame and face, lie in temporary files (`core.shelf`).

    Args:
        embed: Tells persons apart, beside their looks in this video (`face.stretches`); called five times a second for
            every face.
        where: Names the video in errors.
        on_progress: Called with steps done and to do: every frame is watched, and later fitted.

    Raises InputError when no frame shows a usable face.
    """
    with CrowdWatch(frames.fps, most, embed) as watch:
        for image in frames:
            watch.next(image)
            if on_progress is not None:
                on_progress(watch.frames, None if frames.count is None else 2 * frames.count)
    if not watch.frames:
        raise InputError("the video has no frames", where)
    shot = watch.shots()
    people = _largest(people_of(watch.stretches, shot, frames.fps), frames.fps, most)
    head = head or embedded_head()
    tracks = []
    for number, person in enumerate(people):
        points = _points(person, len(shot))
        if on_progress is not None:
            points = _counted(points, on_progress, number, len(people), len(shot))
        track = _track(points, shot, frames.fps, head)
        if track is not None:
            tracks.append(track)
    if not tracks:
        refusal = watch.refusal or InputError(
            "the face could not be followed", fix="use a video that shows it in front"
        )
        raise InputError(refusal.what, where, refusal.fix)
    return Crowd(tracks, shot, len(shot))


def _largest(people: list[list[Stretch]], fps: float, most: int) -> list[list[Stretch]]:
    """Those who are there for more than a moment, the largest face first."""
    sizes = {id(person): np.array([side for s in person for _, side in s.boxes]) for person in people}
    stayed = [person for person in people if len(sizes[id(person)]) >= _MIN_SEEN_S * fps]
    if not stayed and people:
        stayed = [max(people, key=lambda person: len(sizes[id(person)]))]
    return sorted(stayed, key=lambda person: -float(sizes[id(person)].mean()))[:most]


def _track(points: Iterator[np.ndarray | None], shot: np.ndarray, fps: float, head: HeadModel) -> FaceTrack | None:
    """The track of one person from points (478, 3) or None of every frame; None if no frame of it can be fitted."""
    fitted = track_points(points, head, shot)
    for unseen, frame in enumerate(fitted):
        if frame is not None:
            return face_track(chain(repeat(None, unseen), [frame], fitted), fps, shot)
    return None


def _points(person: list[Stretch], count: int) -> Iterator[np.ndarray | None]:
    """Points (478, 3) of every frame, None where the person is not seen."""
    frame = 0
    for stretch in person:
        yield from (None for _ in range(frame, stretch.start))
        yield from (stretch.points(seen) for seen in range(stretch.start, stretch.end))
        frame = stretch.end
    yield from (None for _ in range(frame, count))


def _counted(
    points: Iterator[np.ndarray | None], on_progress: OnProgress, number: int, people: int, frames: int
) -> Iterator[np.ndarray | None]:
    """The points of person `number`, from 0, of several; tells how far the fits are when all frames are watched."""
    for frame, seen in enumerate(points):
        yield seen
        on_progress(frames + (number * frames + frame + 1) // people, 2 * frames)
