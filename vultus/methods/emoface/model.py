"""The network of EmoFace (figure 2) as torch trains it: hidden states of speech and emotions in, 174 controls out."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.core.errors import MissingPartError
from vultus.face.metahuman import COUNT
from vultus.methods.emoface.config import EMOTIONS, FPS, LEAK, NetConfig
from vultus.perception.published.store import weights_folder
from vultus.perception.speech import RATE_HZ

WAV2VEC2 = "wav2vec2-base-960h"
LSTM_LAYERS = 2
"""Of the LSTM decoder of table 4; the paper gives no number."""
SHA_LETTERS = 8


class EmoFaceNet(nn.Module):
    """States at 60 fps (B, T, states) and emotions (B, T, 7) -> controls (B, T, 174).

    A frame's emotion is a row of weights on the seven labels; a label alone is a one-hot row. Rows sum to 1, and mixes
    and levels are further such rows: they act on the encodings, in which they are linear.
    """

    def __init__(self, config: NetConfig, heard_by: str = "") -> None:
        """`heard_by` names the ear's weights by the first letters of their SHA-256; it is kept with the tensors."""
        super().__init__()
        self.config = config
        self.content = nn.Linear(config.states, config.width)
        self.emotion = EmotionEncoder(config)
        self.positions = Positions(config.width) if config.positions else None
        self.dropout = nn.Dropout(config.dropout)
        self.audio2rig = _audio2rig(config)
        self.out = nn.Linear(config.width, COUNT)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        letters = heard_by.ljust(SHA_LETTERS, "0")[:SHA_LETTERS].encode("ascii")
        self.register_buffer("heard_by", torch.tensor(list(letters), dtype=torch.uint8))

    def forward(
        self, states: Tensor, emotion: Tensor, lengths: Tensor | None = None, shown: Tensor | None = None
    ) -> Tensor:
        """Controls (B, T, 174) float32.

        `lengths` (B,): frames of each row; those past it are neither looked at nor meaningful. `shown` (B, T, 174):
        the true controls, which the autoregressive decoder is shown one frame late while it is trained.
        """
        content = self.content(states)
        if self.positions is not None:
            content = self.positions(content)
        x = self.dropout(content) + self.emotion(emotion)
        padding = None if lengths is None else torch.arange(x.shape[1], device=x.device) >= lengths[:, None]
        if isinstance(self.audio2rig, FrameByFrame):
            return self.audio2rig(x, self.out, padding, shown)
        return self.out(self.audio2rig(x, padding))


class EmotionEncoder(nn.Module):
    """Weights on the labels (..., 7) -> encodings (..., width): an embedding and two layers (section 3.1.2)."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(EMOTIONS), config.embedding)
        self.first = nn.Linear(config.embedding, config.width)
        self.second = nn.Linear(config.width, config.width)

    def codes(self) -> Tensor:
        """Encodings (7, width) of the labels."""
        return self.second(functional.leaky_relu(self.first(self.embedding.weight), LEAK))

    def forward(self, weights: Tensor) -> Tensor:
        """See the class."""
        return weights @ self.codes()


class Positions(nn.Module):
    """Adds the sines and cosines of equations 1 and 2 to (B, T, width), T of any length."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return x + positions(x.shape[1], self.width).to(x)


def positions(count: int, width: int) -> Tensor:
    """(count, width): sin and cos of pos / 10000^(2 i / width) in columns 2 i and 2 i + 1 (equations 1 and 2)."""
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(10000.0) / width))
    angle = torch.arange(count, dtype=torch.float64)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)[:, :width].float()


class OverTime(nn.Module):
    """The paper's decoder: transformer-encoder layers that look over all frames but the padding (section 3.1.3)."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            config.width, config.heads, config.feedforward, config.dropout, batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)

    def forward(self, x: Tensor, padding: Tensor | None) -> Tensor:
        """(B, T, width) to the same; `padding` (B, T) is True where there is nothing."""
        return self.layers(x, src_key_padding_mask=padding)


class EachAlone(nn.Module):
    """The FC decoder of table 4: as many fully connected layers, every frame by itself."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        layers = [nn.Sequential(nn.Linear(config.width, config.width), nn.ReLU()) for _ in range(config.layers)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor, padding: Tensor | None) -> Tensor:
        """(B, T, width) to the same."""
        return self.layers(x)


class Recurrent(nn.Module):
    """The LSTM decoder of table 4."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.lstm = nn.LSTM(config.width, config.width, LSTM_LAYERS, batch_first=True)

    def forward(self, x: Tensor, padding: Tensor | None) -> Tensor:
        """(B, T, width) to the same; padding follows the frames and cannot reach them."""
        return self.lstm(x)[0]


class FrameByFrame(nn.Module):
    """The transformer decoder that section 3.1.3 argues against: every frame is predicted from all frames before it."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        layer = nn.TransformerDecoderLayer(
            config.width, config.heads, config.feedforward, config.dropout, batch_first=True
        )
        self.layers = nn.TransformerDecoder(layer, config.layers)
        self.before = nn.Linear(COUNT, config.width)
        self.positions = Positions(config.width)

    def forward(self, x: Tensor, out: nn.Module, padding: Tensor | None, shown: Tensor | None) -> Tensor:
        """Controls (B, T, 174) of encodings (B, T, width): at once where the true ones are shown, else one by one."""
        start = x.new_zeros(len(x), 1, COUNT)
        if shown is not None:
            return out(self._decoded(torch.cat([start, shown[:, :-1]], 1), x, padding))
        made = start
        for _ in range(x.shape[1]):
            newest = out(self._decoded(made, x, padding)[:, -1:])
            made = torch.cat([made, newest], 1)
        return made[:, 1:]

    def _decoded(self, made: Tensor, memory: Tensor, padding: Tensor | None) -> Tensor:
        future = torch.ones(made.shape[1], made.shape[1], dtype=torch.bool, device=made.device).triu(1)
        before = self.positions(self.before(made))
        return self.layers(before, memory, tgt_mask=future, memory_key_padding_mask=padding)


def _audio2rig(config: NetConfig) -> nn.Module:
    kinds = {"encoder": OverTime, "fc": EachAlone, "lstm": Recurrent, "decoder": FrameByFrame}
    return kinds[config.decoder](config)


def to_frames(states: Tensor, count: int) -> Tensor:
    """States (B, n, C), 50 a second, at `count` frames of 60 fps: linear interpolation at the frames' middles.

    The torch twin of `perception.wav2vec2.resampled_states`. The paper does not say where a frame lies.
    """
    at = ((torch.arange(count, device=states.device) + 0.5) * (RATE_HZ / FPS)).clamp(0, states.shape[1] - 1)
    low = at.floor().long()
    share = (at - low)[:, None].to(states.dtype)
    return states[:, low] * (1 - share) + states[:, (low + 1).clamp_max(states.shape[1] - 1)] * share


class Wav2Vec2Ear(nn.Module):
    """wav2vec2's transformer as part of what is trained; its convolutions are frozen (section 3.1.1).

    A waveform (B, n) of zero mean and unit variance gives hidden states (B, n / 320, 768); no attention mask.
    """

    def __init__(self, initialised: bool) -> None:
        """Raises MissingPartError without transformers or the published weights."""
        super().__init__()
        try:
            from transformers import Wav2Vec2Config, Wav2Vec2Model
        except ImportError:
            fix = "run: pip install transformers, or choose --preset small"
            raise MissingPartError("transformers is not installed", "wav2vec2", fix) from None
        folder = weights_folder(WAV2VEC2)
        if initialised:
            self.network = Wav2Vec2Model.from_pretrained(str(folder), use_safetensors=True)
        else:
            self.network = Wav2Vec2Model(Wav2Vec2Config.from_pretrained(str(folder)))
        self.network.feature_extractor._freeze_parameters()

    def forward(self, waveform: Tensor) -> Tensor:
        """See the class."""
        return self.network(waveform).last_hidden_state
