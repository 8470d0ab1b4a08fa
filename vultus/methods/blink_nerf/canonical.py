"""From where a face's points are seen to where they lie while it rests (ours, after the deformable fields).

A field that must hold every mouth in one place learns the average of them, and lips that part by a pixel stay shut.
Here a sample is first carried back by the motion of the landmarks around it, so that lips, chin, brows and lids lie in
one place whatever they do, and the codes need only say what the motion leaves open: teeth, folds, shadow.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vultus.methods.blink_nerf.ragged import side_by_side

REACH = 0.35
"""How far a landmark carries what is around it, in distances between the outer eye corners: to 1/e."""
_RIDGE = 1e-3
"""Two landmarks that fall on each other cannot both be followed exactly."""
_OUTER_EYE_CORNERS = (36, 45)


@dataclass(frozen=True)
class Pull:
    """The way back in B frames."""

    at: Tensor
    """(B, 68, 2) where landmarks are seen, head units: across and up; depth does not matter."""
    weights: Tensor
    """(B, 68, 3) of the kernels around them, head units."""


class Canonical(nn.Module):
    """Carries points to the resting face, by kriging of the landmarks' own ways there.

    The move of a point x is sum_i w_i exp(-|x - l_i| / reach), with weights such that every landmark l_i lands on its
    place of rest. Landmarks that stay there are anchors: what is around them stays.
    """

    rest: Tensor
    reach: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("rest", torch.zeros(68, 3))
        self.register_buffer("reach", torch.ones(()))

    @torch.no_grad()
    def fit(self, landmarks: Tensor) -> None:
        """Learn the resting face from landmarks (T, 68, 3)."""
        self.rest.copy_(landmarks.mean(0))
        first, second = _OUTER_EYE_CORNERS
        self.reach.copy_(REACH * (self.rest[first] - self.rest[second]).norm())

    @torch.no_grad()
    def pull(self, landmarks: Tensor) -> Pull:
        """The way back of frames with landmarks (B, 68, 3)."""
        seen = landmarks[..., :2].contiguous()
        distance = torch.cdist(seen, seen, compute_mode="donot_use_mm_for_euclid_dist")
        kernel = torch.exp(-distance / self.reach) + _RIDGE * torch.eye(seen.shape[1], device=seen.device)
        return Pull(seen, torch.linalg.solve(kernel, self.rest - landmarks))

    @torch.no_grad()
    def forward(self, points: Tensor, pull: Pull, each: Tensor) -> Tensor:
        """Points (M, 3) in head units, seen in frames `each` (M,) of B in ascending order, -> where they rest."""
        seen, where = side_by_side(points[:, :2], each, len(pull.at))
        near = torch.cdist(seen, pull.at).div_(-self.reach).exp_()  # (B, most of a frame, 68)
        return points + torch.bmm(near, pull.weights)[each, where]
