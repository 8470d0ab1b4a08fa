"""Who is trained on and who is tested on: whole speakers, chosen by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from vultus.data.clips import Split


def shuffled(names: Iterable[str], dataset: str, seed: int) -> list[str]:
    """The distinct names in an order that depends on data set, seed and names alone."""
    order = sorted(set(names))
    random.Random(f"{dataset} {seed}").shuffle(order)
    return order


def split_by_number(
    names: Iterable[str], dataset: str, seed: int, sizes: Mapping[Split, int], fixed: Iterable[str] = ()
) -> dict[str, Split]:
    """Speaker -> split, each split of as many speakers as `sizes` says; `fixed` ones are in the last split.

    Where there are more speakers than places, the rest is in no split. Where there are fewer, see `split_by_share`.
    """
    order = _with_first(fixed, shuffled(names, dataset, seed))
    return _assigned(order, sizes if len(order) >= sum(sizes.values()) else _shared_out(len(order), sizes))


def split_by_share(names: Iterable[str], dataset: str, seed: int, shares: Mapping[Split, int]) -> dict[str, Split]:
    """Speaker -> split, all speakers in the proportion of `shares`.

    The first split takes what is left over by rounding; the last is never empty if there are two speakers.
    """
    order = shuffled(names, dataset, seed)
    return _assigned(order, _shared_out(len(order), shares))


def _with_first(fixed: Iterable[str], order: list[str]) -> list[str]:
    chosen = [name for name in fixed if name in order]
    return chosen + [name for name in order if name not in chosen]


def _shared_out(count: int, shares: Mapping[Split, int]) -> dict[Split, int]:
    sizes = {split: count * share // sum(shares.values()) for split, share in shares.items()}
    first, *_, last = sizes
    sizes[last] = max(sizes[last], min(1, count - 1))
    sizes[first] = count - sum(size for split, size in sizes.items() if split != first)
    return sizes


def _assigned(order: list[str], sizes: Mapping[Split, int]) -> dict[str, Split]:
    """The first names to the last split, and so on."""
    found: dict[str, Split] = {}
    for split in reversed(list(sizes)):
        found.update((name, split) for name in order[len(found) : len(found) + sizes[split]])
    return found
