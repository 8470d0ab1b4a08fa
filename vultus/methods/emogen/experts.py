"""Who tells the generator whether lips follow the voice, and which emotion a video shows."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.methods.emogen.config import EMOTIONS, WINDOW, NetConfig
from vultus.methods.emogen.layers import Block, Pair, SpeechEncoder, residuals

LEAK = 0.2
"""Slope of the emotion discriminator's LeakyReLU."""


class SyncExpert(nn.Module):
    """Embeds five lower halves of faces and their voice; the cosine of both is the probability that they belong.

    Wav2Lip's expert: embeddings end in a ReLU, so that the cosine is within 0-1.
    """

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        widths, embedding = config.expert_widths, config.expert_embedding
        layers: list[nn.Module] = [Block(3 * WINDOW, widths[0], 7, padding=3)]
        size = [config.side // 2, config.side]
        strides: tuple[Pair, ...] = ((1, 2), 2, 2, 2, 2)
        before = widths[0]
        for number, (wide, stride) in enumerate(zip((*widths[1:], widths[-1]), strides, strict=True)):
            kernel = 5 if number == 0 else 3
            steps = (stride, stride) if isinstance(stride, int) else stride
            size = [(length + 2 - kernel) // step + 1 for length, step in zip(size, steps, strict=True)]
            layers += [Block(before, wide, kernel, stride), *residuals(wide, 0 if number == 4 else 1)]
            before = wide
        layers += [Block(before, embedding, (size[0], size[1]), padding=0), Block(embedding, embedding, 1, padding=0)]
        self.face = nn.Sequential(*layers)
        self.speech = SpeechEncoder(config.speech_widths, config.speech_blocks, embedding)

    def forward(self, faces: Tensor, mel: Tensor, group: int = 0) -> Tensor:
        """Cosines (B,) in 0-1 of faces (B, 5, 3, S, S) in 0-1 and their voice (B, 1, 80, 16).

        With `group`, (B / group, group, group): of so many faces, one after the other, with each of their voices.
        """
        lower = faces[..., faces.shape[-2] // 2 :, :].flatten(1, 2)  # (B, 15, S / 2, S): colour within time
        seen, heard = self.face(lower).flatten(1), self.speech(mel).flatten(1)
        if group:
            seen, heard = seen.unflatten(0, (-1, group, 1)), heard.unflatten(0, (-1, 1, group))
        return functional.cosine_similarity(seen, heard, dim=-1, eps=1e-6).clamp(0, 1)


class EmotionDiscriminator(nn.Module):
    """Convolutions on each frame, an LSTM over frames, and six logits; EmoAcc's classifier is another of its kind."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for wide in config.judge_widths:
            layers += [nn.Conv2d(before, wide, 3, 2, 1), nn.LeakyReLU(LEAK)]
            before = wide
        self.look = nn.Sequential(*layers)
        self.reduce = nn.Linear(before * (config.side // 32) ** 2, config.embedding)
        self.lstm = nn.LSTM(config.embedding, config.judge_state, batch_first=True)
        self.decide = nn.Linear(config.judge_state, len(EMOTIONS))
        for part in (*self.look, self.reduce):
            if not isinstance(part, nn.LeakyReLU):  # with torch's own scale nothing is learned for thousands of steps
                nn.init.kaiming_normal_(part.weight, LEAK)
                nn.init.zeros_(part.bias)

    def embed(self, faces: Tensor) -> Tensor:
        """(B, T, embedding): what is seen in each frame of faces (B, T, 3, S, S) in 0-1."""
        seen = self.look(faces.flatten(0, 1) - 0.5)  # about 0 learning starts ten times as soon
        return functional.leaky_relu(self.reduce(seen.flatten(1)), LEAK).unflatten(0, faces.shape[:2])

    def forward(self, faces: Tensor) -> Tensor:
        """Logits (B, 6) of videos (B, T, 3, S, S) in 0-1, T at least 1."""
        states: Tensor = self.lstm(self.embed(faces))[0]
        return self.decide(states[:, -1])


def agreement(expert: nn.Module, faces: Tensor, mel: Tensor, together: Tensor) -> Tensor:
    """The expert's loss: binary cross-entropy of its cosine (B,) and whether (B,) 0-1 faces and voice belong."""
    with torch.autocast(faces.device.type, enabled=False):
        return functional.binary_cross_entropy(expert(faces, mel).float(), together)


def mutual_agreement(expert: nn.Module, faces: Tensor, mel: Tensor, apart: Tensor) -> Tensor:
    """The same of windows that are each other's wrong voices: own ones count half, wrong ones half.

    `apart` (G, n, n) bool says which of n windows of a clip are far enough from each other for that; faces and voices
    are those of the G clips, one clip after the other.
    """
    own = torch.eye(apart.shape[-1], device=apart.device).expand(apart.shape)
    with torch.autocast(faces.device.type, enabled=False):
        cosines = expert(faces, mel, apart.shape[-1]).float()
        losses = functional.binary_cross_entropy(cosines, own, reduction="none")
    return (losses[own.bool()].mean() + (losses * apart).sum() / apart.sum().clamp(min=1)) / 2
