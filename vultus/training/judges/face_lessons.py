"""What is done to a face laid straight before the emotion encoder sees it in a lesson."""

from __future__ import annotations

import cv2
import numpy as np

from vultus.perception.judges.face_reader import CROP_PX

SHIFT_PX, TURN_DEG, SCALE, SHEAR = 0.9, 2.0, 0.04, 0.03
"""Standard deviations of how far FaceMesh, and a pose that no affine map takes out, lay a face wrongly."""
BEND_PX, BEND_GRID = 0.4, (4, 5)
"""Standard deviation of the displacement of a grid's corners: other builds of the same face."""
GAMMA, SLOPE, NOISE = 0.2, 0.25, 0.02
"""Standard deviations: log of a gamma, light from one side to the other, and the largest noise; grey 0-1."""
COARSEST = 1.7
"""A face may have been so many times smaller."""
COVERED_SHARE, COVERED_PX = 0.05, (26, 18)
"""Share of faces of which a rectangle is hidden, and the largest of its sides."""


def altered(crop: np.ndarray, mirrored: bool, rng: np.random.Generator) -> np.ndarray:
    """A face (height, width) float32, grey 0-1, as another person in another light might show the same expression.

    `crop` is uint8 grey with a margin (`drawn_faces.KEPT_PX`).
    """
    across, down = _places(crop.shape, rng)
    if mirrored:
        across, down = across[:, ::-1], down[:, ::-1]
    face = cv2.remap(
        crop,
        np.ascontiguousarray(across),
        np.ascontiguousarray(down),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return _lit(_coarsened(face.astype(np.float32) / 255, rng), rng)


def _places(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Where in a crop of `shape` each pixel of the face comes from: x and y, both (height, width) float32."""
    width, height = CROP_PX
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = x - (width - 1) / 2, y - (height - 1) / 2
    turn, scale = np.radians(rng.normal(0, TURN_DEG)), np.exp(rng.normal(0, SCALE, 2))
    shear, shift = rng.normal(0, SHEAR, 2), rng.normal(0, SHIFT_PX, 2)
    across = scale[0] * (np.cos(turn) * x - np.sin(turn) * y) + shear[0] * y + shift[0] + (shape[1] - 1) / 2
    down = scale[1] * (np.sin(turn) * x + np.cos(turn) * y) + shear[1] * x + shift[1] + (shape[0] - 1) / 2
    bends = rng.normal(0, BEND_PX, (BEND_GRID[1], BEND_GRID[0], 2)).astype(np.float32)
    bent = cv2.resize(bends, CROP_PX, interpolation=cv2.INTER_CUBIC)
    return (across + bent[..., 0]).astype(np.float32), (down + bent[..., 1]).astype(np.float32)


def _coarsened(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.5:
        smaller = rng.uniform(1, COARSEST)
        small = (round(CROP_PX[0] / smaller), round(CROP_PX[1] / smaller))
        face = cv2.resize(cv2.resize(face, small, interpolation=cv2.INTER_AREA), CROP_PX)
    return face


def _lit(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With another light, noise, and perhaps something before it."""
    width, height = CROP_PX
    slope = rng.normal(0, SLOPE, 2)
    side = slope[0] * np.linspace(-1, 1, width)[None] + slope[1] * np.linspace(-1, 1, height)[:, None]
    face = face ** np.exp(rng.normal(0, GAMMA)) * np.clip(1 + side, 0.3, 2)
    if rng.random() < COVERED_SHARE:
        size = [int(rng.integers(6, most + 1)) for most in COVERED_PX]
        left, top = (int(rng.integers(0, whole - part)) for whole, part in zip(CROP_PX, size, strict=True))
        face[top : top + size[1], left : left + size[0]] = rng.random()
    face = face + rng.uniform(0, NOISE) * rng.standard_normal(face.shape)
    return np.clip(face, 0, 1).astype(np.float32)
