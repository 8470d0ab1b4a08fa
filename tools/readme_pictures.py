"""The README's pictures of scikit-image's astronaut (NASA, public domain): docs/images/astronaut.jpg and .webp.

python tools/readme_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import astronaut

import vultus
from vultus.animate import open_portrait
from vultus.audio.io import read_speech
from vultus.core.bases import ARKIT52
from vultus.core.controls import Controls, Emotion
from vultus.core.method import Look
from vultus.core.types import Performance, Portrait
from vultus.methods import DEFAULT_METHOD, get_method
from vultus.motion.emotion import expression_of

IMAGES = Path(__file__).parents[1] / "docs" / "images"
VOICE = Path(vultus.__file__).parent / "assets" / "sample_speech.flac"
SIZE, FPS = 288, 12.5
CLIP_S = (2.4, 7.2)
"""What is shown of the sample voice; her feeling changes at 4.2 s."""
VOWELS = (
    {"jawOpen": 0.5, "mouthLowerDownLeft": 0.3, "mouthLowerDownRight": 0.3},
    {"jawOpen": 0.22, "mouthFunnel": 0.4, "mouthPucker": 0.15},
)
STILLS = (
    (VOWELS[0], (12.0, 0.0, 0.0)),
    (VOWELS[1], (-12.0, 3.0, 0.0)),
    ({"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}, (0.0, -4.0, 3.0)),
    ("surprised", (6.0, 4.0, 0.0)),
    ("happy", (-8.0, 0.0, -4.0)),
    ("sad", (6.0, -5.0, 3.0)),
    ("angry", (-5.0, -4.0, 0.0)),
)
"""An expression, or an emotion in full, and yaw, pitch, roll in degrees."""


def stills(portrait: Portrait) -> np.ndarray:
    """The photo and the seven frames (2 SIZE, 4 SIZE, 3) uint8."""
    expression = np.stack([_expression(shape) for shape, _ in STILLS])
    rotation = np.array([turn for _, turn in STILLS], np.float32)
    posed = Performance(FPS, np.ones(len(STILLS), bool), expression, rotation=rotation)
    still = Performance(FPS, np.ones(1, bool), np.zeros((1, len(ARKIT52)), np.float32))
    look = Look(FPS, "face", SIZE)
    pictures = [
        image.copy()
        for played in (still, posed)
        for image in get_method(DEFAULT_METHOD).renderer(portrait, look).play([played], len(played))
    ]
    return np.concatenate([np.concatenate(pictures[row : row + 4], 1) for row in (0, 4)])


def _expression(shape: str | dict[str, float]) -> np.ndarray:
    if isinstance(shape, str):
        return expression_of(Emotion(((shape, 1.0),)), 3.0).astype(np.float32)
    return np.array([shape.get(name, 0.0) for name in ARKIT52], np.float32)


def clip(portrait: Portrait) -> list[Image.Image]:
    """The sample voice, spoken by her."""
    method = get_method(DEFAULT_METHOD)
    controls = Controls.parse(emotion="0:neutral 4.2:happy@2")
    driver = method.driver(controls, FPS, None, None)
    pieces = [driver.push(read_speech(VOICE).waveform), driver.finish()]
    acted = Performance.concatenate(piece for piece in pieces if piece is not None)
    first, last = (round(time_s * FPS) for time_s in CLIP_S)
    frames = method.renderer(portrait, Look(FPS, "face", SIZE)).play([acted], len(acted))
    return [Image.fromarray(image.copy()) for number, image in enumerate(frames) if first <= number < last]


def main() -> None:
    """Write both."""
    portrait = open_portrait(astronaut())
    Image.fromarray(stills(portrait)).save(IMAGES / "astronaut.jpg", quality=88)
    first, *others = clip(portrait)
    first.save(
        IMAGES / "astronaut.webp", save_all=True, append_images=others, duration=round(1000 / FPS), loop=0, quality=72
    )


if __name__ == "__main__":
    main()
