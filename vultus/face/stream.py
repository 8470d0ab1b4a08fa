"""One face followed through the frames of a video."""

from __future__ import annotations

from types import TracebackType

import numpy as np

from vultus.core.errors import ControlError, InputError
from vultus.face import mediapipe_graphs
from vultus.face.crops import Crop, cut_square
from vultus.face.landmarks import FaceMesh, choose, process_mesh
from vultus.face.points import face_box

_CROP_PX = 512
_CROP_FACES = 3.0
"""Side of the piece of a frame that is searched, in face boxes: room to move between two frames."""
_DRIFT_FACES = 0.6
_ZOOM = (0.6, 1.6)
_THOROUGH_EVERY = 10
"""While no face is seen, every tenth frame is searched tile by tile, the others as a whole."""


class FaceStream:
    """Follows one face, the largest human one or number `face` of the first frame that has it. A context manager.

    FaceMesh looks at a square crop that stays still while the face stays well inside it: its own frame-to-frame
    tracking then keeps the points steady.
    """

    def __init__(self, face: int | None = None) -> None:
        self._face = face
        self._finder = FaceMesh()
        self._mesh = mediapipe_graphs.face_mesh(stream=True)
        self._window: tuple[np.ndarray, float] | None = None
        self._lost = 0
        self.refusal: InputError | ControlError | None = None
        """Why the last search chose no face."""
        self.found_anew = False
        """Whether the last points came from a fresh search rather than from following."""

    def __enter__(self) -> FaceStream:
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._finder.close()
        self._mesh.close()

    def next(self, image: np.ndarray) -> np.ndarray | None:
        """Points (478, 3) float32 in pixels of the next frame, (H, W, 3) uint8 RGB; None where the face is hidden."""
        self.found_anew = False
        points = self._look(image) if self._window is not None else None
        if points is None and self._search(image):
            points = self._look(image)
            self.found_anew = points is not None
        if points is None:
            self._window = None
            return None
        self._recentre(image, points)
        return points

    def _look(self, image: np.ndarray) -> np.ndarray | None:
        crop = self._cut(image)
        for attempt in range(2):
            found = process_mesh(self._mesh, crop.pixels)
            if found:
                return crop.to_picture(found[0])
            if attempt == 0:
                mediapipe_graphs.restart(self._mesh)  # detect the face afresh
        return None

    def _cut(self, image: np.ndarray) -> Crop:
        assert self._window is not None
        center_px, side_px = self._window
        return cut_square(image, center_px, side_px, min(_CROP_PX, int(side_px)))

    def _search(self, image: np.ndarray) -> bool:
        """Find the face in the whole frame and put the window there."""
        sightings = self._finder.find(image, thorough=self._lost % _THOROUGH_EVERY == 0)
        self._lost += 1
        try:
            chosen = choose(sightings, self._face)
        except (InputError, ControlError) as refusal:
            self.refusal = refusal
            return False
        self._lost = 0
        self._window = self._window_around(image, chosen.landmarks)
        mediapipe_graphs.restart(self._mesh)
        return True

    def _recentre(self, image: np.ndarray, points: np.ndarray) -> None:
        """Move the window when the face nears its border or has changed in size."""
        assert self._window is not None
        wanted, (center_px, side_px) = self._window_around(image, points), self._window
        drift = np.abs(wanted[0] - center_px).max() / (wanted[1] / _CROP_FACES)
        if drift > _DRIFT_FACES or not _ZOOM[0] < wanted[1] / side_px < _ZOOM[1]:
            self._window = wanted
            mediapipe_graphs.restart(self._mesh)

    @staticmethod
    def _window_around(image: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, float]:
        height, width = image.shape[:2]
        center_px, face_px = face_box(points)
        side_px = min(_CROP_FACES * face_px, float(max(height, width)))
        # a crop that would hang over the border is pushed back in, as far as the frame is large enough
        extent = np.array([width, height], float)
        slack = np.maximum(extent - side_px, 0) / 2
        return np.clip(center_px, extent / 2 - slack, extent / 2 + slack), side_px
