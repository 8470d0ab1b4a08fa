"""Timelines: values that change over time, written `VALUE` or `0:neutral 2.5:happy@2 6:sad`.

Keys are `SECONDS:VALUE`, separated by blanks, in any order. A key's value holds until the next key; the first key's
value also holds before it. Whoever plays a timeline blends across each key with `Timeline.weights`.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np

from vultus.core.errors import ControlError

T = TypeVar("T")

_KEY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?):(.+)")
_FORM = "write one VALUE, or keys SECONDS:VALUE separated by blanks, such as 0:VALUE 2.5:VALUE"


@dataclass(frozen=True)
class Timeline(Generic[T]):
    """`keys` are (time in seconds, value), sorted, with distinct finite times >= 0; there is at least one."""

    keys: tuple[tuple[float, T], ...]

    def __post_init__(self) -> None:
        times = [time_s for time_s, _ in self.keys]
        if not times or any(not math.isfinite(t) or t < 0 for t in times):
            raise ValueError(f"a timeline needs one or more keys at finite times >= 0, not {times}")
        if any(late <= early for early, late in pairwise(times)):
            raise ValueError(f"timeline keys must be sorted and distinct, not {times}")

    @classmethod
    def constant(cls, value: T) -> Timeline[T]:
        """One value for all time."""
        return cls(((0.0, value),))

    @classmethod
    def parse(cls, text: str, parse_value: Callable[[str], T], where: str) -> Timeline[T]:
        """Read a timeline; `where` names the option in messages. Raises ControlError; so may `parse_value`."""
        tokens = text.split()
        if len(tokens) == 1 and _KEY.fullmatch(tokens[0]) is None:
            return cls.constant(parse_value(tokens[0]))
        keys: dict[float, T] = {}
        for token in tokens:
            match = _KEY.fullmatch(token)
            if match is None:
                raise ControlError(f"{token!r} is not a key", where, _FORM)
            time_s = float(match[1])
            if not math.isfinite(time_s) or time_s < 0:
                raise ControlError(f"the key {token!r} lies before 0 s or is not finite", where, _FORM)
            if time_s in keys:
                raise ControlError(f"there are two keys at {time_s:g} s", where, "keep one of them")
            keys[time_s] = parse_value(match[2])
        if not keys:
            raise ControlError("the value is empty", where, _FORM)
        return cls(tuple(sorted(keys.items(), key=lambda key: key[0])))

    def format(self, format_value: Callable[[T], str]) -> str:
        """Text that `parse` reads back to an equal timeline."""
        if len(self.keys) == 1 and self.keys[0][0] == 0:
            return format_value(self.keys[0][1])
        return " ".join(f"{time_s!r}:{format_value(value)}" for time_s, value in self.keys)

    def at(self, time_s: float) -> T:
        """The value that holds at a time, without blending."""
        return self.keys[max(0, bisect_right(self.keys, time_s, key=lambda key: key[0]) - 1)][1]

    def weights(self, time_s: np.ndarray, ease_s: float) -> np.ndarray:
        """How much of each key shows at times (n,): (n, keys) float64, every row summing to 1.

        Each key after the first is eased into over `ease_s` seconds centred on it, so that half of the change has
        happened at the key's own time.
        """
        key_s = np.array([key for key, _ in self.keys[1:]])
        x = np.clip((np.asarray(time_s)[:, None] - key_s) / ease_s + 0.5, 0, 1)
        arrived = x * x * (3 - 2 * x)  # (n, keys - 1)
        always = np.ones((len(x), 1))
        not_yet = np.cumprod((1 - arrived)[:, ::-1], axis=1)[:, ::-1]  # no later key has begun to take over
        return np.concatenate([always, arrived], axis=1) * np.concatenate([not_yet, always], axis=1)
