"""From linear light to the pixels a camera would have given: mean of the subpixels, lens blur, tone curve, noise."""

from __future__ import annotations

import cv2
import numpy as np

from vultus.rendering.person.appearance import Camera


class Film:
    """Develops one clip's frames; the noise goes on from frame to frame, so a clip of the same seed is the same."""

    def __init__(self, camera: Camera, rng: np.random.Generator) -> None:
        self._camera = camera
        levels = np.linspace(0, 2, 4096)
        curve = np.clip(camera.exposure * levels, 0, None)
        # A shoulder instead of a hard clip: highlights on skin stay soft.
        curve = np.where(curve < 0.7, curve, 0.7 + 0.3 * (1 - np.exp(-(curve - 0.7) / 0.3)))
        self._curve = (255 * np.clip(curve, 0, 1) ** (1 / 2.2)).astype(np.float32)
        self._rng = rng
        self._noise = rng.standard_normal(1 << 18).astype(np.float32)

    def develop(self, image: np.ndarray, supersample: int) -> np.ndarray:
        """(h, w, 3) uint8 of a picture (h * s, w * s, 3) float32 in linear light."""
        size = (image.shape[1] // supersample, image.shape[0] // supersample)
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        if self._camera.blur_px > 0:
            small = cv2.GaussianBlur(small, (0, 0), self._camera.blur_px)
        grey = self._curve[np.clip(small * (4095 / 2), 0, 4095).astype(np.int32)]
        count = grey.size
        start = int(self._rng.integers(0, len(self._noise)))
        grain = np.take(self._noise, np.arange(start, start + count), mode="wrap").reshape(grey.shape)
        return np.clip(grey + self._camera.noise * grain + 0.5, 0, 255).astype(np.uint8)
