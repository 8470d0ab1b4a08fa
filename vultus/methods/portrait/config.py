"""Settings of the portrait driver that are a matter of taste, not of control, and of the training of its lips."""

from __future__ import annotations

from dataclasses import dataclass, field

from vultus.perception.speech import SpeechNetConfig


@dataclass(frozen=True)
class PortraitConfig:
    """How strongly the parts of the face go with the voice and with each other."""

    brow_emphasis: float = 0.22
    """Brow raise (ARKit weight) on a fully stressed syllable."""
    eye_contact: float = 0.9
    """Share of the head's rotation that the eyes take back to hold the viewer, 0-1."""


DEFAULT = PortraitConfig()
"""What `vultus speak` uses."""

PRESETS: dict[str, PortraitConfig] = {"default": DEFAULT}


@dataclass(frozen=True)
class PretrainConfig:
    """Of the stage on synthetic speech."""

    speech_s: float = 15000.0
    steps: int = 6000
    batch: int = 13
    negatives: int = 3
    """Lessons of each batch that begin as noise or music."""
    crop_s: float = 4.0
    lr: float = 3e-3
    seed: int = 0


@dataclass(frozen=True)
class FinetuneConfig:
    """Of the stage on real mouths; weights of its losses."""

    steps: int = 250
    batch: int = 8
    synthetic: int = 6
    """Lessons of each batch that are synthetic, so that nothing is forgotten."""
    negatives: int = 3
    """Of these, lessons that begin as noise or music."""
    crop_s: float = 4.0
    lr: float = 8e-4
    dropout: float = 0.4
    stretch: float = 0.06
    """Standard deviation of the logarithm of how much faster real speech is made."""
    velocity: float = 2.0
    closure: float = 0.5
    spread: float = 0.3
    """As large motion as people's: squared log ratio of variances."""
    correlation: float = 1.0
    fitted: float = 0.3
    """Of the fitted ARKit weights."""
    contact: float = 0.03
    """Lips that meet in B, P and M, and a lip at the teeth in F and V, in synthetic speech."""
    remembered: float = 0.7
    average_from: float = 0.3
    """Share of the steps after which weights are averaged."""
    average_keep: float = 0.98
    seed: int = 0


@dataclass(frozen=True)
class LipTrainConfig:
    """Everything the lips are made of."""

    net: SpeechNetConfig = field(default_factory=SpeechNetConfig)
    pretrain: PretrainConfig = field(default_factory=PretrainConfig)
    finetune: FinetuneConfig = field(default_factory=FinetuneConfig)


TRAINING: dict[str, LipTrainConfig] = {"small": LipTrainConfig()}
"""What `vultus train portrait` offers."""
