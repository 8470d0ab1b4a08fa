"""Rendered people: a sheet to judge by eye, how long a frame takes, and how often a face is found in them.

    python -m benchmarks.people [COUNT] [SIZE]      -> out/people/{people,eyes,mouths}.png

Each row is one person: at rest, mouth open, a broad smile, eyes shut, turned to both sides, looking aside. Faces are
looked for in clips of other people who speak, enlarged where `vultus prepare` enlarges them.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.sheets import weights_of
from vultus.core.controls import parse_emotion
from vultus.data.preparing import LEAST_SIDE_PX
from vultus.data.synthetic.clips import rendered_clip
from vultus.data.synthetic.people import random_person
from vultus.face.stream import FaceStream
from vultus.motion.emotion import expression_of
from vultus.rendering.person.renderer import PersonRenderer

SHAPES = {
    "open": {"jawOpen": 0.4, "mouthLowerDown": 0.2, "mouthUpperUp": 0.1},
    "shut": {"eyeBlink": 1.0},
    "round": {"jawOpen": 0.12, "mouthPucker": 0.65, "mouthFunnel": 0.35},
}
FOLDER = Path("out/people")


def row_of(renderer: PersonRenderer) -> list[np.ndarray]:
    """The cells of one person."""
    happy = expression_of(parse_emotion("happy"), 3.0).astype(np.float32)
    poses = [
        (weights_of({}), (0, 0, 0), (0, 0)),
        (weights_of(SHAPES["open"]), (0, 0, 0), (0, 0)),
        (happy, (-5, 2, 3), (4, -2)),
        (weights_of(SHAPES["shut"]), (0, 0, 0), (0, 0)),
        (weights_of({}), (30, 0, 0), (-20, 0)),
        (weights_of(SHAPES["round"]), (-22, 8, -6), (15, 5)),
    ]
    zero = np.zeros(3, np.float32)
    return [renderer.frame(e, np.array(r, np.float32), zero, np.array(g, np.float32)) for e, r, g in poses]


def close_up(renderer: PersonRenderer, cell: np.ndarray, marks: slice, wide: float, tall: float) -> np.ndarray:
    """A part of a frontal cell three times as large, around the mean of some of the 68 landmarks."""
    points = renderer.landmarks68(np.zeros(52, np.float32), np.zeros(3), np.zeros(3))
    face_px = float(np.ptp(points[:17, 0]))
    half = np.array([wide, tall]) * face_px / 2
    middle = points[marks, :2].mean(0)
    (x0, y0), (x1, y1) = np.maximum(middle - half, 0).astype(int), (middle + half).astype(int)
    return cv2.resize(cell[y0:y1, x0:x1], (384, round(384 * tall / wide)), interpolation=cv2.INTER_CUBIC)


def found_share(seed: int, size: int) -> tuple[float, float]:
    """Share of the frames of a second of speech in which a face is found, and seconds that a frame took."""
    clip = rendered_clip(seed, seconds=1.0, size=size)
    start = time.process_time()
    frames = list(clip.frames)
    spent_s = time.process_time() - start
    zoom = math.ceil(LEAST_SIDE_PX / size)
    large = [cv2.resize(frame, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC) for frame in frames]
    with FaceStream() as stream:
        found = [stream.next(frame) is not None for frame in large]
    return float(np.mean(found)), spent_s / len(frames)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 256
    cv2.setNumThreads(1)
    rows, eyes, mouths, build_s = [], [], [], []
    for number in range(count):
        start = time.process_time()
        renderer = PersonRenderer(random_person(0, number), size)
        build_s.append(time.process_time() - start)
        cells = row_of(renderer)
        rows.append(np.hstack(cells))
        eyes.append(np.hstack([close_up(renderer, cells[k], slice(36, 48), 0.9, 0.4) for k in (0, 2, 3)]))
        mouths.append(np.hstack([close_up(renderer, cells[k], slice(48, 68), 0.55, 0.45) for k in (0, 1, 2)]))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, parts in (("people", rows), ("eyes", eyes), ("mouths", mouths)):
        Image.fromarray(np.vstack(parts)).save(FOLDER / f"{name}.png")
        print(FOLDER / f"{name}.png")
    shares, frame_s = zip(*(found_share(number, size) for number in range(count)), strict=True)
    new_s, per_frame_ms = np.median(build_s[1:] or build_s), 1000 * np.median(frame_s)
    print(f"a new person {new_s:.2f} s, a frame of {size} px {per_frame_ms:.0f} ms")
    print(f"a face is found in {np.mean(shares):.1%} of the frames, in the worst clip in {min(shares):.0%}")


if __name__ == "__main__":
    main()
