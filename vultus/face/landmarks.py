"""Faces in a picture: FaceMesh's 478 points, found at any size, chosen, and checked to be a person's.

Points are (478, 3) float32 in pixels of the picture, x right, y down, pixel (0, 0)'s middle at (.5, .5); z is depth in
pixels too, smaller is nearer. Index sets: `face.points`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from vultus.core.errors import ControlError, InputError
from vultus.face import mediapipe_graphs
from vultus.face.crops import Crop, cut_square
from vultus.face.points import LEFT_EYE, RIGHT_EYE, face_box, interocular_px

MIN_INTEROCULAR_PX = 40.0
"""Smallest distance between the outer eye corners of a face that can be animated."""

MIN_PLAUSIBILITY = 0.5
"""Faces below it are refused as not human."""

_CROP_PX = 384
_VIEWS = ((0.0, 2.0), (0.0, 1.6), (-15.0, 2.0), (15.0, 2.0), (0.0, 2.5), (-10.0, 1.7), (10.0, 2.4))
"""Turn in degrees and side in face boxes of the crops from which a face is looked at; the first is the plain one."""
_NO_FACE_SPREAD = 0.05
"""Points that differ by this much among crops, in face boxes, lie on no face at all (a dog's: .01-.03)."""
_LARGE_PICTURE_PX = 1280
_SAME_FACE = 0.5
"""Two finds are one face when their middles lie closer than this many face boxes."""
_NARROW_FACE = 1.6
"""A detector's box is at least so many inter-ocular distances wide (2.0 on a frontal face)."""


@dataclass(frozen=True)
class Sighting:
    """A face seen from several crops: mean `landmarks` (478, 3) and how far they and the face detector agree.

    `score` is the detector's confidence 0-1 in the plain crop; `spread` the standard deviation of the points among the
    crops, in face boxes.
    """

    landmarks: np.ndarray
    score: float
    spread: float

    @property
    def plausibility(self) -> float:
        """0-1: does it look human?

        A logistic in the detector's score and the points' spread. On a person's face FaceMesh lands on the same points
        however the crop is turned; on an animal's it does not. Margins: see `plausibility`.
        """
        logit = (self.score - 0.81) / 0.035 + np.log(0.0105 / max(self.spread, 1e-6)) / 0.25
        return float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))


class FaceMesh:
    """Finds faces in single pictures. Use as a context manager: it holds three small networks (20 ms to build)."""

    def __init__(self) -> None:
        self._crowd = mediapipe_graphs.face_mesh(stream=False, max_faces=8)
        self._single = mediapipe_graphs.face_mesh(stream=False, min_detection=0.4)
        self._near = mediapipe_graphs.face_detector(far=False, min_detection=0.3)
        self._far = mediapipe_graphs.face_detector(far=True, min_detection=0.5)

    def __enter__(self) -> FaceMesh:
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let the networks go."""
        for graph in (self._crowd, self._single, self._near, self._far):
            graph.close()

    def find(self, image: np.ndarray, thorough: bool = True, every: bool = False) -> list[Sighting]:
        """Faces of an (H, W, 3) uint8 RGB picture, largest first.

        `thorough`: search tiles if nothing else is found; `every`: search them anyway, for small faces beside large.
        """
        sightings = self._look_at_all(image, self._boxes(image), [])
        large = max(image.shape[:2]) >= _LARGE_PICTURE_PX
        for parts in (2, 3, 4) if thorough else ():
            if sightings and not every and not (large and parts == 2):
                break
            boxes = [box for tile in _tiles(image, parts) for box in self._boxes_in(tile, image)]
            sightings += self._look_at_all(image, boxes, [face_box(sighting.landmarks) for sighting in sightings])
        return sorted(sightings, key=lambda sighting: -face_box(sighting.landmarks)[1])

    def find_others(self, image: np.ndarray, known: list[Box]) -> list[Sighting]:
        """Faces outside the `known` boxes that are large enough to be animated: a look at the picture as a whole.

        Costs 7 ms where there is nobody else.
        """
        boxes = [box for graph in (self._far, self._near) for box in _detected_boxes(graph, image)]
        least_px = _NARROW_FACE * MIN_INTEROCULAR_PX
        return self._look_at_all(image, [box for box in boxes if box[1] > least_px], taken=known)

    def look(self, image: np.ndarray, center_px: np.ndarray, side_px: float) -> Sighting | None:
        """The face in the box `side_px` wide around `center_px`, seen from several crops; None if there is none."""
        roll_deg = 0.0
        for _ in range(2):  # the second look is centred on the face itself, and upright
            rough = self._points(cut_square(image, center_px, _VIEWS[0][1] * side_px, _CROP_PX, roll_deg))
            if rough is None:
                return None
            (center_px, side_px), roll_deg = face_box(rough), eye_line_deg(rough)
        crops = [cut_square(image, center_px, scale * side_px, _CROP_PX, roll_deg + turn) for turn, scale in _VIEWS]
        views = [points for points in map(self._points, crops) if points is not None]
        if len(views) <= len(_VIEWS) // 2:
            return None
        stacked = np.stack(views)
        spread = float(np.sqrt(stacked[..., :2].var(0).sum(-1)).mean() / side_px)
        if spread > _NO_FACE_SPREAD:
            return None
        return Sighting(stacked.mean(0), self._score(crops[0].pixels), spread)

    def _look_at_all(self, image: np.ndarray, boxes: list[Box], taken: list[Box]) -> list[Sighting]:
        """The faces in `boxes` but not in those that are `taken`."""
        taken, sightings = list(taken), []
        for box in boxes:
            if any(same_face(box, other) for other in taken):
                continue
            sighting = self.look(image, *box)
            # it may have slid onto a face seen before
            if sighting is not None and not any(same_face(face_box(sighting.landmarks), other) for other in taken):
                sightings.append(sighting)
                taken.append(face_box(sighting.landmarks))
        return sightings

    def _boxes(self, image: np.ndarray) -> list[Box]:
        """Rough face boxes, in pixels, by the mesh itself and by the detector for distant faces."""
        meshes = [face_box(points) for points in process_mesh(self._crowd, image)]
        return meshes + _detected_boxes(self._far, image)

    def _boxes_in(self, tile: tuple[slice, slice], image: np.ndarray) -> list[Box]:
        rows, columns = tile
        corner = np.array([columns.start, rows.start])
        return [(center + corner, side) for center, side in self._boxes(np.ascontiguousarray(image[rows, columns]))]

    def _points(self, crop: Crop) -> np.ndarray | None:
        found = process_mesh(self._single, crop.pixels)
        return crop.to_picture(found[0]) if found else None

    def _score(self, pixels: np.ndarray) -> float:
        with mediapipe_graphs.quiet_stderr():
            found = self._near.process(pixels).detections or []
        return max((float(detection.score[0]) for detection in found), default=0.0)


Box = tuple[np.ndarray, float]
"""Centre (2,) and side of a square, pixels."""


def same_face(one: Box, other: Box) -> bool:
    """Whether two boxes (`face.points.face_box`) are of one face."""
    return bool(np.linalg.norm(one[0] - other[0]) < _SAME_FACE * max(one[1], other[1]))


def detect_faces(image: np.ndarray) -> list[np.ndarray]:
    """Points (478, 3) of every face in an (H, W, 3) uint8 RGB picture, largest first; empty if there is none."""
    with FaceMesh() as mesh:
        return [sighting.landmarks for sighting in mesh.find(check_picture(image))]


def plausibility(image: np.ndarray, landmarks: np.ndarray) -> float:
    """How much the face at points (478, 3) looks like a person's, 0-1; below `MIN_PLAUSIBILITY` it is refused.

    Measured on 14 portraits (paintings and drawings among them, plain, mirrored, darkened, halved, grey) and 25 clips:
    detector score >= .84 and spread <= .0097; on a dog and two cats in 100 crops: score <= .78, spread >= .0083.
    """
    with FaceMesh() as mesh:
        sighting = mesh.look(check_picture(image), *face_box(landmarks))
    return 0.0 if sighting is None else sighting.plausibility


def select_face(image: np.ndarray, face: int | None = None, where: object = None) -> np.ndarray:
    """Points (478, 3) of the face to animate: the largest human one, or number `face` (from 1, largest first).

    `where` names the picture in errors. Raises InputError when there is no face, none that looks human, or when it is
    smaller than `MIN_INTEROCULAR_PX`, and ControlError when there is no face of that number.
    """
    with FaceMesh() as mesh:
        found = mesh.find(check_picture(image, where), every=face is not None)
    return choose(found, face, where).landmarks


def usable(found: list[Sighting]) -> list[Sighting]:
    """The sightings that `choose` would not refuse."""
    human = [sighting for sighting in found if sighting.plausibility >= MIN_PLAUSIBILITY]
    return [sighting for sighting in human if interocular_px(sighting.landmarks) >= MIN_INTEROCULAR_PX]


def choose(found: list[Sighting], face: int | None = None, where: object = None) -> Sighting:
    """One of the sightings, by the rules and with the errors of `select_face`."""
    human = [sighting for sighting in found if sighting.plausibility >= MIN_PLAUSIBILITY]
    if not found:
        raise InputError("no face found", where, "use a picture in which one face is seen clearly from the front")
    if not human:
        raise InputError("the face found does not look human", where, "use a picture of a person")
    if face is not None and not 1 <= face <= len(human):
        count = "one face" if len(human) == 1 else f"{len(human)} faces"
        raise ControlError(f"there is no face {face}, only {count}", where, "faces count from 1, the largest first")
    chosen = human[(face or 1) - 1]
    distance_px = float(interocular_px(chosen.landmarks))
    if distance_px < MIN_INTEROCULAR_PX:
        raise InputError(
            f"the face is too small: {distance_px:.0f} pixels between the outer eye corners",
            where,
            f"use a larger picture ({MIN_INTEROCULAR_PX:.0f} pixels are needed)",
        )
    return chosen


def check_picture(image: np.ndarray, where: object = None) -> np.ndarray:
    """The picture itself, in memory order. Raises InputError unless it is (H, W, 3) uint8 with both sides >= 16."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or min(image.shape[:2]) < 16:
        raise InputError(
            f"a picture of shape {image.shape} and type {image.dtype} cannot be searched for faces",
            where,
            "give (height, width, 3) uint8 RGB, 16 pixels or more a side",
        )
    return np.ascontiguousarray(image)


def eye_line_deg(landmarks: np.ndarray) -> float:
    """Angle in the picture of the line through both eyes' middles, degrees clockwise; 0 for an upright head."""
    across = landmarks[LEFT_EYE, :2].mean(0) - landmarks[RIGHT_EYE, :2].mean(0)
    return float(np.degrees(np.arctan2(across[1], across[0])))


def process_mesh(graph: Any, image: np.ndarray) -> list[np.ndarray]:
    """Points (478, 3) in pixels of every face that a FaceMesh graph sees."""
    with mediapipe_graphs.quiet_stderr():
        found = graph.process(image).multi_face_landmarks or []
    size = np.array([image.shape[1], image.shape[0], image.shape[1]], np.float32)
    return [np.array([(p.x, p.y, p.z) for p in face.landmark], np.float32) * size for face in found]


def _detected_boxes(graph: Any, image: np.ndarray) -> list[Box]:
    """Rough boxes of the faces that a detection graph sees."""
    height, width = image.shape[:2]
    with mediapipe_graphs.quiet_stderr():
        found = graph.process(image).detections or []
    boxes = [detection.location_data.relative_bounding_box for detection in found]
    middles = [np.array([(b.xmin + b.width / 2) * width, (b.ymin + b.height / 2) * height]) for b in boxes]
    return [(middle, 1.2 * b.width * width) for middle, b in zip(middles, boxes, strict=True)]


def _tiles(image: np.ndarray, parts: int) -> list[tuple[slice, slice]]:
    """Squares of 1 / `parts` of the longer side, overlapping by half, that cover the picture."""
    height, width = image.shape[:2]
    side = min(max(height, width) // parts, height, width)
    rows, columns = (
        np.unique(np.linspace(0, extent - side, int(np.ceil(2 * extent / side)) - 1).astype(int))
        for extent in (height, width)
    )
    return [(slice(y, y + side), slice(x, x + side)) for y in rows for x in columns]
