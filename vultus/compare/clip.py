"""One real clip against everything that methods made of it: each file decoded and tracked once, all measures shared.

Beside the methods stand three nulls, which tell what a figure is worth: the real clip itself (the best there is), its
first frame as a still photo, and the real picture with another clip's voice.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from vultus.compare.judges import judge
from vultus.compare.movement import compare_movement, frozen
from vultus.compare.networks import Faces, compare_faces, compare_sound, inception_moments, read_voice
from vultus.compare.pairs import Group
from vultus.compare.pictures import FlickerTally, PictureTally, Samples, same_view
from vultus.compare.watch import Moment, Seen, Watch
from vultus.core.errors import InputError
from vultus.metrics.frechet import Moments

COPY, STILL, SWAPPED = "copied reference", "still photo", "swapped voice"
NULLS = (COPY, STILL, SWAPPED)
MAX_SAMPLES = 200
"""Networks look at no more frames of one clip than this."""
NULL_SAMPLES = 8
"""And at so many for a null."""


@dataclass(frozen=True)
class ClipResult:
    """All figures of one real clip."""

    name: str
    duration_s: float
    values: dict[str, dict[str, float]]
    """Method or null -> measure -> figure; NaN where a clip does not tell."""
    series: dict[str, dict[str, list[float]]]
    """Method -> measure -> figures of single frames, for measures that have them."""
    fps: float
    failed: dict[str, str] = field(default_factory=dict)
    """Method -> why its video could not be measured."""
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """For another process; NaN and infinity are kept, as Python's json writes them."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> ClipResult:
        """What `to_json` wrote."""
        return ClipResult(**json.loads(text))


@dataclass
class Tallies:
    """What grows while the videos run."""

    pictures: dict[str, PictureTally]
    flicker: dict[str, FlickerTally]
    samples: dict[str, Samples]
    first: tuple[np.ndarray, np.ndarray] | None = None
    """The real clip's first frame with a face, and its points."""


@dataclass(frozen=True)
class Watched:
    """A real clip and its versions once they have been watched."""

    group: Group
    real: Seen
    versions: dict[str, Seen]
    tallies: Tallies


def measure_group(
    group: Group,
    every: int,
    moments_at: Callable[[str], Path],
    look: Callable[[Watched], None] | None = None,
    on_frame: Callable[[int, int | None], None] | None = None,
) -> ClipResult:
    """All figures of a group.

    Args:
        every: networks look at every so manieth frame, and nulls are measured on it.
        moments_at: where to write the moments of Inception's features of each method, "" for the real clip's.
        look: called with what has been seen, for plots.
        on_frame: called with frames done and their total.

    Raises InputError where the real clip cannot be used, or no version can.
    """
    with Watch(group.reference, group.generated) as watch:
        tallies = _watch(watch, group, every, on_frame)
        versions, failed = {}, {name: str(error) for name, error in watch.failed.items()}
        for name in group.generated:
            if name in failed:
                continue
            try:
                versions[name] = watch.seen(name)
            except InputError as error:
                watch.failed[name], failed[name] = error, str(error)
        if not versions:
            raise next(iter(watch.failed.values()))
        real = watch.seen()
    watched = Watched(group, real, versions, tallies)
    values, series = _figures(watched)
    _keep_moments(watched, moments_at)
    if look is not None:
        look(watched)
    return ClipResult(group.name, real.duration_s, values, series, real.fps, failed, _notes(watched))


def _watch(watch: Watch, group: Group, every: int, on_frame: Callable[[int, int | None], None] | None) -> Tallies:
    names = [*group.generated]
    tallies = Tallies(
        {name: PictureTally() for name in (*names, COPY, STILL)},
        {name: FlickerTally() for name in (*names, COPY)},
        {name: Samples() for name in (*names, COPY)},
    )
    every = max(every, -(-(watch.count or 0) // MAX_SAMPLES))
    for moment in watch.moments():
        _count(moment, tallies, moment.index % every == 0)
        if on_frame is not None:
            on_frame(moment.index + 1, watch.count)
    return tallies


def _count(moment: Moment, tallies: Tallies, sampled: bool) -> None:
    real, points = moment.image, moment.points
    tallies.flicker[COPY].add(real)
    if tallies.first is None and points is not None:
        tallies.first = (real, points)
    for name, (image, own) in moment.versions.items():
        tallies.pictures[name].add(real, points, image, own)
        tallies.flicker[name].add(image)
        if sampled and own is not None:
            tallies.samples[name].add(moment.index, image, own)
    if sampled and points is not None and tallies.first is not None:
        tallies.samples[COPY].add(moment.index, real, points)
        tallies.pictures[COPY].add(real, points, real, points)
        if real is not tallies.first[0]:  # against itself it would be the copied reference
            tallies.pictures[STILL].add(real, points, *tallies.first)


def _figures(watched: Watched) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, list[float]]]]:
    """Figures of all methods and nulls, and those that methods have frame by frame."""
    real, tallies, group = watched.real, watched.tallies, watched.group
    values: dict[str, dict[str, float]] = {}
    series: dict[str, dict[str, list[float]]] = {}
    still = frozen(real)
    for name, seen in {**watched.versions, COPY: real, STILL: still}.items():
        movement = compare_movement(seen, real)
        frames = {k: list(map(float, row)) for k, row in movement.series.items()} | tallies.pictures[name].series
        values[name] = {k: _mean(row) for k, row in frames.items()} | movement.values
        values[name]["flicker"] = _mean(tallies.flicker[name].values) if name in tallies.flicker else 0.0
        if name in watched.versions:
            series[name] = frames
    values[STILL] |= {"blink_rate": 0.0, "blink_duration": float("nan")}  # even if its lids are shut
    for name in (*watched.versions, COPY, STILL):
        values[name] |= _faces_of(watched, name, group.emotion)
    for name, figures in _sounds(watched, still).items():
        values.setdefault(name, {}).update(figures)
    return values, series


def _faces_of(watched: Watched, name: str, emotion: str | None) -> dict[str, float]:
    samples = watched.tallies.samples
    theirs = samples[COPY]
    if name in watched.versions:
        shared = [k for k in theirs.index if k in set(samples[name].index)]
        made = Faces.of(samples[name], watched.versions[name], shared)
    else:
        shared = theirs.index[:: max(1, -(-len(theirs.index) // NULL_SAMPLES))]
        made = Faces.of(theirs, watched.real, shared if name == COPY else shared[:1] * len(shared))
    return compare_faces(made, Faces.of(theirs, watched.real, shared), emotion)


def _sounds(watched: Watched, still: Seen) -> dict[str, dict[str, float]]:
    """Lips against sound: methods with their own voice, or the real one where they have none, and the nulls."""
    group, real = watched.group, watched.real
    voice = read_voice(group.reference)
    found = {}
    for name, seen in watched.versions.items():
        own = read_voice(group.generated[name])
        spoken = voice if own is None else own
        found[name] = {} if spoken is None else compare_sound(seen, spoken, group.generated[name])
    if voice is not None:
        found[COPY] = compare_sound(real, voice, group.reference)
        found[STILL] = compare_sound(still, voice, None)
        found[STILL].pop("sync_vultus_offset", None)  # lips that do not move are neither early nor late
        found[SWAPPED] = compare_sound(real, _other_voice(group, voice), group.reference)
    return found


def _other_voice(group: Group, voice: np.ndarray) -> np.ndarray:
    """The voice of another clip, over and over if it is shorter; without one the clip's own, its halves swapped."""
    other = None if group.other_voice is None else read_voice(group.other_voice)
    return np.roll(voice, len(voice) // 2) if other is None else np.resize(other, len(voice))


def _keep_moments(watched: Watched, moments_at: Callable[[str], Path]) -> None:
    if judge("weights:inception-fid") is None:
        return
    samples = watched.tallies.samples
    seens = {**watched.versions, COPY: watched.real}
    for name, seen in seens.items():
        found = inception_moments(Faces.of(samples[name], seen, samples[name].index))
        if found is not None:
            path = moments_at("" if name == COPY else name)
            np.savez(path, count=found.count, mean=found.mean, covariance=found.covariance)


def read_moments(path: Path) -> Moments:
    """What `measure_group` left there."""
    with np.load(path, allow_pickle=False) as data:
        return Moments(int(data["count"]), data["mean"], data["covariance"])


def _notes(watched: Watched) -> list[str]:
    notes, real = [], watched.real
    for name, seen in watched.versions.items():
        if not same_view(seen.size, real.size):
            notes.append(
                f"{name}, {watched.group.name}: not the part of the picture the real clip shows; faces compared."
            )
        elif seen.size != real.size:
            made, wanted = ("x".join(map(str, size)) for size in (seen.size, real.size))
            notes.append(f"{name}, {watched.group.name}: {made} scaled to the real clip's {wanted}.")
        if len(seen) < len(real) - real.fps / 4:
            notes.append(f"{name}, {watched.group.name}: ends {real.duration_s - seen.duration_s:.1f} s early.")
    return notes


def _mean(row: list[float]) -> float:
    known = [value for value in row if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
