"""Sentences with a known emotion, made from phrases, the lexicon and words about nothing in particular."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vultus.audio.sentences import random_text
from vultus.core.controls import EMOTIONS
from vultus.perception.judges import ASSETS
from vultus.perception.judges.emotion_words import STRONGER, entries_of

PHRASES, UNRELATED = ASSETS / "emotion_phrases.txt", ASSETS / "unrelated_words.txt"
FOLDS = 6
"""Every role leaves out the phrases and words of one of so many folds, another one each."""

_KINDS = ("phrase", "word", "cues", "blend", "denial", "unrelated")
_CHANCES = (0.34, 0.16, 0.11, 0.08, 0.06, 0.25)
_SAYING = 0.5
"""Share of unrelated texts that are sentences, or salads of words, as our synthetic voices say them."""
_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_PEOPLE = (
    ("she", "her", "her"), ("he", "his", "him"), ("the woman", "her", "her"), ("the man", "his", "him"),
    ("my boss", "his", "him"), ("the girl", "her", "her"), ("the boy", "his", "him"), ("they", "their", "them"),
    ("I", "my", "me"), ("the old man", "his", "him"), ("my sister", "her", "her"), ("the queen", "her", "her"),
    ("somebody", "their", "them"), ("a customer", "his", "him"), ("the actress", "her", "her"),
)  # fmt: skip
_SLOTS: Mapping[str, tuple[str, ...]] = {
    "friend": ("my friend", "her brother", "the neighbour", "his wife", "a colleague", "the waiter"),
    "thing": ("a plate", "the phone", "his cup", "a chair", "the book", "her bag"),
}
_FRAMES = (
    "{w}", "{she} is {w}", "{she} looks {w}", "{she} seems {w}", "a {w} face", "a {w} look", "with {w} eyes",
    "{w} voice", "sounding {w}", "{she} feels {w} about it", "feeling {w}", "{w} and {v}", "{w}, {v}",
    "{her} face shows {w}", "{she} speaks {w}", "say it {w}", "very {w}", "a little {w}", "an expression of {w}",
    "so {w} that {she} cannot speak",
)  # fmt: skip
_JOINS = (
    "{a} and {b}", "{a} but {b}", "{a} yet {b}", "half {a}, half {b}", "{a} mixed with {b}", "between {a} and {b}",
    "{a}, and at the same time {b}", "both {a} and {b}", "{a} {b}", "a mix of {a} and {b}",
)  # fmt: skip
_DENIALS = (
    "not {w}", "{she} is not {w}", "{she} isn't {w} at all", "without being {w}", "never {w}", "far from {w}",
    "{she} does not look {w}", "no longer {w}", "{she} wasn't {w}", "neither {w} nor {v}", "anything but {w}",
    "not a bit {w}", "no {w}", "without {w}",
)  # fmt: skip
_WRAPPERS = (
    "{p}", "{p}", "{p}", "{p}", "as if {p}", "like someone who says: {p}", "the moment when {p}", "in this scene {p}",
    "{p} and looks at the camera", "a person: {p}", "today {p}", "then {p}", "once more, {p}",
)  # fmt: skip
_OPPOSITE = {"happy": "sad", "sad": "happy"}
_DENIED_NEUTRAL = 0.75


@dataclass(frozen=True)
class Sentences:
    """Makes sentences; `held` is the fold that is left out, or with `only_held` the one that alone is used."""

    held: int
    only_held: bool = False

    def draw(self, rng: np.random.Generator, kind: str | None = None) -> tuple[str, np.ndarray]:
        """A sentence and the shares (8,) of the emotions in it."""
        kind = kind or str(rng.choice(_KINDS, p=_CHANCES))
        emotion = str(rng.choice(EMOTIONS))
        if kind == "unrelated":
            return _noisy(rng, _unrelated(rng)), _shares({"neutral": 1.0})
        if kind == "phrase":
            return _noisy(rng, self._phrase(rng, emotion)), _shares({emotion: 1.0})
        if kind == "cues":
            cues = [_pick(rng, self._kept(entries_of(emotion, cues=True))) for _ in range(rng.integers(2, 5))]
            return _noisy(rng, _pick(rng, (" ", ", ", " and ", " with ")).join(cues)), _shares({emotion: 1.0})
        if kind == "word":
            return _noisy(rng, self._framed(rng, _FRAMES, emotion)), _shares({emotion: 1.0})
        feeling = str(rng.choice(EMOTIONS[1:]))
        if kind == "denial":
            opposite = _OPPOSITE.get(feeling, "neutral")
            shares = _shares({"neutral": _DENIED_NEUTRAL}) + _shares({opposite: 1 - _DENIED_NEUTRAL})
            return self._framed(rng, _DENIALS, feeling), shares
        other = str(rng.choice([name for name in EMOTIONS[1:] if name != feeling]))
        parts = [self._word(rng, name) if rng.random() < 0.8 else self._phrase(rng, name) for name in (feeling, other)]
        return _pick(rng, _JOINS).format(a=parts[0], b=parts[1]), _shares({feeling: 0.5, other: 0.5})

    def _phrase(self, rng: np.random.Generator, emotion: str) -> str:
        said = _filled(rng, _pick(rng, self._kept(phrases()[emotion])))
        return _pick(rng, _WRAPPERS).format(p=said)

    def _word(self, rng: np.random.Generator, emotion: str) -> str:
        return _pick(rng, self._kept(entries_of(emotion)))

    def _framed(self, rng: np.random.Generator, frames: Sequence[str], emotion: str) -> str:
        she, her, _ = _PEOPLE[rng.integers(len(_PEOPLE))]
        frame = _pick(rng, frames)
        return frame.format(she=she, her=her, w=self._word(rng, emotion), v=self._word(rng, emotion))

    def _kept(self, texts: Sequence[str]) -> list[str]:
        return [text for at, text in enumerate(texts) if (at % FOLDS == self.held) == self.only_held]


@lru_cache(maxsize=1)
def phrases() -> Mapping[str, tuple[str, ...]]:
    """The phrases of each emotion, with their slots and choices."""
    return {name: tuple(lines) for name, lines in _lists(PHRASES).items()}


def _lists(path: Path) -> dict[str, list[str]]:
    """Lines of a file by the heading above them."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            found[name] = []
        elif name and line.strip():
            found[name].append(line.strip())
    return found


@lru_cache(maxsize=1)
def _unrelated_words() -> Mapping[str, tuple[str, ...]]:
    return {
        name: tuple(word.strip() for word in " ".join(lines).split(",") if word.strip())
        for name, lines in _lists(UNRELATED).items()
    }


def _unrelated(rng: np.random.Generator) -> str:
    if rng.random() < _SAYING:
        return random_text("en-us", rng)
    words = {name: _pick(rng, kept) for name, kept in _unrelated_words().items()}
    other = _pick(rng, _unrelated_words()["thing"])
    return _pick(rng, (
        "a {colour} {thing} {place}", "the {colour} {thing} {does} {place}", "{who} {acts} a {thing}", "{fact}",
        "{fact}", "{who} {acts} the {colour} {thing} {place}", "a text about {topic}", "{topic}",
        "{topic} and {thing}s", "two {thing}s and a {other}", "the {thing} of {who}", "a {thing}", "{who} {place}",
        "a photo of a {colour} {thing}", "{who} {acts} {topic}", "the {other} is {colour} and the {thing} is not",
    )).format(**words, other=other)  # fmt: skip


def _filled(rng: np.random.Generator, phrase: str) -> str:
    """A phrase with its choices made and its slots filled."""
    while (choice := _CHOICE.search(phrase)) is not None:
        phrase = phrase[: choice.start()] + _pick(rng, choice[1].split("|")) + phrase[choice.end() :]
    she, her, him = _PEOPLE[rng.integers(len(_PEOPLE))]
    slots = {name: _pick(rng, values) for name, values in _SLOTS.items()}
    return " ".join(phrase.format(she=she, her=her, him=him, I="I", **slots).split())


def _noisy(rng: np.random.Generator, text: str) -> str:
    """Now and then with a word too many or too few, or a misspelling."""
    words = text.split()
    if len(words) > 3 and rng.random() < 0.25:
        del words[rng.integers(len(words))]
    if rng.random() < 0.1:
        words.insert(rng.integers(len(words) + 1), _pick(rng, sorted(STRONGER)))
    if rng.random() < 0.08:
        at = int(rng.integers(len(words)))
        if len(words[at]) > 4:
            letter = int(rng.integers(1, len(words[at]) - 1))
            words[at] = words[at][:letter] + words[at][letter + 1 :]
    return " ".join(words)


def _shares(mix: Mapping[str, float]) -> np.ndarray:
    return np.array([mix.get(name, 0.0) for name in EMOTIONS])


def _pick(rng: np.random.Generator, texts: Sequence[str]) -> str:
    return texts[rng.integers(len(texts))]
