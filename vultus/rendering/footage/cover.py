"""Frames in which a hand, a cup or a microphone hides the mouth: there is nothing to re-make in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from scipy.ndimage import median_filter

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
        self._skin = np.zeros((len(track), SIZE[1], SIZE[0], 3), np.uint8)
        self._lips = np.zeros((len(track), SIZE[1], SIZE[0]), bool)
        self._seen = np.zeros(len(track), bool)

    def watched(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The track's frames (H, W, 3) uint8, each taken note of."""
        for number, (image, valid) in enumerate(zip(images, self._track.performance.valid, strict=False)):
            if valid:
                self._look(image, number)
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
        if self._seen.sum() < 3:
            return share
        skin = np.log(self._skin[self._seen].astype(np.float32) + _BLACK)
        known = ~self._lips[self._seen]
        for frame, mask in zip(skin, known, strict=True):  # every light is different
            frame -= np.median(frame[mask], 0)
        usually = np.median(skin, 0)
        skin = np.where(known[..., None], skin, usually)
        strange = np.zeros(known.shape, bool)
        for turned in self._turns():
            difference = np.abs(skin[turned] - np.median(skin[turned], 0)).max(-1)
            strange[turned] = difference > np.maximum(STRANGE, STRANGER * np.median(difference, 0))
        share[self._seen] = (strange & known).sum((1, 2)) / np.maximum(known.sum((1, 2)), 1)
        return share

    def _turns(self) -> list[np.ndarray]:
        """Groups (G,) of the frames looked at whose heads are turned alike: cheeks look different from each side."""
        assert self._track.performance.rotation is not None
        yaw_deg = self._track.performance.rotation[self._seen, 0]
        order = np.argsort(yaw_deg)
        parts = max(1, min(int(np.ptp(yaw_deg) / TURN_DEG), len(order) // LEAST_ALIKE))
        return np.array_split(order, parts)

    def hidden(self) -> np.ndarray:
        """(T,) bool; what most of the frames around show counts."""
        return median_filter(self.strange_share(), MEDIAN_FRAMES, mode="nearest") > HIDDEN_SHARE


def _to_thumb(frame: np.ndarray) -> np.ndarray:
    """(2, 3) affine map that lays nose base to chin, as wide as the eyes stand apart, onto the thumbnail."""
    right, left, nose, chin = frame
    across = (left - right) * 0.36
    corners = np.float32([nose - across, nose + across, chin - across])
    return cv2.getAffineTransform(corners, np.float32([[0, 0], [SIZE[0], 0], [0, SIZE[1]]])).astype(np.float32)
