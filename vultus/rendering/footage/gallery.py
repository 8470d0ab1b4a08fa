"""A person's own mouths, cut from the frames of a video, and which of them to show when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vultus.core.pose import matrix_from_degrees
from vultus.core.types import FaceTrack
from vultus.face.points import FOOTAGE_POINTS, LIPS_RINGS
from vultus.rendering.footage.person import lip_gap

AROUND = (57, 43, 106, 182, 83, 18, 313, 406, 335, 273, 287, 410, 322, 391, 393, 164, 167, 165, 92, 186)
"""FaceMesh's line of skin around the lips, in the order of their own lines."""
RINGS = (AROUND, *LIPS_RINGS)
PATCH_POINTS = tuple(FOOTAGE_POINTS.index(k) for ring in RINGS for k in ring)
"""Columns of a track's points that carry a patch: five lines of twenty, from the skin inwards."""
LIP_COLUMNS = slice(0, 80)
"""Columns of a track's departures on the lips."""

MOST_PATCHES = 160
MOST_CANDIDATES = 3000
MARGIN = 0.35
"""Room around the line of skin, in its width, so that its colours can be compared beyond it."""
MOST_YAW_DEG = 38.0
STILL_SHARE = 0.75
"""Of all frames, by the speed of the lips: faster ones are blurred."""
DEGREES_A_UNIT = 45.0
"""A turn of the head by so many degrees makes two mouths as different as lips one head unit apart."""
TOO_SHUT, TOO_OPEN = 1.0, 0.6
"""Cost of a head unit of gap by which a patch is less, or more, open than what is wanted: teeth can be covered, but
what was not seen cannot be shown."""
SWITCH_COST = 0.05
"""Head units of difference that are borne rather than change the patch."""


@dataclass(frozen=True)
class Patch:
    """A mouth as one frame shows it."""

    pixels: np.ndarray
    """(h, w, 3) uint8."""
    points: np.ndarray
    """(100, 2) float32 of `RINGS` in its pixels."""
    departure: np.ndarray
    """(M, 2) as in `FaceTrack`."""
    to_pixels: np.ndarray
    """(2, 2) from head units across and up to its pixels."""
    frame: int


class Gallery:
    """The mouths of one person, as different as the video has them."""

    def __init__(self, patches: list[Patch], rotation_deg: np.ndarray) -> None:
        self.patches = patches
        self._lips = np.stack([patch.departure[LIP_COLUMNS] for patch in patches])
        self._gaps = lip_gap(np.stack([patch.departure for patch in patches])).mean(1)
        self._rotation_deg = rotation_deg

    def __len__(self) -> int:
        return len(self.patches)

    @staticmethod
    def cut(frames: Iterable[np.ndarray], track: FaceTrack) -> Gallery:
        """Cut patches out of the frames (H, W, 3) of the track's video; pulls no more frames than it needs."""
        wanted = set(choose_frames(track).tolist())
        patches = []
        for number, image in enumerate(frames):
            if number in wanted:
                patches.append(_patch(image, track, number))
                if len(patches) == len(wanted):
                    break
        assert track.performance.rotation is not None
        return Gallery(patches, track.performance.rotation[[patch.frame for patch in patches]])

    def choose(self, departure: np.ndarray, rotation_deg: np.ndarray) -> np.ndarray:
        """Which patch (T,) to show for mouths (T, M, 2) of heads turned (T, 3): like them, but no new one each frame.

        The cheapest path through all frames (Viterbi); every change of patch costs the same.
        """
        best: np.ndarray | None = None
        came_from = np.zeros((len(departure), len(self)), np.int16)
        for t, (mouth, turn) in enumerate(zip(departure, rotation_deg, strict=True)):
            cost = self._cost(mouth, turn)
            if best is None:
                best = cost
                continue
            cheapest = int(np.argmin(best))
            stay = best <= best[cheapest] + SWITCH_COST
            came_from[t] = np.where(stay, np.arange(len(self)), cheapest)
            best = np.where(stay, best, best[cheapest] + SWITCH_COST) + cost
            best -= best.min()
        path = np.zeros(len(departure), int)
        if best is not None:
            path[-1] = int(np.argmin(best))
            for t in range(len(path) - 1, 0, -1):
                path[t - 1] = came_from[t, path[t]]
        return path

    def _cost(self, mouth: np.ndarray, rotation_deg: np.ndarray) -> np.ndarray:
        """(K,) head units: how unlike each patch is."""
        lips = np.sqrt(((self._lips - mouth[LIP_COLUMNS]) ** 2).sum(-1).mean(1))
        open_by = float(lip_gap(mouth[None]).mean()) - self._gaps
        turn = np.linalg.norm((self._rotation_deg - rotation_deg)[:, :2], axis=1) / DEGREES_A_UNIT
        return lips + turn + np.where(open_by > 0, TOO_SHUT, -TOO_OPEN) * open_by


def choose_frames(track: FaceTrack) -> np.ndarray:
    """Frames (K,), rising, whose mouths differ most; still, seen well, and no slips of the tracker."""
    performance = track.performance
    assert performance.rotation is not None
    lips = track.departure[:, LIP_COLUMNS].reshape(len(track), -1)
    speed = np.abs(np.gradient(lips, axis=0)).mean(1) if len(track) > 1 else np.zeros(1)
    usable = performance.valid & (np.abs(performance.rotation[:, 0]) < MOST_YAW_DEG)
    if usable.sum() > 2 * MOST_PATCHES:
        usable &= speed <= np.quantile(speed[usable], STILL_SHARE)
    candidates = np.flatnonzero(usable)
    if len(candidates) == 0:
        candidates = np.flatnonzero(performance.valid)
    candidates = candidates[:: max(1, len(candidates) // MOST_CANDIDATES)]
    spread = np.concatenate(
        [lips[candidates] / np.sqrt(lips.shape[1] / 2), performance.rotation[candidates, :2] / DEGREES_A_UNIT], 1
    )
    far = np.linalg.norm(spread - np.median(spread, 0), axis=1)
    ordinary = far <= np.quantile(far, 0.99)
    return np.sort(candidates[ordinary][_farthest(spread[ordinary], MOST_PATCHES)])


def _farthest(points: np.ndarray, most: int) -> np.ndarray:
    """Indices of points, each the farthest one from all before it, the most central one first."""
    chosen = [int(np.argmin(np.linalg.norm(points - np.median(points, 0), axis=1)))]
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    while len(chosen) < min(most, len(points)):
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return np.array(chosen)


def _patch(image: np.ndarray, track: FaceTrack, number: int) -> Patch:
    points = track.points[number, PATCH_POINTS]
    room = MARGIN * float(np.ptp(points[:, 0]))
    low = np.maximum(np.floor(points.min(0) - room), 0).astype(int)
    high = np.minimum(np.ceil(points.max(0) + room) + 1, image.shape[1::-1]).astype(int)
    pixels = np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])
    placed = (points - low).astype(np.float32)
    return Patch(pixels, placed, track.departure[number], to_pixels(track, number), number)


def to_pixels(track: FaceTrack, number: int) -> np.ndarray:
    """(2, 2) float64 from head units across and up, in the face's plane, to pixels of a frame."""
    assert track.performance.rotation is not None
    rotation = matrix_from_degrees(track.performance.rotation[number])
    return rotation[:2, :2] * float(track.units_px[number]) * [[1], [-1]]
