"""CLIP's tokens: what is published of them, merges by hand, words against the published pattern, files."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.core.errors import InputError
from vultus.perception.published.clip_text import Tokenizer, clean, split_words

MERGES = ["t h", "th e</w>", "h a", "ha p", "hap p", "happ y</w>", "i n", "1 2</w>", "! !</w>", "Ã ©</w>", "p p"]


def write_vocabulary(path: Path, count: int = 48894) -> Path:
    """A file of the official format, with merges of our own."""
    lines = ["#version: 0.2", *MERGES, *(f"q{i} z{i}" for i in range(count - len(MERGES)))]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> Tokenizer:
    return Tokenizer(write_vocabulary(tmp_path_factory.mktemp("vocabulary") / "vocabulary.txt.gz"))


def merge(number: int) -> int:
    """The token of a merge: after 256 bytes, and 256 that end a word."""
    return 512 + number


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a", [320]),  # as published: 320 is "a</w>"
        ("!", [256]),
        ("the", [merge(1)]),
        ("The HAPPY", [merge(1), merge(5)]),
        ("then", [merge(0), ord("e") - 33, ord("n") - 33 + 256]),
        ("in", [ord("i") - 33, ord("n") - 33 + 256]),  # "i n" does not end a word
        ("inn", [merge(6), ord("n") - 33 + 256]),
        ("12", [ord("1") - 33 + 256, ord("2") - 33 + 256]),  # digits stand alone
        ("!!", [merge(8)]),
        ("é", [merge(9)]),  # two bytes
        ("<|endoftext|>", [49407]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_tokens(tokenizer, text, tokens) -> None:
    assert tokenizer.encode(text) == tokens


def test_rows(tokenizer) -> None:
    rows = tokenizer(["the", ""])
    assert rows.shape == (2, 77) and rows.dtype == np.int64
    assert rows[0, :4].tolist() == [49406, merge(1), 49407, 0] and rows[1, :3].tolist() == [49406, 49407, 0]
    assert tokenizer(["a " * 75])[0, -1] == 49407
    assert tokenizer([]).shape == (0, 77)
    with pytest.raises(InputError, match="76 tokens"):
        tokenizer(["a " * 76])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("it's 42!? you're", ["it", "'s", "4", "2", "!?", "you", "'re"]),
        ("'should", ["'s", "hould"]),
        ("«été» — x²", ["«", "été", "»", "—", "x", "²"]),
        ("a_b", ["a", "_", "b"]),
        ("don't", ["don", "'t"]),
        ("x<|startoftext|>y", ["x", "<|startoftext|>", "y"]),
    ],
)
def test_words(text, words) -> None:
    assert list(split_words(text)) == words


def test_clean() -> None:
    assert clean("  “Don’t”  &amp;amp;\n SHOUT ") == '"don\'t" & shout'


# the published pattern, in ASCII, where Python's `re` can say it
ASCII_PATTERN = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[0-9]|[^\sa-z0-9]+"


@given(st.lists(st.sampled_from([*"abstrevmld019'!|<>-_ \n&;", "<|endoftext|>", "'ll"]), max_size=30))
def test_words_against_the_published_pattern(parts) -> None:
    text = clean("".join(parts))
    assert list(split_words(text)) == re.findall(ASCII_PATTERN, text)


@given(st.text(max_size=40))
def test_any_text_has_tokens(tokenizer, text) -> None:
    numbers = tokenizer.encode(text)
    assert all(0 <= number < 49408 for number in numbers) and bool(numbers) == bool(clean(text))


def test_other_files(tmp_path) -> None:
    plain, short = tmp_path / "plain.txt.gz", write_vocabulary(tmp_path / "short.txt.gz", count=100)
    plain.write_text("no gzip")
    for path in (plain, short):
        with pytest.raises(InputError, match="not CLIP's vocabulary"):
            Tokenizer(path)
