"""Emotions as data sets spell them."""

from __future__ import annotations

from vultus.core.controls import EMOTION_ALIASES, EMOTIONS


def emotion_named(text: str) -> str | None:
    """The emotion of `core.controls.EMOTIONS` that a data set calls `text` (ANG, sur, disgusted); None if none."""
    name = EMOTION_ALIASES.get(text.lower(), text.lower())
    return name if name in EMOTIONS else None
