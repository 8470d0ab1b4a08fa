"""One face followed through the frames of a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from vultus.core.errors import ControlError, InputError
from vultus.face import mediapipe_graphs
from vultus.face.colours import Colours, face_colours
from vultus.face.crops import Crop, cut_square
from vultus.face.landmarks import FaceMesh, choose, process_mesh
from vultus.face.points import face_box

_CROP_PX = 512
_CROP_FACES = 3.0
"""Side of the piece of a frame that is searched, in face boxes: room to move between two frames."""
_DRIFT_FACES = 0.6
_ZOOM = (0.6, 1.6)
_GREY = 128
_THOROUGH_EVERY = 10
"""While no face is seen, every tenth frame is searched tile by tile, the others as a whole."""


@dataclass(frozen=True)
class FaceSeen:
    """What a frame shows of a face: FaceMesh's points (478, 3), and `face.colours` unless only points are known."""

    points: np.ndarray
    colours: Colours | None = None


class FaceWindow:
    """A square crop that goes with one face, and the FaceMesh graph that looks at it. Close it after use.

    The crop stays still while the face stays well inside it: FaceMesh's own frame-to-frame tracking then keeps the
    points steady.
    """

    def __init__(self) -> None:
        self._mesh = mediapipe_graphs.face_mesh(stream=True)
        self._square: tuple[np.ndarray, float] | None = None
        self._last = np.zeros((478, 3))

    def close(self) -> None:
        """Let the graph go."""
        self._mesh.close()

    @property
    def placed(self) -> bool:
        """Whether it is on a face."""
        return self._square is not None

    def place(self, image: np.ndarray, points: np.ndarray) -> None:
        """Go to the face at points (478, 3) of a picture."""
        self._square, self._last = self._square_around(image, points), points
        mediapipe_graphs.restart(self._mesh)

    def look(self, image: np.ndarray, strangers: Sequence[np.ndarray] = ()) -> np.ndarray | None:
        """Points (478, 3) float32 in pixels of the next picture; None, and placed no more, where the face is hidden.

        `strangers` are points of other faces near it, as they were last seen: what lies in their boxes alone is hidden.
        """
        points = self._find(image, strangers)
        if points is None:
            self._square = None
            return None
        self._last = points
        self._recentre(image, points)
        return points

    def _find(self, image: np.ndarray, strangers: Sequence[np.ndarray]) -> np.ndarray | None:
        assert self._square is not None
        center_px, side_px = self._square
        crop = cut_square(image, center_px, side_px, min(_CROP_PX, int(side_px)))
        if strangers:
            _hide(crop, strangers, self._last)
        for attempt in range(2):
            found = process_mesh(self._mesh, crop.pixels)
            if found:
                return crop.to_picture(found[0])
            if attempt == 0:
                mediapipe_graphs.restart(self._mesh)  # detect the face afresh
        return None

    def _recentre(self, image: np.ndarray, points: np.ndarray) -> None:
        """Move when the face nears the border or has changed in size."""
        assert self._square is not None
        wanted, (center_px, side_px) = self._square_around(image, points), self._square
        drift = np.abs(wanted[0] - center_px).max() / (wanted[1] / _CROP_FACES)
        if drift > _DRIFT_FACES or not _ZOOM[0] < wanted[1] / side_px < _ZOOM[1]:
            self._square = wanted
            mediapipe_graphs.restart(self._mesh)

    @staticmethod
    def _square_around(image: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, float]:
        height, width = image.shape[:2]
        center_px, face_px = face_box(points)
        side_px = min(_CROP_FACES * face_px, float(max(height, width)))
        # a crop that would hang over the border is pushed back in, as far as the frame is large enough
        extent = np.array([width, height], float)
        slack = np.maximum(extent - side_px, 0) / 2
        return np.clip(center_px, extent / 2 - slack, extent / 2 + slack), side_px


class FaceStream:
    """Follows one face, the largest human one or number `face` of the first frame that has it. A context manager."""

    def __init__(self, face: int | None = None) -> None:
        self._face = face
        self._finder = FaceMesh()
        self._window = FaceWindow()
        self._lost = 0
        self.refusal: InputError | ControlError | None = None
        """Why the last search chose no face."""
        self.found_anew = False
        """Whether the last points came from a fresh search rather than from following."""

    def __enter__(self) -> FaceStream:
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._finder.close()
        self._window.close()

    def next(self, image: np.ndarray) -> np.ndarray | None:
        """Points (478, 3) float32 in pixels of the next frame, (H, W, 3) uint8 RGB; None where the face is hidden."""
        self.found_anew = False
        points = self._window.look(image) if self._window.placed else None
        if points is None and self._search(image):
            points = self._window.look(image)
            self.found_anew = points is not None
        return points

    def see(self, image: np.ndarray) -> FaceSeen | None:
        """The same, with the colours of lips and brows."""
        points = self.next(image)
        return None if points is None else FaceSeen(points, face_colours(image, points))

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
        self._window.place(image, chosen.landmarks)
        return True


def _hide(crop: Crop, strangers: Sequence[np.ndarray], own: np.ndarray) -> None:
    """Paint over, in place, the boxes of other faces (478, 3) where they do not cover the own one."""
    kept = crop.pixels.copy()
    for points in strangers:
        crop.pixels[_box_in(crop, points)] = _GREY
    box = _box_in(crop, own)
    crop.pixels[box] = kept[box]


def _box_in(crop: Crop, points: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of an upright crop that a face at points (478, 3) of the picture takes."""
    size = len(crop.pixels)
    inside = ((points[:468, :2] - crop.center_px) * crop.scale + size / 2).clip(0, size).astype(int)
    (left, top), (right, bottom) = inside.min(0), inside.max(0)
    return slice(top, bottom), slice(left, right)
