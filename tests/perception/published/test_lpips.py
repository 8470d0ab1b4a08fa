"""LPIPS from random files of the official formats, layer by layer against plain functions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.perception.published import layouts
from vultus.core.errors import InputError, MissingPartError
from vultus.perception import published
from vultus.perception.published.store import STORE_VARIABLE

# torchvision.models.alexnet; lpips/weights/v0.1/alex.pth
CONVOLUTIONS = (("features.0", 64, 3, 11), ("features.3", 192, 64, 5), ("features.6", 384, 192, 3))
CONVOLUTIONS += (("features.8", 256, 384, 3), ("features.10", 256, 256, 3))
HEADS = {f"lin{i}.model.1.weight": (1, channels, 1, 1) for i, channels in enumerate((64, 192, 384, 256, 256))}


def alexnet_layout() -> layouts.Layout:
    parts = [layouts.conv(name, out, into, size, size) for name, out, into, size in CONVOLUTIONS]
    parts += [layouts.conv("classifier.1", 4096, 9216), layouts.conv("classifier.4", 4096, 4096)]
    return layouts.merged([*parts, layouts.conv("classifier.6", 1000, 4096)])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lpips")
    whole = alexnet_layout()
    features = {name: shape for name, shape in whole.items() if name.startswith("features")}
    rest = {name: shape for name, shape in whole.items() if name not in features}
    tensors = layouts.random_tensors(features) | layouts.hollow_tensors(rest)
    heads = {name: tensor.abs() for name, tensor in layouts.random_tensors(HEADS, seed=1).items()}
    paths = layouts.save(tensors, folder / "alexnet.pth"), layouts.save(heads, folder / "alex.pth", legacy=True)
    return *paths, tensors, heads


def activations(tensors, pictures) -> list[torch.Tensor]:
    reference = layouts.Reference(tensors)
    x = layouts.images_of(pictures) * 2 - 1
    x = (x - torch.tensor((-0.030, -0.088, -0.188)).view(3, 1, 1)) / torch.tensor((0.458, 0.448, 0.450)).view(3, 1, 1)
    kept = []
    for name, stride, padding in (("0", 4, 2), ("3", 1, 2), ("6", 1, 1), ("8", 1, 1), ("10", 1, 1)):
        if name in ("3", "6"):
            x = F.max_pool2d(x, 3, 2)
        x = reference.conv(f"features.{name}", x, stride, padding).clamp(min=0)
        kept.append(x)
    return kept


def test_every_layer_and_the_distance(files) -> None:
    alexnet, heads_file, tensors, heads = files
    network = published.Lpips.load(alexnet, heads_file)
    recorder = layouts.Recorder(network.network)
    a, b = layouts.noise_pictures(9, 64, 80), layouts.noise_pictures(9, 64, 80, seed=1)
    b[0] = a[0]
    ours = network(layouts.images_of(a), layouts.images_of(b))
    of_a, of_b = activations(tensors, a), activations(tensors, b)
    for number, values in zip((1, 4, 7, 9, 11), of_b, strict=True):
        layouts.close(recorder.seen[f"features.{number}"], values)  # b went through last
    expected = np.zeros(9)
    for head, one, other in zip(heads.values(), of_a, of_b, strict=True):
        unit, unit_of_other = (x / (x.pow(2).sum(1, keepdim=True).sqrt() + 1e-10) for x in (one, other))
        weighted = ((unit - unit_of_other) ** 2 * head[0]).sum(1)  # (N, H, W)
        expected += weighted.mean((1, 2)).numpy()
    layouts.close(ours, expected)
    distances = network.distance(a, b)
    np.testing.assert_allclose(distances, expected, rtol=1e-4)
    assert distances[0] == 0 and distances[1:].min() > 0


def test_empty_and_unequal_pictures(files) -> None:
    network = published.Lpips.load(*files[:2])
    assert network.distance(layouts.noise_pictures(0, 64, 64), layouts.noise_pictures(0, 64, 64)).shape == (0,)
    with pytest.raises(ValueError, match="one shape"):
        network.distance(layouts.noise_pictures(1, 64, 64), layouts.noise_pictures(2, 64, 64))


def test_a_black_picture_has_a_distance(files) -> None:
    network = published.Lpips.load(*files[:2])
    black = np.zeros((1, 64, 64, 3), np.uint8)
    assert np.isfinite(network.distance(black, layouts.noise_pictures(1, 64, 64))).all()


def test_heads_must_be_those_of_alexnet(files, tmp_path) -> None:
    of_vgg = {f"lin{i}.model.1.weight": (1, channels, 1, 1) for i, channels in enumerate((64, 128, 256, 512, 512))}
    path = layouts.save(layouts.random_tensors(of_vgg), tmp_path / "vgg.pth")
    with pytest.raises(InputError, match=r"lin1\.model\.1\.weight is \(1, 128, 1, 1\) instead of \(1, 192, 1, 1\)"):
        published.Lpips.load(files[0], path)


def test_without_weights_the_command_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path))
    with pytest.raises(MissingPartError, match="vultus weights fetch lpips-alex"):
        published.Lpips.load()
    for name in published.__all__:
        with pytest.raises(MissingPartError, match="vultus weights fetch"):
            getattr(published, name).load()
