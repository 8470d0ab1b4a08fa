"""The five augmentations of section 2.1, drawn once for all pictures of a window."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SHARE = 0.5
"""How often each of them is used (albumentations' default, which released code relies on)."""
CONTRAST, BRIGHTNESS = 0.2, 0.2
GAMMA = (0.8, 1.2)
SHIFT = 20 / 255
NOISE_VARIANCE = (10 / 255**2, 50 / 255**2)


@dataclass(frozen=True)
class Augmentation:
    """One draw: what is done to every picture alike."""

    contrast: float = 1.0
    brightness: float = 0.0
    gamma: float = 1.0
    channels: tuple[int, ...] = (0, 1, 2)
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Added to red, green, blue."""
    noise: np.ndarray | None = None
    """(S, S, 3) added to every picture."""

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        """Pictures (T, S, S, 3) uint8 to float32 in 0-1."""
        levels = np.clip(np.arange(256, dtype=np.float32) / 255 * self.contrast + self.brightness, 0, 1) ** self.gamma
        table = np.clip(levels[:, None] + np.array(self.shift), 0, 1).astype(np.float32)  # all but the noise
        flat = pictures[..., list(self.channels)].reshape(1, -1, 3)
        out: np.ndarray = cv2.LUT(flat, table[None]).reshape(pictures.shape)
        return out if self.noise is None else np.clip(out + self.noise.astype(np.float32), 0, 1)


NOTHING = Augmentation()


def draw(side: int, rng: np.random.Generator) -> Augmentation:
    """Brightness and contrast, gamma, channel shuffle, RGB shift and Gaussian noise, each every other time."""
    used = rng.random(5) < SHARE
    red, green, blue = rng.uniform(-SHIFT, SHIFT, 3) if used[3] else (0.0, 0.0, 0.0)
    return Augmentation(
        contrast=1 + rng.uniform(-CONTRAST, CONTRAST) if used[0] else 1.0,
        brightness=rng.uniform(-BRIGHTNESS, BRIGHTNESS) if used[0] else 0.0,
        gamma=rng.uniform(*GAMMA) if used[1] else 1.0,
        channels=tuple(int(c) for c in rng.permutation(3)) if used[2] else (0, 1, 2),
        shift=(red, green, blue),
        noise=rng.normal(0, np.sqrt(rng.uniform(*NOISE_VARIANCE)), (side, side, 3)) if used[4] else None,
    )
