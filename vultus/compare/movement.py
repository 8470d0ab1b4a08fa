"""What is measured on movement once two videos have been watched: points, pose, lips, lids."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vultus.compare.pictures import same_view
from vultus.compare.watch import Seen
from vultus.core.types import Performance
from vultus.data.crops import crop_of, moved
from vultus.metrics.blink import au45_mae, blink_rate, mean_duration_s
from vultus.metrics.landmarks import angle_error_deg, landmark_distance, normalised_landmark_distance
from vultus.metrics.lips import RATE_HZ, closures, correlation, on_grid

LEAST_LIPS_S = 1.0
"""Lips are not correlated over less than this."""

_LMD = {"lmd_mouth": "mouth", "lmd_inner_mouth": "inner_mouth", "lmd_eyes": "eyes", "lmd_all": "all"}
_SHARES = {"lmd_mouth_share": "mouth", "lmd_all_share": "all"}


@dataclass(frozen=True)
class Movement:
    """Figures of a clip, and those measures that have one a frame."""

    values: dict[str, float]
    series: dict[str, np.ndarray]


def compare_movement(made: Seen, real: Seen) -> Movement:
    """All measures of movement over the frames that both have; NaN where they have none to tell from."""
    count = min(len(made), len(real))
    made, real = first_frames(made, count), first_frames(real, count)
    both = made.valid & real.valid
    series = {name: np.where(both, row, np.nan) for name, row in _by_frame(made, real).items()}
    values = {name: _mean(row) for name, row in series.items()}
    values |= _lips(made, real, both) | eyes(made)
    assert made.performance.au45 is not None and real.performance.au45 is not None
    values["au45_error"] = au45_mae(made.performance.au45, real.performance.au45, both)
    return Movement(values, series)


def eyes(seen: Seen) -> dict[str, float]:
    """Rate and duration of one video's blinks."""
    blinks = seen.blinks
    first, last = (np.array([getattr(blink, end) for blink in blinks]) for end in ("start", "end"))
    return {
        "blink_rate": blink_rate(len(blinks), seen.duration_s),
        "blink_duration": mean_duration_s(first, last, seen.fps),
    }


def first_frames(seen: Seen, count: int) -> Seen:
    """The first `count` frames of a video."""
    if count == len(seen):
        return seen
    cut = slice(0, count)
    return replace(seen, points=seen.points[cut], valid=seen.valid[cut], performance=seen.performance[cut])


def frozen(seen: Seen) -> Seen:
    """The same video as a photo would show it: the first frame with a face, held."""
    at = np.full(len(seen), int(np.argmax(seen.valid)))
    acted = seen.performance
    channels = {name: getattr(acted, name)[at] for name in acted.channels}
    still = replace(acted, valid=acted.valid[at], **channels)
    return replace(seen, points=seen.points[at], valid=seen.valid[at], performance=still)


def _by_frame(made: Seen, real: Seen) -> dict[str, np.ndarray]:
    """Measures with one value a frame (T,)."""
    there = crop_of("pcavs", real.trail).crop_from_source
    theirs = moved(real.landmarks[..., :2].astype(np.float64), there)
    own = made.landmarks[..., :2].astype(np.float64)
    if same_view(made.size, real.size):  # what lies elsewhere in the picture is elsewhere
        own = moved(own * (real.size[0] / made.size[0], real.size[1] / made.size[1]), there)
    else:
        own = moved(own, crop_of("pcavs", made.trail).crop_from_source)
    rows = {name: landmark_distance(own, theirs, region) for name, region in _LMD.items()}
    rows |= {name: normalised_landmark_distance(own, theirs, region) for name, region in _SHARES.items()}
    rows["pose_error"] = angle_error_deg(_rotation(made.performance), _rotation(real.performance))
    return rows


def _rotation(performance: Performance) -> np.ndarray:
    assert performance.rotation is not None
    return performance.rotation


def _lips(made: Seen, real: Seen, both: np.ndarray) -> dict[str, float]:
    """Correlation of aperture and width at lag 0 and closures found beyond chance."""
    count = int(real.duration_s * RATE_HZ)
    grid_s = (np.arange(count) / RATE_HZ * real.fps).astype(int)
    usable = both[np.minimum(grid_s, len(both) - 1)]
    if usable.sum() < LEAST_LIPS_S * RATE_HZ:
        return dict.fromkeys(("aperture_r", "width_r", "closures_found"), np.nan)
    own, theirs = (on_grid(seen.mouth, real.fps, count, 0.5 / real.fps) for seen in (made, real))
    found = closures(own[:, 0], theirs[:, 0], usable)
    return {
        "aperture_r": correlation(own[usable, 0], theirs[usable, 0]),
        "width_r": correlation(own[usable, 1], theirs[usable, 1]),
        "closures_found": found.recall - found.chance,
    }


def _mean(row: np.ndarray) -> float:
    known = row[np.isfinite(row)]
    return float(known.mean()) if len(known) else float("nan")
