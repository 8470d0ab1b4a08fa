"""A person made of numbers, for tests that need one without a video."""

from __future__ import annotations

import numpy as np

from vultus.methods.blink_nerf.person import BACKGROUND, EYES, HEAD, MOUTH, TORSO, Person


def toy_person(count: int = 12, size: int = 16, audio: int = 5, seed: int = 0) -> Person:
    """A person of `count` frames with every label in the masks and a pose that sways."""
    rng = np.random.default_rng(seed)
    masks = np.full((count, size, size), BACKGROUND, np.uint8)
    masks[:, size // 2 :] = TORSO
    masks[:, 2 : 3 * size // 4, 3:-3] = HEAD
    masks[:, size // 2, 5:-5] = MOUTH
    masks[:, size // 3, 4:-4] = EYES
    sway = 0.1 * np.sin(np.arange(count) / 3)
    zero, one = np.zeros(count), np.ones(count)
    turn = np.stack([np.cos(sway), zero, np.sin(sway), zero, one, zero, -np.sin(sway), zero, np.cos(sway)], -1)
    return Person(
        frames=rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8),
        masks=masks,
        background=rng.integers(0, 256, (size, size, 3), dtype=np.uint8),
        valid=np.ones(count, bool),
        shot=np.zeros(count, np.int32),
        rotation=turn.reshape(count, 3, 3).astype(np.float32),
        translation=np.tile(np.float32([0, 0, 90]), (count, 1)),
        expression=np.zeros((count, 52), np.float32),
        landmarks3d=rng.normal(0, 4, (count, 68, 3)).astype(np.float32),
        au45=(5 * (np.arange(count) % 7 == 3)).astype(np.float32),
        audio=rng.normal(size=(count, audio)).astype(np.float32),
        waveform=rng.uniform(-0.1, 0.1, count * 640).astype(np.float32),
        identity=np.zeros(60, np.float32),
        fps=25.0,
        focal_px=5.0 * size,
        center_px=(size / 2, size / 2),
        held_out=max(1, count // 10),
    )
