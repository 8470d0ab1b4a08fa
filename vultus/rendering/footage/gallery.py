"""A person's own mouths, cut from the frames of a video, and which of them to show when."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vultus.core.pose import matrix_from_degrees
from vultus.core.shelf import pieces, zeros
from vultus.core.types import FaceTrack
from vultus.rendering.footage.invented import invented_patches
from vultus.rendering.footage.patch import DEGREES_A_UNIT, LIP_COLUMNS, Patch, View, cut_patch
from vultus.rendering.footage.person import LEAST_SEEN, Mouth, openings

MOST_PATCHES = 160
MOST_CANDIDATES = 3000
MOST_YAW_DEG = 38.0
STILL_SHARE = 0.75
"""Of frames with lips open alike, by the speed of the lips: faster ones are blurred."""
OPENINGS = (0.06, 0.2, 0.4, 0.7, 1.0, 1.4)
"""Openings (head units) between which lips count as open alike."""
TOO_SHUT, TOO_OPEN = 2.4, 0.8
"""Cost of a difference of one in the root of the gaps (head units) between what is wanted and a patch that is less, or
more, open: teeth can be covered, but what was not seen cannot be shown. By the root, as a slit is nearly a shut mouth
to a ruler and not at all to the eye."""
SWITCH_COST, LIKE_SHARE, UNLIKE_POWER = 0.12, 0.3, 3
"""Head units of difference that are borne rather than change the patch for one that looks as different as most do; how
much of that rather than change it for one that looks the same; and how the rest grows with the difference: the eye
follows many small changes and is struck by one large one, teeth where a tongue was."""


class Gallery:
    """The mouths of one person, as different as the video has them."""

    def __init__(self, patches: list[Patch], mouth: Mouth, unlike: np.ndarray | None = None) -> None:
        """`unlike` (K, K) tells how different the patches look (`oddities.differences`); equally, unless given."""
        self.patches, self._mouth = patches, mouth
        self._lips = np.stack([patch.departure[LIP_COLUMNS] for patch in patches])
        self._open_roots = np.sqrt(mouth.opening(np.stack([patch.departure for patch in patches])).clip(0))
        self._rotation_deg = np.stack([patch.rotation_deg for patch in patches])

        unlike = np.ones((len(patches), len(patches))) if unlike is None else unlike
        usual = float(np.median(unlike[unlike > 0])) if (unlike > 0).any() else 1.0
        self._change = SWITCH_COST * (LIKE_SHARE + (1 - LIKE_SHARE) * (unlike / usual) ** UNLIKE_POWER)
        np.fill_diagonal(self._change, 0)

    def __len__(self) -> int:
        return len(self.patches)

    def choose(self, departure: np.ndarray, rotation_deg: np.ndarray, shot: np.ndarray) -> np.ndarray:
        """Which patch (T,) to show for mouths (T, M, 2) of heads turned (T, 3) in shots (T,): like them, and steady.

        The cheapest path through all frames (Viterbi). A change of patch costs the more the more different both look,
        and nothing at a cut.
        """
        path = np.zeros(len(departure), int)
        came_from = zeros((len(departure), len(self)), np.int16)
        best = np.zeros(len(self))
        for part in pieces(len(departure), departure, came_from):
            for t in range(part.start, part.stop):
                if t > 0:
                    so_far = best[:, None] + (self._change if shot[t] == shot[t - 1] else 0.0)
                    came_from[t] = so_far.argmin(0)
                    best = so_far.min(0)
                best = best - best.min() + self._cost(departure[t], rotation_deg[t])
        if len(path):
            path[-1] = int(np.argmin(best))
        for t in range(len(path) - 1, 0, -1):
            path[t - 1] = came_from[t, path[t]]
        return path

    def _cost(self, mouth: np.ndarray, rotation_deg: np.ndarray) -> np.ndarray:
        """(K,) head units: how unlike each patch is."""
        lips = np.sqrt(((self._lips - mouth[LIP_COLUMNS]) ** 2).sum(-1).mean(1))
        open_by = np.sqrt(self._mouth.opening(mouth[None]).clip(0)) - self._open_roots
        openness = (np.where(open_by > 0, TOO_SHUT, -TOO_OPEN) * open_by).mean(1)
        turn = np.linalg.norm((self._rotation_deg - rotation_deg)[:, :2], axis=1) / DEGREES_A_UNIT
        return lips + turn + openness


def cut_patches(frames: Iterable[np.ndarray], track: FaceTrack, mouth: Mouth) -> list[tuple[int, Patch]]:
    """Patches out of all frames (H, W, 3) of the track's video, and the frame each is from.

    To somebody who never opens the mouth, open ones are added (`invented`).
    """
    wanted = choose_frames(track)
    opened = mouth.opening(track.departure[wanted]).mean(1)
    plainest = _plainest(track, wanted, opened) if opened.max() < LEAST_SEEN else None
    found: list[tuple[int, Patch]] = []
    for number, image in enumerate(frames):
        if number in wanted:
            found.append((number, cut_patch(image, _view(track, number))))
        if number == plainest:
            found += [(number, patch) for patch in invented_patches(image, _view(track, number))]
    return found


def choose_frames(track: FaceTrack) -> np.ndarray:
    """Frames (K,), rising, whose mouths differ most; still, seen well, and no slips of the tracker."""
    performance = track.performance
    assert performance.rotation is not None
    usable = performance.valid & (np.abs(performance.rotation[:, 0]) < MOST_YAW_DEG)
    if usable.sum() > 2 * MOST_PATCHES:
        usable &= _still(_lip_speed(track), openings(track).mean(1), usable)
    candidates = np.flatnonzero(usable)
    if len(candidates) == 0:
        candidates = np.flatnonzero(performance.valid)
    candidates = candidates[:: max(1, len(candidates) // MOST_CANDIDATES)]
    lips = track.departure[candidates, LIP_COLUMNS].reshape(len(candidates), -1)
    turn = performance.rotation[candidates, :2] / DEGREES_A_UNIT
    spread = np.concatenate([lips / np.sqrt(lips.shape[1] / 2), turn], 1)
    far = np.linalg.norm(spread - np.median(spread, 0), axis=1)
    ordinary = far <= np.quantile(far, 0.99)
    return np.sort(candidates[ordinary][_farthest(spread[ordinary], MOST_PATCHES)])


def _lip_speed(track: FaceTrack) -> np.ndarray:
    """How fast (T,) the lips' points move, head units a frame. T is at least 2."""
    speed = np.zeros(len(track), np.float32)
    for part in pieces(len(track), track.departure):
        first = max(part.start - 1, 0)
        lips = track.departure[first : part.stop + 1, LIP_COLUMNS]
        near = np.abs(np.gradient(lips, axis=0)).mean((1, 2))
        speed[part] = near[part.start - first :][: part.stop - part.start]
    return speed


def _still(speed: np.ndarray, opened: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Frames (T,) whose lips are slow for lips that are open as far."""
    still = np.zeros(len(speed), bool)
    kind = np.digitize(opened, OPENINGS)
    for each in np.unique(kind[usable]):
        alike = usable & (kind == each)
        still |= alike & (speed <= np.quantile(speed[alike], STILL_SHARE))
    return still


def _farthest(points: np.ndarray, most: int) -> np.ndarray:
    """Indices of points, each the farthest one from all before it, the most central one first."""
    chosen = [int(np.argmin(np.linalg.norm(points - np.median(points, 0), axis=1)))]
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    while len(chosen) < min(most, len(points)):
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return np.array(chosen)


def _plainest(track: FaceTrack, frames: np.ndarray, opened: np.ndarray) -> int:
    """Of some frames (K,), open by (K,), the one that shows a shut mouth from in front best."""
    assert track.performance.rotation is not None
    turn = np.linalg.norm(track.performance.rotation[frames, :2], axis=1) / DEGREES_A_UNIT
    return int(frames[np.argmin(turn + np.abs(opened))])


def _view(track: FaceTrack, number: int) -> View:
    assert track.performance.rotation is not None
    rotation_deg = track.performance.rotation[number]
    turn = matrix_from_degrees(rotation_deg)[:2, :2] * float(track.units_px[number]) * [[1], [-1]]
    return View(track.points[number], track.departure[number], turn, rotation_deg)
