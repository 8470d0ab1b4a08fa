"""Which emotion a face shows, from the pixels of the face laid straight.

FaceMesh hardly follows a lowered brow or a wrinkled nose, so its points only say where the face lies: an affine map
lays it straight, and a small network is given its histograms of gradients (HOG), as OpenFace reads action units
(Baltrusaitis et al. 2015). No neutral picture of the person is needed.
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

NAME = "emotion_image"
CROP_PX = (64, 80)
"""Width and height of a face laid straight."""
_BLOCK_PX, _CELL_PX, _BINS = 16, 8, 9
INPUTS = (CROP_PX[0] // _CELL_PX - 1) * (CROP_PX[1] // _CELL_PX - 1) * (_BLOCK_PX // _CELL_PX) ** 2 * _BINS
"""Numbers that the network takes; blocks overlap by a cell."""
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

        `landmarks` (N, 478, 3) are in their pixels. `expression` (N, 52), is not looked at.
        """
        faces = [aligned(picture, points) for picture, points in zip(pictures, landmarks, strict=True)]
        return self._reader.embed(np.stack([gradients(face) for face in faces]))

    def probabilities(self, pictures: Pictures, landmarks: np.ndarray, expression: object = None) -> np.ndarray:
        """Probabilities (N, 8) float32 of `EMOTIONS`; arguments as of `embed`. A clip's emotion is their mean."""
        return self._reader.read(self.embed(pictures, landmarks, expression))

    @property
    def _reader(self) -> EmotionReader:
        return EmotionReader(self.arrays)


def load_emotion_image(role: Role = "judge", folder: str | Path | None = None) -> EmotionImage:
    """The shipped encoder in one of its roles, or that in a folder of `vultus train emotion_image`.

    Raises MissingPartError where its weights were left out.
    """
    return EmotionImage(_arrays(Path(folder or weights_folder(NAME, role))))


def gradients(face: np.ndarray) -> np.ndarray:
    """Histograms of gradients (INPUTS,) float32 of a face laid straight, uint8 grey of `CROP_PX`."""
    import cv2

    block, cell = (_BLOCK_PX, _BLOCK_PX), (_CELL_PX, _CELL_PX)
    return np.asarray(cv2.HOGDescriptor(CROP_PX, block, cell, cell, _BINS).compute(face), np.float32).reshape(-1)


def aligned(picture: np.ndarray, landmarks: np.ndarray, margin_px: int = 0) -> np.ndarray:
    """A face in a picture (H, W, 3) uint8 RGB laid straight: grey (height, width) uint8 of `CROP_PX` and a margin.

    `landmarks` (468 or more, 2 or 3) are FaceMesh's, in the picture's pixels. The pose goes as far as an affine map
    takes it out, and so do the face's proportions.
    """
    import cv2

    model = _reference()[_RIGID, :2]
    size, extent = np.array(CROP_PX), np.array(_CROP_UNITS)
    wanted = (model - model.mean(0)) * (1, -1) * (size / extent) + size / 2 + margin_px
    wanted[:, 1] -= _CROP_DOWN_UNITS * size[1] / extent[1]
    seen = np.column_stack([np.asarray(landmarks, np.float64)[_RIGID, :2], np.ones(len(_RIGID))])
    crop_from_picture = np.linalg.lstsq(seen, wanted, rcond=None)[0].T  # (2, 3)
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    shrink = float(np.sqrt(abs(np.linalg.det(crop_from_picture[:, :2]))))
    if shrink < 1:  # or fine detail would alias
        grey = cv2.GaussianBlur(grey, (0, 0), 0.5 / shrink)
    kept = (CROP_PX[0] + 2 * margin_px, CROP_PX[1] + 2 * margin_px)
    return cv2.warpAffine(grey, crop_from_picture, kept, borderMode=cv2.BORDER_REPLICATE)


@lru_cache(maxsize=1)
def _reference() -> np.ndarray:
    head = embedded_head()
    return np.asarray(head.landmarks478(head.mean), np.float64)


@lru_cache(maxsize=2)
def _arrays(folder: Path) -> Mapping[str, np.ndarray]:
    return load_arrays(folder)[0]
