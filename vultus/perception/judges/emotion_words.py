"""Words for feelings in a sentence: found by a lexicon, with what denies, strengthens or weakens them.

The lexicon is `assets/emotion_words.txt`: words and expressions, each with one or two of the eight emotions and a level
1-3; at level 0 stand cues, which name no feeling but often go with it. English.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from vultus.core.controls import EMOTION_ALIASES, EMOTIONS
from vultus.core.errors import MissingPartError

LEXICON = Path(__file__).parent.parent.parent / "assets" / "emotion_words.txt"
_HEADING = re.compile(r"\[(\w+(?:\+\w+)?) (\d)\]")
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|[.;:!?]")

STRONGER = frozenset((
    "very", "really", "so", "extremely", "absolutely", "utterly", "completely", "totally", "deeply", "terribly",
    "incredibly", "intensely", "wildly", "madly", "truly", "awfully", "insanely", "hugely", "immensely",
    "profoundly", "violently", "desperately", "downright", "entirely", "overwhelmingly", "unbelievably", "too",
    "quite", "bitterly", "exceedingly", "beyond", "sheer", "pure", "boundless",
))  # fmt: skip
WEAKER = frozenset((
    "slightly", "little", "somewhat", "mildly", "faintly", "vaguely", "barely", "hardly", "hint", "trace", "touch",
    "bit", "almost", "kinda", "sorta", "rather", "subtly", "lightly", "suppressed", "suppressing", "hidden",
    "hiding", "masking", "concealing", "concealed", "restrained", "controlled", "quietly", "gently", "partly",
    "tinge", "shade", "nearly", "moderately",
))  # fmt: skip
_DENIALS = frozenset((
    "not", "no", "never", "without", "nor", "neither", "none", "cannot", "nothing", "isn't", "aren't", "wasn't",
    "weren't", "don't", "doesn't", "didn't", "won't", "wouldn't", "can't", "couldn't", "hasn't", "haven't", "hadn't",
    "ain't", "lacks", "lacking",
))  # fmt: skip
_TWO_WORD_DENIALS = frozenset({("far", "from"), ("free", "of"), ("free", "from"), ("anything", "but"), ("lack", "of")})
_BREAKS = frozenset({".", ";", ":", "!", "?", "but", "yet", "however", "though", "although", "because"})
_DENIAL_REACH = 4
"""Words after a denial that it still denies."""
_STEP = 0.8
"""How much a strengthening or weakening word changes the level."""
_MODIFIER_REACH = 4
_ENDINGS = ("ingly", "edly", "ness", "ing", "ies", "ied", "ily", "ed", "es", "ly", "s", "d")


@dataclass(frozen=True)
class Hit:
    """An entry of the lexicon in a text: tokens `start` to `stop`, what it means, and whether it is denied."""

    start: int
    stop: int
    shares: np.ndarray
    level: float
    denied: bool


@dataclass(frozen=True)
class Reading:
    """A text as tokens, which of them stand under a denial (`denied`), and the lexicon's hits, in order."""

    tokens: tuple[str, ...]
    denied: tuple[bool, ...]
    hits: tuple[Hit, ...]
    modifier: float
    """What strengthening and weakening words add to the level."""

    def shares(self) -> np.ndarray:
        """What the words for feelings say together (8,), those denied left out; zeros if there are none."""
        return sum((hit.shares for hit in self.hits if hit.level and not hit.denied), np.zeros(len(EMOTIONS)))

    def cues(self) -> np.ndarray:
        """How much the cues speak for each emotion (8,)."""
        return sum((hit.shares for hit in self.hits if not hit.level), np.zeros(len(EMOTIONS)))

    def denied_shares(self) -> np.ndarray:
        """What is said not to be felt (8,)."""
        return sum((hit.shares for hit in self.hits if hit.level and hit.denied), np.zeros(len(EMOTIONS)))

    def level(self) -> float | None:
        """Level 0.5-3 of the hits, modified; None without one."""
        levels = [hit.level for hit in self.hits if hit.level and not hit.denied and hit.shares[0] < 1]
        return float(np.clip(np.mean(levels) + self.modifier, 0.5, 3.0)) if levels else None


@dataclass(frozen=True)
class _Entry:
    words: tuple[str, ...]
    shares: np.ndarray
    level: float


def read_words(text: str) -> Reading:
    """Tokens, denials and lexicon hits of a text."""
    tokens = tokens_of(text)
    denied = tuple(_denied(tokens))
    forms = [_forms(token) for token in tokens]
    hits, at = [], 0
    while at < len(tokens):
        entry = _entry_at(forms, at)
        if entry is None:
            at += 1
            continue
        stop = at + len(entry.words)
        hits.append(Hit(at, stop, entry.shares, entry.level, denied[at]))
        at = stop
    return Reading(tokens, denied, tuple(hits), _modifier(tokens, hits))


def tokens_of(text: str) -> tuple[str, ...]:
    """Words in small letters and marks that end a clause."""
    return tuple(_TOKEN.findall(text.lower().replace("’", "'")))


def lexicon_words() -> frozenset[str]:
    """All single words of the lexicon and the names of emotions: what a misspelt one may have been meant to be."""
    single = {entry.words[0] for entry in _entries() if len(entry.words) == 1 and entry.level}
    return frozenset(single | set(EMOTIONS) | {name for name in EMOTION_ALIASES if len(name) > 3})


@cache
def entries_of(emotion: str, cues: bool = False) -> tuple[str, ...]:
    """The lexicon's words and expressions for one emotion alone; its cues, if `cues`."""
    at = EMOTIONS.index(emotion)
    return tuple(" ".join(e.words) for e in _entries() if e.shares[at] == 1 and (e.level == 0) == cues)


@lru_cache(maxsize=1)
def _lexicon() -> dict[str, tuple[_Entry, ...]]:
    """Entries by their first word, words for feelings before cues. A cue of several emotions is one."""
    found: dict[str, dict[tuple[str, ...], _Entry]] = defaultdict(dict)
    for entry in _entries():
        known = found[entry.words[0]].get(entry.words)
        if known is not None and known.level == entry.level == 0:
            entry = _Entry(entry.words, (known.shares + entry.shares) / 2, 0.0)
        if known is None or entry.level or not known.level:
            found[entry.words[0]][entry.words] = entry
    return {word: tuple(entries.values()) for word, entries in found.items()}


@lru_cache(maxsize=1)
def _entries() -> tuple[_Entry, ...]:
    """The lexicon, in order. Raises MissingPartError."""
    if not LEXICON.is_file():
        raise MissingPartError("the words for feelings are missing from the installation", LEXICON.name, "reinstall")
    entries = []
    for names, level, words in _sections(LEXICON.read_text("utf-8")):
        shares = np.zeros(len(EMOTIONS))
        for name in names:
            shares[EMOTIONS.index(name)] = 1 / len(names)
        entries.append(_Entry(words, shares, level))
    return tuple(entries)


def _sections(text: str) -> Iterator[tuple[list[str], float, tuple[str, ...]]]:
    names, level, kept = [""], 0.0, ""
    for line in [*text.splitlines(), "[end 0]"]:
        heading = _HEADING.fullmatch(line.strip())
        if heading is None:
            kept += "" if line.startswith("#") else line + " "
            continue
        for expression in kept.split(","):
            words = tokens_of(expression)
            if words:
                yield names, level, words
        names, level, kept = heading[1].split("+"), float(heading[2]), ""


def _entry_at(forms: Sequence[frozenset[str]], at: int) -> _Entry | None:
    """The longest entry that begins at a token; among equal ones that of the most literal form."""
    found = [
        entry
        for form in forms[at]
        for entry in _lexicon().get(form, ())
        if len(entry.words) <= len(forms) - at and all(w in f for w, f in zip(entry.words, forms[at:], strict=False))
    ]
    return max(found, key=lambda entry: (len(entry.words), entry.level > 0, len(entry.words[0])), default=None)


@lru_cache(maxsize=4096)
def _forms(token: str) -> frozenset[str]:
    """A word and what it may be an inflected form of."""
    found = {token}
    for ending in _ENDINGS:
        stem = token.removesuffix(ending)
        if stem == token or len(stem) < 3:
            continue
        found |= {stem, stem + "e"}
        if ending in ("ies", "ied", "ily") or stem.endswith("i"):
            found.add(stem.removesuffix("i") + "y")
        if stem[-1] == stem[-2]:
            found.add(stem[:-1])
    return frozenset(found)


def _denied(tokens: Sequence[str]) -> Iterator[bool]:
    """Whether each token stands under a denial, which holds to the next break, but not for long."""
    left = 0
    for at, token in enumerate(tokens):
        yield left > 0
        left = 0 if token in _BREAKS else left - 1
        if token in _DENIALS or (at and (tokens[at - 1], token) in _TWO_WORD_DENIALS):
            left = _DENIAL_REACH


def _modifier(tokens: Sequence[str], hits: Sequence[Hit]) -> float:
    """What the words shortly before and after the hits, or anywhere where there are none, add to the level."""
    near = set(range(len(tokens))) if not hits else set()
    for hit in hits:
        near |= set(range(max(0, hit.start - _MODIFIER_REACH), min(len(tokens), hit.stop + 2)))
        near -= set(range(hit.start, hit.stop))
    steps = [(tokens[at] in STRONGER) - (tokens[at] in WEAKER) for at in near]
    return _STEP * float(np.clip(sum(steps), -2, 2))
