"""Which emotion a text speaks of: "barely hiding her anger", "tears of joy", "he slammed the door and swore".

A lexicon (`emotion_words`) knows words, denials and degrees; a small model, trained on sentences made from phrases of
our own, reads what no single word tells. Both put the text in the shared space (`emotion_space`) and meet half-way.
English; numpy only.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from zlib import crc32

import numpy as np

from vultus.core.controls import EMOTIONS, Emotion, parse_emotion
from vultus.core.controls import parse_emotions as parse_named_emotions
from vultus.core.errors import ControlError
from vultus.core.timeline import Timeline
from vultus.core.weights import load_arrays
from vultus.perception.judges import Role, weights_folder
from vultus.perception.judges.emotion_space import EmotionReader, place
from vultus.perception.judges.emotion_words import Reading, lexicon_words, read_words, tokens_of

NAME = "emotion_text"
MAX_TEXT = 2000
"""Characters."""
LEXICON_INPUTS = 3 * len(EMOTIONS)
"""Numbers that the lexicon gives to the model: words said, words denied, and cues."""
_WORD, _PAIR, _PIECE = 1.0, 0.7, 0.2
"""How much words, pairs of words and pieces of words count in a bag."""
_PIECES = (4, 5)
CUE = 0.5
"""How much a cue counts beside a word for a feeling."""
SILENCE = 0.4
"""How much it counts for neutral that the lexicon finds nothing."""
_NAMED_SHARE = 0.2
"""Emotions of a mix with less than this share are left out."""
_KEY = re.compile(r"(?:^|\s)(\d+(?:\.\d*)?|\.\d+):")


@dataclass(frozen=True)
class Bag:
    """A text as hashed features: buckets (n,) and how much each counts (n,), of which squares sum to 1."""

    buckets: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class EmotionText:
    """The encoder of texts; `load_emotion_text` makes one."""

    arrays: Mapping[str, np.ndarray]

    def embed(self, texts: str | Sequence[str]) -> np.ndarray:
        """Unit vectors (N, 32) float32 of texts in the shared space."""
        readings = [read_words(text) for text in ([texts] if isinstance(texts, str) else texts)]
        found = self._reader.embed(np.stack([self._inputs(reading) for reading in readings]))
        for row, reading in enumerate(readings):
            told = reading.shares() + CUE * reading.cues()
            told[0] += SILENCE * (not told.any() and not reading.denied_shares().any())
            if told.any():
                found[row] += min(1.0, told.sum()) * place(told)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)

    def probabilities(self, texts: str | Sequence[str]) -> np.ndarray:
        """Probabilities (N, 8) float32 of `EMOTIONS`, for one text (8,)."""
        shares = self._reader.read(self.embed(texts))
        return shares[0] if isinstance(texts, str) else shares

    @property
    def _reader(self) -> EmotionReader:
        return EmotionReader({name.removeprefix("reader."): array for name, array in self.arrays.items()})

    def _inputs(self, reading: Reading) -> np.ndarray:
        table = self.arrays["table.weight"]
        bag = bag_of(reading, len(table))
        return np.concatenate([bag.weights @ table[bag.buckets].astype(np.float32), lexicon_inputs(reading)])


def load_emotion_text(role: Role = "judge") -> EmotionText:
    """The shipped encoder. Raises MissingPartError where its weights were left out."""
    return EmotionText(_arrays(role))


def emotion_of_text(text: str, role: Role = "judge") -> Emotion:
    """The emotion or mix that a text speaks of, with a level if words tell one.

    A text that says nothing about emotion is neutral. Raises ControlError for one that is empty or too long.
    """
    if not tokens_of(text) or len(text) > MAX_TEXT:
        raise ControlError(f"{text[:40]!r} cannot be read", "--emotion", f"give words, at most {MAX_TEXT} characters")
    shares = load_emotion_text(role).probabilities(text).astype(np.float64)
    reading = read_words(text)
    if shares.argmax() == 0:
        return Emotion()
    shares[0] = 0
    shares[shares < _NAMED_SHARE * shares.sum()] = 0
    order = [at for at in np.argsort(-shares) if shares[at] > 0]
    level = reading.level()
    if level is None and reading.modifier:
        level = float(np.clip(2.0 + reading.modifier, 0.5, 3.0))
    rounded = np.round(shares[order] / shares.sum(), 2)
    mix = tuple((EMOTIONS[at], float(share)) for at, share in zip(order, rounded / rounded.sum(), strict=True))
    return Emotion(mix, level)


def parse_emotions(text: str) -> Timeline[Emotion]:
    """Emotions over time as `core.controls` reads them, or in words: "0:relieved 3:she bursts into tears@3".

    Raises ControlError: for a word that is no emotion, with what it may have been meant to be; for words that say
    nothing about emotion; for malformed names, shares and levels.
    """
    try:
        return parse_named_emotions(text)
    except ControlError as refused:
        keys = list(_keys(text))
        if not any(_in_words(value) for _, value in keys):
            raise _with_suggestion(refused, text) from None
    times_s = [time_s for time_s, _ in keys]
    twice = [time_s for time_s in times_s if times_s.count(time_s) > 1]
    if twice:
        raise ControlError(f"there are two keys at {twice[0]:g} s", "--emotion", "keep one of them")
    return Timeline(tuple(sorted(((time_s, _emotion(value)) for time_s, value in keys), key=lambda key: key[0])))


def bag_of(reading: Reading, buckets: int) -> Bag:
    """Words, pairs of words and pieces of words of a text, hashed; denied words are others than the same words said."""
    words = [f"not {token}" if denied else token for token, denied in zip(reading.tokens, reading.denied, strict=True)]
    features = [(word, _WORD) for word in words]
    features += [(f"{a} {b}", _PAIR) for a, b in zip(["^", *words], [*words, "$"], strict=True)]
    for word in words:
        marked = f"<{word}>"
        features += [(marked[at : at + n], _PIECE) for n in _PIECES for at in range(len(marked) - n + 1)]
    found = np.array([crc32(name.encode()) % buckets for name, _ in features])
    weights = np.array([weight for _, weight in features], np.float32)
    return Bag(found, weights / np.linalg.norm(weights))


def lexicon_inputs(reading: Reading) -> np.ndarray:
    """What the lexicon tells the model (LEXICON_INPUTS,): 0-1 an emotion, said, denied, and hinted at."""
    told = np.concatenate([reading.shares(), reading.denied_shares(), reading.cues() / 2])
    return np.tanh(told).astype(np.float32)


def _keys(text: str) -> Iterator[tuple[float, str]]:
    """Times in seconds and values of a timeline, or one value at 0."""
    first, *rest = _KEY.split(text)
    if first.strip() or not rest:
        yield 0.0, text.strip()
        return
    for time_text, value in zip(rest[::2], rest[1::2], strict=True):
        yield float(time_text), value.strip()


def _in_words(value: str) -> bool:
    """Whether a value is a description, and no list of names with shares in which one may be misspelt."""
    body = value.partition("@")[0]
    if ":" in body:
        return False
    parts = body.split(",")
    return any(len(part.split()) > 1 for part in parts) or all(read_words(part).hits for part in parts)


def _emotion(value: str) -> Emotion:
    """One emotion by name or in words, perhaps with a level after @."""
    if not _in_words(value):
        return parse_emotion(value)
    try:
        return parse_emotion(value)
    except ControlError:
        body, at, level = value.partition("@")
    found = emotion_of_text(body)
    if found == Emotion() and not read_words(body).hits:
        fix = f"describe a feeling, or name one of {', '.join(EMOTIONS)}"
        raise ControlError(f"no emotion can be read in {body[:60]!r}", "--emotion", fix)
    return replace(found, level=parse_emotion(f"neutral@{level}").level) if at else found


def _with_suggestion(refused: ControlError, text: str) -> ControlError:
    """The same error, with a word of the lexicon that is spelt much like one of the text."""
    for token in tokens_of(text):
        near = difflib.get_close_matches(token, lexicon_words(), n=1, cutoff=0.75)
        if near and near[0] != token:
            return ControlError(refused.what, refused.where, f"did you mean {near[0]!r}? {refused.fix}")
    return refused


@lru_cache(maxsize=2)
def _arrays(role: Role) -> Mapping[str, np.ndarray]:
    return load_arrays(weights_folder(NAME, role))[0]
