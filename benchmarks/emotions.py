"""Do emotions show? Held one after the other on rendered portraits, and read by the tracker.

    python -m benchmarks.emotions

The number is how far the tracked expression (52 ARKit weights) lies from the same face's neutral one, as Euclidean
distance; "neutral" is what tracking a held neutral face scatters by. The clip begins with two seconds of neutral, as
the tracker takes a person's resting look from its first frames.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.material import portraits
from vultus.animate import open_portrait
from vultus.core.controls import EMOTIONS, parse_emotion
from vultus.core.method import Look
from vultus.core.types import Performance
from vultus.face.track import track
from vultus.methods.portrait.model import PhotoRenderer
from vultus.motion.emotion import expression_of

SHOWN = ("people_0", "s0")
LEVELS = (1, 2, 3)
FPS = 25.0
LEAD, HELD, USED = 60, 20, 8
"""Frames: neutral at the start, each expression, and its last ones, which are measured."""


def acted() -> tuple[Performance, list[tuple[str, int]]]:
    """A performance that holds every emotion at every level, neutral in between, and the list of what it holds."""
    held = [(name, level) for name in EMOTIONS for level in LEVELS]
    rows = [np.zeros((LEAD, 52))]
    for name, level in held:
        rows += [np.tile(expression_of(parse_emotion(name), level), (HELD, 1)), np.zeros((HELD, 52))]
    expression = np.concatenate(rows).astype(np.float32)
    return replace(Performance.neutral(len(expression), FPS), expression=expression), held


def distances(picture: object) -> dict[tuple[str, int], float]:
    """Distance from neutral of every emotion and level on one portrait."""
    performance, held = acted()
    photo = PhotoRenderer(open_portrait(picture), Look(crop="face", size=512))
    seen = track(photo.play([performance], len(performance))).expression
    ends = LEAD + HELD * (2 * np.arange(len(held)) + 1)
    shown = np.stack([seen[end - USED : end].mean(0) for end in ends])
    rest = np.stack([seen[end + HELD - USED : end + HELD].mean(0) for end in ends]).mean(0)
    return dict(zip(held, np.linalg.norm(shown - rest, axis=1).tolist(), strict=True))


def main() -> None:
    faces = portraits(SHOWN)
    measured = {name: distances(picture) for name, picture in faces.items()}
    print(f"{'':<12}" + "".join(f"{name:>24}" for name in faces))
    print(f"{'level':<12}" + "".join(f"{level:>8d}" for _ in faces for level in LEVELS))
    failed = []
    for emotion in EMOTIONS:
        by_face = {name: [rows[emotion, level] for level in LEVELS] for name, rows in measured.items()}
        print(f"{emotion:<12}" + "".join(f"{value:8.2f}" for values in by_face.values() for value in values))
        if emotion != "neutral":
            noise = {name: max(rows["neutral", level] for level in LEVELS) for name, rows in measured.items()}
            failed += [f"{emotion} on {name}" for name, v in by_face.items() if not v[2] > v[0] > 2 * noise[name]]
    verdict = f"not {', '.join(failed)}" if failed else "true of all"
    print(f"Level 1 beyond twice the scatter of neutral, and level 3 beyond level 1: {verdict}")


if __name__ == "__main__":
    main()
