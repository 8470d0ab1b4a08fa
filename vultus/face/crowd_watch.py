"""All faces of a video at once, each followed by a window of its own until it is lost or a cut may have come."""

from __future__ import annotations

from collections import deque
from types import TracebackType

import numpy as np

from vultus.core.errors import InputError
from vultus.core.shelf import Rows
from vultus.face.cuts import CutDetector
from vultus.face.landmarks import Box, FaceMesh, Sighting, choose, same_face, usable
from vultus.face.points import face_box
from vultus.face.stream import FaceWindow
from vultus.face.stretches import Embed, Stretch, look_of

_COMERS_S = 1.0
"""How often people are looked for who have come in."""
_MISSED_S, _MISSING_S = 0.2, 1.0
"""How often after somebody was lost, and for how long."""
_EMPTY_S = 0.5
"""Time without anybody from which not every picture is searched."""
_THOROUGH_S = 2.0
"""How often a large picture without anybody is searched tile by tile."""
_TILED_PX = 700
"""In a smaller one no face that is large enough is missed as a whole."""
_REFUSED_S = 5.0
"""How long a face that cannot be used is not looked at again."""
_SAMPLES_PER_S = 5.0
"""How often somebody's looks are noted."""
_FORESEEN_FROM = 3
"""Frames from which it is foreseen where a face goes."""
_JUMP_FACES = 0.5
"""Who is farther from where the face was going, in face boxes, may be somebody else."""
_LONG_AGO = -(10**9)


class _Follower:
    """Somebody in sight: a window on the face, and what was seen so far."""

    def __init__(self, window: FaceWindow, stretch: Stretch) -> None:
        self.window, self.stretch = window, stretch
        self.points = np.zeros((478, 3), np.float32)
        self.box: Box = (np.zeros(2), 1.0)
        self.surprise = np.inf
        """How far the face is, in face boxes, from where it was going."""
        self._path: deque[np.ndarray] = deque(maxlen=_FORESEEN_FROM)

    def see(self, points: np.ndarray) -> None:
        """The face is here now."""
        self.surprise = self.astray(points)
        self.points, self.box = points, face_box(points)
        self._path.append(self.box[0])

    def astray(self, points: np.ndarray) -> float:
        """How far points are, in face boxes, from where the face goes."""
        if not self._path:
            return np.inf
        center, side = face_box(points)
        velocity = (self._path[-1] - self._path[0]) / max(len(self._path) - 1, 1)
        return float(np.linalg.norm(center - self._path[-1] - velocity)) / side


class CrowdWatch:
    """Shown every picture of a video, follows up to `most` faces. A context manager.

    A face costs what `face.stream.FaceStream` costs for one; cuts, newcomers and looks cost 1 ms a frame more.
    """

    def __init__(self, fps: float, most: int, embed: Embed | None = None) -> None:
        self._fps, self._most, self._embed = fps, most, embed
        self._cuts, self._shelf = CutDetector(), Rows(np.int16)
        self._finder = FaceMesh()
        self._idle: list[FaceWindow] = []
        self._here: list[_Follower] = []
        self._refused: list[tuple[int, Box]] = []
        self._searched = self._lost = self._thorough = _LONG_AGO
        self._empty = 0
        self.frames = 0
        """Pictures seen."""
        self.stretches: list[Stretch] = []
        """Whom it saw, in order of time."""
        self.refusal: InputError | None = None
        """Why the last search of a picture without anybody found no face that can be used."""

    def __enter__(self) -> CrowdWatch:
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._finder.close()
        for window in self._idle + [follower.window for follower in self._here]:
            window.close()

    def shots(self) -> np.ndarray:
        """Number (T,) of the shot of every picture seen."""
        return self._cuts.shots()

    def next(self, image: np.ndarray) -> None:
        """Look at the next picture, (H, W, 3) uint8 RGB."""
        if self._cuts.next(image):
            for follower in list(self._here):
                self._leave(follower)
            self._refused.clear()
            self._empty, self._thorough = 0, _LONG_AGO
        self._follow(image)
        self._search(image)
        for follower in self._here:
            self._note(follower, image)
        self._empty = 0 if self._here else self._empty + 1
        self.frames += 1

    def _follow(self, image: np.ndarray) -> None:
        """See where those who were there have gone; of two who seem to be in one place one has left."""
        before = {follower: follower.points for follower in self._here}
        for follower in list(self._here):
            strangers = [points for other, points in before.items() if other is not follower]
            points = follower.window.look(image, strangers)
            if points is None:
                self._leave(follower)
            elif follower.astray(points) < _JUMP_FACES:
                follower.see(points)
            else:
                self._doubt(follower, image, points, strangers)
        for one in list(self._here):
            for other in list(self._here):
                if one is not other and one in self._here and other in self._here and same_face(one.box, other.box):
                    self._leave(max(one, other, key=lambda follower: follower.surprise))

    def _doubt(self, follower: _Follower, image: np.ndarray, jumped: np.ndarray, strangers: list[np.ndarray]) -> None:
        """A window may have gone over to another face: look without that one, else begin anew with whoever it is."""
        follower.window.place(image, follower.points)
        points = follower.window.look(image, [*strangers, jumped])
        if points is not None and follower.astray(points) < _JUMP_FACES:
            follower.see(points)
        else:
            self._leave(follower)
            self._greet(image, jumped, strangers)

    def _leave(self, follower: _Follower) -> None:
        self._here.remove(follower)
        self._idle.append(follower.window)
        self._lost = self.frames

    def _search(self, image: np.ndarray) -> None:
        """Look for people, as often as there is reason to, and follow them."""
        if self._here:
            missing = self.frames - self._lost < _MISSING_S * self._fps
            if self.frames - self._searched < (_MISSED_S if missing else _COMERS_S) * self._fps:
                return
            self._refused = [(frame, box) for frame, box in self._refused if frame > self.frames]
            known = [follower.box for follower in self._here] + [box for _, box in self._refused]
            found = self._finder.find_others(image, known) if len(self._here) < self._most else []
        elif self._empty < _EMPTY_S * self._fps or self.frames - self._searched >= _MISSED_S * self._fps:
            found = self._finder.find(image, thorough=self._thorough_now(image))
        else:
            return
        self._searched = self.frames
        if not self._here:
            self._explain(found)
        self._meet(image, found)

    def _thorough_now(self, image: np.ndarray) -> bool:
        """Whether tiles of a picture without anybody are searched: at first, and from time to time."""
        large = max(image.shape[:2]) > _TILED_PX
        now = self.frames - self._thorough >= _THOROUGH_S * self._fps and (large or not self._empty)
        if now:
            self._thorough = self.frames
        return now

    def _explain(self, found: list[Sighting]) -> None:
        try:
            choose(found)
        except InputError as refusal:
            self.refusal = refusal

    def _meet(self, image: np.ndarray, found: list[Sighting]) -> None:
        """Follow those found who can be used, as many as there may be; the rest is not looked at again for a while."""
        known = usable(found)
        self._refused += [
            (self.frames + round(_REFUSED_S * self._fps), face_box(sighting.landmarks))
            for sighting in found
            if not any(sighting is person for person in known)
        ]
        for sighting in known[: self._most - len(self._here)]:
            others = [s.landmarks for s in known if s is not sighting] + [f.points for f in self._here]
            self._greet(image, sighting.landmarks, others)

    def _greet(self, image: np.ndarray, found: np.ndarray, others: list[np.ndarray]) -> None:
        """Follow the face at points (478, 3) from now on, unless it is followed already."""
        window = self._idle.pop() if self._idle else FaceWindow()
        window.place(image, found)
        points = window.look(image, others)
        if points is None or any(same_face(face_box(points), follower.box) for follower in self._here):
            self._idle.append(window)
            return
        follower = _Follower(window, Stretch(self.frames, self._shelf))
        follower.see(points)
        self._here.append(follower)
        self.stretches.append(follower.stretch)

    def _note(self, follower: _Follower, image: np.ndarray) -> None:
        """Keep where the face is and, from time to time, what it looks like."""
        stretch = follower.stretch
        if not stretch.looks or self.frames - stretch.looks[-1][0] >= self._fps / _SAMPLES_PER_S:
            stretch.looks.append((self.frames, look_of(image, follower.points)))
            if self._embed is not None:
                stretch.vectors.append((self.frames, self._embed(image, follower.points)))
        stretch.append(follower.points)
