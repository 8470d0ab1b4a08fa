"""Equation 1 and its parts. Videos are (B, T, 3, S, S) in 0-1 throughout, so that colour and time stay apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from vultus.methods.emogen.config import LossConfig

VGG_LAYERS = ("relu1_2", "relu2_2", "relu3_4", "relu4_4")
"""Whose features are compared; the text names no layers. The last before each of the first four poolings."""

Perceptual = Callable[[Tensor, Tensor], Tensor]
"""Mean distance of two videos."""


Term = TypeVar("Term", float, Tensor)


def total_loss(
    sync: Term, perceptual: Term, emotion: Term, reconstruction: Term, weights: tuple[float, float, float]
) -> Term:
    """Equation 1: alpha E_sync + beta L_perc + gamma L_emo + (1 - alpha - beta - gamma) L_recon."""
    alpha, beta, gamma = weights
    return alpha * sync + beta * perceptual + gamma * emotion + (1 - alpha - beta - gamma) * reconstruction


def reconstruction_loss(made: Tensor, truth: Tensor, reference: Tensor, changed: float) -> Tensor:
    """Mean absolute difference of videos; a pixel that differs by d from the reference counts 1 + `changed` d times."""
    if not changed:
        return functional.l1_loss(made, truth)
    weight = 1 + changed * (truth - reference).abs().mean(-3, keepdim=True)
    return (weight * (made - truth).abs()).sum() / (weight.sum() * made.shape[-3])


@dataclass
class Weights:
    """The weights of equation 1 as training goes: alpha is 0 until lips follow the voice on validation data."""

    config: LossConfig
    feeling: bool = True
    """Whether there is an emotion loss; the base model has none."""
    in_sync: bool = False

    def validated(self, sync_loss: float) -> None:
        """Note the sync loss on validation data; below `alpha_from` alpha is on from now on (section 2.5)."""
        self.in_sync = self.in_sync or sync_loss < self.config.alpha_from

    @property
    def now(self) -> tuple[float, float, float]:
        """alpha, beta, gamma."""
        config = self.config
        return (
            config.alpha if self.in_sync else 0.0,
            0.0 if config.perceptual == "none" else config.beta,
            config.gamma if self.feeling else 0.0,
        )


class PerceptualLoss:
    """How different videos look to a frozen network: frames one by one, in RGB.

    "vgg19": mean absolute difference of the published network's features, of pictures normalised by ImageNet's
    statistics. "house": our perceptual teacher. Raises MissingPartError for a network that is not there.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        if kind == "vgg19":
            from vultus.perception.published import Vgg19

            self._net: Any = Vgg19.load()
        else:
            from vultus.perception.judges.perceptual import load_perceptual

            self._net = load_perceptual("teacher").net
        self._net.eval().requires_grad_(False)

    def __call__(self, made: Tensor, truth: Tensor) -> Tensor:
        """Mean distance of videos (B, T, 3, S, S)."""
        self._net.to(made.device)
        a, b = made.flatten(0, 1), truth.flatten(0, 1)
        if self.kind == "house":
            distance: Tensor = self._net(a, b).mean()
            return distance
        with torch.no_grad():
            wanted = self._net(b, VGG_LAYERS)
        found = self._net(a, VGG_LAYERS)
        return torch.stack([functional.l1_loss(found[layer], wanted[layer]) for layer in VGG_LAYERS]).mean()


def perceptual_loss(config: LossConfig) -> Perceptual | None:
    """The one that the configuration names, or None. Raises MissingPartError."""
    return None if config.perceptual == "none" else PerceptualLoss(config.perceptual)
