"""Training of the judge of identity: people are drawn from the head model, as points, and told apart in closed form.

`vultus train identity DATA OUT` takes seconds and reads nothing: DATA is any folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vultus.core.pose import matrix_from_degrees
from vultus.face.head import FLIP, embedded_head
from vultus.perception.judges.identity import POINTS, shape_numbers
from vultus.training.judges.sync_trials import area_under_roc
from vultus.training.stage import Run, Share, Stage

SHOWN_SHARE = 0.4
"""Of the expression weights, those that are not 0; these follow a beta distribution (1, 6)."""
TURN_SD_DEG = (15.0, 8.0, 5.0)
"""Yaw, pitch and roll."""
DEPTH_SD, SHEAR_SD = 0.12, 0.08
"""FaceMesh's guess of depth: log of its scale, and depth that a place across or along the face adds by mistake."""
NOISE_SD = 0.05
"""Of every point, in head units (about cm)."""
VALIDATION_SEED = 0x7E57


@dataclass(frozen=True)
class IdentityConfig:
    """Everything a judge of identity is made of."""

    people: int = 600
    faces: int = 8
    """Of each person."""
    batch: int = 50
    """People drawn in one step."""
    dimensions: int = 48
    ridge: float = 1e-4
    """Added to the variance within people, in squared distances of the outer eye corners."""
    seed: int = 0


PRESETS: dict[str, IdentityConfig] = {"judge": IdentityConfig(seed=1), "teacher": IdentityConfig(seed=2)}


def stages(config: IdentityConfig, data: Path) -> Sequence[Stage]:
    """The one stage there is."""
    return [Discriminant(config)]


def drawn_shapes(people: int, faces: int, rng: np.random.Generator) -> np.ndarray:
    """`shape_numbers` (people, faces, 2 POINTS) of people drawn from the head model, each with other expressions."""
    head = embedded_head()
    build = np.tensordot(rng.standard_normal((people, len(head.identity_basis))), _modes(head.identity_basis), 1)
    count = people * faces
    weights = rng.beta(1, 6, (count, len(head.expression_basis)))
    weights *= rng.random(weights.shape) < SHOWN_SHARE
    points = head.landmarks478(head.mean) + np.repeat(build, faces, 0)
    points = points + np.tensordot(weights, _modes(head.expression_basis), 1)
    points = np.einsum("nij,npj->npi", matrix_from_degrees(rng.normal(0, TURN_SD_DEG, (count, 3))), points)
    shear = SHEAR_SD * rng.standard_normal((2, count, 1))
    depth = points[..., 2] * np.exp(DEPTH_SD * rng.standard_normal((count, 1)))
    points[..., 2] = depth + shear[0] * points[..., 0] + shear[1] * points[..., 1]
    points += NOISE_SD * rng.standard_normal(points.shape)
    return shape_numbers(points @ FLIP).reshape(people, faces, 2 * POINTS)


def _modes(basis: np.ndarray) -> np.ndarray:
    return embedded_head().landmarks478(basis).astype(np.float64)


class Projection(nn.Module):
    """What is learned: see `perception.judges.identity.IdentityJudge`."""

    mean: Tensor
    projection: Tensor

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(2 * POINTS))
        self.register_buffer("projection", torch.zeros(2 * POINTS, dimensions))

    def forward(self, shapes: Tensor) -> Tensor:
        """Unit vectors (..., dimensions) of shapes (..., 2 POINTS)."""
        return nn.functional.normalize((shapes - self.mean) @ self.projection, dim=-1)


class Discriminant:
    """Linear discriminant analysis (Fisher 1936, Rao 1948): scatter is summed step by step and solved in the last."""

    name = "discriminant"
    needs: tuple[str, ...] = ()

    def __init__(self, config: IdentityConfig) -> None:
        self.config = config
        self.steps = max(1, config.people // config.batch)
        self.net = Projection(config.dimensions)
        size = 2 * POINTS
        self._seen = 0
        self._sums = {"people": torch.zeros(size, dtype=torch.float64)}
        self._sums |= {name: torch.zeros(size, size, dtype=torch.float64) for name in ("within", "between")}

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {"net": self.net}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`: none, the solution is in closed form."""
        return {}

    def batches(self, start: int, share: Share) -> Iterator[Tensor]:
        """See `Stage`: shapes (people, faces, 2 POINTS). Every process draws all of them."""
        step = start
        while True:
            rng = np.random.default_rng((self.config.seed, step))
            yield torch.from_numpy(drawn_shapes(self.config.batch, self.config.faces, rng))
            step += 1

    def step(self, batch: Tensor, run: Run) -> Mapping[str, float]:
        """See `Stage`."""
        shapes = batch.double().cpu()
        means = shapes.mean(1)
        within = (shapes - means[:, None]).flatten(0, 1)
        self._sums["people"] += means.sum(0)
        self._sums["within"] += within.T @ within
        self._sums["between"] += means.T @ means
        self._seen += len(means)
        if self._seen >= self.steps * self.config.batch:
            self._solve()
        return {"within": float(within.square().mean()), "between": float(means.var(0).mean())}

    def _solve(self) -> None:
        """The directions in which the variance between people, over that within, is largest, of all seen so far."""
        mean = self._sums["people"] / self._seen
        values, axes = torch.linalg.eigh(self._sums["within"] / (self._seen * (self.config.faces - 1)))
        whitening = axes / torch.sqrt(values.clamp_min(0) + self.config.ridge)
        between = self._sums["between"] / self._seen - torch.outer(mean, mean)
        _, directions = torch.linalg.eigh(whitening.T @ between @ whitening)
        self.net.mean.copy_(mean)
        self.net.projection.copy_(whitening @ directions.flip(1)[:, : self.config.dimensions])

    def validate(self, run: Run) -> Mapping[str, float]:
        """AUC of same against other person, over single faces of people drawn anew."""
        rng = np.random.default_rng(VALIDATION_SEED)
        vectors = self.net.cpu()(torch.from_numpy(drawn_shapes(40, 4, rng))).flatten(0, 1)
        run.fabric.to_device(self.net)
        person = torch.arange(40).repeat_interleave(4)
        upper = torch.ones(160, 160, dtype=torch.bool).triu(1)
        same, cosines = person[:, None] == person[None], vectors @ vectors.T
        return {"auc": area_under_roc(cosines[upper & same].numpy(), cosines[upper & ~same].numpy())}

    def state_dict(self) -> dict[str, Any]:
        """See `Stage`."""
        return {"seen": self._seen, **self._sums}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Stage`."""
        self._seen = state["seen"]
        self._sums = {name: value for name, value in state.items() if name != "seen"}
