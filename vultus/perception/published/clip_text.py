"""CLIP's tokens (Radford et al. 2021, section 2.4): byte pairs, merged in the order of the published vocabulary."""

from __future__ import annotations

import gzip
import html
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from vultus.core.errors import InputError
from vultus.core.files import existing_file

CONTEXT = 77
"""Tokens of a text, with its start and its end."""
VOCABULARY = 49_408
MERGES = VOCABULARY - 2 * 256 - 2
START, END = VOCABULARY - 2, VOCABULARY - 1
_WORD_END = "</w>"
_ENDINGS = ("'re", "'ve", "'ll", "'s", "'t", "'m", "'d")
_STRAIGHT = str.maketrans(
    dict.fromkeys("\u02bc\u2018\u2019\u201a\u201b", "'") | dict.fromkeys("\u201c\u201d\u201e\u201f", '"')
)
"""Curly quotation marks -> straight ones, of which the vocabulary knows more."""
_MARKS = {"<|startoftext|>": START, "<|endoftext|>": END}


class Tokenizer:
    """Text -> numbers, with the vocabulary file of the store or another.

    As OpenAI's, but for text in a broken encoding, which is not repaired (they use ftfy).
    """

    def __init__(self, vocabulary: str | Path) -> None:
        """Raises InputError for a file that is not the published vocabulary."""
        pairs = _merges(existing_file(vocabulary))
        characters = list(_byte_characters().values())
        words = [*characters, *(one + _WORD_END for one in characters), *(first + second for first, second in pairs)]
        self._numbers = {word: number for number, word in enumerate(words)}
        self._ranks = {pair: rank for rank, pair in enumerate(pairs)}

    def encode(self, text: str) -> list[int]:
        """The tokens of a text, without start and end."""
        numbers: list[int] = []
        for word in split_words(clean(text)):
            if word in _MARKS:
                numbers.append(_MARKS[word])
            else:
                numbers.extend(self._numbers[part] for part in self._merged(word))
        return numbers

    def __call__(self, texts: Iterable[str]) -> np.ndarray:
        """(N, 77) int64: start, tokens, end, zeros. Raises InputError for a text that is too long."""
        rows = []
        for text in texts:
            numbers = [START, *self.encode(text), END]
            if len(numbers) > CONTEXT:
                what = f"the text has {len(numbers) - 2} tokens, and CLIP takes {CONTEXT - 2}"
                raise InputError(what, repr(text[:40]), "shorten it")
            rows.append(np.pad(np.array(numbers, np.int64), (0, CONTEXT - len(numbers))))
        return np.stack(rows) if rows else np.zeros((0, CONTEXT), np.int64)

    def _merged(self, word: str) -> list[str]:
        """The parts of a word: from single bytes, the pair that comes first in the vocabulary is merged, and so on."""
        characters = _byte_characters()
        parts = [characters[byte] for byte in word.encode()]
        parts[-1] += _WORD_END
        while len(parts) > 1:
            ranks = [self._ranks.get(pair, len(self._ranks)) for pair in pairwise(parts)]
            best = min(ranks)
            if best == len(self._ranks):
                break
            first, second = parts[ranks.index(best)], parts[ranks.index(best) + 1]
            merged: list[str] = []
            for part in parts:
                if part == second and merged and merged[-1] == first:
                    merged[-1] = first + second
                else:
                    merged.append(part)
            parts = merged
        return parts


def clean(text: str) -> str:
    """Quotes straight, entities resolved (twice, as some captions need), spaces single, letters small."""
    text = html.unescape(html.unescape(unicodedata.normalize("NFC", text.translate(_STRAIGHT))))
    return " ".join(text.split()).lower()


def split_words(text: str) -> Iterator[str]:
    """A clean text's runs of letters, single digits, runs of other marks, English endings after an apostrophe."""
    at = 0
    while at < len(text):
        fixed = next((known for known in (*_MARKS, *_ENDINGS) if text.startswith(known, at)), None)
        end = at + len(fixed or text[at])
        kind = _kind(text[at])
        if fixed is None and kind in "LO":
            while end < len(text) and _kind(text[end]) == kind:
                end += 1
        if fixed is not None or kind != " ":
            yield text[at:end]
        at = end


def _kind(character: str) -> str:
    """L(etter), N(umber), space or O(ther)."""
    category = unicodedata.category(character)[0]
    return category if category in "LN" else " " if character.isspace() else "O"


@lru_cache(maxsize=1)
def _byte_characters() -> dict[int, str]:
    """A printable character for every byte: itself where it is one, else one from 256 on; in the vocabulary's order."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}


def _merges(path: Path) -> list[tuple[str, str]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            lines = file.read().split("\n")[1 : MERGES + 1]  # after a line that names the version
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError("this is not CLIP's vocabulary", path, "fetch it again") from error
    pairs = [tuple(line.split()) for line in lines]
    if len(pairs) < MERGES or any(len(pair) != 2 for pair in pairs):
        raise InputError("this is not CLIP's vocabulary", path, "fetch it again")
    return pairs  # type: ignore[return-value]
