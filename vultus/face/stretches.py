"""Stretches of frames in which one face was followed, and which of them show the same person.

Within a shot a face that is lost and soon found again where it was is the same. Beyond that people are told by their
looks, the colours of hair, face and collar, which stay through one video, and by what else a caller knows of faces.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from vultus.core.shelf import Rows
from vultus.face.crops import cut_square
from vultus.face.landmarks import eye_line_deg
from vultus.face.points import face_box

Embed = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From a picture (H, W, 3) uint8 RGB and a face's points (478, 3) in it to a unit vector of that person."""

SAME_LOOKS = 0.84
"""Likeness from which two stretches show one person.

Looks alone, measured on 27 clips of 20 people: .93-1 (median .98) between parts of one clip, jump cuts among them; .79
or less between people (half of the pairs less than .34); but mostly .3-.6 between two videos of one person.
"""
_SAME_PLACE = 0.6
"""The same for a face that is back where it was lost."""
_BACK_S = 1.0
"""It must be back within this time,"""
_BACK_FACES, _BACK_FACES_PER_S = 0.5, 1.0
"""and within this distance, in face boxes, at once and for every second more,"""
_BACK_GROWTH = 1.6
"""and not larger or smaller by this factor."""
_EMBED_WEIGHT, _EMBED_NEUTRAL = 0.5, 0.75
"""How much a cosine of the caller's vectors adds to the likeness of looks, and the cosine that adds nothing.

`perception.judges.identity`, means over a second: .75-1 for one person, less than .8 for 9 of 10 pairs of people.
"""
_LOOK_PX, _LOOK_FACES = 64, 2.4
_LOOK_PARTS = ((slice(8, 20), slice(16, 48)), (slice(20, 44), slice(20, 44)), (slice(50, 64), slice(16, 48)))
"""Hair, face and collar in the crop that is looked at."""
_COLOUR_BINS, _COLOUR_RANGE = [6, 8, 8], [0.0, 256.0, 88.0, 188.0, 78.0, 178.0]
_STEPS = 32767
"""Points are kept in 16 bits: this many steps a half of twice the face box."""


@dataclass
class Stretch:
    """One face in frames `start`, `start` + 1 ...: where its points were, and samples of its looks."""

    start: int
    shelf: Rows = field(default_factory=lambda: Rows(np.int16))
    """Holds the points of this one and perhaps of others."""
    boxes: list[tuple[np.ndarray, float]] = field(default_factory=list)
    """Centre and side of the face box of every frame."""
    looks: list[tuple[int, np.ndarray]] = field(default_factory=list)
    """Frames and what the face looked like in them (`look_of`)."""
    vectors: list[tuple[int, np.ndarray]] = field(default_factory=list)
    """The same for the caller's vectors."""
    _places: array[int] = field(default_factory=lambda: array("L"))
    """Which row of the shelf each frame's points are."""

    @property
    def end(self) -> int:
        """The first frame without the face."""
        return self.start + len(self.boxes)

    def append(self, points: np.ndarray) -> None:
        """Add the points (478, 3) of the next frame; 3 KB are put away of them, exact to 1/16000 of the face."""
        center, side = face_box(points)
        steps = (points - (*center, 0)) * (_STEPS / (2 * side))
        self.boxes.append((center, side))
        self._places.append(self.shelf.append(np.clip(np.round(steps), -_STEPS, _STEPS)))

    def points(self, frame: int) -> np.ndarray:
        """Points (478, 3) float32 of a frame of the video."""
        center, side = self.boxes[frame - self.start]
        (steps,) = self.shelf.read(self._places[frame - self.start], 1)
        return (steps * (2 * side / _STEPS) + (*center, 0)).astype(np.float32)

    def split(self, frame: int) -> tuple[Stretch, Stretch]:
        """The frames before `frame` and those from it on."""
        at = frame - self.start
        return (
            Stretch(self.start, self.shelf, self.boxes[:at], *self._samples(self.start, frame), self._places[:at]),
            Stretch(frame, self.shelf, self.boxes[at:], *self._samples(frame, self.end), self._places[at:]),
        )

    def _samples(self, start: int, end: int) -> tuple[list[tuple[int, np.ndarray]], list[tuple[int, np.ndarray]]]:
        """The samples of frames from `start` to before `end`; of a part without any, the nearest."""
        looks, vectors = (
            [s for s in samples if start <= s[0] < end] or samples[:1] for samples in (self.looks, self.vectors)
        )
        return looks, vectors


def look_of(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Unit vector (1152,) float16: the colours about the face at points (478, 3) of an RGB picture, part by part."""
    center, side = face_box(points)
    crop = cut_square(image, center, _LOOK_FACES * side, _LOOK_PX, eye_line_deg(points)).pixels
    colours = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    parts = []
    for rows, columns in _LOOK_PARTS:
        part = np.ascontiguousarray(colours[rows, columns])
        counts = cv2.calcHist([part], [0, 1, 2], None, _COLOUR_BINS, _COLOUR_RANGE).ravel()
        parts.append(np.sqrt(counts / max(counts.sum(), 1)))
    return (np.concatenate(parts) / np.sqrt(len(parts))).astype(np.float16)


def people_of(stretches: list[Stretch], shot: np.ndarray, fps: float) -> list[list[Stretch]]:
    """Stretches of one person each, in order of time; `shot` (T,) numbers the shot of every frame of the video.

    Nobody is seen twice in one frame.
    """
    parts = [part for stretch in stretches for part in _split_at_cuts(stretch, shot)]
    people = [_Somebody.seen_in(part) for part in sorted(parts, key=lambda part: part.start)]
    people = _join_back_in_place(people, shot, fps)
    return [person.stretches for person in _join_alike(people)]


@dataclass(eq=False)
class _Somebody:
    """Stretches of one person, and the sums of their samples."""

    stretches: list[Stretch]
    look: np.ndarray
    vector: np.ndarray | None

    @classmethod
    def seen_in(cls, stretch: Stretch) -> _Somebody:
        look = np.sum([seen for _, seen in stretch.looks], 0, float)
        vector = np.sum([seen for _, seen in stretch.vectors], 0, float) if stretch.vectors else None
        return cls([stretch], look, vector)

    def join(self, other: _Somebody) -> None:
        """Be the other one, too."""
        self.stretches = sorted(self.stretches + other.stretches, key=lambda stretch: stretch.start)
        self.look = self.look + other.look
        if self.vector is not None and other.vector is not None:
            self.vector = self.vector + other.vector

    def meets(self, other: _Somebody) -> bool:
        """Whether both are seen in one frame."""
        return any(a.start < b.end and b.start < a.end for a in self.stretches for b in other.stretches)

    def likeness(self, other: _Somebody) -> float:
        """How much two people are alike, 1 being the same looks."""
        if self.vector is None or other.vector is None:
            return _cosine(self.look, other.look)
        return _cosine(self.look, other.look) + _EMBED_WEIGHT * (_cosine(self.vector, other.vector) - _EMBED_NEUTRAL)


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-9))


def _split_at_cuts(stretch: Stretch, shot: np.ndarray) -> list[Stretch]:
    parts = [stretch]
    for frame in range(stretch.start + 1, stretch.end):
        if shot[frame] != shot[frame - 1]:
            parts[-1:] = parts[-1].split(frame)
    return parts


def _join_back_in_place(people: list[_Somebody], shot: np.ndarray, fps: float) -> list[_Somebody]:
    """Join what was lost and found again nearby within a shot, the likest first. `people` have one stretch each."""
    found = []
    for early in people:
        for late in people:
            (lost,), (back,) = early.stretches, late.stretches
            gap_s = (back.start - lost.end) / fps
            if 0 <= gap_s <= _BACK_S and shot[lost.start] == shot[back.start] and _near(lost, back, gap_s):
                found.append((early.likeness(late), early, late))
    now = {person: person for person in people}
    gone_on: set[_Somebody] = set()
    come_back: set[_Somebody] = set()
    for likeness, early, late in sorted(found, key=lambda pair: -pair[0]):
        one, other = now[early], now[late]
        if likeness >= _SAME_PLACE and early not in gone_on and late not in come_back and not one.meets(other):
            gone_on.add(early)
            come_back.add(late)
            one.join(other)
            now.update({person: one for person, joined in now.items() if joined is other})
    return list(dict.fromkeys(now.values()))


def _near(lost: Stretch, back: Stretch, gap_s: float) -> bool:
    """Whether a face that was lost may be the one found."""
    (before, small), (after, large) = lost.boxes[-1], back.boxes[0]
    reach = (_BACK_FACES + _BACK_FACES_PER_S * gap_s) * max(small, large)
    return bool(np.linalg.norm(after - before) < reach and 1 / _BACK_GROWTH < large / small < _BACK_GROWTH)


def _join_alike(people: list[_Somebody]) -> list[_Somebody]:
    """Join the likest two who are never seen together, again and again."""
    likeness = np.array([[_like(one, other) for other in people] for one in people])
    while people:
        kept, gone = sorted(int(i) for i in np.unravel_index(int(likeness.argmax()), likeness.shape))
        if likeness[kept, gone] < SAME_LOOKS:
            break
        people[kept].join(people.pop(gone))
        likeness = np.delete(np.delete(likeness, gone, 0), gone, 1)
        likeness[kept] = likeness[:, kept] = [_like(people[kept], other) for other in people]
    return people


def _like(one: _Somebody, other: _Somebody) -> float:
    """Their likeness, if they may be one."""
    return -np.inf if one is other or one.meets(other) else one.likeness(other)
