"""What is measured on a dubbed video while it runs beside the one it was made from; see `benchmarks.dubbing`."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from scipy.spatial import ConvexHull

from vultus.face.mouth import mouth
from vultus.face.points import LIPS, NOSE, OVAL, interocular_px, landmarks68, lip_opening
from vultus.metrics.image import flicker, laplacian_energy, luma
from vultus.metrics.landmarks import normalised_landmark_distance
from vultus.metrics.lips import RATE_HZ, Closures, closures, correlation, on_grid
from vultus.rendering.footage.warp import GRID_FACES, MOST_REACH

APART = 0.05
"""Gap of the inner lips, in widths of the mouth, from which lips count as apart."""
BOX_ROOM = 0.2
"""Room around the lips, in their width and height, that the mouth box has on each side."""
BINS = 6
LEAST_IN_BIN = 4
"""A bin of lip speed, or of opening, counts when both videos have so many frames in it."""


def outside_face(outlines: list[np.ndarray], shape: tuple[int, ...], reach: float) -> np.ndarray:
    """(H, W) bool: pixels beyond the face's outlines (K, 2), before and after, each enlarged as the renderer does it.

    By `reach` about the mean of its hull's corners, its radius changing evenly with the angle between them, and by one
    cell of the grid on which the renderer interpolates. No dub may change these pixels.
    """
    face = np.zeros(shape[:2], np.uint8)
    cell_px = max(GRID_FACES * float(np.ptp(outline[:, 0])) for outline in outlines)
    for outline in outlines:
        hull = outline[ConvexHull(outline).vertices]
        middle = hull.mean(0)
        away = hull - middle
        angle = np.linspace(-np.pi, np.pi, 360)
        radius = np.interp(angle, np.arctan2(away[:, 1], away[:, 0]), np.linalg.norm(away, axis=1), period=2 * np.pi)
        corners = middle + reach * radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
        cv2.fillPoly(face, [np.round(corners).astype(np.int32)], 1)
    side = 2 * int(np.ceil(cell_px + 2)) + 1
    return np.asarray(cv2.dilate(face, np.ones((side, side), np.uint8))) == 0


def mouth_box(*points: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns around the lips of one or several faces (478, 3)."""
    lips = np.concatenate([face[list(LIPS), :2] for face in points])
    low, high = lips.min(0), lips.max(0)
    room = BOX_ROOM * (high - low)
    (x0, y0), (x1, y1) = np.maximum(low - room, 0).astype(int), (high + room + 1).astype(int)
    return slice(y0, y1), slice(x0, x1)


def lip_speed(before: np.ndarray, now: np.ndarray) -> float:
    """How far the lips move between two frames, beside the nose, in percent of the inter-ocular distance."""
    move = (now - before)[:, :2]
    beside = move[list(LIPS)] - move[list(NOSE)].mean(0)
    return float(100 * np.linalg.norm(beside, axis=1).mean() / interocular_px(now))


def residual(before: np.ndarray, now: np.ndarray) -> float:
    """What motion does not explain: mean |now - before moved by optical flow|, grey levels, of boxes (h, w, 3)."""
    a, b = (luma(picture).astype(np.uint8) for picture in (before, now))
    if min(a.shape) < 16:
        return float("nan")
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(b, a, None)
    y, x = np.mgrid[: a.shape[0], : a.shape[1]].astype(np.float32)
    moved = cv2.remap(a, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return float(np.abs(b.astype(np.float32) - moved).mean())


@dataclass
class Film:
    """One of the two videos: figures of its mouth, frame by frame, NaN where a frame cannot tell."""

    points: list[np.ndarray] = field(default_factory=list)
    """(478, 3) each; NaN where no face is seen."""
    energy: list[float] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)
    residual: list[float] = field(default_factory=list)
    jump: list[float] = field(default_factory=list)
    _last: list[np.ndarray] = field(default_factory=list)

    def add(self, image: np.ndarray, points: np.ndarray, box: tuple[slice, slice] | None) -> None:
        """Count a frame; `box` is None where its mouth cannot be compared."""
        self.points.append(points)
        self._last = [*self._last[-2:], image]
        figures = [float("nan")] * 4
        if box is not None:
            figures[0] = laplacian_energy(image[box])
            if len(self.points) > 1:
                figures[1] = lip_speed(self.points[-2], points)
                figures[2] = residual(self._last[-2][box], image[box])
            if len(self._last) == 3:
                figures[3] = flicker(*(luma(picture[box]) for picture in self._last))
        for series, value in zip((self.energy, self.speed, self.residual, self.jump), figures, strict=True):
            series.append(value)


@dataclass
class Comparison:
    """A dubbed video beside the original."""

    fps: float
    original: Film = field(default_factory=Film)
    dubbed: Film = field(default_factory=Film)
    changed_outside: int = 0
    """Pixels of all frames that changed where no dub may change them."""
    around: list[float] = field(default_factory=list)
    """Mean change in grey levels just around the face, a frame each: between its outline and the reach."""
    same_size: bool = True
    touched: list[bool] = field(default_factory=list)
    """Whether anything changed, a frame each."""

    def add(self, images: tuple[np.ndarray, np.ndarray], points: tuple[np.ndarray, np.ndarray]) -> None:
        """Count an original and a dubbed frame with their points (478, 3), NaN where no face is seen."""
        before, after = images
        self.same_size &= before.shape == after.shape
        changed = (before != after).any(-1)
        self.touched.append(bool(changed.any()))
        seen = [face for face in points if np.isfinite(face).all()]
        if changed.any() and seen:
            outlines = [face[list(OVAL), :2] for face in seen]
            far, near = (outside_face(outlines, before.shape, reach) for reach in (1 + MOST_REACH, 1.0))
            change = np.abs(before.astype(np.int16) - after).mean(-1)
            self.around.append(float(change[near & ~far].mean()) if (near & ~far).any() else 0.0)
            changed &= far
        self.changed_outside += int(changed.sum())
        box = mouth_box(*points) if len(seen) == 2 else None
        self.original.add(before, points[0], box)
        self.dubbed.add(after, points[1], box)

    def series(self) -> tuple[np.ndarray, np.ndarray]:
        """Points (T, 478, 3) of the original and the dubbed video."""
        return np.stack(self.original.points), np.stack(self.dubbed.points)

    def sharpness(self) -> tuple[float, float]:
        """Laplacian energy of the dubbed mouth box over that of the original's: all frames, and at equal opening."""
        energy = np.array(self.original.energy), np.array(self.dubbed.energy)
        original, dubbed = (mouth(points)[:, 0] for points in self.series())
        return float(np.nanmean(energy[1]) / np.nanmean(energy[0])), at_equal((original, dubbed), energy)

    def flicker(self) -> tuple[float, float]:
        """`residual` and jump at equal motion, dubbed over original; see `at_equal`."""
        speeds = np.array(self.original.speed), np.array(self.dubbed.speed)
        pairs = (self.original.residual, self.dubbed.residual), (self.original.jump, self.dubbed.jump)
        first, second = (at_equal(speeds, (np.array(a), np.array(b))) for a, b in pairs)
        return first, second

    def distance(self) -> float:
        """LMD of the mouth in percent of the inter-ocular distance, mean over frames."""
        original, dubbed = self.series()
        seen = np.isfinite(original).all((1, 2)) & np.isfinite(dubbed).all((1, 2))
        return float(
            normalised_landmark_distance(landmarks68(dubbed[seen]), landmarks68(original[seen]), "mouth").mean()
        )

    def apart(self, shown: np.ndarray) -> tuple[float, float]:
        """Shares of the frames (T,) bool in which the lips are apart: original, dubbed."""
        found = []
        for film in self.series():
            faces = film[shown & np.isfinite(film).all((1, 2))]
            found.append(float(np.mean([lip_opening(face) > APART for face in faces])) if len(faces) else np.nan)
        return found[0], found[1]

    def followed(self, asked: np.ndarray, shown: np.ndarray) -> tuple[float, float, float, Closures]:
        """r of aperture and of width, spread of the aperture over what was asked, and closures made.

        Args:
            asked: (T, 2) of the performance (`face.mouth.performed_mouth`).
            shown: (T,) bool: frames in which the new mouth is shown.
        """
        got = mouth(self.series()[1])
        seen = np.isfinite(got).all(1) & shown
        at = np.arange(len(got))
        got = np.stack([np.interp(at, at[seen], column[seen]) for column in got.T], -1)
        count = int(len(got) / self.fps * RATE_HZ)
        pair = [on_grid(values, self.fps, count, 0.5 / self.fps) for values in (asked[: len(got)], got)]
        known = on_grid(seen.astype(float), self.fps, count, 0.5 / self.fps) > 0.99
        asked_r, got_r = (values[known] for values in pair)
        r = [correlation(asked_r[:, k], got_r[:, k]) for k in range(2)]
        made = closures(got_r[:, 0], asked_r[:, 0])
        return r[0], r[1], float(got_r[:, 0].std() / max(asked_r[:, 0].std(), 1e-6)), made


def at_equal(keys: tuple[np.ndarray, np.ndarray], values: tuple[np.ndarray, np.ndarray]) -> float:
    """Second over first video's mean value, each bin of a key (lip speed, say) weighing as many frames as both have.

    sum_b n_b mean_b(second) / sum_b n_b mean_b(first), n_b the smaller of both counts, over `BINS` bins between
    quantiles of both videos' keys; NaN where the videos have none in common.
    """
    known = [np.isfinite(k) & np.isfinite(v) for k, v in zip(keys, values, strict=True)]
    pairs = [(k[at], v[at]) for k, v, at in zip(keys, values, known, strict=True)]
    edges = np.quantile(np.concatenate([k for k, _ in pairs]), np.linspace(0, 1, BINS + 1)[1:-1])
    sums = np.zeros(2)
    for b in range(BINS):
        inside = [v[np.digitize(k, edges) == b] for k, v in pairs]
        count = min(map(len, inside))
        if count >= LEAST_IN_BIN:
            sums += [count * part.mean() for part in inside]
    return float(sums[1] / sums[0]) if sums[0] > 0 else float("nan")
