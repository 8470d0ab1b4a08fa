"""A person made of numbers, for tests that need one without a video."""

from __future__ import annotations

import dataclasses

import numpy as np

from vultus.methods.blink_nerf.hearing import EarName, features_of
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


def talking_person(seconds: float = 12.0, seed: int = 0, size: int = 16, ear: EarName = "sounds") -> Person:
    """A person whose mouth opens with the loudness of their babble, whose brows follow it, and who blinks."""
    from tests.methods.emoface.voices import babble
    from vultus.core.bases import index_of
    from vultus.core.types import SAMPLE_RATE
    from vultus.face.fit import Fitter
    from vultus.face.head import embedded_head
    from vultus.face.points import LANDMARK68_FROM_478

    rng = np.random.default_rng(seed)
    count = int(seconds * 25)
    syllables = np.concatenate([np.zeros(800, np.float32), babble(1).waveform])
    pauses = [np.zeros(int(rng.integers(0, 6)) * 640, np.float32) for _ in range(80)]
    waveform = np.concatenate([np.concatenate([pause, syllables]) for pause in pauses])[: int(seconds * SAMPLE_RATE)]
    loud = np.sqrt(np.square(waveform.reshape(count, -1)).mean(1)) / 0.3
    au45 = np.where(np.arange(count) % 40 < 3, 5.0, 0.0).astype(np.float32)
    expression = np.zeros((count, 52), np.float32)
    expression[:, index_of("jawOpen")] = 0.5 * loud
    expression[:, index_of("browInnerUp")] = 0.3 * loud
    expression[:, [index_of("eyeBlinkLeft"), index_of("eyeBlinkRight")]] = au45[:, None] / 5
    fitter = Fitter(embedded_head())
    chosen = list(LANDMARK68_FROM_478)
    landmarks = fitter.mean[chosen] + np.tensordot(expression, fitter.expression_modes[chosen], (1, 2))
    plain = toy_person(count, size, 1, seed)
    return dataclasses.replace(
        plain,
        expression=expression,
        landmarks3d=landmarks.astype(np.float32),
        au45=au45,
        waveform=waveform,
        audio=features_of(waveform, ear, 25.0, count),
        ear=ear,
    )
