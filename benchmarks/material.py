"""The pictures and clips that measurements run on: scikit-image's astronaut, and `../shared/data/real` where it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

SHARED = Path(__file__).parents[2] / "shared" / "data" / "real"
FRONTAL = ("art_0", "art_10", "happy", "people_0", "s0")
"""Portraits of shared data used for the round trip, beside the astronaut."""
HUMANS = (
    "art_0", "art_10", "art_16", "art_18", "art_5", "full_body_1", "happy", "people_0", "s0", "s10", "s12", "s3", "s5",
    "s9",
)  # fmt: skip


def portraits(names: tuple[str, ...]) -> dict[str, np.ndarray | Path]:
    """The astronaut, and those of the named portraits that are at hand."""
    from skimage.data import astronaut

    found: dict[str, np.ndarray | Path] = {"astronaut": astronaut()}
    for name in names:
        found.update((name, path) for path in (SHARED / "portraits").glob(f"{name}.*"))
    return found
