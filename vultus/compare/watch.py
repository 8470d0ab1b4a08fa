"""A video watched once: its frames at a given rate, FaceMesh's points in each, and afterwards what the face does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vultus.core.errors import InputError
from vultus.core.types import Performance
from vultus.data.crops import FaceTrail
from vultus.face.blinks import SeenBlink, blinks_of
from vultus.face.mouth import mouth
from vultus.face.points import landmarks68
from vultus.face.smooth import fill_gaps
from vultus.face.stream import FaceSeen, FaceStream
from vultus.face.track import performance_of, track_seen
from vultus.video.read import open_video


@dataclass(frozen=True)
class Seen:
    """What is known of a video once it has been watched; series are (T, ...), one row a frame."""

    fps: float
    size: tuple[int, int]
    """Width and height in pixels."""
    points: np.ndarray
    """(T, 478, 3) pixels; frames without a face are filled in."""
    valid: np.ndarray
    """(T,) whether a face was seen."""
    performance: Performance
    """Of the same frames (`face.track`)."""

    def __len__(self) -> int:
        return len(self.valid)

    @property
    def duration_s(self) -> float:
        return len(self) / self.fps

    @property
    def mouth(self) -> np.ndarray:
        """Aperture and width (T, 2), see `face.mouth`."""
        return mouth(self.points)

    @property
    def landmarks(self) -> np.ndarray:
        """The 68 points (T, 68, 3), unsmoothed."""
        return landmarks68(self.points)

    @property
    def blinks(self) -> list[SeenBlink]:
        return blinks_of(self.performance)

    @property
    def trail(self) -> FaceTrail:
        """Where the face is, for crops."""
        points = self.points[:, :468, :2]
        box = np.concatenate([points.min(1), points.max(1)], 1)
        width, height = self.size
        return FaceTrail(self.landmarks[..., :2], box, np.zeros(len(self), int), self.fps, width, height)


@dataclass
class _Watching:
    path: Path
    size: tuple[int, int]
    images: Iterator[np.ndarray]
    stream: FaceStream
    seen: list[FaceSeen | None] = field(default_factory=list)
    image: np.ndarray | None = None

    def step(self) -> bool:
        """Go one frame on; False at the end."""
        self.image = next(self.images, None)
        if self.image is not None:
            self.seen.append(self.stream.see(self.image))
        return self.image is not None

    @property
    def points(self) -> np.ndarray | None:
        """(478, 3) of the frame it has come to, None where no face is seen."""
        last = self.seen[-1]
        return None if last is None else last.points


@dataclass(frozen=True)
class Moment:
    """One frame of the reference and the same moment of every version that has not ended."""

    index: int
    image: np.ndarray
    points: np.ndarray | None
    """(478, 3), None where no face is seen; so below."""
    versions: dict[str, tuple[np.ndarray, np.ndarray | None]]
    """Name -> image and points."""


class Watch:
    """The reference and its versions side by side, each decoded once and at the reference's rate.

    Iterate over `moments()`, then ask for `seen`. A context manager.
    """

    def __init__(self, reference: Path, versions: dict[str, Path]) -> None:
        self._stack = ExitStack()
        video = open_video(reference)
        self.fps = video.fps
        self.count = video.count
        """Frames expected, None where the container does not say."""
        self.failed: dict[str, InputError] = {}
        """Versions that could not be opened, or broke on the way, and why."""
        self._reference = self._open(reference)
        self._versions: dict[str, _Watching] = {}
        for name, path in versions.items():
            try:
                self._versions[name] = self._open(path)
            except InputError as error:
                self.failed[name] = error

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _open(self, path: Path) -> _Watching:
        video = open_video(path)
        stream = self._stack.enter_context(FaceStream())
        return _Watching(path, (video.width, video.height), iter(video.frames(self.fps)), stream)

    def moments(self) -> Iterator[Moment]:
        """Every frame of the reference, in order; versions that are longer are not watched to their end."""
        going = dict(self._versions)
        index = 0
        while going and self._reference.step():
            going = {name: version for name, version in going.items() if self._step(name, version)}
            here = self._reference.image
            assert here is not None
            shown = {n: (v.image, v.points) for n, v in going.items() if v.image is not None}
            yield Moment(index, here, self._reference.points, shown)
            index += 1

    def _step(self, name: str, version: _Watching) -> bool:
        try:
            return version.step()
        except InputError as error:  # damaged in its middle
            self.failed[name] = error
            return False

    def seen(self, name: str | None = None) -> Seen:
        """The reference, or a version by name, as far as it was watched. Raises InputError where no face was seen."""
        watched = self._reference if name is None else self._versions[name]
        valid = np.array([seen is not None for seen in watched.seen], bool)
        if not valid.any():
            refusal = watched.stream.refusal
            what, fix = (refusal.what, refusal.fix) if refusal is not None else ("no face found", None)
            raise InputError(what, watched.path, fix)
        points = np.zeros((len(valid), 478, 3), np.float32)
        points[valid] = [seen.points for seen in watched.seen if seen is not None]
        tracked = list(track_seen(watched.seen))
        if all(frame is None for frame in tracked):
            raise InputError("the face could not be followed", watched.path, "use a video that shows it from the front")
        performance = performance_of(tracked, self.fps)
        return Seen(self.fps, watched.size, fill_gaps(points, valid), valid, performance)
