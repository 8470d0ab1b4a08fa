"""How clips are prepared: what a user may choose, and what comes of it for one data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vultus.data.clips import CropKind


@dataclass(frozen=True)
class PrepareOptions:
    """What a user may choose; None keeps the data set's own way."""

    crop: CropKind | None = None
    """See `data.crops`."""
    size: int | None = None
    """Side of the square, or longer side with full, in pixels."""
    fps: float | None = None
    """Frames per second."""
    keep_silent: bool = False
    """Prepare clips without sound, too, instead of listing them as failed."""
    openface: Path | None = None
    """Folder of OpenFace tables, <clip>.csv: blinks (AU45) are taken from them."""
    seed: int = 0
    """Chooses which speakers are tested on."""
    workers: int | None = None
    """Processes; one a core unless given. 0 works in this process."""
    ray: str | None = None
    """Address of a Ray cluster to work on instead ("auto", "ray://host:10001")."""


DEFAULT_OPTIONS = PrepareOptions()


@dataclass(frozen=True)
class Recipe:
    """How the clips of one data set are prepared."""

    crop: CropKind
    size: int | None
    """Side of the crop in pixels; None: the paper's (`crops.SIZES`)."""
    fps: float
    keep_silent: bool
    seed: int
