"""Putting another background behind a person, or none."""

from __future__ import annotations

import cv2
import numpy as np

from vultus.core.errors import ControlError
from vultus.rendering.inpaint import guided_filter, push_pull, smoothstep

SURE = 0.95
"""Where the matte is above this, a pixel is the person's alone."""


def matte_from_mask(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A matte (H, W) float32 0-1 with the picture's own edges from a coarse person mask (H, W) 0-1."""
    radius = max(2, round(0.006 * max(mask.shape)))
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    refined = guided_filter(grey, smoothstep((mask - 0.2) / 0.6).astype(np.float32), radius)
    return np.clip((refined - 0.06) / 0.88, 0, 1).astype(np.float32)


def decontaminated(image: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """The picture (H, W, 3) uint8 with the old background's colour taken out of the person's soft edges."""
    person = push_pull(image, matte > SURE)
    keep = smoothstep((matte - 0.5) / (SURE - 0.5))[..., None]
    return np.clip(person + (image - person) * keep + 0.5, 0, 255).astype(np.uint8)


def behind(background: str | np.ndarray, width: int, height: int) -> np.ndarray | None:
    """The new background (H, W, 3) uint8 RGB; None for "none".

    Raises ControlError for a text that is neither "none" nor a colour "#rrggbb".
    """
    if isinstance(background, np.ndarray):
        return _covering(background, width, height)
    if background == "none":
        return None
    digits = background.removeprefix("#")
    if not background.startswith("#") or len(digits) != 6 or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise ControlError(
            f"{background!r} is not a background",
            "--background",
            "give keep, none, a colour such as #20a040, or a picture",
        )
    colour = np.array([int(digits[k : k + 2], 16) for k in (0, 2, 4)], np.uint8)
    return np.broadcast_to(colour, (height, width, 3))


def _covering(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """The middle of a picture, scaled to cover width x height."""
    scale = max(width / picture.shape[1], height / picture.shape[0])
    size = (max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale)))
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    x, y = (size[0] - width) // 2, (size[1] - height) // 2
    return np.ascontiguousarray(scaled[y : y + height, x : x + width])


def composite(frame: np.ndarray, matte: np.ndarray, backdrop: np.ndarray | None) -> np.ndarray:
    """A frame over a background (H, W, 3), or with the matte as its fourth channel (H, W, 4)."""
    if backdrop is None:
        return np.dstack([frame, np.round(matte * 255).astype(np.uint8)])
    weight = np.ascontiguousarray(matte)
    return cv2.blendLinear(frame, np.ascontiguousarray(backdrop), weight, 1 - weight)
