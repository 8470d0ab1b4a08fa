"""How one person's mouth looks under an expression, learned from the person's own frames."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from vultus.core.bases import ARKIT52
from vultus.core.pose import matrix_from_degrees
from vultus.core.shelf import pieces, zeros
from vultus.core.types import FaceTrack
from vultus.face.head import HeadModel
from vultus.face.points import FOOTAGE_POINTS, LIPS_INNER, MOUTH_POINTS

SHUT_GAP, REST_SHARE = 0.06, 0.05
"""Lips nearer than this (head units) are shut; without such frames the least open ones, this share of all, stand for
the mouth at rest."""
RIDGE = 3.0
"""How many frames at full weight it takes before the person's own way counts half against the head model's."""
WIDEST = 1.12
"""Lips open up to so many times as far as they ever do in the video, and a little."""
HABIT_OPENS = 0.4
"""A mood or a habit that keeps lips apart does so when they open by more than this (head units), and leaves those shut
that are to be shut."""
PARTED_SHARE = 0.3
"""The habit keeps them no farther apart than they are in this least share of the frames in which they are apart."""
LEAST_SEEN, LEAST_OPEN = 0.5, 1.0
"""Whoever never parts the lips in the video by the first (head units) may still open them by the second: with mouths
made up (`invented`)."""
SPEECH = np.array([name.startswith(("mouth", "jaw")) for name in ARKIT52])
MOOD = np.array(
    [name.startswith(("mouthSmile", "mouthFrown", "mouthDimple", "cheek", "noseSneer")) for name in ARKIT52]
)
"""What somebody's mood does to the mouth: it stays under another voice."""
MOOD_S = 0.8
"""Standard deviation in time that tells mood from speech."""
OFFSET_S = 0.5
"""The same for what expressions do not explain."""
_REACH_SIGMAS = 4.0
LEARNED_FROM = 5000
"""A person's ways are learned from no more frames than this, evenly chosen."""
UPPER_INNER = tuple(MOUTH_POINTS.index(k) for k in LIPS_INNER[11:])
LOWER_INNER = tuple(MOUTH_POINTS.index(k) for k in LIPS_INNER[1:10][::-1])
"""Points of the inner lip lines that face each other, corners left out; columns of a track's departures."""


class Mouth:
    """A person's mouth as a map from expressions to departures of its M points from rest (`FaceTrack.departure`)."""

    def __init__(self, head: HeadModel, track: FaceTrack) -> None:
        track = track.take(_evenly(np.flatnonzero(track.performance.valid)))
        modes = head.landmarks478(head.expression_basis)[:, list(FOOTAGE_POINTS)]
        self.modes = modes.astype(np.float32)
        """(52, P, 3) head units: how the head model's expressions move the points."""
        departure, expression = track.departure, _expression(track)
        flat = self.modes[:, : departure.shape[1], :2].reshape(len(ARKIT52), -1)
        self._linear = flat + _own_way(expression, departure.reshape(len(departure), -1) - expression @ flat)
        self.shut = np.median(shut_gaps(track), 0)
        """(9,) `shut_gaps` of most frames."""
        gap = openings(track)
        opened = gap.mean(1)
        calm = opened <= max(SHUT_GAP, float(np.quantile(opened, REST_SHARE)))
        self.rest = np.median(expression[calm], 0).astype(np.float32)
        """(52,) the person's expression with the lips together."""
        self._at_rest = np.median(departure[calm], 0).reshape(-1)
        apart = gap[opened > SHUT_GAP] if (opened > SHUT_GAP).any() else gap
        self._usual = apart.mean(0)
        self._parted = float(np.quantile(apart.mean(1), PARTED_SHARE))
        self._widest = LEAST_OPEN if opened.max() < LEAST_SEEN else WIDEST * float(np.quantile(opened, 0.995))

    def departures(
        self, expression: np.ndarray, resting: np.ndarray, offset: np.ndarray, shut: np.ndarray | None = None
    ) -> np.ndarray:
        """Where (T, M, 2) the mouth's points go under expressions (T, 52): none cross, and those at rest meet.

        Who speaks with lips wider apart than these expressions ask for, on the whole, does so here, too.

        Args:
            resting: (T, 52) the expressions at which the lips are to be shut.
            offset: (T, M, 2) moves the mouth as a whole, not its opening.
            shut: (T, 9) as `shut_gaps`, frame by frame; the person's usual ones unless given.
        """
        spoken, smiling = np.zeros((2, len(expression), 9), np.float32)
        at_rest = lip_gap(self._at_rest.reshape(1, -1, 2))
        for part in pieces(len(expression)):
            still = lip_gap(self._free(resting[part]))
            spoken[part] = np.maximum(lip_gap(self._free(expression[part])) - still, 0)
            smiling[part] = np.maximum(still - at_rest, 0)
        share = 1 - np.exp(-spoken / HABIT_OPENS)
        wanted = spoken + np.maximum(smiling, self._habit(spoken, share)) * share
        mean = wanted.mean(1, keepdims=True)
        wanted = wanted * (_bent(mean, self._widest) / np.maximum(mean, 1e-6))
        wanted += self.shut if shut is None else shut
        departure = zeros(offset.shape)
        for part in pieces(len(expression), departure, offset):
            departure[part] = with_gap(self._free(expression[part]) + offset[part], wanted[part])
        return departure

    def _habit(self, spoken: np.ndarray, share: np.ndarray) -> np.ndarray:
        """(9,) what brings spoken openings (T, 9), added by shares (T, 9), to the person's own mean while speaking."""
        active = spoken.mean(1) > SHUT_GAP
        if not active.any():
            return np.zeros(9)
        lacking = float(self._usual.mean() - spoken[active].mean()) / max(float(share[active].mean()), 1e-6)
        return self._usual / max(float(self._usual.mean()), 1e-6) * np.clip(lacking, 0, self._parted)

    def opening(self, departure: np.ndarray) -> np.ndarray:
        """How far (T, 9) lips of departures (T, M, 2) are apart, head units, from the subject's left to the right."""
        return lip_gap(departure) - self.shut

    def left_over(self, track: FaceTrack) -> np.ndarray:
        """What (T, M, 2) the departures of a track have beyond its expressions, slowly changing: habits of the tracker
        at each turn of the head."""
        left, expression = zeros(track.departure.shape), _expression(track)
        for part in pieces(len(track), left, track.departure):
            left[part] = track.departure[part] - self._free(expression[part])
        return slow(left, track, OFFSET_S)

    def _free(self, expression: np.ndarray) -> np.ndarray:
        flat = self._at_rest + (expression - self.rest) @ self._linear
        return flat.reshape(len(expression), -1, 2).astype(np.float32)


def lip_gap(points: np.ndarray) -> np.ndarray:
    """Vertical gaps (T, 9) between facing points of the inner lips, of mouth points (T, M, 2), y up."""
    return points[:, UPPER_INNER, 1] - points[:, LOWER_INNER, 1]


def openings(track: FaceTrack) -> np.ndarray:
    """How far (T, 9) the inner lips are apart in the pictures, head units."""
    assert track.performance.rotation is not None
    apart = np.zeros((len(track), len(UPPER_INNER)), np.float32)
    for part in pieces(len(track), track.points):
        rotation = matrix_from_degrees(track.performance.rotation[part])
        to_units = np.linalg.inv(rotation[:, :2, :2] * track.units_px[part, None, None] * [[1], [-1]])
        apart_px = track.points[part, UPPER_INNER] - track.points[part, LOWER_INNER]
        apart[part] = np.einsum("tj,tpj->tp", to_units[:, 1], apart_px)
    return apart


def shut_gaps(track: FaceTrack) -> np.ndarray:
    """(T, 9) `lip_gap` at which the lips meet in the picture.

    Much the same in all frames, but in those that show the mouth wide open or from the side: what they say of depth is
    not quite true.
    """
    return lip_gap(track.departure) - openings(track)


def with_gap(points: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The mouth points (T, M, 2) with gaps (T, 9) instead of their own; each lip moves as a whole, half of the way."""
    change = (wanted - lip_gap(points)) / 2
    moved = points.copy()
    for ring in range(0, 80, 20):
        moved[:, ring + 11 : ring + 20, 1] += change
        moved[:, ring + 1 : ring + 10, 1] -= change[:, ::-1]
    return moved


def moods(track: FaceTrack, mouth: Mouth) -> np.ndarray:
    """The expression (T, 52) to which the person's mouth would come to rest at each moment: without speech."""
    return np.where(MOOD, slow(_expression(track), track, MOOD_S), mouth.rest)


def slow(values: np.ndarray, track: FaceTrack, sigma_s: float) -> np.ndarray:
    """A channel (T, ...) of a track without what changes faster than `sigma_s`; nothing leaks from shot to shot."""
    from scipy.ndimage import gaussian_filter1d

    slowly = zeros(values.shape)
    sigma = sigma_s * track.performance.fps
    reach = math.ceil(_REACH_SIGMAS * sigma)
    bounds = [*np.flatnonzero(np.diff(track.shot, prepend=track.shot[0] - 1)), len(values)]
    for begin, end in pairwise(bounds):
        shot, result = values[begin:end], slowly[begin:end]
        for part in pieces(end - begin, shot, result):
            first = max(part.start - reach, 0)
            near = shot[first : part.stop + reach]
            near = gaussian_filter1d(near, sigma, axis=0, mode="nearest", truncate=_REACH_SIGMAS)
            result[part] = near[part.start - first :][: part.stop - part.start]
    return slowly


def _expression(track: FaceTrack) -> np.ndarray:
    assert track.performance.expression is not None
    return track.performance.expression


def _evenly(frames: np.ndarray) -> np.ndarray:
    """Frames (N,), or `LEARNED_FROM` of them."""
    if len(frames) <= LEARNED_FROM:
        return frames
    return frames[np.linspace(0, len(frames) - 1, LEARNED_FROM).round().astype(int)]


def _own_way(expression: np.ndarray, left_over: np.ndarray) -> np.ndarray:
    """What (52, 2M) the person's speech does beyond the head model, by ridge regression about the means.

    A mood is too seldom seen to learn its shapes from: they stay the head model's.
    """
    moved = (expression - expression.mean(0)) * (SPEECH & ~MOOD)
    gram = moved.T @ moved + RIDGE * np.eye(len(ARKIT52))
    return np.linalg.solve(gram, moved.T @ (left_over - left_over.mean(0)))


def _bent(value: np.ndarray, limit: float) -> np.ndarray:
    """Values >= 0, bent softly towards the limit from four fifths of it."""
    free = 0.8 * limit
    return np.where(value <= free, value, free + (limit - free) * np.tanh((value - free) / (limit - free)))
