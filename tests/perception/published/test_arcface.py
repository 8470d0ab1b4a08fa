"""Face recognition from random files of insightface's and CurricularFace's formats, layer by layer; alignment."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.perception.published import layouts
from vultus.core.errors import InputError
from vultus.perception import published
from vultus.perception.published.arcface import FIVE_POINTS, TEMPLATE_PX, aligned_faces, similarity
from vultus.perception.published.checkpoint import build

STAGES = ((64, 64), (64, 128), (128, 256), (256, 512))
SMALL = (2, 1, 1, 1)


def arcface_layout(blocks: tuple[int, ...]) -> layouts.Layout:
    """insightface, arcface_torch/backbones/iresnet.py."""
    parts = [layouts.conv("conv1", 64, 3, 3, 3, bias=False), layouts.norm("bn1", 64), {"prelu.weight": (64,)}]
    for number, ((inputs, outputs), count) in enumerate(zip(STAGES, blocks, strict=True), 1):
        for i in range(count):
            into, block = inputs if i == 0 else outputs, f"layer{number}.{i}"
            parts += [
                layouts.norm(f"{block}.bn1", into),
                layouts.conv(f"{block}.conv1", outputs, into, 3, 3, bias=False),
            ]
            parts += [layouts.norm(f"{block}.bn2", outputs), {f"{block}.prelu.weight": (outputs,)}]
            parts += [layouts.conv(f"{block}.conv2", outputs, outputs, 3, 3, bias=False)]
            parts += [layouts.norm(f"{block}.bn3", outputs)]
            if i == 0:
                parts += [layouts.conv(f"{block}.downsample.0", outputs, into, 1, 1, bias=False)]
                parts += [layouts.norm(f"{block}.downsample.1", outputs)]
    parts += [layouts.norm("bn2", 512), layouts.conv("fc", 512, 512 * 7 * 7), layouts.norm("features", 512)]
    return layouts.merged(parts)


def curricularface_layout(blocks: tuple[int, ...]) -> layouts.Layout:
    """CurricularFace, backbone/model_irse.py, mode "ir"."""
    parts = [layouts.conv("input_layer.0", 64, 3, 3, 3, bias=False), layouts.norm("input_layer.1", 64)]
    parts += [{"input_layer.2.weight": (64,)}]
    number = 0
    for (inputs, outputs), count in zip(STAGES, blocks, strict=True):
        for i in range(count):
            into, block = inputs if i == 0 else outputs, f"body.{number}"
            if into != outputs:
                parts += [layouts.conv(f"{block}.shortcut_layer.0", outputs, into, 1, 1, bias=False)]
                parts += [layouts.norm(f"{block}.shortcut_layer.1", outputs)]
            parts += [layouts.norm(f"{block}.res_layer.0", into), {f"{block}.res_layer.2.weight": (outputs,)}]
            parts += [layouts.conv(f"{block}.res_layer.1", outputs, into, 3, 3, bias=False)]
            parts += [layouts.conv(f"{block}.res_layer.3", outputs, outputs, 3, 3, bias=False)]
            parts += [layouts.norm(f"{block}.res_layer.4", outputs)]
            number += 1
    parts += [layouts.norm("output_layer.0", 512), layouts.conv("output_layer.3", 512, 512 * 7 * 7)]
    return layouts.merged([*parts, layouts.norm("output_layer.4", 512, affine=False)])


def run_arcface(reference: layouts.Reference, x: torch.Tensor) -> torch.Tensor:
    x = reference.prelu("prelu", reference.norm("bn1", reference.conv("conv1", x, padding=1)))
    for number, count in enumerate(SMALL, 1):
        for i in range(count):
            block, stride = f"layer{number}.{i}", 2 if i == 0 else 1
            y = reference.conv(f"{block}.conv1", reference.norm(f"{block}.bn1", x), padding=1)
            y = reference.prelu(f"{block}.prelu", reference.norm(f"{block}.bn2", y))
            y = reference.norm(f"{block}.bn3", reference.conv(f"{block}.conv2", y, stride, 1))
            if i == 0:
                x = reference.norm(f"{block}.downsample.1", reference.conv(f"{block}.downsample.0", x, 2))
            x = reference.keep(block, x + y)
    x = reference.linear("fc", reference.norm("bn2", x).reshape(len(x), -1))
    return reference.norm("features", x[:, :, None])[:, :, 0]


def run_curricularface(reference: layouts.Reference, x: torch.Tensor) -> torch.Tensor:
    x = reference.norm("input_layer.1", reference.conv("input_layer.0", x, padding=1))
    x = reference.prelu("input_layer.2", x)
    number = 0
    for (inputs, outputs), count in zip(STAGES, SMALL, strict=True):
        for i in range(count):
            block, stride = f"body.{number}", 2 if i == 0 else 1
            y = reference.conv(f"{block}.res_layer.1", reference.norm(f"{block}.res_layer.0", x), padding=1)
            y = reference.conv(f"{block}.res_layer.3", reference.prelu(f"{block}.res_layer.2", y), stride, 1)
            y = reference.norm(f"{block}.res_layer.4", y)
            if i == 0 and inputs != outputs:
                x = reference.conv(f"{block}.shortcut_layer.0", x, stride)
                x = reference.norm(f"{block}.shortcut_layer.1", x)
            else:
                x = x[:, :, ::stride, ::stride]
            x = reference.keep(block, x + y)
            number += 1
    x = reference.linear("output_layer.3", reference.norm("output_layer.0", x).reshape(len(x), -1))
    return reference.norm("output_layer.4", x[:, :, None])[:, :, 0]


def check(network, tensors, run) -> None:
    recorder = layouts.Recorder(network)
    faces = layouts.noise_pictures(2, 112, 112)
    found = network.embed(faces)
    reference = layouts.Reference(tensors)
    expected = run(reference, torch.tensor((faces.transpose(0, 3, 1, 2) / 255.0 - 0.5) / 0.5, dtype=torch.float32))
    reference.kept = {name: values.reshape(recorder.seen[name].shape) for name, values in reference.kept.items()}
    recorder.agrees_with(reference.kept)
    layouts.close(found, F.normalize(expected))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


def test_every_layer_of_arcface(tmp_path) -> None:
    tensors = layouts.random_tensors(arcface_layout(SMALL))
    check(published.ArcFace.load(layouts.save(tensors, tmp_path / "backbone.pth")), tensors, run_arcface)


def test_every_layer_of_curricularface() -> None:
    tensors = layouts.random_tensors(curricularface_layout(SMALL))
    check(build(lambda: published.CurricularFace(SMALL), tensors, "small"), tensors, run_curricularface)


@pytest.mark.parametrize(
    ("network", "layout", "blocks", "weights"),
    [
        (published.ArcFace, arcface_layout, (3, 4, 14, 3), 43_590_848),
        (published.ArcFace, arcface_layout, (3, 13, 30, 3), 65_156_160),
        (published.CurricularFace, curricularface_layout, (3, 13, 30, 3), None),
    ],
    ids=["r50", "r100", "ir101"],
)
def test_the_official_layouts_load_at_full_size(network, layout, blocks, weights, tmp_path) -> None:
    tensors = layouts.hollow_tensors(layout(blocks))
    loaded = network.load(layouts.save(tensors, tmp_path / "backbone.pth"))
    assert loaded.state_dict().keys() == tensors.keys()
    if weights is not None:
        assert sum(weight.numel() for weight in loaded.parameters()) == weights


def test_other_files(tmp_path) -> None:
    path = layouts.save({"conv1.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="ArcFace: layers are missing"):
        published.ArcFace.load(path)
    with pytest.raises(InputError, match="not the official file of CurricularFace"):
        published.CurricularFace.load(path)


def test_similarity_is_found_again() -> None:
    points = np.random.default_rng(0).normal(size=(5, 2)) * 30
    turn, scale, shift = np.radians(20), 1.7, np.array((4.0, -9.0))
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    found = similarity(points, points @ linear.T + shift)
    np.testing.assert_allclose(found, np.column_stack([linear, shift]), atol=1e-9)


def test_similarity_is_the_nearest() -> None:
    rng = np.random.default_rng(1)
    points, targets = rng.normal(size=(5, 2)) * 30, np.array(TEMPLATE_PX)
    found = similarity(points, targets)

    def far(matrix: np.ndarray) -> float:
        return float(((points @ matrix[:, :2].T + matrix[:, 2] - targets) ** 2).sum())

    for _ in range(50):
        a, b, x, y = rng.normal(size=4) * 0.01
        assert far(found) <= far(found + np.array([[a, -b, x], [b, a, y]]))


def test_faces_are_aligned() -> None:
    picture = np.zeros((300, 300, 3), np.uint8)
    template = np.array(TEMPLATE_PX)
    places = (template * 1.5 + (60, 50)) @ np.array([[0.98, 0.199], [-0.199, 0.98]]) + (20, 30)
    for x, y in places:
        cv2.circle(picture, (round(x), round(y)), 5, (255, 255, 255), -1)
    landmarks = np.zeros((478, 3))
    landmarks[list(FIVE_POINTS), :2] = places
    face = aligned_faces(picture[None], landmarks[None])[0]
    assert face.shape == (112, 112, 3)
    for x, y in template:
        assert face[round(y), round(x), 0] > 200
    assert face[5, 5, 0] == 0
