"""Where one shot of a video ends and the next begins, seen in small copies of its pictures.

A hard cut, a jump cut within one setting too, changes a picture far more than its neighbours change; a flash does so as
well but takes it back; a pan goes on. A dissolve goes in a straight line from one picture to another.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

_SIDE_PX = 32
"""Side of the copies that are compared, whatever the picture's shape."""
_SAMPLES = 8
"""Pixels across that go into one of a copy, about: large pictures are not looked at whole."""
_NEAR = 5
"""Frames before and after with whose changes a change is compared."""
_MIN_CHANGE = 4.0
"""Smallest mean change of a colour value (0-255) that can be a cut."""
_OUTLIER = 4.5
"""A change this much larger than those near it is a cut ..."""
_OUTLIER_UNLIKE, _UNLIKE = 1.6, 0.4
"""... or by less, if the pictures are as unlike as this: 1 - their correlation, 0 for one picture in two lights."""
_LEVEL = 0.5
"""Changes are noise up to about this value."""
_BLENDED_FRAMES = 2
"""A cut may take so many frames more, mixed of both shots; as many changes near one are not held against it."""
_FLASH_FRAMES = 5
"""A picture that is back after so many frames or fewer was never left."""
_BACK = 0.5
"""It is back when it differs from the one before by less than this share of the change."""
_DISSOLVES = (4, 8, 16, 32, 48)
"""Lengths, in frames, at which dissolves and fades are looked for."""
_STRAIGHT = 0.08
"""Largest share of the change between two pictures by which those between may miss the straight line."""
_SHORT_DISSOLVE, _BRISK = 8, 1.5
"""Up to this length a dissolve changes pictures faster, by this factor, than what comes before and after: no pan."""
_MIN_CONTRAST = 4.0
"""Pictures of less contrast (standard deviation of grey) are blank."""


class CutDetector:
    """Shown every picture of a video, tells at once where a cut may be and in the end where the shots are.

    Keeps two numbers a frame and the last 48 small copies.
    """

    def __init__(self) -> None:
        self._copies: deque[np.ndarray] = deque(maxlen=_DISSOLVES[-1] + 1)
        self._greys: deque[np.ndarray] = deque(maxlen=_DISSOLVES[-1] + 1)
        self._changes: list[float] = []
        self._unlike: list[float] = []
        self._returned: set[int] = set()
        self._dissolves: list[tuple[int, float, int]] = []
        """Middle, greatest miss of the straight line, and length."""

    def next(self, image: np.ndarray) -> bool:
        """Whether a new shot may begin with this picture, (H, W, 3) uint8 RGB: every hard cut and a few more."""
        every = max(1, min(image.shape[:2]) // (_SAMPLES * _SIDE_PX))
        copy = cv2.resize(image[::every, ::every], (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
        copy = copy.astype(np.float32)
        self._copies.append(copy)
        self._greys.append(_standardised(copy))
        first = len(self._copies) == 1
        self._changes.append(0.0 if first else _change(self._copies[-2], copy))
        self._unlike.append(0.0 if first else self._unlikeness(1))
        self._note_return()
        self._note_dissolve()
        return self._stands_out(len(self._changes) - 1)

    def shots(self) -> np.ndarray:
        """Number (T,) of the shot that each frame shown so far belongs to, from 0."""
        cuts: list[int] = []
        for frame in range(1, len(self._changes)):
            if frame in self._returned or not self._stands_out(frame):
                continue
            if cuts and frame - cuts[-1] <= _BLENDED_FRAMES:
                cuts[-1] = max(cuts[-1], frame, key=self._changes.__getitem__)
            else:
                cuts.append(frame)
        begins = np.zeros(len(self._changes), int)
        begins[cuts] = 1
        for middle in self._dissolve_middles():
            if not begins[max(0, middle - _DISSOLVES[1]) : middle + _DISSOLVES[1]].any():
                begins[middle] = 1
        return np.cumsum(begins)

    def _stands_out(self, frame: int) -> bool:
        """Whether a frame differs from the one before it far more than those near it, as far as they are known, do."""
        change = self._changes[frame]
        if change < _MIN_CHANGE:
            return False
        near = self._changes[max(1, frame - _NEAR) : frame] + self._changes[frame + 1 : frame + 1 + _NEAR]
        usual = sorted(near)[-_BLENDED_FRAMES - 1] if len(near) > _BLENDED_FRAMES else 0.0
        unlike = self._unlike[frame] > _UNLIKE
        return change / (usual + _LEVEL) > (_OUTLIER_UNLIKE if unlike else _OUTLIER)

    def _note_return(self) -> None:
        """Note changes that the newest picture takes back, and its own, which does so."""
        newest = len(self._changes) - 1
        for back in range(1, min(_FLASH_FRAMES, newest - 1) + 1):
            change = self._changes[newest - back]
            if change > _MIN_CHANGE and _change(self._copies[-back - 2], self._copies[-1]) < _BACK * change:
                self._returned.update((newest - back, newest))

    def _note_dissolve(self) -> None:
        """Note when the last pictures went in a straight line from one to another."""
        for length in _DISSOLVES:
            if len(self._copies) <= length:
                return
            if self._unlikeness(length) < _UNLIKE:
                continue
            first = self._copies[-1 - length]
            whole = self._copies[-1] - first
            size = float(np.vdot(whole, whole))
            parts = [self._copies[-1 - length + quarter * length // 4] - first for quarter in (1, 2, 3)]
            shares = [float(np.vdot(part, whole)) / size for part in parts]
            misses = [float(np.square(part - s * whole).sum()) / size for part, s in zip(parts, shares, strict=True)]
            on_the_way = 0.2 < shares[1] < 0.8 and shares[0] < shares[1] - 0.1 < shares[2] - 0.2
            if on_the_way and max(misses) < _STRAIGHT:
                self._dissolves.append((len(self._changes) - 1 - length // 2, max(misses), length))

    def _unlikeness(self, back: int) -> float:
        """1 - the correlation of the newest picture's greys and those `back` frames ago; .5 where just one is blank."""
        difference = self._greys[-1] - self._greys[-1 - back]
        return float(np.vdot(difference, difference)) / (2 * difference.size)

    def _dissolve_middles(self) -> list[int]:
        """One frame for every dissolve: the middle of the straightest line of those that overlap."""
        middles: list[tuple[int, float]] = []
        for frame, miss, length in sorted(self._dissolves):
            if length <= _SHORT_DISSOLVE and not self._is_brisk(frame, length):
                continue
            if middles and frame - middles[-1][0] < _DISSOLVES[-1]:
                middles[-1] = min(middles[-1], (frame, miss), key=lambda middle: middle[1])
            else:
                middles.append((frame, miss))
        return [frame for frame, _ in middles]

    def _is_brisk(self, middle: int, length: int) -> bool:
        """Whether pictures change faster in so many frames around `middle` than in as many before and after."""
        start, end = middle - length // 2 + 1, middle + length // 2 + 1
        around = (self._changes[max(1, start - length) : start], self._changes[end : end + length])
        usual = max(float(np.mean(changes)) if changes else 0.0 for changes in around)
        return float(np.mean(self._changes[start:end])) > _BRISK * usual


def _change(before: np.ndarray, after: np.ndarray) -> float:
    """Mean change of a colour value."""
    return float(cv2.norm(before, after, cv2.NORM_L1)) / before.size


def _standardised(copy: np.ndarray) -> np.ndarray:
    """Greys of mean 0 and deviation 1."""
    grey = cv2.cvtColor(copy, cv2.COLOR_RGB2GRAY)
    return np.asarray((grey - grey.mean()) / max(float(grey.std()), _MIN_CONTRAST))
