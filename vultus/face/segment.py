"""Which pixels of a picture belong to a person."""

from __future__ import annotations

from types import TracebackType

import cv2
import numpy as np

from vultus.face import mediapipe_graphs


class PersonSegmenter:
    """Finds the person in one picture after another. A context manager.

    The network sees 256 x 256 pixels, so edges are soft by about 1/256 of the picture.
    """

    def __init__(self) -> None:
        self._graph = mediapipe_graphs.person_segmenter()

    def __enter__(self) -> PersonSegmenter:
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._graph.close()

    def mask(self, image: np.ndarray) -> np.ndarray:
        """Probability (H, W) float32 in 0-1 that a pixel of an (H, W, 3) uint8 RGB picture shows a person."""
        height, width = image.shape[:2]
        scale = min(max(1.0, 256 / max(height, width)), 512 / max(height, width))  # it finds nobody in a thumbnail
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        small = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=flags)
        mask = self._graph.process(np.ascontiguousarray(small)).segmentation_mask
        if mask.shape != (height, width):
            mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.clip(mask, 0, 1).astype(np.float32)


def person_mask(image: np.ndarray) -> np.ndarray:
    """The mask (`PersonSegmenter.mask`) of one picture."""
    with mediapipe_graphs.quiet_stderr(), PersonSegmenter() as segmenter:
        return segmenter.mask(image)
