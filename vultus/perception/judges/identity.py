"""`identity_vultus`: is this the same person? By the shape of the face alone, as FaceMesh sees it; numpy only.

Not ArcFace, and no stand-in for CSIM: it sees neither skin nor eyes nor hair, only where the points of the face lie. A
linear map brings shapes to vectors in which people differ and expressions do not (Fisher 1936).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vultus.core.errors import InputError
from vultus.core.weights import load_arrays
from vultus.perception.judges import Role, weights_folder
from vultus.perception.judges.upright import mean_face, upright

NAME = "identity"
POINTS = 468
"""FaceMesh points of the skin."""
TENSORS = {"mean", "projection"}


class IdentityJudge:
    """Vectors of faces: (shape - `mean` (2 POINTS,)) @ `projection` (2 POINTS, D), scaled to length 1."""

    def __init__(self, mean: np.ndarray, projection: np.ndarray) -> None:
        self.mean, self.projection = mean, projection

    def embed(self, pictures: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Unit vectors (N, D) float32 of faces: their dot products are cosines, near 1 for the same person.

        Args:
            pictures: (N, H, W, 3) uint8 RGB, as every judge of identity is given; this one does not look at them.
            landmarks: (N, 468 or 478, 3) in pixels of the pictures (`face.landmarks`).

        The mean of a person's vectors, over a clip, tells more than any one of them.
        """
        vectors = (shape_numbers(landmarks) - self.mean) @ self.projection
        unit: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return unit.astype(np.float32)

    def vector(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """`embed` for one face: the unit vector (D,) of that at `landmarks` (468 or 478, 3) of a picture (H, W, 3)."""
        return self.embed(picture[None], landmarks[None])[0]


def shape_numbers(landmarks: np.ndarray) -> np.ndarray:
    """(N, 2 POINTS) float32: how far to the right of the mean head's, and above, the skin's points lie.

    The head's pose is taken out (`upright`); in distances of the outer eye corners. FaceMesh's depth is left out: it
    guesses more of it than it sees.
    """
    points = upright(np.asarray(landmarks)[:, :POINTS])
    return (points - mean_face()[:POINTS])[..., :2].reshape(len(points), 2 * POINTS).astype(np.float32)


def load_identity(role: Role = "judge", folder: str | Path | None = None) -> IdentityJudge:
    """The shipped map in one of its roles, or that in a folder of `vultus train identity`.

    Raises MissingPartError without weights, InputError for other weights.
    """
    folder = folder or weights_folder(NAME, role)
    tensors, _ = load_arrays(folder)
    if set(tensors) != TENSORS:
        raise InputError("these weights are not of a judge of identity", folder, "train one anew")
    return IdentityJudge(**tensors)
