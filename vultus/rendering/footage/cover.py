"""Frames in which a hand, a cup or a microphone hides the mouth: there is nothing to re-make in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from scipy.ndimage import median_filter

from vultus.core.shelf import PIECE, pieces, put_away, zeros
from vultus.core.types import FaceTrack
from vultus.face.points import FOOTAGE_POINTS, LEFT_EYE_CORNERS, LIPS_OUTER, RIGHT_EYE_CORNERS

SIZE = (24, 20)
"""Width and height in pixels of what is kept of every frame: skin between nose and chin."""
STRANGE, STRANGER = 0.15, 4.0
"""Skin is strange if its colour (logarithm) differs from the usual one at its place by more than the first and so many
times more than half of the frames do."""
HIDDEN_SHARE, MEDIAN_FRAMES = 0.125, 5
"""A mouth of whose surroundings more than this share is strange is hidden."""
TURN_DEG, LEAST_ALIKE = 12.0, 40
"""Faces are compared with those turned alike, in groups of so many degrees and no fewer frames."""
SAMPLES = 400
"""Frames that tell what is usual."""
_BLACK = 16.0
_FRAME = tuple(FOOTAGE_POINTS.index(k) for k in (RIGHT_EYE_CORNERS[0], LEFT_EYE_CORNERS[0], 2, 152))
"""Columns of the outer eye corners, the base of the nose and the chin's lowest point."""
_LIPS = tuple(FOOTAGE_POINTS.index(k) for k in LIPS_OUTER)


class CoverWatch:
    """Looks at every frame of a face's track in turn, then tells in which of them its mouth is hidden.

    Skin around the lips is compared with the same person's at other times, colour by colour; what lies on the lips
    alone is not noticed.
    """

    def __init__(self, track: FaceTrack) -> None:
        self._track = track
        self._skin = zeros((len(track), SIZE[1], SIZE[0], 3), np.uint8)
        self._lips = zeros((len(track), SIZE[1], SIZE[0]), bool)
        self._seen = np.zeros(len(track), bool)

    def watched(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The track's frames (H, W, 3) uint8, each taken note of."""
        for number, (image, valid) in enumerate(zip(images, self._track.performance.valid, strict=False)):
            if valid:
                self._look(image, number)
            if number % PIECE == 0:
                put_away(self._skin, self._lips, self._track.points)
            yield image

    def _look(self, image: np.ndarray, number: int) -> None:
        points = self._track.points[number]
        to_thumb = _to_thumb(points[list(_FRAME)])
        self._skin[number] = cv2.warpAffine(
            image, to_thumb, SIZE, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
        )
        lips = points[list(_LIPS)] @ to_thumb[:, :2].T + to_thumb[:, 2]
        mask = np.zeros(SIZE[::-1], np.uint8)
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(lips).astype(np.int32)), 1)
        self._lips[number] = cv2.dilate(mask, np.ones((3, 3), np.uint8)) > 0
        self._seen[number] = True

    def strange_share(self) -> np.ndarray:
        """Share (T,) of the skin around the mouth that does not look as it usually does; 0 in frames not looked at."""
        share = np.zeros(len(self._seen))
        seen = np.flatnonzero(self._seen)
        if len(seen) < 3:
            return share
        usual = np.median([self._skin_of(number) for number in _some(seen)], 0)
        for turned in self._turns(seen):
            pictures = np.stack([self._skin_of(number, usual) for number in _some(turned)])
            usual_here = np.median(pictures, 0)
            limit = np.maximum(STRANGE, STRANGER * np.median(np.abs(pictures - usual_here).max(-1), 0))
            for part in pieces(len(turned), self._skin, self._lips):
                for number in turned[part]:
                    strange = np.abs(self._skin_of(number, usual) - usual_here).max(-1) > limit
                    known = ~self._lips[number]
                    share[number] = (strange & known).sum() / max(known.sum(), 1)
        return share

    def _skin_of(self, number: int, lips: np.ndarray | None = None) -> np.ndarray:
        """Logarithms of a frame's colours (h, w, 3) about their median, every light being different.

        `lips` (h, w, 3) stands where its lips are, if given.
        """
        skin, known = np.log(self._skin[number].astype(np.float32) + _BLACK), ~self._lips[number]
        skin -= np.median(skin[known], 0)
        return skin if lips is None else np.where(known[..., None], skin, lips)

    def _turns(self, seen: np.ndarray) -> list[np.ndarray]:
        """The frames looked at (S,) in groups whose heads are turned alike: cheeks look different from each side."""
        assert self._track.performance.rotation is not None
        yaw_deg = self._track.performance.rotation[seen, 0]
        parts = max(1, min(int(np.ptp(yaw_deg) / TURN_DEG), len(seen) // LEAST_ALIKE))
        return np.array_split(seen[np.argsort(yaw_deg)], parts)

    def hidden(self) -> np.ndarray:
        """(T,) bool; what most of the frames around show counts."""
        return median_filter(self.strange_share(), MEDIAN_FRAMES, mode="mirror") > HIDDEN_SHARE


def _some(frames: np.ndarray) -> np.ndarray:
    """Not many more than `SAMPLES` of the frames, evenly chosen."""
    return frames[:: max(1, len(frames) // SAMPLES)]


def _to_thumb(frame: np.ndarray) -> np.ndarray:
    """(2, 3) affine map that lays nose base to chin, as wide as the eyes stand apart, onto the thumbnail."""
    right, left, nose, chin = frame
    across = (left - right) * 0.36
    corners = np.array([nose - across, nose + across, chin - across], np.float32)
    thumb = np.array([[0, 0], [SIZE[0], 0], [0, SIZE[1]]], np.float32)
    return cv2.getAffineTransform(corners, thumb).astype(np.float32)
