"""The networks that judge: which are at hand, and why the others are not. Each is loaded once a process."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

from vultus.compare.measures import MEASURES
from vultus.core.errors import MissingPartError
from vultus.perception.published import store

_PUBLISHED: dict[str, tuple[str, tuple[str, ...]]] = {
    "lpips-alex": ("Lpips", ("lpips-alex", "alexnet")),
    "inception-fid": ("InceptionV3", ("inception-fid",)),
    "syncnet-v2": ("SyncNetV2", ("syncnet-v2",)),
    "arcface-r50": ("ArcFace", ("arcface-r50",)),
    "emonet-8": ("EmoNet", ("emonet-8",)),
}
"""Name -> class in `perception.published`, and the networks whose files it needs."""
_OURS: dict[str, tuple[str, str]] = {
    "perceptual": ("perceptual", "load_perceptual"),
    "sync": ("sync", "load_sync"),
    "identity": ("identity", "load_identity"),
    "emotion_image": ("emotion_image", "load_emotion_image"),
}
"""Name -> module of `perception.judges` and the function that loads it; always in the role of the judge."""


def judge(need: str) -> Any | None:
    """The network for a measure's `needs`, "judge:NAME" or "weights:NAME"; None where it is not at hand."""
    return _loaded(need)[0]


def why_not(need: str) -> str | None:
    """Why a network is not at hand ("needs X (vultus weights fetch X)"); None if it is."""
    return _loaded(need)[1]


def unavailable() -> dict[str, str]:
    """Measure -> why it cannot be computed here, for all that cannot, whatever the clips."""
    found = {}
    for measure in MEASURES:
        if measure.needs is not None and ":" in measure.needs and (reason := why_not(measure.needs)):
            found[measure.name] = reason
    return found


@cache
def _loaded(need: str) -> tuple[Any | None, str | None]:
    kind, name = need.split(":")
    load = _load_published if kind == "weights" else _load_ours
    try:
        return load(name), None
    except MissingPartError as error:
        advice = (error.fix or "").removeprefix("run: ")
        lacking = error.what.removesuffix(" is not installed") if kind == "weights" else f"our network {name}"
        return None, f"needs {'torch' if 'torch' in error.what else lacking}" + (f" ({advice})" if advice else "")


def _load_published(name: str) -> Any:
    """A published network. Raises MissingPartError that names every network whose files are not there."""
    from vultus.perception import published

    kind, files = _PUBLISHED[name]
    missing = [network for network in files if not store.is_fetched(network)]
    if missing:
        fetch = "; ".join(f"vultus weights fetch {network}" for network in missing)
        raise MissingPartError(" and ".join(missing), name, fetch)
    return getattr(published, kind).load()


def _load_ours(name: str) -> Any:
    module, function = _OURS[name]
    load: Callable[..., Any] = getattr(importlib.import_module(f"vultus.perception.judges.{module}"), function)
    return load(role="judge")
