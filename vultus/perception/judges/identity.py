"""`identity_vultus`: is this the same person? By pixels and by the shape of the face.

Not ArcFace, and no stand-in for CSIM: a small network, trained on rendered people, that has never seen a photograph.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vultus.perception.judges import Role, load_network, weights_folder
from vultus.perception.judges.face_crops import aligned_faces
from vultus.perception.judges.upright import mean_face, upright

if TYPE_CHECKING:
    from vultus.perception.judges.identity_net import IdentityNet

NAME = "identity"
_BATCH = 64


class IdentityJudge:
    """A trained network; `net` is the frozen torch module, through which gradients flow."""

    def __init__(self, net: IdentityNet) -> None:
        self.net = net

    def embed(self, pictures: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Unit vectors (N, D) float32 of faces: their dot products are cosines, near 1 for the same person.

        Args:
            pictures: (N, H, W, 3) uint8 RGB, or as many pictures of any sizes.
            landmarks: (N, 468 or 478, 3) in pixels of the pictures (`face.landmarks`).

        The mean of a person's vectors, over a clip, tells more than any one of them.
        """
        import torch

        faces = aligned_faces(pictures, landmarks, self.net.config.side_px)
        shapes = shape_numbers(landmarks)
        found = [np.zeros((0, 2 * self.net.config.embedding), np.float32)]
        with torch.no_grad():
            for start in range(0, len(faces), _BATCH):
                part = slice(start, start + _BATCH)
                pixels = torch.from_numpy(faces[part]).permute(0, 3, 1, 2).float() / 255
                found.append(self.net(pixels, torch.from_numpy(shapes[part])).numpy())
        return np.concatenate(found)


def shape_numbers(landmarks: np.ndarray) -> np.ndarray:
    """(N, 468, 3) float32: where the skin's points lie, less the mean head's, in distances of the outer eye corners."""
    points = np.asarray(landmarks)[:, :468]
    return (upright(points) - mean_face()[:468]).astype(np.float32)


def load_identity(role: Role = "judge", folder: str | Path | None = None) -> IdentityJudge:
    """The shipped network in one of its roles, or that in a folder of `vultus train identity`.

    Raises MissingPartError without torch or weights, InputError for other weights.
    """

    def build(config: Any) -> IdentityNet:
        from vultus.perception.judges.identity_net import IdentityNet, IdentityNetConfig

        return IdentityNet(IdentityNetConfig.of(config["net"]))

    net, _ = load_network(folder or weights_folder(NAME, role), build)
    return IdentityJudge(net)
