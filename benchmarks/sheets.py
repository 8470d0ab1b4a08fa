"""Contact sheets to judge by eye: visemes, emotions, blinks at 3x, turns, mouths at 3x, for every portrait at hand.

    python -m benchmarks.sheets [PORTRAIT ...]      -> out/sheets/{visemes,emotions,blinks,turns,mouths}.png

Without names: the astronaut and the shared portraits. What shows shared portraits is not to be committed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.material import HUMANS, portraits
from vultus.animate import open_portrait
from vultus.core.bases import ARKIT52, index_of
from vultus.core.controls import EMOTIONS, parse_emotion
from vultus.core.method import Look
from vultus.methods.portrait.model import PhotoRenderer
from vultus.motion.emotion import expression_of
from vultus.motion.rest import on_rest

VISEMES: dict[str, dict[str, float]] = {
    "rest": {},
    "AA": {"jawOpen": 0.35, "mouthLowerDown": 0.2, "mouthUpperUp": 0.12},
    "EE": {"jawOpen": 0.08, "mouthStretch": 0.35, "mouthSmile": 0.3, "mouthLowerDown": 0.35, "mouthUpperUp": 0.2},
    "OO": {"jawOpen": 0.12, "mouthPucker": 0.65, "mouthFunnel": 0.35},
    "FV": {"jawOpen": 0.05, "mouthRollLower": 0.55, "mouthUpperUp": 0.3},
    "MBP": {"jawOpen": 0.1, "mouthClose": 0.1, "mouthPress": 0.3, "mouthRollUpper": 0.15, "mouthRollLower": 0.15},
    "TH": {"jawOpen": 0.14, "tongueOut": 0.35, "mouthLowerDown": 0.1},
    "wide": {"jawOpen": 0.6},
}
TURNS = ((20, 0, 0), (-20, 0, 0), (0, 12, 0), (0, -12, 0), (0, 0, 12), (12, 6, -8))
CELL_PX = 256


class Sitter:
    """One portrait, ready for poses."""

    def __init__(self, name: str, picture: object) -> None:
        self.name = name
        self.photo = PhotoRenderer(open_portrait(picture), Look(crop="face", size=512))
        canvas = self.photo.renderer.canvas
        self.marks = self.photo.renderer.fit.landmarks[:, :2] - canvas.margin_px
        self.face_px = float(np.ptp(self.marks[:468, 0]))

    def show(self, shapes: dict[str, float] | np.ndarray, turn=(0, 0, 0), gaze=(0, 0)) -> np.ndarray:
        """The 512 px frame of an expression on top of the sitter's resting look."""
        weights = shapes if isinstance(shapes, np.ndarray) else weights_of(shapes)
        expression = on_rest(self.photo.rest, weights.astype(np.float32))
        return self.photo.renderer.frame(expression, np.array(turn, float), np.zeros(3), np.array(gaze, float))

    def eyes(self, frame: np.ndarray) -> np.ndarray:
        """The strip of both eyes, three times as large."""
        return self._magnified(frame, self.marks[[33, 263]].mean(0), 0.8, 0.36)

    def mouth(self, frame: np.ndarray) -> np.ndarray:
        """The mouth, three times as large."""
        return self._magnified(frame, self.marks[[13, 14]].mean(0) + [0, 0.05 * self.face_px], 0.55, 0.5)

    def _magnified(self, frame: np.ndarray, middle: np.ndarray, width: float, height: float) -> np.ndarray:
        half = np.array([width, height]) * self.face_px / 2
        (x0, y0), (x1, y1) = np.maximum(middle - half, 0).astype(int), (middle + half).astype(int)
        return cv2.resize(frame[y0:y1, x0:x1], None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)


def weights_of(shapes: dict[str, float]) -> np.ndarray:
    """ARKit weights (52,) from names with or without a side."""
    weights = np.zeros(len(ARKIT52), np.float32)
    for name, value in shapes.items():
        for side in (name,) if name in ARKIT52 else (name + "Left", name + "Right"):
            weights[index_of(side)] = value
    return weights


def row_of(kind: str, sitter: Sitter) -> list[np.ndarray]:
    """The cells of one sitter in a sheet."""
    if kind == "visemes":
        return [sitter.show(shapes) for shapes in VISEMES.values()]
    if kind == "mouths":
        return [sitter.mouth(sitter.show(shapes)) for shapes in VISEMES.values()]
    if kind == "emotions":
        cells = [(name, level) for name in EMOTIONS for level in ((1,) if name == "neutral" else (1, 3))]
        return [sitter.show(expression_of(parse_emotion(name), level)) for name, level in cells]
    if kind == "blinks":
        return [sitter.eyes(sitter.show({"eyeBlink": k / 9})) for k in range(10)]
    return [sitter.show({"jawOpen": 0.1}, turn) for turn in TURNS]


def main() -> None:
    wanted = tuple(sys.argv[1:])
    found = portraits(wanted or HUMANS)
    sitters = [Sitter(name, picture) for name, picture in found.items() if not wanted or name in wanted]
    folder = Path("out/sheets")
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("visemes", "mouths", "emotions", "blinks", "turns"):
        rows = []
        for sitter in sitters:
            cells = [cv2.resize(c, (CELL_PX, round(c.shape[0] * CELL_PX / c.shape[1]))) for c in row_of(kind, sitter)]
            height = max(c.shape[0] for c in cells)
            rows.append(np.hstack([np.pad(c, ((0, height - c.shape[0]), (0, 0), (0, 0))) for c in cells]))
        Image.fromarray(np.vstack(rows)).save(folder / f"{kind}.png")
        print(folder / f"{kind}.png")


if __name__ == "__main__":
    main()
