"""VGG-19 from a random file of torchvision's format, layer by layer against plain functions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.perception.published import layouts
from vultus.core.errors import InputError
from vultus.perception import published

# torchvision.models.vgg19: number of the convolution in `features`, channels out; poolings come after 2, 7, 16, 25, 34
CONVOLUTIONS = (
    (0, 64), (2, 64), (5, 128), (7, 128), (10, 256), (12, 256), (14, 256), (16, 256),
    (19, 512), (21, 512), (23, 512), (25, 512), (28, 512), (30, 512), (32, 512), (34, 512),
)  # fmt: skip
POOLED_AFTER = (2, 7, 16, 25, 34)
NAMES = (
    "1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "3_4",
    "4_1", "4_2", "4_3", "4_4", "5_1", "5_2", "5_3", "5_4",
)  # fmt: skip


def layout() -> layouts.Layout:
    inputs = (3, *(outputs for _, outputs in CONVOLUTIONS))
    parts = [
        layouts.conv(f"features.{at}", out, into, 3, 3) for (at, out), into in zip(CONVOLUTIONS, inputs, strict=False)
    ]
    parts += [layouts.conv("classifier.0", 4096, 25088), layouts.conv("classifier.3", 4096, 4096)]
    return layouts.merged([*parts, layouts.conv("classifier.6", 1000, 4096)])


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    whole = layout()
    features = {name: shape for name, shape in whole.items() if name.startswith("features")}
    rest = {name: shape for name, shape in whole.items() if name not in features}
    return layouts.random_tensors(features) | layouts.hollow_tensors(rest)


def test_every_layer(tensors, tmp_path) -> None:
    network = published.Vgg19.load(layouts.save(tensors, tmp_path / "vgg19.pth", legacy=True))
    pictures = layouts.noise_pictures(2, 48, 64)
    wanted = [f"{kind}{name}" for name in NAMES for kind in ("conv", "relu")] + [f"pool{i}" for i in range(1, 6)]
    found = network(layouts.images_of(pictures), wanted)
    assert list(found) == sorted(wanted, key=lambda name: network.layers[name])
    reference = layouts.Reference(tensors)
    mean, sd = torch.tensor((0.485, 0.456, 0.406)), torch.tensor((0.229, 0.224, 0.225))
    x = ((layouts.images_of(pictures).permute(0, 2, 3, 1) - mean) / sd).permute(0, 3, 1, 2)
    pools = iter(range(1, 6))
    for (at, _), name in zip(CONVOLUTIONS, NAMES, strict=True):
        x = reference.conv(f"features.{at}", x, padding=1)
        layouts.close(found[f"conv{name}"], x, name)
        x = x.clamp(min=0)
        layouts.close(found[f"relu{name}"], x, name)
        if at in POOLED_AFTER:
            x = F.max_pool2d(x, 2, 2)
            layouts.close(found[f"pool{next(pools)}"], x, name)
    layouts.close(network.embed(pictures, "relu3_4"), found["relu3_4"])
    with pytest.raises(KeyError):
        network(layouts.images_of(pictures), ["relu6_1"])


def test_gradients_reach_the_picture_and_no_weight(tensors, tmp_path) -> None:
    network = published.Vgg19.load(layouts.save(tensors, tmp_path / "vgg19.pth"))
    images = layouts.images_of(layouts.noise_pictures(1, 32, 32)).requires_grad_()
    network(images, ["relu2_1"])["relu2_1"].sum().backward()
    assert images.grad is not None and images.grad.abs().max() > 0
    assert not any(weight.requires_grad for weight in network.parameters()) and not network.training


def test_a_file_without_its_classifier_is_not_the_official_one(tensors, tmp_path) -> None:
    part = {name: tensor for name, tensor in tensors.items() if name.startswith("features")}
    with pytest.raises(InputError, match=r"Vgg19: classifier\.0\.weight is missing"):
        published.Vgg19.load(layouts.save(part, tmp_path / "vgg19.pth"))


def test_pictures_must_be_pictures(tensors, tmp_path) -> None:
    network = published.Vgg19.load(layouts.save(tensors, tmp_path / "vgg19.pth"))
    with pytest.raises(ValueError, match="uint8"):
        network.embed(np.zeros((1, 32, 32, 3), np.float32), "relu1_1")
