"""Which emotion a face shows, from the pixels of the face laid straight and where its points lie in it.

An affine map by FaceMesh's points lays the face straight. A small convolutional network looks at its contrasts, as
FaceMesh hardly follows a lowered brow or a wrinkled nose, and at the points, which tell how the head is turned. No
neutral picture of the person is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vultus.core.weights import load_arrays
from vultus.face.head import embedded_head
from vultus.perception.judges import Role, weights_folder
from vultus.perception.judges.emotion_space import EmotionReader
from vultus.perception.judges.face_reader import CROP_PX, ENCODER, POINTS, FaceReader, contrasts

NAME = "emotion_image"
_CROP_UNITS = (11.0, 13.75)
"""Width and height of what is seen of the mean head, head units."""
_CROP_DOWN_UNITS = 3.7
"""How far the crop's middle lies below that of the rigid points."""

_RIGID = np.array((168, 6, 197, 195, 5, 4, 33, 133, 362, 263, 127, 356, 234, 454, 162, 389, 10))
"""Points that expressions hardly move."""


Pictures = np.ndarray | Sequence[np.ndarray]


@dataclass(frozen=True)
class EmotionImage:
    """The encoder of faces; `load_emotion_image` makes one."""

    arrays: Mapping[str, np.ndarray]

    def embed(self, pictures: Pictures, landmarks: np.ndarray, expression: object = None) -> np.ndarray:
        """Unit vectors (N, 32) float32 in the shared space of the faces in `pictures` (N, H, W, 3) uint8 RGB.

        `landmarks` (N, 478, 3) are in their pixels. `expression` (N, 52), is not looked at. A face and its mirror image
        show the same: what is given is the middle between the two.
        """
        pairs = list(zip(pictures, landmarks, strict=True))
        faces = np.stack([contrasts(aligned(*pair)) for pair in pairs])
        points = np.stack([straight(one) for _, one in pairs])
        return self._middle_of_both_ways(faces, points)

    def probabilities(self, pictures: Pictures, landmarks: np.ndarray, expression: object = None) -> np.ndarray:
        """Probabilities (N, 8) float32 of `EMOTIONS`; arguments as of `embed`. A clip's emotion is their mean."""
        return self._reader.read(self.embed(pictures, landmarks, expression))

    def _middle_of_both_ways(self, faces: np.ndarray, points: np.ndarray) -> np.ndarray:
        look = FaceReader(self.arrays).features
        one, other = look(faces, points), look(faces[..., ::-1], mirrored(points))
        both = self._reader.embed(one) + self._reader.embed(other)
        return np.asarray(both / np.maximum(np.linalg.norm(both, axis=1, keepdims=True), 1e-9), np.float32)

    @property
    def _reader(self) -> EmotionReader:
        return EmotionReader({name.removeprefix(ENCODER): array for name, array in self.arrays.items()})


def load_emotion_image(role: Role = "judge", folder: str | Path | None = None) -> EmotionImage:
    """The shipped encoder in one of its roles, or that in a folder of `vultus train emotion_image`.

    Raises MissingPartError where its weights were left out.
    """
    return EmotionImage(_arrays(Path(folder or weights_folder(NAME, role))))


def aligned(picture: np.ndarray, landmarks: np.ndarray, margin_px: int = 0) -> np.ndarray:
    """A face in a picture (H, W, 3) uint8 RGB laid straight: grey (height, width) uint8 of `CROP_PX` and a margin.

    `landmarks` (468 or more, 2 or 3) are FaceMesh's, in the picture's pixels. The pose goes as far as an affine map
    takes it out, and so do the face's proportions.
    """
    import cv2

    crop_from_picture = straightening(landmarks, margin_px)
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    shrink = float(np.sqrt(abs(np.linalg.det(crop_from_picture[:, :2]))))
    if shrink < 1:  # or fine detail would alias
        grey = cv2.GaussianBlur(grey, (0, 0), 0.5 / shrink)
    kept = (CROP_PX[0] + 2 * margin_px, CROP_PX[1] + 2 * margin_px)
    return cv2.warpAffine(grey, crop_from_picture, kept, borderMode=cv2.BORDER_REPLICATE)


def straightening(landmarks: np.ndarray, margin_px: int = 0) -> np.ndarray:
    """The affine map (2, 3) that lays a face straight; arguments as of `aligned`."""
    model = _reference()[_RIGID, :2]
    size, extent = np.array(CROP_PX), np.array(_CROP_UNITS)
    wanted = (model - model.mean(0)) * (1, -1) * (size / extent) + size / 2 + margin_px
    wanted[:, 1] -= _CROP_DOWN_UNITS * size[1] / extent[1]
    seen = np.column_stack([np.asarray(landmarks, np.float64)[_RIGID, :2], np.ones(len(_RIGID))])
    return np.asarray(np.linalg.lstsq(seen, wanted, rcond=None)[0].T)


def straight(landmarks: np.ndarray) -> np.ndarray:
    """FaceMesh's points (468 or more, 2 or 3) where they lie in a face laid straight: (468, 2) float32, pixels."""
    across = straightening(landmarks)
    return np.asarray(landmarks[:POINTS, :2] @ across[:, :2].T + across[:, 2], np.float32)


def mirrored(points: np.ndarray) -> np.ndarray:
    """Points (N, 468, 2) in the pixels of straight faces, as they lie in the mirror images."""
    turned = np.array(points[:, mirrored_points()])
    turned[..., 0] = CROP_PX[0] - 1 - turned[..., 0]
    return turned


@lru_cache(maxsize=1)
def mirrored_points() -> np.ndarray:
    """(468,) index of each of FaceMesh's points' mirror image, by where they lie on the mean head."""
    from scipy.optimize import linear_sum_assignment

    points = _reference()[:POINTS]
    apart = np.linalg.norm((points * (-1, 1, 1))[:, None] - points[None], axis=2)
    return np.asarray(linear_sum_assignment(apart)[1])


@lru_cache(maxsize=1)
def _reference() -> np.ndarray:
    head = embedded_head()
    return np.asarray(head.landmarks478(head.mean), np.float64)


@lru_cache(maxsize=2)
def _arrays(folder: Path) -> Mapping[str, np.ndarray]:
    return load_arrays(folder)[0]
