"""`vultus train emotion_text DATA OUT`: the model beside the lexicon, from sentences of our own; DATA is not used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vultus.perception.judges import Role
from vultus.perception.judges.emotion_net import EmotionNet, EmotionNetConfig
from vultus.perception.judges.emotion_text import LEXICON_INPUTS, Bag, bag_of, lexicon_inputs
from vultus.perception.judges.emotion_words import read_words
from vultus.training.judges.emotion_sentences import FOLDS, Sentences
from vultus.training.judges.emotion_stage import EmotionStage, Lessons
from vultus.training.stage import Stage

_HELD = 1000
"""Sentences of the held fold."""


@dataclass(frozen=True)
class EmotionTextConfig:
    """The text model and its training."""

    buckets: int = 8192
    """Rows of the table of hashed words."""
    width: int = 32
    hidden: tuple[int, ...] = (96,)
    dropout: float = 0.2
    sentences: int = 16000
    forget: float = 0.5
    """Share of a text's features that are dropped in training."""
    forget_all: float = 0.4
    """Share of texts of which the model sees only what the lexicon tells: it must not learn phrases by heart."""
    forget_lexicon: float = 0.1
    """Share of texts of which it sees nothing of that."""
    lessons: Lessons = field(default_factory=lambda: Lessons(steps=300, batch=256, lr=3e-3, weight_decay=0.1))

    @property
    def net(self) -> EmotionNetConfig:
        """Of the network that reads the bag and the lexicon's numbers."""
        return EmotionNetConfig(self.width + LEXICON_INPUTS, self.hidden, self.dropout)


PRESETS: dict[Role, EmotionTextConfig] = {
    "judge": EmotionTextConfig(),
    "teacher": EmotionTextConfig(lessons=replace(EmotionTextConfig().lessons, seed=1)),
}


class TextNet(nn.Module):
    """Bags of hashed words and the lexicon's numbers to embeddings and logits, as `EmotionNet`."""

    def __init__(self, config: EmotionTextConfig) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(config.buckets, config.width, mode="sum")
        nn.init.normal_(self.table.weight, std=0.1)
        self.reader = EmotionNet(config.net)

    def forward(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """`inputs`: buckets and weights (F,) of all texts, offsets (N,) where each begins, lexicon (N, 24)."""
        bags = self.table(inputs["buckets"], inputs["offsets"], per_sample_weights=inputs["weights"])
        found: tuple[Tensor, Tensor] = self.reader(torch.cat([bags, inputs["lexicon"]], 1))
        return found


@dataclass(frozen=True)
class _Sentence:
    """A sentence as the network takes it."""

    bag: Bag
    lexicon: np.ndarray
    shares: np.ndarray


class TextStage(EmotionStage):
    """Sentences drawn once, of which each lesson takes some and forgets a part of their words."""

    def __init__(self, config: EmotionTextConfig) -> None:
        super().__init__(TextNet(config), config.lessons)
        self.config = config
        seed = config.lessons.seed
        rng = np.random.default_rng([seed, 0x7E7])
        taught, held = Sentences(seed % FOLDS), Sentences(seed % FOLDS, only_held=True)
        self._taught = [self._read(*taught.draw(rng)) for _ in range(config.sentences)]
        self._held = [self._read(*held.draw(rng, "phrase")) for _ in range(_HELD)]

    def lesson(self, rng: np.random.Generator, count: int) -> tuple[dict[str, Tensor], np.ndarray]:
        """See `EmotionStage`."""
        chosen = [self._taught[at] for at in rng.integers(len(self._taught), size=count)]
        return self._inputs(chosen, rng), np.stack([sentence.shares for sentence in chosen])

    def held(self) -> tuple[dict[str, Tensor], np.ndarray]:
        """See `EmotionStage`: phrases of the held fold."""
        return self._inputs(self._held, None), np.stack([sentence.shares for sentence in self._held])

    def _read(self, text: str, shares: np.ndarray) -> _Sentence:
        reading = read_words(text)
        return _Sentence(bag_of(reading, self.config.buckets), lexicon_inputs(reading), shares)

    def _inputs(self, sentences: Sequence[_Sentence], rng: np.random.Generator | None) -> dict[str, Tensor]:
        """What the network takes; with `rng`, some of it forgotten."""
        bags = [sentence.bag for sentence in sentences]
        buckets, weights = (np.concatenate([getattr(bag, name) for bag in bags]) for name in ("buckets", "weights"))
        lexicon = np.stack([sentence.lexicon for sentence in sentences])
        if rng is not None:
            config, lengths = self.config, [len(bag.buckets) for bag in bags]
            seen = np.repeat(rng.random(len(bags)) >= config.forget_all, lengths)
            weights = weights * seen * (rng.random(len(weights)) >= config.forget)
            lexicon = lexicon * (rng.random((len(sentences), 1)) >= config.forget_lexicon)
        offsets = np.cumsum([0, *(len(bag.buckets) for bag in bags[:-1])])
        arrays = {"buckets": buckets, "offsets": offsets, "weights": weights, "lexicon": lexicon}
        return {
            name: torch.from_numpy(array.astype(np.float32 if array.dtype.kind == "f" else np.int64))
            for name, array in arrays.items()
        }


def stages(config: EmotionTextConfig, data: Path) -> list[Stage]:
    """See `training.judges.JudgeModule`."""
    return [TextStage(config)]
