"""`perceptual_vultus`: how different two pictures look. Blur, noise, warps and blocks count more than a small shift.

Not LPIPS and no stand-in for it: a small network, trained on rendered pictures to tell how far each was distorted.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vultus.core.errors import InputError
from vultus.perception.judges import Role, load_network, weights_folder

if TYPE_CHECKING:
    from vultus.perception.judges.perceptual_net import PerceptualNet

NAME = "perceptual"
LEAST_PX = 8
_BATCH_PIXELS = 1 << 20


class PerceptualJudge:
    """A trained network; `net(a, b)` is the frozen torch module, a loss through which gradients flow."""

    def __init__(self, net: PerceptualNet) -> None:
        self.net = net

    def distance(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Distances (N,) float32 of pictures (N, H, W, 3) uint8 RGB to others of the same shape.

        0 is equal; a unit is about what a blur with a standard deviation of one pixel does to a face 64 pixels high
        (`training.judges.distortions`). It grows with resolution: compare pictures of one size only. Raises InputError
        for pictures of different shapes or less than `LEAST_PX` wide or high.
        """
        import torch

        if np.shape(a) != np.shape(b):
            raise InputError(f"pictures of {np.shape(a)} and {np.shape(b)} differ in shape", "perceptual", "resize one")
        if min(np.shape(a)[1:3]) < LEAST_PX:
            raise InputError("the pictures are too small", "perceptual", f"give {LEAST_PX} pixels or more")
        step = max(1, _BATCH_PIXELS // (np.shape(a)[1] * np.shape(a)[2]))
        found = [np.zeros(0, np.float32)]
        with torch.no_grad():
            for start in range(0, len(a), step):
                pair = (_tensor(pictures[start : start + step]) for pictures in (a, b))
                found.append(self.net(*pair).numpy())
        return np.concatenate(found)


def _tensor(pictures: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255


def load_perceptual(role: Role = "judge", folder: str | Path | None = None) -> PerceptualJudge:
    """The shipped network in one of its roles, or that in a folder of `vultus train perceptual`.

    Raises MissingPartError without torch or weights, InputError for other weights.
    """

    def build(config: Any) -> PerceptualNet:
        from vultus.perception.judges.perceptual_net import PerceptualNet, PerceptualNetConfig

        return PerceptualNet(PerceptualNetConfig.of(config["net"]))

    net, _ = load_network(folder or weights_folder(NAME, role), build)
    return PerceptualJudge(net)
