"""Pictures of a dub to judge by eye: twelve consecutive mouths magnified, every fifth frame, and pairs to guess at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vultus.face.points import face_box

CONSECUTIVE, MAGNIFIED, EVERY = 12, 3, 5
COLUMNS = 6
MOUTH_FACES = (0.62, 0.62)
"""Width and height of what is magnified, in widths of the face."""
MOST_CELL_PX = 420
FACE_CELL_PX = 192
HEAD_FACES = 1.3
"""Side of the square around the face in the other sheets, in faces."""
MOST_FACES = 60
BLIND_PAIRS = 6
BLIND_PX = 320
INNER_LIPS = (13, 14)

Pair = tuple[np.ndarray, np.ndarray]
"""The same cut-out of original and dubbed frame."""


class Sheet:
    """Collects the cut-outs of one clip while it runs."""

    def __init__(self, path: Path, magnified: range) -> None:
        self.path, self.magnified = path, magnified
        self.mouths: list[Pair] = []
        self.heads: list[Pair] = []

    def add(self, t: int, images: Pair, points: np.ndarray) -> None:
        """Look at frame t; `points` (478, 3) are the original's, NaN where it shows no face."""
        if not np.isfinite(points).all():
            return
        middle, face_px = face_box(points)
        if t in self.magnified:
            lips = points[list(INNER_LIPS), :2].mean(0) + [0, 0.06 * face_px]
            half = np.array(MOUTH_FACES) * face_px / 2
            scale = min(MAGNIFIED, MOST_CELL_PX / (2 * half[0]))
            self.mouths.append(_cut_outs(images, lips, half, scale))
        if t % EVERY == 0:
            half = np.full(2, HEAD_FACES * face_px / 2)
            self.heads.append(_cut_outs(images, middle, half, BLIND_PX / (2 * half[0])))

    def write_mouths(self) -> None:
        """Write the magnified mouths to the sheet's path."""
        _save(_rows(self.mouths, COLUMNS), self.path)

    def write_heads(self) -> None:
        """Write every fifth frame, and the pairs for the blind sheet, beside it."""
        step = -(-len(self.heads) // MOST_FACES)
        small = [_small(pair) for pair in self.heads[::step]]
        _save(_rows(small, 10), self.path.with_name(f"{self.path.stem}-every.png"))
        chosen = np.linspace(0, len(self.heads) - 1, BLIND_PAIRS).round().astype(int)
        for k, at in enumerate(chosen):
            _save(np.hstack(self.heads[at]), self.path.parent / "pairs" / f"{self.path.stem}-{k}.png")


def liveliest(aperture: np.ndarray) -> range:
    """The consecutive frames over which the lips asked for (T,) open and shut most."""
    if len(aperture) <= CONSECUTIVE:
        return range(len(aperture))
    windows = np.lib.stride_tricks.sliding_window_view(aperture, CONSECUTIVE)
    first = int(np.argmax(np.ptp(windows, axis=1) + 0.5 * np.abs(np.diff(windows, axis=1)).sum(1)))
    return range(first, first + CONSECUTIVE)


def write_blind(folder: Path) -> None:
    """All clips' pairs in one sheet, in random order, left and right at random; the key is a text file beside it."""
    rng = np.random.default_rng(7)
    files = sorted((folder / "pairs").glob("*.png"))
    cells, key = [], []
    for place, at in enumerate(rng.permutation(len(files))):
        pair = np.asarray(Image.open(files[at]))
        swapped = bool(rng.random() < 0.5)
        original, dubbed = np.split(pair, 2, axis=1)
        cells.append(np.hstack([dubbed, original] if swapped else [original, dubbed]))
        key.append(f"{place // 3 + 1} {place % 3 + 1} dubbed is {'left' if swapped else 'right'} {files[at].stem}")
    bars = [np.pad(cell, ((0, 8), (0, 16), (0, 0)), constant_values=255) for cell in cells]
    blank = np.full_like(bars[0], 255)
    bars += [blank] * (-len(bars) % 3)
    _save(np.vstack([np.hstack(bars[k : k + 3]) for k in range(0, len(bars), 3)]), folder / "blind.png")
    (folder / "blind-key.txt").write_text("row column\n" + "\n".join(key) + "\n")


def _cut_outs(images: Pair, middle: np.ndarray, half: np.ndarray, scale: float) -> Pair:
    size = np.round(2 * half * scale).astype(int)
    to_picture = np.array([[1 / scale, 0, middle[0] - half[0]], [0, 1 / scale, middle[1] - half[1]]])
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR)
    first, second = (cv2.warpAffine(image, to_picture, tuple(size), flags=flags) for image in images)
    return first, second


def _small(pair: Pair) -> Pair:
    first, second = (cv2.resize(part, (FACE_CELL_PX,) * 2, interpolation=cv2.INTER_AREA) for part in pair)
    return first, second


def _rows(pairs: list[Pair], columns: int) -> np.ndarray:
    """Originals in one row, the dubbed ones below, then the next pair of rows."""
    height, width = max(p[0].shape[0] for p in pairs), max(p[0].shape[1] for p in pairs)

    def fitted(picture: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))

    blank = np.full((height, width, 3), 255, np.uint8)
    found = []
    for start in range(0, len(pairs), columns):
        part = pairs[start : start + columns]
        for which in range(2):
            cells = [fitted(pair[which]) for pair in part] + [blank] * (columns - len(part))
            found.append(np.hstack(cells))
        found.append(np.full((10, found[-1].shape[1], 3), 255, np.uint8))
    return np.vstack(found)


def _save(picture: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
