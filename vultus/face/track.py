"""`vultus track`: a video of a person becomes a performance.

FaceMesh follows the face; the first seconds give the person's identity and the camera; every frame then gives pose,
expression, gaze and lid opening. Only numbers a frame are kept, in files if there are many (`core.shelf`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.core.errors import InputError
from vultus.core.pose import degrees_from_matrix
from vultus.core.shelf import Rows
from vultus.core.types import Fit, Frames, Performance
from vultus.face.blinks import AU45_FULL, lid_closure
from vultus.face.colours import Colours
from vultus.face.fit import Camera, Fitter, Person
from vultus.face.gaze import calibrated_gaze, eye_openness
from vultus.face.head import FLIP, HeadModel, embedded_head
from vultus.face.leaks import COORDINATE_JITTER, coordinates, settle_jaw, undo_leaks
from vultus.face.points import interocular_px, landmarks68
from vultus.face.smooth import bilateral, fill_gaps
from vultus.face.stream import FaceSeen, FaceStream

CALIBRATION_FRAMES = 50
"""Frames with a face that are looked at before the first fit is given out."""

_MAX_RMS_PX = 15.0
"""A fit worse than this, in pixels of a 512 crop, is not of a face."""
_CUT_FACES = 0.5
"""A jump of the face between two frames, in inter-ocular distances, that is a cut and not a movement."""
_BLINK = np.isin(ARKIT52, ("eyeBlinkLeft", "eyeBlinkRight")).astype(float)
_IRIS_HIDDEN = 0.6
"""Closure of the lids from which the gaze is filled in from before and after."""
SMOOTHING_S = 0.05
"""Standard deviation of the smoothing in time."""
_JITTER = {"expression": 0.06, "rotation": 1.0, "translation": 0.25, "gaze": 2.5, "openness": 0.08}
"""Differences that count as noise: expression weights, degrees, head units, degrees, share of the open eye."""
_SHOWN = "shown"
"""Beside the channels of `_JITTER`: `face.leaks.coordinates`."""
_LANDMARK_JITTER = 0.012
"""The same for landmarks, in inter-ocular distances."""


@dataclass(frozen=True)
class TrackedFrame:
    """One frame's fit, the right and left eye's openness (2,) (`face.gaze`), and whether a new shot begins here.

    `offset` is `face.fit.Person.offset`, which belongs to the fit; `departure` (468, 2) head units leads, in the head's
    frame, from the person's face at rest to FaceMesh's points; `colours` are `face.colours`, where there is a picture.
    """

    fit: Fit
    openness: np.ndarray
    cut: bool
    offset: np.ndarray
    departure: np.ndarray
    colours: Colours | None = None


def track(frames: Frames, head: HeadModel | None = None, face: int | None = None, where: object = None) -> Performance:
    """The performance of one person in a video: all channels but `controls`, absolute ("camera").

    `face` chooses among faces (from 1, the largest first); `where` names the video in errors. Frames without a face are
    not valid and filled in. Raises InputError when no frame shows a usable face.
    """
    return performance_of(track_stream(frames, head, face, where), frames.fps)


def performance_of(tracked: Iterable[TrackedFrame | None], fps: float, unmix: bool = True) -> Performance:
    """What `track` makes of the frames of `track_stream`, for who wants to look at them on the way.

    `unmix=False` keeps expressions as they were fitted (`face.leaks` learns from those).
    """
    series = _Series(unmix)
    for frame in tracked:
        series.append(frame)
    return series.performance(fps)


def track_stream(
    frames: Iterable[np.ndarray], head: HeadModel | None = None, face: int | None = None, where: object = None
) -> Iterator[TrackedFrame | None]:
    """Unsmoothed tracking, a frame at a time; None where no face is seen. Arguments and errors: `track`."""
    found = False
    with FaceStream(face) as stream:
        for tracked in track_seen(map(stream.see, frames), head):
            found = True
            yield tracked
        refusal = stream.refusal
    if not found:
        what = refusal.what if refusal is not None else "the video has no frames"
        raise InputError(what, where, refusal.fix if refusal is not None else None)


def track_points(
    points: Iterable[np.ndarray | None], head: HeadModel | None = None, shot: np.ndarray | None = None
) -> Iterator[TrackedFrame | None]:
    """Tracking from FaceMesh's points (478, 3) of every frame alone, without pictures: otherwise as `track_seen`."""
    return track_seen((None if face is None else FaceSeen(face) for face in points), head, shot)


def track_seen(
    seen: Iterable[FaceSeen | None], head: HeadModel | None = None, shot: np.ndarray | None = None
) -> Iterator[TrackedFrame | None]:
    """Tracking from what is seen in every frame, None where there is no face; nothing if there is none.

    `shot` (T,) numbers the shot of every frame where that is known; fits start anew in each. Given out up to
    `CALIBRATION_FRAMES` frames with a face late.
    """
    fitter = Fitter(head or embedded_head())
    person: Person | None = None
    waiting: list[FaceSeen | None] = []
    follower = _Follower(fitter, shot)
    for one in seen:
        waiting.append(one)
        if person is None and sum(face is not None for face in waiting) >= CALIBRATION_FRAMES:
            person = fitter.meet([face.points for face in waiting if face is not None])
        if person is not None:
            for face in waiting:
                yield follower.next(face, person)
            waiting.clear()
    faces = [face.points for face in waiting if face is not None]
    person = person or (fitter.meet(faces) if faces else None)
    if person is not None:
        for face in waiting:
            yield follower.next(face, person)


class _Follower:
    """Fits frame after frame, each from the one before it, and notices cuts."""

    def __init__(self, fitter: Fitter, shot: np.ndarray | None) -> None:
        self._fitter = fitter
        self._begins: set[int] = set() if shot is None else set((np.flatnonzero(np.diff(shot)) + 1).tolist())
        self._frame = -1
        self._last: Fit | None = None

    def next(self, seen: FaceSeen | None, person: Person) -> TrackedFrame | None:
        self._frame += 1
        if self._frame in self._begins:
            self._last = None
        if seen is None:
            self._last = None
            return None
        points = seen.points
        cut = self._last is None or _jumped(self._last.landmarks, points)
        fit = self._fitter.follow(points, None if cut else self._last, person)
        nearer = max(1.0, Camera.around(points).crop_px / person.camera.crop_px)
        if fit.rms_px > nearer * _MAX_RMS_PX:
            self._last = None
            return None
        self._last = fit
        lids = [self._fitter.points(person.identity, blink) + person.offset for blink in (0 * _BLINK, _BLINK)]
        departure = self._fitter.departure(fit, lids[0])[:, :2].astype(np.float32)
        return TrackedFrame(fit, eye_openness(fit, *lids), cut, person.offset, departure, seen.colours)


class _Series:
    """The numbers kept of every frame."""

    def __init__(self, unmix: bool) -> None:
        self._unmix = unmix
        self._jitter = _JITTER | ({_SHOWN: COORDINATE_JITTER} if unmix else {})
        self._rows = {name: Rows() for name in (*self._jitter, "landmarks")}
        self._valid: list[bool] = []
        self._cut: list[bool] = []

    def append(self, tracked: TrackedFrame | None) -> None:
        self._valid.append(tracked is not None)
        self._cut.append(tracked is None or tracked.cut)
        if tracked is None:
            return
        fit = tracked.fit
        self._rows["expression"].append(fit.expression)
        self._rows["rotation"].append(degrees_from_matrix(fit.rotation))
        self._rows["translation"].append(FLIP @ fit.translation)
        self._rows["gaze"].append(fit.gaze_deg)
        self._rows["openness"].append(tracked.openness)
        self._rows["landmarks"].append(landmarks68(fit.landmarks))
        if self._unmix:
            self._rows[_SHOWN].append(coordinates(tracked.departure, tracked.colours))

    def performance(self, fps: float) -> Performance:
        """All frames, gaps filled, jitter removed, lids calibrated to the person, expressions unmixed."""
        valid = np.array(self._valid, bool)
        segment = np.cumsum(self._cut)
        channels: dict[str, Any] = {name: self._filled(name, valid) for name in self._rows}
        sigma_frames = max(0.6, SMOOTHING_S * fps)
        channels = {
            name: bilateral(values, segment, sigma_frames, self._jitter[name]) if name in self._jitter else values
            for name, values in channels.items()
        }
        points = channels.pop("landmarks").reshape(len(valid), -1)
        jitter_px = _LANDMARK_JITTER * float(np.median(_interocular68(points.reshape(-1, 68, 3))[valid]))
        points = bilateral(points, segment, sigma_frames, jitter_px).reshape(-1, 68, 3)
        shut = lid_closure(channels.pop("openness"), valid, fps)  # (T, 2), right and left
        shown = channels.pop(_SHOWN, None)
        if shown is not None and valid.any():
            unmixed = undo_leaks(shown, channels["expression"], channels["rotation"], valid)
            settled = bilateral(unmixed, segment, sigma_frames, _JITTER["expression"])  # the network stirs up jitter
            channels["expression"] = settle_jaw(settled, valid)
        expression = channels["expression"]
        expression[:, index_of("eyeBlinkRight")], expression[:, index_of("eyeBlinkLeft")] = shut.T
        seen = valid & (shut.mean(1) < _IRIS_HIDDEN)
        channels["gaze"] = calibrated_gaze(fill_gaps(channels["gaze"], seen), seen)
        au45 = AU45_FULL * shut.mean(1)
        return Performance(fps=fps, valid=valid, au45=au45, landmarks=points, reference="camera", **channels)

    def _filled(self, name: str, valid: np.ndarray) -> np.ndarray:
        return fill_gaps(self._rows[name].spread(valid), valid)


def _interocular68(points: np.ndarray) -> np.ndarray:
    """Distance (T,) between the outer eye corners of points (T, 68, 3)."""
    return np.linalg.norm(points[:, 36, :2] - points[:, 45, :2], axis=-1)


def _jumped(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether points (478, 3) moved or grew more than a head can between two frames."""
    scale = float(interocular_px(before))
    shift = np.linalg.norm((after - before)[:468, :2].mean(0))
    growth = float(interocular_px(after)) / max(scale, 1e-6)
    return bool(shift > _CUT_FACES * scale or not 0.75 < growth < 1.33)
