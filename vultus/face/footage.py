"""A face followed through a video in the numbers that re-making it takes (`core.types.FaceTrack`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

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
    rows: list[tuple[np.ndarray, np.ndarray, float, float]] = []
    cuts: list[bool] = []

    def noted() -> Iterator[TrackedFrame | None]:
        for frame in tracked:
            cuts.append(frame is not None and frame.cut)
            if frame is not None:
                fit = frame.fit
                points = fit.landmarks[list(FOOTAGE_POINTS), :2]
                units_px = float(fit.focal_px / fit.translation[2])
                rows.append(
                    (points, frame.departure[list(MOUTH_POINTS)], units_px, float(interocular_px(fit.landmarks)))
                )
            yield frame

    performance = performance_of(noted(), fps)
    jumps = np.cumsum(cuts).astype(int)
    unbroken = jumps if shot is None else jumps + shot
    points, departure, units_px, interocular = (np.array(column, np.float32) for column in zip(*rows, strict=True))
    jitter_px = POINTS_JITTER * float(np.median(interocular))
    valid, sigma = performance.valid, max(0.6, POINTS_SMOOTHING_S * fps)

    def smooth(values: np.ndarray, jitter: float) -> np.ndarray:
        whole = np.zeros((len(valid), *values.shape[1:]), np.float32)
        whole[valid] = values
        whole = fill_gaps(whole, valid)
        return bilateral(whole.reshape(len(valid), -1), unbroken, sigma, jitter).reshape(whole.shape)

    return FaceTrack(
        performance,
        smooth(points, jitter_px),
        smooth(departure, DEPARTURE_JITTER),
        smooth(units_px[:, None], float(np.median(units_px)))[:, 0],
        jumps if shot is None else shot,
    )
