"""A lid closed in ten steps on every portrait at hand: does the gap fall all the way?

    python -m benchmarks.lids

First the gap between the drawn rims (the larger eye, in percent of its opening in the picture), then what FaceMesh
sees of it in the frames: the eye aspect ratio, mean of both eyes.
"""

from __future__ import annotations

import numpy as np

from benchmarks.material import HUMANS, portraits
from vultus.animate import open_portrait
from vultus.core.bases import index_of
from vultus.core.method import Look
from vultus.face.landmarks import FaceMesh
from vultus.face.points import eye_aspect_ratio, face_box
from vultus.methods.portrait.model import PhotoRenderer
from vultus.rendering.eyes import EyeState

STEPS = 10
BLINK = [index_of("eyeBlinkLeft"), index_of("eyeBlinkRight")]


def drawn_gaps(photo: PhotoRenderer) -> np.ndarray:
    """Largest distance (11,) between the rims, as a share of the picture's, of the more open eye."""
    eye = max(photo.renderer.eyes, key=lambda e: float((e.lower - e.upper).max()))
    own = float((eye.lower - eye.upper).max())
    gaps = []
    for closure in np.linspace(0, 1, STEPS + 1):
        upper, lower, _ = eye.rims(EyeState(float(closure), eye.wide_in_picture, eye.squint_in_picture, (0.0, 0.0)))
        gaps.append(float((lower - upper).max()) / own)
    return np.array(gaps)


def seen_ratios(photo: PhotoRenderer, mesh: FaceMesh) -> np.ndarray:
    """Eye aspect ratio (11,) that FaceMesh sees; not a number where it sees no face."""
    renderer = photo.renderer
    box = face_box(renderer.fit.landmarks - np.float32([renderer.canvas.margin_px] * 2 + [0]))
    ratios = []
    for closure in np.linspace(0, 1, STEPS + 1):
        expression = renderer.rest_expression.copy()
        expression[BLINK] = closure
        sighting = mesh.look(renderer.frame(expression, np.zeros(3), np.zeros(3), np.zeros(2)), *box)
        ratios.append(np.nan if sighting is None else float(eye_aspect_ratio(sighting.landmarks).mean()))
    return np.array(ratios)


def main() -> None:
    print(f"{'portrait':<14}{'rims: 0, .5, 1':>20}{'falls':>7}   {'seen, by tenths':<57}{'largest rise':>14}")
    with FaceMesh() as mesh:
        for name, picture in portraits(HUMANS).items():
            photo = PhotoRenderer(open_portrait(picture), Look(crop="face", size=512))
            gaps, ratios = drawn_gaps(photo), seen_ratios(photo, mesh)
            shares = "  ".join(f"{gaps[k]:4.0%}" for k in (0, STEPS // 2, STEPS))
            falls = "yes" if (np.diff(gaps) <= 1e-6).all() else "no"
            row = " ".join(f"{ratio:.2f}" for ratio in ratios)
            print(f"{name:<14}{shares:>20}{falls:>7}   {row:<57}{np.nanmax(np.diff(ratios)):14.3f}", flush=True)


if __name__ == "__main__":
    main()
