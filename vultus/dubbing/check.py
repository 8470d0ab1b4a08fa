"""Are the lips of a finished dub where the voice wants them?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from vultus.core.errors import InputError, MissingPartError
from vultus.core.types import Performance
from vultus.dubbing.report import LipCheck
from vultus.face.mouth import mouth, performed_mouth
from vultus.face.points import face_box
from vultus.face.stream import FaceStream
from vultus.perception.judges.sync import load_sync


class LipWatch:
    """Tracks the largest face anew in frames on their way to the encoder.

    Args:
        middle: (N, 2) where the dubbed face's middle is in each frame, in pixels: it is recognised by its place.
    """

    def __init__(self, middle: np.ndarray) -> None:
        self._middle = middle
        self._found: list[np.ndarray] = []

    def watched(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The frames (H, W, 3) uint8, each looked at."""
        with FaceStream() as stream:
            for image in images:
                points = stream.next(image)
                self._found.append(np.full((478, 3), np.nan, np.float32) if points is None else points)
                yield image

    def check(self, performance: Performance, shown: np.ndarray, voice: np.ndarray) -> LipCheck:
        """How the lips seen go with a performance of as many frames, where it was shown (N,), and with its voice.

        `voice` (n,) is mono, 16 kHz.
        """
        points = np.stack(self._found)
        here = np.array([self._is_here(face, middle) for face, middle in zip(points, self._middle, strict=True)])
        known = (shown[: len(points)] == 1) & here
        assert performance.expression is not None
        wanted, seen = performed_mouth(performance.expression[known]), mouth(points[known])
        return LipCheck(
            _r(seen[:, 0], wanted[:, 0]), _r(seen[:, 1], wanted[:, 1]), _sync(points, known, performance.fps, voice)
        )

    @staticmethod
    def _is_here(face: np.ndarray, middle: np.ndarray) -> bool:
        if np.isnan(face).any():
            return False
        center_px, side_px = face_box(face)
        return bool(np.linalg.norm(center_px - middle) < side_px / 2)


def _r(a: np.ndarray, b: np.ndarray) -> float | None:
    if len(a) < 3 or a.std() < 1e-6 or b.std() < 1e-6:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def _sync(points: np.ndarray, known: np.ndarray, fps: float, voice: np.ndarray) -> float | None:
    """`sync_vultus` where the face is known; None without torch, or where that is for too short."""
    try:
        judge = load_sync("judge")
        return judge.curve(np.where(known[:, None, None], points, np.nan), fps, voice).in_sync
    except (MissingPartError, InputError):
        return None
