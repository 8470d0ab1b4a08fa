"""Sizes and training of EmoGen: the paper's, and a small one; every experiment of its section 4 is a switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vultus.core.config import overlay

EMOTIONS = ("angry", "disgusted", "fear", "happy", "neutral", "sad")
"""CREMA-D's six (section 2.1), in the order of their ids 0-5: alphabetical, as ANG DIS FEA HAP NEU SAD are."""
WINDOW = 5
"""Frames that are learned from at a time (section 3): .2 s."""
FPS = 25.0
"""Of everything that is learned from; one window of sound lasts as long as one of frames."""
BANDS, MEL_STEPS = 80, 16
"""A frame's picture of the voice: mel bands and hops."""


@dataclass(frozen=True)
class NetConfig:
    """Sizes of generator, sync expert and emotion discriminator. Widths are those of Wav2Lip's released code."""

    side: int = 96
    """Pixels of the square face; a multiple of 32."""
    join: Literal["seq", "end"] = "seq"
    """Where the emotion comes in (section 2.2): beside the voice, or as one more channel before the output block."""
    keep: bool = False
    """Whether the generator also says, pixel by pixel, how much of the reference stays: what neither voice nor emotion
    changes is kept instead of learned (ours). For references in which the head is held as in the frame."""
    noise: int = 0
    """Width of the noise encoder's embedding (section 2.3); 0 leaves it out, as all experiments of the paper do."""
    face_widths: tuple[int, ...] = (16, 32, 64, 128, 256, 512)
    """Of the face encoder, at full size, half of it, ..."""
    face_blocks: tuple[int, ...] = (0, 2, 3, 2, 2, 1)
    """Residual blocks at each of these sizes."""
    decoder_widths: tuple[int, ...] = (512, 512, 384, 256, 128, 64)
    """From the smallest size to the full one."""
    decoder_blocks: tuple[int, ...] = (1, 2, 2, 2, 2, 2)
    speech_widths: tuple[int, ...] = (32, 64, 128, 256)
    speech_blocks: tuple[int, ...] = (2, 2, 2, 1)
    embedding: int = 512
    """Of face, voice and emotion."""
    output_width: int = 32
    expert_widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    expert_embedding: int = 512
    judge_widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    """Of the emotion discriminator's convolutions, each halving the picture."""
    judge_state: int = 128
    """Width of its LSTM."""

    def __post_init__(self) -> None:
        if self.side % 32 or self.side < 64:
            raise ValueError(f"a side of {self.side} is no multiple of 32 from 64 on")
        levels = {len(w) for w in (self.face_widths, self.face_blocks, self.decoder_widths, self.decoder_blocks)}
        if levels != {6} or len(self.speech_widths) != 4 or len(self.speech_blocks) != 4:
            raise ValueError("faces are taken in and given out at six sizes, voices in four steps")
        if len(self.expert_widths) != 5 or len(self.judge_widths) != 5:
            raise ValueError("the sync expert has five widths, the emotion discriminator five")


@dataclass(frozen=True)
class LossConfig:
    """Weights of equation 1."""

    alpha: float = 0.03
    """Of the sync loss, once that has fallen below `alpha_from` on validation data; 0 until then."""
    alpha_from: float = 0.75
    """The paper's "predefined value" (Wav2Lip's released code)."""
    beta: float = 0.01
    gamma: float = 0.001
    changed: float = 0.0
    """How much more a pixel counts in the reconstruction that differs by 1 from the reference (ours): mouths and brows
    are few pixels, and copying the reference is easily learned."""
    perceptual: Literal["vgg19", "house", "none"] = "vgg19"
    """Whose features: the published VGG-19, our own perceptual teacher, or no such loss and beta 0."""
    perceptual_faces: int = 0
    """So many faces of a step are compared by them; 0: all."""


@dataclass(frozen=True)
class DataConfig:
    """What is learned from."""

    augment: bool = True
    """Whether pictures are augmented (section 2.1), all of a window alike."""
    jitter: bool = False
    """Whether the emotion discriminator sees faces mirrored, turned, scaled and shifted a little (ours): it cannot
    learn few actors by heart, nor the generator patterns in one place that please it and nobody else."""
    reference: Literal["clip", "actor", "pose"] = "clip"
    """Where reference frames come from: elsewhere in the clip (Wav2Lip), or any clip of the actor, so that the feeling
    cannot be copied from them (ours), or "pose": where in the actor's other clips head, lids and gaze are held most
    alike, the frames laid over them, as when played, where the reference is the frame itself (ours)."""
    base_dataset: str = "lrs2"
    """Prepared data set that the base model learns from (section 2.4)."""
    val_actors: int = 4
    """Actors of the training split who are validated on where there is no validation split; 0: validate on what is
    trained on, to see that one clip can be learned."""
    val_windows: int = 64
    """Windows that are validated on, always the same."""
    kept_clips: int = 256
    """Clips held in memory."""
    seed: int = 0


@dataclass(frozen=True)
class TrainConfig:
    """Steps and rates. Adam with betas `betas` everywhere (section 2.5)."""

    batch: int = 16
    """Windows of generator and base model."""
    expert_batch: int = 16
    """Windows of the sync expert, and of the emotion discriminator before there is a generator."""
    sync_steps: int = 200_000
    sync_group: int = 1
    """Windows of a clip that the sync expert sees together: 1, each with its own voice or a wrong one (Wav2Lip); more,
    each with all their voices, own and wrong ones counting alike (ours)."""
    emotion_steps: int = 100_000
    voice: Literal["off", "frozen"] = "off"
    """Whether the speech encoder of generator and base model first learns alone, to tell from a voice how the points of
    a mouth move, and then stays as it is (ours): pictures alone teach a small generator to look at the emotion long
    before it listens."""
    voice_steps: int = 2_000
    base_steps: int = 200_000
    steps: int = 300_000
    betas: tuple[float, float] = (0.5, 0.999)
    lr: float = 1e-4
    """Of generator and base model."""
    lr_fall: float = 1.0
    """Share of `lr` that is left at the last step, after an even fall by factors; 1: it does not fall (the paper)."""
    first_frames: int = WINDOW
    """Frames of each window that generator and base model learn from: less than five and a step shows more actors for
    its price (ours). Once alpha is on, a quarter of the windows is learned from in whole. The emotion discriminator,
    taught alone, sees from so many to five frames."""
    emotion_lr: float = 1e-6
    """Of the emotion discriminator beside the generator (section 2.5)."""
    expert_lr: float = 1e-4
    """Of the sync expert, and of the emotion discriminator before there is a generator."""
    pre: Literal["off", "frozen", "initial"] = "off"
    """Whether a base model is trained first, and its face encoder then fixed, or where training starts (2.4)."""
    seed: int = 0


@dataclass(frozen=True)
class EmoGenConfig:
    """Everything EmoGen is made of."""

    net: NetConfig = field(default_factory=NetConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    data: DataConfig = field(default_factory=DataConfig)
    train: TrainConfig = field(default_factory=TrainConfig)


PAPER = EmoGenConfig()
"""PL+DA with the sizes of Wav2Lip's released code, which the paper builds on; steps are ours, the text has none."""
SMALL = EmoGenConfig(
    NetConfig(
        keep=True,
        face_widths=(8, 16, 32, 64, 96, 128),
        face_blocks=(0, 0, 1, 1, 1, 1),
        decoder_widths=(128, 96, 64, 48, 32, 16),
        decoder_blocks=(1, 1, 1, 1, 1, 0),
        speech_widths=(16, 24, 48, 64),
        speech_blocks=(1, 1, 1, 1),
        embedding=96,
        output_width=12,
        expert_widths=(8, 16, 32, 64, 96),
        expert_embedding=128,
        judge_widths=(24, 48, 64, 96, 96),
        judge_state=64,
    ),
    LossConfig(alpha_from=0.6, changed=10, perceptual="house", perceptual_faces=4, beta=0.03),
    DataConfig(jitter=True, reference="pose", kept_clips=512),
    TrainConfig(
        batch=12, expert_batch=24, sync_steps=1_000, sync_group=6, emotion_steps=2_000, voice="frozen",
        base_steps=5_500, steps=5_500,
        lr=1e-3, lr_fall=0.1, expert_lr=1e-3, first_frames=1,
    ),
)  # fmt: skip
"""The same skeleton, narrower, what is not new kept from the reference, and what one core learns within an hour."""
TINY = EmoGenConfig(
    NetConfig(
        side=64,
        face_widths=(4, 6, 8, 8, 8, 8),
        face_blocks=(0, 0, 0, 0, 0, 0),
        decoder_widths=(8, 8, 8, 8, 8, 8),
        decoder_blocks=(0, 0, 0, 0, 0, 0),
        speech_widths=(4, 4, 8, 8),
        speech_blocks=(0, 0, 0, 0),
        embedding=8,
        output_width=8,
        expert_widths=(4, 4, 8, 8, 8),
        expert_embedding=8,
        judge_widths=(4, 4, 8, 8, 8),
        judge_state=8,
    ),
    LossConfig(perceptual="house"),
    DataConfig(val_actors=0, val_windows=2, kept_clips=4),
    TrainConfig(batch=2, expert_batch=2, sync_steps=2, emotion_steps=2, base_steps=2, steps=2),
)
"""For tests."""

ROWS: Mapping[str, Mapping[str, Any]] = {
    "END": {"net": {"join": "end"}, "loss": {"perceptual": "none"}, "data": {"augment": False}},
    "SEQ": {"loss": {"perceptual": "none"}, "data": {"augment": False}},
    "PL+DA": {},
    "PRE": {"train": {"pre": "initial"}},
    "PRE frozen": {"train": {"pre": "frozen"}},
}
"""Section 4: row of its tables and figures -> what differs from PL+DA."""


def ablated(config: EmoGenConfig, row: str) -> EmoGenConfig:
    """The configuration of a row of section 4. Raises KeyError for one that is not there."""
    return overlay(config, ROWS[row])


PRESETS: dict[str, EmoGenConfig] = {
    "small": SMALL,
    "paper": PAPER,
    "tiny": TINY,
    **{
        f"{name}-{row.lower().replace(' ', '-')}": ablated(config, row)
        for name, config in (("small", SMALL), ("paper", PAPER))
        for row in ROWS
        if row != "PL+DA"
    },
}
"""By name; PL+DA is `small` and `paper`, the other rows are `small-end`, `paper-pre-frozen`, and so on."""
