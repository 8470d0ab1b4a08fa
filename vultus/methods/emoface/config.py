"""Sizes and training of EmoFace: the paper's, and a small one that trains in minutes on one core; its ablations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

FPS = 60.0
"""Frames a second of the curves (section 3.1.1)."""
EMOTIONS = ("angry", "disgusted", "fear", "happy", "neutral", "sad", "surprised")
"""The seven that are taught, in the order of their ids 0-6: alphabetical, as in the released code."""
NEUTRAL = EMOTIONS.index("neutral")
LEAK = 0.2
"""Slope of the LeakyReLU between the emotion encoder's layers (section 4.2)."""
TAUGHT_LEVEL = 2.0
"""Level at which an emotion is as its label says; others scale its encoding's offset from neutral (ours)."""


@dataclass(frozen=True)
class NetConfig:
    """Sizes of the network (`methods.emoface.model`), and the ablations of table 4."""

    ear: Literal["wav2vec2", "speech"] = "wav2vec2"
    """Who listens: wav2vec2-base-960h, trained along but for its convolutions, or the speech encoder that ships."""
    states: int = 768
    """Width of the ear's hidden states."""
    width: int = 512
    """d_model of section 3.1.3."""
    heads: int = 8
    layers: int = 10
    feedforward: int = 2048
    embedding: int = 256
    dropout: float = 0.1
    decoder: Literal["encoder", "fc", "lstm", "decoder"] = "encoder"
    """Between encodings and curves: the paper's transformer encoder, or what it is compared with."""
    positions: bool = True
    """Whether positions are added to the content."""
    initialised: bool = True
    """Whether the ear was trained beforehand; otherwise its weights are random."""


@dataclass(frozen=True)
class TrainConfig:
    """How the network is trained. A round is once through all utterances."""

    rounds: int = 3000
    batch: int = 1
    lr: float = 1e-5
    decay: float = 0.995
    decay_rounds: int = 100
    """The rate is multiplied by `decay` every so many rounds."""
    crop_frames: int = 0
    """Longest piece of an utterance in a batch; 0 takes all of it."""
    balanced: bool = False
    """Whether each control's error counts in units of its spread (ours); the paper's MSE does not."""
    seed: int = 0


@dataclass(frozen=True)
class DataConfig:
    """What is learned from."""

    source: Literal["emoface", "synthetic"] = "emoface"
    """The EmoFace data set's layout in the data folder, or synthetic speech acted by `methods.emoface.acting`."""
    speech_s: float = 0.0
    """Of synthetic speech, in seconds."""
    held_out: int = 0
    """Synthetic utterances, of unseen voices and sentences, that are validated on."""
    lip_teacher: float = 0.7
    """Share of the learned lips in the lips of synthetic speech; the rest is the viseme table on exact phones."""
    seed: int = 0


@dataclass(frozen=True)
class EmoFaceConfig:
    """Everything EmoFace is made of."""

    net: NetConfig = field(default_factory=NetConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    data: DataConfig = field(default_factory=DataConfig)


PAPER = EmoFaceConfig()
"""Sections 3.1 and 4.2; what the text leaves open (heads, feed-forward, dropout, rate) as in the released code."""
SMALL = EmoFaceConfig(
    NetConfig("speech", states=128, width=96, heads=4, layers=3, feedforward=192, embedding=32, dropout=0.05),
    TrainConfig(rounds=24, batch=8, lr=1e-3, decay=0.84, decay_rounds=1, crop_frames=200, balanced=True),
    DataConfig("synthetic", speech_s=2400.0, held_out=70),
)
"""Ships: our speech encoder, frozen, and a transformer of the paper's shape at a fifth of its width."""
TINY = EmoFaceConfig(
    NetConfig("speech", states=128, width=16, heads=2, layers=2, feedforward=32, embedding=8, dropout=0.0),
    TrainConfig(rounds=2, batch=4, lr=3e-3, crop_frames=60, balanced=True),
    DataConfig("synthetic", speech_s=40.0, held_out=2),
)
"""For tests."""

PRESETS: dict[str, EmoFaceConfig] = {"small": SMALL, "paper": PAPER, "tiny": TINY}

ABLATIONS: dict[str, dict[str, Any]] = {
    "EmoFace": {},
    "wo weight initialize": {"initialised": False},
    "fc decoder": {"decoder": "fc"},
    "lstm decoder": {"decoder": "lstm"},
    "wo positional encoding": {"positions": False},
}
"""Table 4: row -> what differs in `NetConfig`."""


def ablated(config: EmoFaceConfig, row: str) -> EmoFaceConfig:
    """The configuration of a row of table 4. Raises KeyError for one that is not there."""
    return replace(config, net=replace(config.net, **ABLATIONS[row]))
