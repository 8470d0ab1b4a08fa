"""Which emotion a face shows, from where FaceMesh's points are and what the skin looks like around them.

Points are laid onto the mean head, which takes the pose out; the face, laid straight, is described by histograms of its
gradients (HOG), as action units are read in OpenFace (Baltrusaitis et al. 2015): FaceMesh hardly follows a lowered brow
or a wrinkled nose. No neutral picture of the person is needed: it learned from faces whose builds were exchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vultus.core.weights import load_arrays
from vultus.face.head import embedded_head
from vultus.face.points import LEFT_BROW, LEFT_EYE, LIPS, RIGHT_BROW, RIGHT_EYE
from vultus.perception.judges import Role, weights_folder
from vultus.perception.judges.emotion_space import EmotionReader

NAME = "emotion_image"
_NOSE = (1, 2, 4, 5, 6, 168, 195, 197, 98, 327, 129, 358, 48, 278, 64, 294)
_GLABELLA = (8, 9, 193, 417, 221, 441)
_CHEEKS = (
    205, 425, 50, 280, 101, 330, 36, 266, 206, 426, 203, 423, 216, 436, 212, 432, 92, 322, 165, 391, 207, 427, 187, 411,
    117, 346, 118, 347, 119, 348, 147, 376,
)  # fmt: skip
_CHIN = (152, 199, 175, 200, 18, 83, 313, 201, 421, 150, 379, 172, 397)
POINTS = np.array(RIGHT_EYE + LEFT_EYE + RIGHT_BROW + LEFT_BROW + LIPS + _NOSE + _GLABELLA + _CHEEKS + _CHIN)
"""FaceMesh points that are looked at."""
POINT_INPUTS = 3 * len(POINTS)
CROP_PX = (64, 80)
"""Width and height of a face laid straight."""
_CELL_PX, _BLOCK_PX, _BINS = 8, 16, 9
_BLOCKS = (CROP_PX[0] // _BLOCK_PX) * (CROP_PX[1] // _BLOCK_PX)
GRADIENT_INPUTS = _BLOCKS * (_BLOCK_PX // _CELL_PX) ** 2 * _BINS
INPUTS = POINT_INPUTS + GRADIENT_INPUTS
_CROP_UNITS = (15.5, 19.4)
"""Width and height of what is seen of the mean head, head units."""
_CROP_DOWN_UNITS = 2.6
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
        return self._reader.embed(face_inputs(pictures, landmarks))

    def probabilities(self, pictures: Pictures, landmarks: np.ndarray, expression: object = None) -> np.ndarray:
        """Probabilities (N, 8) float32 of `EMOTIONS`; arguments as of `embed`. A clip's emotion is their mean."""
        return self._reader.read(self.embed(pictures, landmarks, expression))

    @property
    def _reader(self) -> EmotionReader:
        return EmotionReader(self.arrays)


def load_emotion_image(role: Role = "judge") -> EmotionImage:
    """The shipped encoder. Raises MissingPartError where its weights were left out."""
    return EmotionImage(_arrays(role))


def face_inputs(pictures: Pictures, landmarks: np.ndarray) -> np.ndarray:
    """What the network takes (N, INPUTS) float32: points, then gradients."""
    gradients = [gradients_of(picture, points) for picture, points in zip(pictures, landmarks, strict=True)]
    return np.concatenate([pose_free(landmarks), np.stack(gradients)], 1)


def gradients_of(picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Histograms of gradients (GRADIENT_INPUTS,) float32 of a face in a picture (H, W, 3) uint8 RGB, laid straight."""
    import cv2

    model = _reference()[_RIGID, :2]
    size, extent = np.array(CROP_PX), np.array(_CROP_UNITS)
    wanted = (model - model.mean(0)) * (1, -1) * (size / extent) + size / 2
    wanted[:, 1] -= _CROP_DOWN_UNITS * size[1] / extent[1]
    seen = np.column_stack([np.asarray(landmarks, np.float64)[_RIGID, :2], np.ones(len(_RIGID))])
    crop_from_picture = np.linalg.lstsq(seen, wanted, rcond=None)[0].T  # (2, 3)
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    shrink = float(np.sqrt(abs(np.linalg.det(crop_from_picture[:, :2]))))
    if shrink < 1:  # or fine detail would alias
        grey = cv2.GaussianBlur(grey, (0, 0), 0.5 / shrink)
    crop = cv2.warpAffine(grey, crop_from_picture, CROP_PX, borderMode=cv2.BORDER_REPLICATE)
    block, cell = (_BLOCK_PX, _BLOCK_PX), (_CELL_PX, _CELL_PX)
    hog = cv2.HOGDescriptor(CROP_PX, block, block, cell, _BINS)
    return np.asarray(hog.compute(crop), np.float32).reshape(-1)


def pose_free(landmarks: np.ndarray) -> np.ndarray:
    """`POINTS` of faces (N, 478, 3) laid onto the mean head: (N, POINT_INPUTS) float32, head units."""
    seen = np.asarray(landmarks, np.float64)[:, :468] * (1, -1, -1)
    model = _reference()[_RIGID]
    rigid = seen[:, _RIGID]
    seen_mean, model_mean = rigid.mean(1, keepdims=True), model.mean(0)
    u, sizes, vt = np.linalg.svd(np.swapaxes(model - model_mean, 0, 1) @ (rigid - seen_mean))
    flip = np.ones((len(seen), 3))
    flip[:, 2] = np.sign(np.linalg.det(u @ vt))
    turn = (u * flip[:, None]) @ vt  # seen axes to the model's
    scale = (sizes * flip).sum(1) / ((rigid - seen_mean) ** 2).sum((1, 2))
    laid = (seen[:, POINTS] - seen_mean) @ np.swapaxes(turn, 1, 2) * scale[:, None, None] + model_mean
    return laid.reshape(len(seen), POINT_INPUTS).astype(np.float32)


@lru_cache(maxsize=1)
def mirrored_columns() -> tuple[np.ndarray, np.ndarray]:
    """How to mirror what the network takes: the columns (INPUTS,) to take, and their signs (INPUTS,)."""
    from scipy.optimize import linear_sum_assignment

    places = _reference()[POINTS]
    apart = ((places[:, None] - places * (-1, 1, 1)) ** 2).sum(2)
    _, twins = linear_sum_assignment(apart + apart.T)
    points = (3 * twins[:, None] + np.arange(3)).reshape(-1)
    signs = np.concatenate([np.tile([-1.0, 1.0, 1.0], len(POINTS)), np.ones(GRADIENT_INPUTS)])
    return np.concatenate([points, POINT_INPUTS + _mirrored_gradients()]), signs


def _mirrored_gradients() -> np.ndarray:
    """Columns of the mirrored face among its histograms; OpenCV goes column by column through blocks and cells."""
    cells = _BLOCK_PX // _CELL_PX
    across, down = CROP_PX[0] // _BLOCK_PX, CROP_PX[1] // _BLOCK_PX
    at = np.arange(GRADIENT_INPUTS).reshape(across, down, cells, cells, _BINS)
    return at[::-1, :, ::-1, :, ::-1].reshape(-1)


@lru_cache(maxsize=1)
def _reference() -> np.ndarray:
    head = embedded_head()
    return np.asarray(head.landmarks478(head.mean), np.float64)


@lru_cache(maxsize=2)
def _arrays(role: Role) -> Mapping[str, np.ndarray]:
    return load_arrays(weights_folder(NAME, role))[0]
