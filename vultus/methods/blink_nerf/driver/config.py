"""Sizes and training of the driver; what the paper leaves open, which is nearly all, was chosen on one clip."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class MotionConfig:
    """The networks of figures 1 and 2 (`methods.blink_nerf.driver.model`)."""

    filter_reach: int = 4
    """Frames on either side that the temporal filter looks at; AD-NeRF's sees eight in all."""
    latent: int = 64
    """Of the autoencoder."""
    hidden: int = 128
    width: int = 64
    """Of the Dynamic Landmark Transformer; so the next."""
    heads: int = 4
    layers: int = 2
    feedforward: int = 128
    attention_reach: int = 8
    """Frames on either side that each of its layers attends to."""
    dropout: float = 0.3
    noise: float = 0.7
    """Put on the features in training, in standard deviations."""
    lips_reach: int = 2
    """Frames on either side of the linear map from features to landmarks that it is a residual on (ours)."""
    lips_ridge: float = 3000.0
    """Ridge with which that map is fitted before training begins; features count in standard deviations."""
    eye_hidden: int = 48
    amplitude: float = 1.8
    """Factor on the mouth's and the jaw's motion about their mean: learned lips are timid."""


@dataclass(frozen=True)
class MotionTraining:
    """How the networks are trained: all together, on pieces of the person's video."""

    steps: int = 300
    batch: int = 8
    crop_frames: int = 64
    """Length of a piece; the driver looks at as many frames at once (`methods.blink_nerf.driver.infer`)."""
    lr: float = 5e-4
    eye_lr: float = 3e-3
    """Of the eyes' networks: they have more to learn than the lips, which begin well."""
    final_lr: float = 0.05
    """Share of the rate at the end of a cosine."""
    reconstruction: float = 0.05
    """Weight of the autoencoder's squared error; so the next."""
    divergence: float = 1e-2
    au: float = 0.05
    eyes: float = 1.0
    eye_size: float = 1.0


@dataclass(frozen=True)
class DriverConfig:
    """Everything the driver is made of."""

    net: MotionConfig = field(default_factory=MotionConfig)
    train: MotionTraining = field(default_factory=MotionTraining)


PAPER = DriverConfig(
    MotionConfig(latent=64, hidden=256, width=256, heads=8, layers=4, feedforward=1024, eye_hidden=128),
    MotionTraining(steps=20_000, batch=16, lr=2e-4),
)
"""For 3 to 5 minutes of video; the paper gives no sizes."""
SMALL = DriverConfig()
"""A minute on one core."""
TINY = DriverConfig(MotionConfig(1, 4, 8, 8, 2, 1, 8, 2, 0.0, 0.0, 1, 10.0, 4), MotionTraining(2, 2, 6))
"""For tests."""
