"""Another performance for somebody in a video: mouth, jaw and cheeks re-made, all else left as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vultus.core.pose import matrix_from_degrees
from vultus.core.shelf import PIECE, pieces, put_away, taken, zeros
from vultus.core.types import FaceTrack, Footage
from vultus.face.head import HeadModel, embedded_head
from vultus.face.points import (
    CHEEKS,
    CHIN,
    FOOTAGE_POINTS,
    LEFT_BROW,
    LEFT_EYE,
    LIPS_OUTER,
    NOSE,
    OVAL,
    RIGHT_BROW,
    RIGHT_EYE,
)  # fmt: skip
from vultus.rendering.footage.colours import light_gain, lit
from vultus.rendering.footage.cover import CoverWatch
from vultus.rendering.footage.gallery import Gallery, cut_patches
from vultus.rendering.footage.lips_layer import draw_patch
from vultus.rendering.footage.oddities import differences, without_oddities
from vultus.rendering.footage.patch import AROUND, CHIN_COLUMNS, PATCH_POINTS
from vultus.rendering.footage.person import SPEECH, Mouth, moods, shut_gaps
from vultus.rendering.footage.warp import move_points

TURN_FADE_DEG = (32.0, 42.0)
"""Turns to the side between which the new mouth gives way to the frame's own."""
FADE_S = 0.16
"""Time in which it does so before and after frames without a face."""
LITTLE_UNITS = 0.1
"""A chin that moves by less tells nothing of how this person's jaw moves."""
SKIN = tuple(
    FOOTAGE_POINTS.index(k)
    for k in dict.fromkeys((
        *AROUND, *LIPS_OUTER, *CHIN[::2], *CHEEKS[::2], *NOSE[::3], *OVAL,
        *RIGHT_EYE[::2], *LEFT_EYE[::2], *RIGHT_BROW[::2], *LEFT_BROW[::2],
    ))
)  # fmt: skip
"""Columns of a track's points that a frame's own skin follows."""
OUTLINE = tuple(FOOTAGE_POINTS.index(k) for k in OVAL)


@dataclass(frozen=True)
class Plan:
    """What each of T frames is to show."""

    track: FaceTrack
    """Of these frames as they are."""
    points: np.ndarray
    """(T, P, 2) pixels: where the track's points are to come to."""
    departure: np.ndarray
    """(T, M, 2) of the new mouth."""
    strength: np.ndarray
    """(T,) 0-1: how much of it is shown."""
    patch: np.ndarray
    """(T,) which patch of the gallery."""


class FootageFaces:
    """Plays expressions on the face of one footage."""

    def __init__(self, footage: Footage, head: HeadModel | None = None) -> None:
        self.footage = footage
        self.mouth = Mouth(head or embedded_head(), footage.track)
        watch = CoverWatch(footage.track)
        found = cut_patches(watch.watched(footage.open()), footage.track, self.mouth)
        self.hidden = watch.hidden()
        """(T,) bool: the footage's frames in which something is held in front of the mouth."""
        seen = [patch for number, patch in found if not self.hidden[number]]
        patches = seen or [patch for _, patch in found]
        unlike = differences(patches)
        kept = without_oddities(patches, unlike)
        self.gallery = Gallery([patches[k] for k in kept], self.mouth, unlike[np.ix_(kept, kept)])
        self._moods, self._left_over = moods(footage.track, self.mouth), self.mouth.left_over(footage.track)

    def resting(self, order: np.ndarray) -> np.ndarray:
        """The person's expressions (T, 52) in frames (T,) of the footage, without what the mouth says there."""
        own = self.footage.track.performance.expression
        assert own is not None
        return np.where(SPEECH, self._moods[order], own[order])

    def plan(self, wanted: np.ndarray, order: np.ndarray) -> Plan:
        """The plan for absolute expressions (T, 52) on frames (T,) of the footage."""
        track = self.footage.track.take(order)
        own, rotation_deg = track.performance.expression, track.performance.rotation
        assert own is not None and rotation_deg is not None
        left_over = taken(self._left_over, order)
        departure = self.mouth.departures(wanted, self.resting(order), left_over, shut_gaps(track))
        strength = shown_share(track, self.hidden[order])
        for part in pieces(len(order), departure, track.departure):
            own_part = track.departure[part]
            departure[part] = own_part + (departure[part] - own_part) * strength[part, None, None]
        points = _moved(track, self.mouth, (wanted - own) * strength[:, None], departure)
        return Plan(track, points, departure, strength, self.gallery.choose(departure, rotation_deg, track.shot))

    def frames(self, images: Iterable[np.ndarray], plan: Plan) -> Iterator[np.ndarray]:
        """The images (H, W, 3) uint8 with the planned face; those without one pass as they are."""
        for t, image in enumerate(images):
            if t == len(plan.strength):
                return
            if t % PIECE == 0:
                put_away(plan.track.points, plan.points, plan.departure)
            yield self.frame(image, plan, t) if plan.strength[t] > 0 else image

    def frame(self, image: np.ndarray, plan: Plan, t: int) -> np.ndarray:
        """Frame t of the plan."""
        result = image.copy()
        source, points = plan.track.points[t], plan.points[t]
        move = move_points(points[list(SKIN)], source[list(SKIN)], points[list(OUTLINE)], image.shape)
        if move is not None:
            result[move.box] = move.of(image)
        self._lay_lips(result, plan, t)
        return result

    def _lay_lips(self, result: np.ndarray, plan: Plan, t: int) -> None:
        ring = plan.points[t][list(PATCH_POINTS)]
        box = _bounds(ring, result.shape)
        if min(part.stop - part.start for part in box) < 4:
            return
        skin = result[box]
        pixels, cover = draw_patch(self.gallery.patches[plan.patch[t]], ring, plan.departure[t], box)
        share = (cover * np.float32(plan.strength[t]))[..., None]
        mouth = lit(pixels.astype(np.float32), light_gain(pixels, skin, cover))
        result[box] = np.round(skin + (mouth - skin) * share).astype(np.uint8)


def shown_share(track: FaceTrack, hidden: np.ndarray, fade_deg: tuple[float, float] = TURN_FADE_DEG) -> np.ndarray:
    """How much (T,) of a new face can be shown: none without a face, from the side or where it is hidden (T,).

    `fade_deg` are the turns between which it gives way. It changes suddenly at cuts only.
    """
    assert track.performance.rotation is not None
    turn = np.abs(track.performance.rotation[:, 0])
    share = np.clip((fade_deg[1] - turn) / (fade_deg[1] - fade_deg[0]), 0, 1)
    share[hidden | ~track.performance.valid] = 0
    step = 1 / max(1.0, FADE_S * track.performance.fps)
    for order in (range(1, len(share)), range(len(share) - 2, -1, -1)):
        for t in order:
            before = t - 1 if order.step > 0 else t + 1
            if track.shot[t] == track.shot[before]:
                share[t] = min(share[t], share[before] + step)
    return share


def _moved(track: FaceTrack, mouth: Mouth, change: np.ndarray, departure: np.ndarray) -> np.ndarray:
    """Points (T, P, 2) after a change of expression (T, 52), those of the mouth at departures (T, M, 2)."""
    assert track.performance.rotation is not None
    moved = zeros(track.points.shape)
    for part in pieces(len(track), moved, track.points, departure, track.departure):
        rotation = matrix_from_degrees(track.performance.rotation[part]).astype(np.float32)
        shift = np.tensordot(change[part].astype(np.float32), mouth.modes, 1)
        wanted = departure[part] - track.departure[part]
        chin = shift[:, CHIN_COLUMNS, 1].mean(1)
        shift *= _gain(chin, wanted[:, CHIN_COLUMNS, 1].mean(1))[:, None, None]
        shift[:, : wanted.shape[1], :2] = wanted
        turned = np.einsum("tij,tpj->tpi", rotation[:, :2], shift) * track.units_px[part, None, None]
        moved[part] = track.points[part] + turned * np.array([1, -1], np.float32)
    return moved


def _gain(model: np.ndarray, own: np.ndarray) -> np.ndarray:
    """(T,) how much of the head model's motion of a chin (T,) a person's own chin (T,) makes; 1 where there is none."""
    return np.clip((model * own + LITTLE_UNITS**2) / (model**2 + LITTLE_UNITS**2), 0, 1.2)


def _bounds(points: np.ndarray, shape: tuple[int, ...]) -> tuple[slice, slice]:
    low = np.clip(np.floor(points.min(0)).astype(int) - 1, 0, shape[1::-1])
    high = np.clip(np.ceil(points.max(0)).astype(int) + 2, 0, shape[1::-1])
    return slice(low[1], high[1]), slice(low[0], high[0])
