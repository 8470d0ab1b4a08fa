"""Which pixels of a picture belong to a person."""

from __future__ import annotations

import cv2
import numpy as np

from vultus.face import mediapipe_graphs


def person_mask(image: np.ndarray) -> np.ndarray:
    """Probability (H, W) float32 in 0-1 that a pixel of an (H, W, 3) uint8 RGB picture shows a person.

    The network sees 256 x 256 pixels, so edges are soft by about 1/256 of the picture.
    """
    height, width = image.shape[:2]
    scale = min(max(1.0, 256 / max(height, width)), 512 / max(height, width))  # it finds nobody in a thumbnail
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    with mediapipe_graphs.person_segmenter() as graph, mediapipe_graphs.quiet_stderr():
        mask = graph.process(np.ascontiguousarray(small)).segmentation_mask
    if mask.shape != (height, width):
        mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(mask, 0, 1).astype(np.float32)
