"""The second pass over a clip: its cropped pictures, who is person in them, and what is behind that person."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vultus.core.types import Frames
from vultus.data.clips import BACKGROUND_FILE, PERSON_FILE, VIDEO_FILE
from vultus.data.crops import Crop, cut
from vultus.data.pictures import PictureWriter
from vultus.face.segment import PersonSegmenter
from vultus.rendering.inpaint import push_pull

MAX_BACKGROUND_PX = 768
"""Longest side of the background picture."""
MAX_MASK_PX = 256
"""Longest side of the person's mask: the network looks at no more."""

_BACKGROUND_EVERY = 5
"""One frame in so many adds to the background."""
_NOBODY = 0.05
"""Below this probability of a person a pixel is background."""


class Stage:
    """The part of the source that the crops ever show, scaled as they are: where the person is told from the rest."""

    def __init__(self, crop: Crop, source_width: int, source_height: int) -> None:
        corners = np.array([[0, 0], [crop.width, 0], [0, crop.height], [crop.width, crop.height]], float)
        inverse = np.linalg.inv(crop.crop_from_source[:, :, :2])
        shown = np.einsum("tij,tnj->tni", inverse, corners[None] - crop.crop_from_source[:, None, :, 2])
        low = np.clip(np.floor(shown.min((0, 1))), 0, [source_width - 2, source_height - 2])
        high = np.clip(np.ceil(shown.max((0, 1))), low + 2, [source_width, source_height])
        zoom = float(np.median(np.sqrt(np.abs(np.linalg.det(crop.crop_from_source[:, :, :2])))))
        scale = min(1.0, zoom, MAX_BACKGROUND_PX / float((high - low).max()))
        self.width, self.height = (max(2, round(side * scale)) for side in high - low)
        self.scale, self.shift = scale, -scale * low
        self.from_source = np.column_stack([np.eye(2) * scale, self.shift])
        self._light = np.zeros((self.height, self.width, 3), np.float32)
        self._weight = np.zeros((self.height, self.width), np.float32)

    def picture(self, image: np.ndarray) -> np.ndarray:
        """The stage (height, width, 3) in one source frame."""
        return cut(image, self.from_source, self.width, self.height)

    def crop_map(self, crop_from_source: np.ndarray) -> np.ndarray:
        """The map (2, 3) from stage to crop pixels."""
        linear = crop_from_source[:, :2] / self.scale
        return np.column_stack([linear, crop_from_source[:, 2] - linear @ self.shift])

    def remember(self, picture: np.ndarray, person: np.ndarray) -> None:
        """Add what is behind the person in one picture of the stage."""
        free = (person < _NOBODY).astype(np.float32)
        self._light += picture * free[..., None]
        self._weight += free

    def background(self) -> np.ndarray:
        """The mean of what was seen, (height, width, 3) uint8; what never was is filled in smoothly from around it."""
        seen = self._weight > 0
        mean = self._light / np.maximum(self._weight, 1)[..., None]
        filled = push_pull(mean, seen) if seen.any() else np.full_like(mean, 127)
        return np.clip(np.round(filled), 0, 255).astype(np.uint8)


def write_pictures(folder: Path, frames: Frames, crop: Crop, synthetic: bool) -> tuple[float, float, float]:
    """Write video, person mask and background into `folder`; returns scale and shift of the background's pixels.

    The pictures of `frames` must be as many as the maps of `crop`.
    """
    stage = Stage(crop, frames.width, frames.height)
    shrink = min(1.0, MAX_MASK_PX / max(crop.width, crop.height))
    across, down = (max(2, 2 * round(side * shrink / 2)) for side in (crop.width, crop.height))
    mask_scale = np.array([across / crop.width, down / crop.height])
    with ExitStack() as stack:
        video = PictureWriter(folder / VIDEO_FILE, frames.fps, crop.width, crop.height, synthetic)
        people = PictureWriter(folder / PERSON_FILE, frames.fps, across, down)
        for writer in (video, people):
            stack.enter_context(writer)
        segmenter = stack.enter_context(PersonSegmenter())
        for index, (image, crop_from_source) in enumerate(zip(frames, crop.crop_from_source, strict=True)):
            video.add(cut(image, crop_from_source, crop.width, crop.height))
            picture = stage.picture(image)
            person = segmenter.mask(picture)
            if index % _BACKGROUND_EVERY == 0:
                stage.remember(picture, person)
            grey = np.round(person * 255).astype(np.uint8)
            mask_from_stage = mask_scale[:, None] * stage.crop_map(crop_from_source)
            mask = cut(grey, mask_from_stage, across, down, cv2.BORDER_CONSTANT)
            people.add(cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB))
    Image.fromarray(stage.background()).save(folder / BACKGROUND_FILE)
    return stage.scale, float(stage.shift[0]), float(stage.shift[1])
