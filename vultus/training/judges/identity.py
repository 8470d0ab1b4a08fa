"""Training of the judge of identity: which of many people who do not exist is this?

`vultus train identity DATA OUT`: DATA is any folder; the pictures are drawn into DATA/faces in the first run, two
seconds a person, and kept there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.core.errors import InputError
from vultus.perception.judges.face_crops import aligned_faces
from vultus.perception.judges.identity import shape_numbers
from vultus.perception.judges.identity_net import IdentityNet, IdentityNetConfig
from vultus.training.judges.face_pictures import TAKES, sitters
from vultus.training.judges.photographing import photographed
from vultus.training.judges.sync_trials import area_under_roc
from vultus.training.stage import Run, Share, Stage, shuffled

FACES_FOLDER = "faces"
MARGIN, SCALE = 0.25, 18.0
"""Of CosFace (Wang et al. 2018): by so much the right cosine must win, and what cosines are multiplied with."""
SHAPE_NOISE = 0.006
"""Of the points, in distances of the outer eye corners: FaceMesh's own trembling."""
HELD_OUT = 0.1
"""Share of the people, the last ones, that validation is for."""
PULL = 0.02
"""Weight decay."""
LEAST_PEOPLE = 20


@dataclass(frozen=True)
class IdentityConfig:
    """Everything a judge of identity is made of."""

    net: IdentityNetConfig = field(default_factory=IdentityNetConfig)
    people: int = 120
    people_seed: int = 0
    """Of the set of rendered people."""
    steps: int = 600
    batch: int = 48
    lr: float = 2e-3
    seed: int = 0


PRESETS: dict[str, IdentityConfig] = {"judge": IdentityConfig(seed=1), "teacher": IdentityConfig(seed=2)}


@dataclass(frozen=True)
class Album:
    """All pictures: `faces` (n, 3, side, side) uint8, `shapes` (n, POINTS, 3), `person` and `look` (n,) numbers."""

    faces: Tensor
    shapes: Tensor
    person: Tensor
    look: Tensor

    def part(self, chosen: Tensor) -> Album:
        """The pictures where `chosen` (n,) is true."""
        return Album(self.faces[chosen], self.shapes[chosen], self.person[chosen], self.look[chosen])


def stages(config: IdentityConfig, data: Path) -> Sequence[Stage]:
    """The one stage there is."""
    album = album_of(config, data)
    torch.manual_seed(config.seed)
    return [Recognition(config, album)]


def album_of(config: IdentityConfig, data: Path) -> Album:
    """The pictures of a configuration, drawn where they are not there yet. Raises InputError for too few people."""
    if config.people < LEAST_PEOPLE:
        raise InputError(f"{config.people} people are too few to tell apart", "people", f"give {LEAST_PEOPLE} or more")
    faces, shapes, person, look = [], [], [], []
    for number, sitter in enumerate(sitters(data / FACES_FOLDER, config.people, config.people_seed)):
        faces.append(aligned_faces(sitter.pictures, sitter.landmarks, config.net.side_px))
        shapes.append(shape_numbers(sitter.landmarks))
        person.append(np.full(len(sitter.pictures), number))
        look.append(sitter.take // TAKES)
    pixels = torch.from_numpy(np.concatenate(faces)).permute(0, 3, 1, 2).contiguous()
    numbers = (torch.from_numpy(np.concatenate(part)) for part in (person, look))
    return Album(pixels, torch.from_numpy(np.concatenate(shapes)), *numbers)


class Classes(nn.Module):
    """A direction for each person in the space of a tower (CosFace); of use in training only."""

    def __init__(self, people: int, embedding: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(people, embedding) * 0.1)

    def forward(self, vectors: Tensor, person: Tensor) -> Tensor:
        """The loss of unit vectors (B, embedding) that belong to persons (B,)."""
        cosines = vectors @ functional.normalize(self.directions).T
        taken = functional.one_hot(person, len(self.directions)).to(cosines)
        return functional.cross_entropy(SCALE * (cosines - MARGIN * taken), person)


class Recognition:
    """Both towers learn to name each person, however lit, dressed, turned and moved."""

    name = "recognition"
    needs: tuple[str, ...] = ()

    def __init__(self, config: IdentityConfig, album: Album) -> None:
        self.config, self.steps = config, config.steps
        known = round((1 - HELD_OUT) * config.people)
        self.album, self.held_out = album.part(album.person < known), album.part(album.person >= known)
        self.net = IdentityNet(config.net)
        self.by_pixels, self.by_shape = (Classes(known, config.net.embedding) for _ in range(2))

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {"net": self.net, "by_pixels": self.by_pixels, "by_shape": self.by_shape}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`."""
        learning = [parameter for module in self.modules().values() for parameter in module.parameters()]
        optimizer = torch.optim.AdamW(learning, self.config.lr, weight_decay=PULL)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.config.lr, total_steps=self.steps, pct_start=0.15
        )
        return {"net": optimizer}

    def batches(self, start: int, share: Share) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """See `Stage`: faces (B, 3, side, side) uint8, shapes (B, POINTS, 3), persons (B,)."""
        album = self.album
        for chosen in shuffled(len(album.person), self.config.batch, self.config.seed, start, share):
            yield album.faces[chosen], album.shapes[chosen], album.person[chosen]

    def step(self, batch: tuple[Tensor, Tensor, Tensor], run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        faces, shapes, person = batch
        shapes = shapes + SHAPE_NOISE * torch.randn_like(shapes)
        seen, built = run.modules["net"].towers(photographed(faces.float() / 255), shapes)
        losses = {
            "by_pixels": run.modules["by_pixels"](seen, person),
            "by_shape": run.modules["by_shape"](built, person),
        }
        optimizer = run.optimizers["net"]
        optimizer.zero_grad()
        run.fabric.backward(losses["by_pixels"] + losses["by_shape"])
        optimizer.step()
        self._schedule.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def validate(self, run: Run) -> Mapping[str, float]:
        """AUC of same against other person, over pictures of people not learned from, in two different looks."""
        album = self.held_out
        faces, shapes = run.fabric.to_device(album.faces.float() / 255), run.fabric.to_device(album.shapes)
        seen, built = (part.cpu() for part in run.modules["net"].towers(faces, shapes))
        other_look = album.look[:, None] != album.look[None]
        upper = torch.ones_like(other_look).triu(1)
        same = album.person[:, None] == album.person[None]
        found = {"auc_pixels": seen @ seen.T, "auc_shape": built @ built.T}
        found["auc"] = found["auc_pixels"] + found["auc_shape"]
        return {
            name: area_under_roc(cosines[upper & same & other_look].numpy(), cosines[upper & ~same].numpy())
            for name, cosines in found.items()
        }

    def state_dict(self) -> dict[str, Any]:
        """See `Stage`."""
        return {"schedule": self._schedule.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Stage`."""
        self._schedule.load_state_dict(state["schedule"])
