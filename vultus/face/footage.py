"""A face followed through a video in the numbers that re-making it takes (`core.types.FaceTrack`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from vultus.core.shelf import Rows
from vultus.core.types import FaceTrack
from vultus.face.points import FOOTAGE_POINTS, MOUTH_POINTS, interocular_px
from vultus.face.smooth import bilateral, fill_gaps
from vultus.face.track import TrackedFrame, performance_of

POINTS_JITTER = 0.012
"""Differences of points that count as noise, in inter-ocular distances."""
DEPARTURE_JITTER = 0.12
"""The same for departures, in head units (an inter-ocular distance is about nine)."""
POINTS_SMOOTHING_S = 0.03
"""Standard deviation in time of the smoothing of points and departures: lips are quick."""


def face_track(tracked: Iterable[TrackedFrame | None], fps: float, shot: np.ndarray | None = None) -> FaceTrack:
    """The track of one face from the frames of `face.track.track_points`, None where it was not seen.

    `shot` (T,) numbers the shot of every frame; unless it is known, a shot begins where the tracker noticed a cut.
    """
    points, departures, sizes = Rows(), Rows(), Rows()
    cuts: list[bool] = []

    def noted() -> Iterator[TrackedFrame | None]:
        for frame in tracked:
            cuts.append(frame is not None and frame.cut)
            if frame is not None:
                fit = frame.fit
                points.append(fit.landmarks[list(FOOTAGE_POINTS), :2])
                departures.append(frame.departure[list(MOUTH_POINTS)])
                sizes.append(np.array([fit.focal_px / fit.translation[2], interocular_px(fit.landmarks)]))
            yield frame

    performance = performance_of(noted(), fps)
    jumps = np.cumsum(cuts).astype(int)
    unbroken = jumps if shot is None else jumps + shot
    valid, sigma = performance.valid, max(0.6, POINTS_SMOOTHING_S * fps)
    size_px = sizes.spread(valid)
    unit_px, eyes_px = np.median(size_px[valid], 0)

    def smooth(whole: np.ndarray, jitter: float) -> np.ndarray:
        whole = fill_gaps(whole, valid)
        return bilateral(whole.reshape(len(valid), -1), unbroken, sigma, jitter).reshape(whole.shape)

    return FaceTrack(
        performance,
        smooth(points.spread(valid), POINTS_JITTER * float(eyes_px)),
        smooth(departures.spread(valid), DEPARTURE_JITTER),
        smooth(size_px[:, :1], float(unit_px))[:, 0],
        jumps if shot is None else shot,
    )
