"""A short film with known lips, made here: the astronaut opens the mouth, vanishes for a frame, and is cut twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.core.method import Look
from vultus.core.types import FaceTrack, Footage, Frames, Performance, Portrait
from vultus.face.footage import face_track
from vultus.face.points import FOOTAGE_POINTS, OVAL, lip_opening
from vultus.face.stream import FaceStream
from vultus.face.track import track_stream
from vultus.methods.portrait.model import PhotoRenderer

FPS, SIDE_PX = 25.0, 256
SHUT, OPEN = slice(2, 8), slice(14, 20)
"""Frames of the first shot in which the mouth is surely shut, and surely open."""
FACELESS, SECOND, THIRD, COUNT = 26, 27, 34, 42
"""The frame without a face, the first ones of the second and third shot, and how many there are."""


@dataclass(frozen=True)
class MadeVideo:
    """A video that lies in memory; stands for `video.original.Original`."""

    images: tuple[np.ndarray, ...]
    path: Path = Path("made.mp4")

    def frames(self) -> Frames:
        """All frames, from the first one on."""
        height, width = self.images[0].shape[:2]
        return Frames(iter(self.images), FPS, width, height, len(self.images))


@dataclass(frozen=True)
class Film:
    """Frames, what was asked of the mouth in them, and the track of the face that shows in them."""

    video: MadeVideo
    jaw: np.ndarray
    """(T,) weight of jawOpen."""
    track: FaceTrack

    @property
    def images(self) -> tuple[np.ndarray, ...]:
        return self.video.images

    @property
    def footage(self) -> Footage:
        return Footage(self.video.frames, self.track)


def speech(jaw: np.ndarray | Sequence[float]) -> Performance:
    """A driver's performance of an opening mouth (T,) and nothing else."""
    expression = np.zeros((len(jaw), len(ARKIT52)), np.float32)
    expression[:, index_of("jawOpen")] = jaw
    return replace(Performance.neutral(len(jaw), FPS), expression=expression)


def make_film(portrait: Portrait) -> Film:
    """Draw and track the film; about three seconds."""
    jaw = np.zeros(COUNT)
    jaw[10:FACELESS] = 0.4 * np.sin(np.pi * np.arange(FACELESS - 10) / 15) ** 2
    jaw[SECOND:THIRD] = 0.3
    drawn = PhotoRenderer(portrait, Look(fps=FPS, crop="face", size=SIDE_PX)).play([speech(jaw)], COUNT)
    images = []
    for t, image in enumerate(drawn):
        shift = (0, 0) if t < SECOND else (34, 10) if t < THIRD else (-30, 16)
        moved = cv2.warpAffine(image, np.float32([[1, 0, shift[0]], [0, 1, shift[1]]]), (SIDE_PX, SIDE_PX),
                               borderMode=cv2.BORDER_REFLECT)  # fmt: skip
        images.append(np.full_like(image, 90) if t == FACELESS else moved)
        images[-1].flags.writeable = False
    video = MadeVideo(tuple(images))
    return Film(video, jaw, face_track(track_stream(video.frames()), FPS))


def gaps_seen(images: Iterable[np.ndarray]) -> np.ndarray:
    """Gap of the inner lips (T,) in widths of the mouth, as FaceMesh sees it."""
    with FaceStream() as stream:
        found = [stream.next(image) for image in images]
    return np.array([np.nan if points is None else lip_opening(points) for points in found])


def far_from_face(track: FaceTrack, t: int, reach: float) -> np.ndarray:
    """(SIDE_PX, SIDE_PX) bool: pixels outside a circle around the face that is `reach` times its outline's."""
    outline = track.points[t, [FOOTAGE_POINTS.index(k) for k in OVAL]]
    middle = outline.mean(0)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] + 0.5
    return np.hypot(x - middle[0], y - middle[1]) > reach * np.linalg.norm(outline - middle, axis=1).max()
