"""Every portrait at hand: how well the head fits, whether the picture comes back as it was, and whether it speaks.

    python -m benchmarks.portraits

Columns: weighted residual of the fit in a face crop of 512 px; the head's yaw; mean difference in grey levels between
picture and frame at the picture's own pose and expression, in the box of the face; frames of a second of speech, and
the share of them in which FaceMesh finds the face again. Animals must be refused.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import vultus
from benchmarks.material import HUMANS, SHARED, portraits
from benchmarks.voices import SAMPLE
from vultus.animate import open_portrait, track
from vultus.core.errors import InputError
from vultus.core.method import Look
from vultus.core.types import Portrait
from vultus.methods.portrait.model import PhotoRenderer
from vultus.rendering.portrait import PortraitRenderer

ANIMALS = ("s25", "s39")
"""A dog and a cat."""


def identity_difference(renderer: PortraitRenderer) -> float:
    """Mean absolute difference, in grey levels, that drawing the face as it is makes within its box."""
    frame = renderer.frame(renderer.rest_expression, np.zeros(3), np.zeros(3), np.zeros(2))
    corner = renderer.canvas.margin_px - np.array(renderer.canvas.stage[:2])
    marks = renderer.fit.landmarks[:468, :2] - corner
    (x0, y0), (x1, y1) = np.maximum(marks.min(0), 0).astype(int), np.ceil(marks.max(0)).astype(int)
    box = (slice(y0, y1), slice(x0, x1))
    return float(np.abs(frame[box].astype(float) - renderer.canvas.picture[box]).mean())


def spoken(portrait: Portrait, folder: Path) -> tuple[int, float]:
    """Frames of a second of speech, and the share of them with a face."""
    output = vultus.speak(portrait, voice=SAMPLE, output=folder / "out.mp4", end_s=1.0, crop="face")
    seen = track(output)
    return len(seen), float(seen.valid.mean())


def main() -> None:
    print(f"{'portrait':<14}{'fit px':>8}{'yaw deg':>9}{'identity':>10}{'frames':>8}{'found':>8}")
    for name, picture in portraits(HUMANS).items():
        portrait = open_portrait(picture)
        with tempfile.TemporaryDirectory() as folder:
            frames, found = spoken(portrait, Path(folder))
        photo = PhotoRenderer(portrait, Look(crop="face", size=512))
        fitted = f"{name:<14}{portrait.fit.rms_px:8.2f}{photo.own_deg[0]:9.1f}"
        print(f"{fitted}{identity_difference(photo.renderer):10.3f}{frames:8d}{found:8.0%}", flush=True)
    for path in sorted(path for name in ANIMALS for path in (SHARED / "portraits").glob(f"{name}.*")):
        try:
            open_portrait(path)
            print(f"{path.stem:<14}ACCEPTED")
        except InputError as refusal:
            print(f"{path.stem:<14}refused: {refusal.what}")


if __name__ == "__main__":
    main()
