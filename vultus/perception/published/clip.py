"""CLIP ViT-B/32 (Radford et al. 2021): pictures and texts in one space of 512 dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vultus.perception.published.checkpoint import build, read_tensors
from vultus.perception.published.clip_names import openai_names
from vultus.perception.published.clip_text import CONTEXT, VOCABULARY, Tokenizer
from vultus.perception.published.pictures import as_images, beside, in_batches, normalised
from vultus.perception.published.store import weights_path

MEAN = (0.48145466, 0.4578275, 0.40821073)
SD = (0.26862954, 0.26130258, 0.27577711)
"""Of RGB in [0, 1] over CLIP's own training pictures."""
VOCABULARY_FILE = "bpe_simple_vocab_16e6.txt.gz"


@dataclass(frozen=True)
class ClipSizes:
    """Sizes of a CLIP with a vision transformer; the defaults are ViT-B/32's."""

    embedding: int = 512
    picture_px: int = 224
    patch_px: int = 32
    vision_width: int = 768
    vision_layers: int = 12
    text_width: int = 512
    text_layers: int = 12
    vocabulary: int = VOCABULARY
    context: int = CONTEXT
    head_width: int = 64


VIT_B_32 = ClipSizes()


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, is_causal: bool) -> Tensor:
        stacked = F.linear(x, self.in_proj_weight, self.in_proj_bias)  # (N, T, 3 W)
        query, key, value = stacked.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(query, key, value, is_causal=is_causal)  # (N, heads, T, W / heads)
        return self.out_proj(attended.transpose(1, 2).flatten(2))


class _Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.c_fc(x)
        return self.c_proj(hidden * torch.sigmoid(1.702 * hidden))  # "QuickGELU"


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = _Attention(width, heads)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = _Mlp(width)
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x: Tensor, is_causal: bool) -> Tensor:
        x = x + self.attn(self.ln_1(x), is_causal)
        return x + self.mlp(self.ln_2(x))


class _Transformer(nn.Module):
    def __init__(self, width: int, layers: int, head_width: int) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(_Block(width, width // head_width) for _ in range(layers))

    def forward(self, x: Tensor, is_causal: bool = False) -> Tensor:
        for block in self.resblocks:
            x = block(x, is_causal)
        return x


class _Vision(nn.Module):
    def __init__(self, sizes: ClipSizes) -> None:
        super().__init__()
        width, patches = sizes.vision_width, (sizes.picture_px // sizes.patch_px) ** 2
        self.conv1 = nn.Conv2d(3, width, sizes.patch_px, sizes.patch_px, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty(patches + 1, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = _Transformer(width, sizes.vision_layers, sizes.head_width)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.empty(width, sizes.embedding))

    def forward(self, images: Tensor) -> Tensor:
        patches = self.conv1(images).flatten(2).transpose(1, 2)  # (N, patches, width)
        first = self.class_embedding.expand(len(images), 1, -1)
        x = self.ln_pre(torch.cat([first, patches], 1) + self.positional_embedding)
        return self.ln_post(self.transformer(x)[:, 0]) @ self.proj


class ClipViTB32(nn.Module):
    """Embeddings (N, 512) of length 1; the cosine of a picture's and a text's tells how well they fit."""

    def __init__(self, tokenizer: Tokenizer | None = None, sizes: ClipSizes = VIT_B_32) -> None:
        """Without a tokenizer `embed_texts` is not to be had; `sizes` serve tests."""
        super().__init__()
        self.sizes, self.tokenizer = sizes, tokenizer
        self.visual = _Vision(sizes)
        self.transformer = _Transformer(sizes.text_width, sizes.text_layers, sizes.head_width)
        self.token_embedding = nn.Embedding(sizes.vocabulary, sizes.text_width)
        self.positional_embedding = nn.Parameter(torch.empty(sizes.context, sizes.text_width))
        self.ln_final = nn.LayerNorm(sizes.text_width)
        self.text_projection = nn.Parameter(torch.empty(sizes.text_width, sizes.embedding))
        self.logit_scale = nn.Parameter(torch.empty(()))
        """Logarithm of what cosines are multiplied with before a softmax."""

    @classmethod
    def load(cls, path: str | Path | None = None, vocabulary: str | Path | None = None) -> ClipViTB32:
        """With the official weights and vocabulary, of the store or of files.

        Weights may have OpenAI's names (a state dict) or those of transformers (`pytorch_model.bin`,
        `model.safetensors`). Raises MissingPartError or InputError.
        """
        path = path or weights_path("clip-vit-b32")
        tokenizer = Tokenizer(vocabulary or weights_path("clip-vit-b32", VOCABULARY_FILE))
        return build(lambda: cls(tokenizer), openai_names(read_tensors(path)), path)

    def pictures(self, images: Tensor) -> Tensor:
        """(N, 3, 224, 224) RGB in [0, 1] -> (N, 512) of length 1."""
        return F.normalize(self.visual(normalised(images, MEAN, SD)), dim=-1)

    def texts(self, tokens: Tensor) -> Tensor:
        """(N, 77) int64 of the tokenizer -> (N, 512) of length 1."""
        x = self.transformer(self.token_embedding(tokens) + self.positional_embedding, is_causal=True)
        ends = tokens.argmax(-1)  # the end has the highest number
        return F.normalize(self.ln_final(x[torch.arange(len(x)), ends]) @ self.text_projection, dim=-1)

    def embed_pictures(self, pictures: np.ndarray) -> np.ndarray:
        """(N, H, W, 3) uint8 RGB of any size -> (N, 512) float32; the middle square is seen."""
        return in_batches(lambda some: self.pictures(as_images(scaled(some, self.sizes.picture_px), self)), pictures)

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """(N, 512) float32. Raises InputError for a text of more than 75 tokens."""
        if self.tokenizer is None:
            raise ValueError("this CLIP was made without a tokenizer")
        return in_batches(lambda some: self.texts(beside(self, some)), self.tokenizer(texts))


def scaled(pictures: np.ndarray, size: int) -> np.ndarray:
    """The middle squares (N, size, size, 3) of pictures whose shorter side was scaled to `size`, as CLIP does it.

    By Pillow's bicubic filter, which smooths where it shrinks.
    """
    from PIL import Image

    height, width = pictures.shape[1:3]
    shorter = min(height, width)
    high, wide = size * height // shorter, size * width // shorter
    top, left = round((high - size) / 2), round((wide - size) / 2)
    done = np.empty((len(pictures), size, size, 3), np.uint8)
    for i, picture in enumerate(pictures):
        whole = Image.fromarray(picture).resize((wide, high), Image.Resampling.BICUBIC)
        done[i] = np.asarray(whole)[top : top + size, left : left + size]
    return done
