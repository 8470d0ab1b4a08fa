"""Are the lips of a finished dub where the voice wants them?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from vultus.core.errors import InputError, MissingPartError
from vultus.core.types import Performance
from vultus.dubbing.report import LipCheck
from vultus.face.crowd_watch import CrowdWatch
from vultus.face.mouth import mouth, performed_mouth
from vultus.face.people import MOST_PEOPLE
from vultus.face.stretches import Stretch
from vultus.perception.judges.sync import load_sync


class LipWatch:
    """Tracks faces anew in frames on their way to the encoder."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._stretches: list[Stretch] = []

    def watched(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The frames (H, W, 3) uint8, each looked at."""
        with CrowdWatch(self._fps, MOST_PEOPLE) as watch:
            for image in images:
                watch.next(image)
                yield image
            self._stretches = watch.stretches

    def check(self, middle: np.ndarray, performance: Performance, shown: np.ndarray, voice: np.ndarray) -> LipCheck:
        """How one face's lips go with a performance, where it was shown, and with its voice.

        Args:
            middle: (N, 2) where the face's middle is in each frame, in pixels: it is recognised by its place.
            performance: of as many frames.
            shown: (N,) 0-1.
            voice: (n,) mono, 16 kHz.
        """
        points = self._points(middle)
        known = (shown == 1) & np.isfinite(points).all((1, 2))
        sync = _sync(points, known, self._fps, voice)
        if performance.expression is None:  # pixels from a voice: no lips were asked for in numbers
            return LipCheck(None, None, sync)
        wanted, seen = performed_mouth(performance.expression[known]), mouth(points[known])
        return LipCheck(_r(seen[:, 0], wanted[:, 0]), _r(seen[:, 1], wanted[:, 1]), sync)

    def _points(self, middle: np.ndarray) -> np.ndarray:
        """(N, 478, 3) of the face that is where it should be, NaN in frames where none is."""
        points = np.full((len(middle), 478, 3), np.nan, np.float32)
        for stretch in self._stretches:
            for frame, (center, side) in enumerate(stretch.boxes, stretch.start):
                if np.linalg.norm(center - middle[frame]) < side / 2:
                    points[frame] = stretch.points(frame)
        return points


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
