"""The generator: masked and reference faces, a voice and an emotion in, whole faces out (sections 2.2-2.4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vultus.methods.emogen.config import EMOTIONS, NetConfig
from vultus.methods.emogen.layers import Block, SpeechEncoder, Up, residuals

NOISE = 10
"""Numbers of the random vector that the noise encoder takes a frame (section 2.3 leaves it open)."""


LITTLE_NEW = -2.0
"""With `keep`, the share of what is new begins at the sigmoid of this."""


class FaceEncoder(nn.Module):
    """Features of faces (N, 6, S, S) at six sizes, from (N, face_widths[0], S, S) to the embedding (N, E, 1, 1)."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        widths, blocks = config.face_widths, config.face_blocks
        first = nn.Sequential(Block(6, widths[0], 7, padding=3), *residuals(widths[0], blocks[0]))
        levels: list[nn.Module] = [first]
        for before, wide, count in zip(widths[:-1], widths[1:], blocks[1:], strict=True):
            levels.append(nn.Sequential(Block(before, wide, stride=2), *residuals(wide, count)))
        embedding = config.embedding
        last = Block(widths[-1], embedding, config.side // 32, padding=0)
        levels.append(nn.Sequential(last, Block(embedding, embedding, 1, padding=0)))
        self.levels = nn.ModuleList(levels)

    def forward(self, faces: Tensor) -> list[Tensor]:
        """See the class; seven features, the embedding last."""
        found, x = [], faces
        for level in self.levels:
            x = level(x)
            found.append(x)
        return found


class EmotionEncoder(nn.Module):
    """Two fully connected layers on a one-hot emotion: (N, 6) to (N, out); an embedding, or a picture's pixels."""

    def __init__(self, hidden: int, out: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(len(EMOTIONS), hidden), nn.ReLU(), nn.Linear(hidden, out), nn.ReLU())

    def forward(self, emotion: Tensor) -> Tensor:
        """See the class."""
        return self.layers(emotion)


class NoiseEncoder(nn.Module):
    """A random vector for each frame through one layer of an LSTM: (B, T) frames to (B, T, width) (section 2.3)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(NOISE, width, batch_first=True)

    def forward(self, noise: Tensor) -> Tensor:
        """Standard normal (B, T, NOISE) to (B, T, width)."""
        return self.lstm(noise)[0]


class Generator(nn.Module):
    """Whole faces (B, T, 3, S, S) in 0-1 from masked and reference ones.

    With `feeling` false it is the base model of section 2.4: the same without an emotion. Frames do not see each other
    but through the noise encoder, so that T may be anything.
    """

    def __init__(self, config: NetConfig, feeling: bool = True) -> None:
        super().__init__()
        self.config, self.feeling = config, feeling
        width, side = config.embedding, config.side
        self.at_end = feeling and config.join == "end"
        self.face = FaceEncoder(config)
        self.speech = SpeechEncoder(config.speech_widths, config.speech_blocks, width)
        if feeling:
            self.emotion = EmotionEncoder(width, side * side if self.at_end else width)
        if config.noise:
            self.noise = NoiseEncoder(config.noise)
        spoken = width * (2 if feeling and not self.at_end else 1)
        self.mix = Block(spoken, width, 1, padding=0)
        self.decoder = self._decoder(config)
        last = config.decoder_widths[-1] + config.face_widths[0] + int(self.at_end)
        self.output_channels = last
        """Of what the output block takes: 80, with END 81."""
        self.output = nn.Sequential(
            Block(last, config.output_width), nn.Conv2d(config.output_width, 3 + config.keep, 1)
        )
        if config.keep:
            nn.init.constant_(self.output[-1].get_parameter("bias")[3:], LITTLE_NEW)
        # A quarter faster on a CPU; torch's overloads leave the keyword out.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _decoder(self, config: NetConfig) -> nn.ModuleList:
        """From one pixel to the full size; each level but the last is joined with the face's features of its size."""
        levels: list[nn.Module] = []
        before = 2 * config.embedding + config.noise
        skips = config.face_widths[::-1]
        for level, (wide, count) in enumerate(zip(config.decoder_widths, config.decoder_blocks, strict=True)):
            grow = Up(before, wide, config.side // 32, from_one=True) if level == 0 else Up(before, wide)
            levels.append(nn.Sequential(grow, *residuals(wide, count)))
            before = wide + skips[level]
        return nn.ModuleList(levels)

    def forward(self, seen: Tensor, mels: Tensor, emotion: Tensor | None = None, noise: Tensor | None = None) -> Tensor:
        """New faces (B, T, 3, S, S) in 0-1.

        Args:
            seen: (B, T, 6, S, S) in 0-1: the masked frame (RGB, wholly masked: zeros), then the reference (RGB).
            mels: (B, T, 1, 80, 16), the voice around each frame.
            emotion: (B, T, 6) rows that sum to 1; None for the base model.
            noise: (B, T, NOISE); drawn from torch's generator unless given, where there is a noise encoder.
        """
        batch, frames = seen.shape[:2]
        skips = self.face(seen.flatten(0, 1))
        x = self._spoken(mels, emotion)
        parts = [x, skips[-1]]
        if self.config.noise:
            noise = torch.randn(batch, frames, NOISE, device=seen.device) if noise is None else noise
            parts.append(self.noise(noise).flatten(0, 1)[..., None, None])
        x = torch.cat(parts, 1)
        for level, skip in zip(self.decoder, skips[-2::-1], strict=True):
            x = torch.cat([level(x), skip], 1)
        if self.at_end:
            assert emotion is not None
            plane = self.emotion(emotion.flatten(0, 1)).unflatten(1, (1, *seen.shape[-2:]))
            x = torch.cat([x, plane], 1)
        made = self.output(x).sigmoid().unflatten(0, (batch, frames))
        if self.config.keep:
            made, new = made[:, :, :3], made[:, :, 3:]
            made = new * made + (1 - new) * seen[:, :, 3:]
        return made

    def _spoken(self, mels: Tensor, emotion: Tensor | None) -> Tensor:
        """(B T, embedding, 1, 1) of the voice, with SEQ of voice and emotion (section 2.2)."""
        if self.feeling != (emotion is not None):
            raise ValueError("a generator takes an emotion, the base model none")
        heard = self.speech(mels.flatten(0, 1))
        if emotion is not None and not self.at_end:
            felt = self.emotion(emotion.flatten(0, 1))[..., None, None]
            heard = torch.cat([heard, felt], 1)
        return self.mix(heard)


def looked_at(references: Tensor) -> Tensor:
    """What the generator sees (B, T, 6, S, S): wholly masked frames, black, beside references (B, T, 3, S, S)."""
    return torch.cat([torch.zeros_like(references), references], 2)
