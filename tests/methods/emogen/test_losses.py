"""Equation 1 by hand, when alpha comes on, and what the perceptual network is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from vultus.core.errors import MissingPartError  # noqa: E402
from vultus.methods.emogen.config import PAPER, LossConfig, ablated  # noqa: E402
from vultus.methods.emogen.losses import (  # noqa: E402
    VGG_LAYERS,
    PerceptualLoss,
    Weights,
    perceptual_loss,
    reconstruction_loss,
    total_loss,
)


def test_equation_1_by_hand():
    # .03 x 2 + .01 x 3 + .001 x 5 + .959 x .5
    assert total_loss(2.0, 3.0, 5.0, 0.5, weights=(0.03, 0.01, 0.001)) == pytest.approx(0.5745)
    # before alpha: .01 x 3 + .001 x 5 + .989 x .5
    assert total_loss(2.0, 3.0, 5.0, 0.5, weights=(0.0, 0.01, 0.001)) == pytest.approx(0.5295)
    assert total_loss(2.0, 3.0, 5.0, 0.5, weights=(0.0, 0.0, 0.0)) == 0.5


def test_alpha_comes_on_once_lips_follow_and_stays():
    weights = Weights(PAPER.loss)
    assert weights.now == (0.0, 0.01, 0.001)
    for sync_loss, alpha in ((1.2, 0.0), (0.75, 0.0), (0.749, 0.03), (1.4, 0.03)):
        weights.validated(sync_loss)
        assert weights.now == (alpha, 0.01, 0.001)


def test_rows_without_a_loss_have_no_weight_for_it():
    weights = Weights(ablated(PAPER, "SEQ").loss, feeling=False, in_sync=True)
    assert weights.now == (0.03, 0.0, 0.0)
    assert perceptual_loss(ablated(PAPER, "END").loss) is None


def coloured() -> torch.Tensor:
    """(1, 3, 3, 64, 64): red, then green, then blue."""
    return torch.eye(3)[None, :, :, None, None].expand(1, 3, 3, 64, 64).contiguous()


class Recorder:
    """Stands for VGG-19: its features are the pictures themselves."""

    def __init__(self) -> None:
        self.given: list[torch.Tensor] = []

    def to(self, device: object) -> None:
        """As a module's."""

    def __call__(self, images: torch.Tensor, layers: tuple[str, ...]) -> dict[str, torch.Tensor]:
        self.given.append(images)
        return dict.fromkeys(layers, images)


def test_vgg_is_given_whole_pictures_in_rgb():
    loss = PerceptualLoss("house")
    loss.kind, loss._net = "vgg19", Recorder()
    videos = coloured(), torch.zeros(1, 3, 3, 64, 64)
    assert loss(*videos).item() == pytest.approx(1 / 3)
    truth, made = loss._net.given
    assert made[:, :, 0, 0].tolist() == np.eye(3).tolist() and not truth.any()


def test_vgg_compares_features_under_imagenets_statistics(monkeypatch):
    """The published network normalises by itself: a picture of ImageNet's mean colour gives its first layer zeros."""
    from vultus.perception import published
    from vultus.perception.published.pictures import IMAGENET_MEAN
    from vultus.perception.published.vgg import Vgg19

    torch.manual_seed(1)
    net = Vgg19()
    monkeypatch.setattr(published.Vgg19, "load", classmethod(lambda cls: net))
    loss = PerceptualLoss("vgg19")
    captured = []
    net.features[0].register_forward_pre_hook(lambda _, inputs: captured.append(inputs[0]))
    mean = torch.tensor(IMAGENET_MEAN).reshape(1, 1, 3, 1, 1).expand(1, 2, 3, 32, 32).contiguous().requires_grad_()
    other = coloured()[:, :2, :, :32, :32].contiguous()
    value = loss(mean, other)
    assert captured[1].abs().max() < 1e-5 and captured[0].abs().max() > 1
    features = [net(v.flatten(0, 1), VGG_LAYERS) for v in (mean, other)]
    wanted = np.mean([(features[0][layer] - features[1][layer]).abs().mean().item() for layer in VGG_LAYERS])
    assert value.item() == pytest.approx(wanted, rel=1e-5)
    value.backward()
    assert mean.grad.abs().sum() > 0 and all(p.grad is None for p in net.parameters())


def test_the_house_teacher_tells_pictures_apart():
    loss = PerceptualLoss("house")
    same, other = torch.rand(1, 2, 3, 32, 32), torch.rand(1, 2, 3, 32, 32)
    assert abs(loss(same, same).item()) < 1e-3 < loss(same, other).item()


def test_missing_published_weights_are_said(monkeypatch, tmp_path):
    monkeypatch.setenv("VULTUS_WEIGHTS", str(tmp_path))
    with pytest.raises(MissingPartError, match="vgg19"):
        perceptual_loss(replace(LossConfig(), perceptual="vgg19"))


def test_what_differs_from_the_reference_counts_more():
    truth, reference = torch.zeros(1, 1, 3, 2, 1), torch.zeros(1, 1, 3, 2, 1)
    reference[..., 1, 0] = 0.5
    made = torch.zeros(1, 1, 3, 2, 1)
    made[..., 0, 0], made[..., 1, 0] = 0.2, 0.4
    assert float(reconstruction_loss(made, truth, reference, 0)) == pytest.approx(0.3)
    # weights 1 and 1 + 4 x .5 = 3
    assert float(reconstruction_loss(made, truth, reference, 4)) == pytest.approx((0.2 + 3 * 0.4) / 4)
