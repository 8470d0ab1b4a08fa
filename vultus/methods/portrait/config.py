"""Settings of the portrait driver that are a matter of taste, not of control."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PortraitConfig:
    """How strongly the parts of the face go with the voice and with each other."""

    brow_emphasis: float = 0.22
    """Brow raise (ARKit weight) on a fully stressed syllable."""
    eye_contact: float = 0.9
    """Share of the head's rotation that the eyes take back to hold the viewer, 0-1."""


DEFAULT = PortraitConfig()
"""What `vultus speak` uses."""

PRESETS: dict[str, PortraitConfig] = {"default": DEFAULT}
