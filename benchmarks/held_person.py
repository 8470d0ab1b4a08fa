"""A person's held-out frames: rendered, compared region by region with the truth and with nulls, and tracked again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np

from vultus.face import mediapipe_graphs
from vultus.face.landmarks import process_mesh
from vultus.face.points import eye_aspect_ratio, interocular_px
from vultus.methods.blink_nerf.data import person_in
from vultus.methods.blink_nerf.infer import Painter, TrainedPerson
from vultus.methods.blink_nerf.material import LOOKS, Material, material, projected
from vultus.methods.blink_nerf.model import Signals

TRACK_PX = 512
"""Pictures are enlarged to this before FaceMesh looks at them."""
REGIONS = ("whole", "face", "mouth", "eyes")
Change = Callable[[Signals], Signals]


class Held:
    """The held-out frames of a person, and one who was trained to show them."""

    def __init__(self, data: Path, weights: Path, every: int = 1) -> None:
        self.shown = TrainedPerson.load(weights)
        config = self.shown.net.config
        self.person = person_in(data, config.size, config.ear)
        self.made: Material = material(self.person, config.size, config.layer)
        self.size, self.frames = config.size, self.made.test[::every]
        self.truth = self.made.pictures.view(-1, self.size, self.size, 3).numpy()
        self.marks = projected(self.person, self.size)

    def pictures(self, change: Change = lambda signals: signals) -> np.ndarray:
        """(N, S, S, 3) uint8 of the held-out frames' own signals, or changed ones."""
        painter = Painter(self.shown.net, self.size)
        seen = (painter.picture(change(self.made.signals.at(slice(k, k + 1)))) for k in self.frames)
        return np.stack([np.clip(np.round(255 * picture), 0, 255).astype(np.uint8) for picture in seen])

    def regions(self, frame: int) -> dict[str, np.ndarray]:
        """(S, S) bool of each region: the face is the hull of its landmarks, mouth and eyes are boxes."""
        hull = cv2.convexHull(self.marks[frame].reshape(-1, 1, 2)).round().astype(np.int32)
        face = cv2.fillConvexPoly(np.zeros((self.size, self.size), np.uint8), hull, 1).astype(bool)
        found = {"whole": np.ones_like(face), "face": face}
        for name in ("mouth", "eyes"):
            left, top, right, bottom = self.made.boxes[frame, list(LOOKS).index(name)].round().astype(int)
            found[name] = np.zeros_like(face)
            found[name][top:bottom, left:right] = True
        return found

    def errors(self, pictures: np.ndarray) -> dict[str, np.ndarray]:
        """Mean squared error, of 0-1, in each region of each frame (N,)."""
        rows: dict[str, list[float]] = {name: [] for name in REGIONS}
        for picture, frame in zip(pictures, self.frames, strict=True):
            squared = ((picture.astype(np.float32) - self.truth[frame]) / 255) ** 2
            for name, region in self.regions(frame).items():
                rows[name].append(float(squared[region].mean()))
        return {name: np.array(row) for name, row in rows.items()}

    def nulls(self) -> dict[str, np.ndarray]:
        """Pictures without any model: the nearest training frame by its landmarks, and warped onto them."""
        known = self.made.train
        flat = self.marks.reshape(len(self.marks), -1)
        nearest = [known[np.argmin(((flat[known] - flat[k]) ** 2).sum(1))] for k in self.frames]
        warped = []
        for from_frame, frame in zip(nearest, self.frames, strict=True):
            move, _ = cv2.estimateAffinePartial2D(self.marks[from_frame], self.marks[frame], method=cv2.LMEDS)
            warped.append(
                cv2.warpAffine(self.truth[from_frame], move, (self.size, self.size), borderMode=cv2.BORDER_REPLICATE)
            )
        mean = self.truth[known[:: max(1, len(known) // 200)]].mean(0).astype(np.uint8)
        return {
            "mean image": np.repeat(mean[None], len(self.frames), 0),
            "nearest": self.truth[nearest],
            "nearest warped": np.stack(warped),
        }


def decibels(errors: np.ndarray) -> float:
    """Mean over frames of their PSNR in dB."""
    return float(np.mean(-10 * np.log10(np.maximum(errors, 1e-9))))


def pooled_decibels(errors: np.ndarray) -> float:
    """PSNR in dB of the mean error: here few bad frames, such as missed blinks, count."""
    return float(-10 * np.log10(errors.mean()))


def bottom_share(pictures: np.ndarray, held: Held) -> float:
    """Share of the squared error that lies in the bottom third of the picture, where the torso is."""
    squared = (pictures.astype(np.float32) - held.truth[held.frames]) ** 2
    return float(squared[:, 2 * held.size // 3 :].sum() / squared.sum())


def track(pictures: Iterable[np.ndarray]) -> np.ndarray:
    """FaceMesh's points (N, 478, 3) in pixels at `TRACK_PX`, each picture on its own; not a number where none."""
    graph = mediapipe_graphs.face_mesh(stream=False, min_detection=0.2)
    found = []
    for picture in pictures:
        large = cv2.resize(picture, (TRACK_PX, TRACK_PX), interpolation=cv2.INTER_CUBIC)
        faces = process_mesh(graph, large)
        found.append(faces[0] if faces else np.full((478, 3), np.nan, np.float32))
    graph.close()
    return np.stack(found)


def aperture(points: np.ndarray) -> np.ndarray:
    """Gap between the inner lips (N,) in inter-ocular distances."""
    gap = np.linalg.norm(points[:, [13, 82, 312], :2] - points[:, [14, 87, 317], :2], axis=2).mean(1)
    return gap / interocular_px(points)


def eye(points: np.ndarray) -> np.ndarray:
    """Eye aspect ratio (N,), mean of both eyes."""
    return eye_aspect_ratio(points).mean(1)
