"""EmoNet from a random file of the official format, layer by layer; its classes in our order; its face crops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.perception.published import layouts
from vultus.core.controls import EMOTIONS
from vultus.core.errors import InputError
from vultus.perception import published
from vultus.perception.published.emonet import face_crops

# AffectNet's order, as emonet/data/affecnet.py names them
AFFECTNET = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")


def block(name: str, inputs: int, outputs: int) -> layouts.Layout:
    half, quarter = outputs // 2, outputs // 4
    parts = [layouts.norm(f"{name}.bn1", inputs), layouts.conv(f"{name}.conv1", half, inputs, 3, 3, bias=False)]
    parts += [layouts.norm(f"{name}.bn2", half), layouts.conv(f"{name}.conv2", quarter, half, 3, 3, bias=False)]
    parts += [layouts.norm(f"{name}.bn3", quarter), layouts.conv(f"{name}.conv3", quarter, quarter, 3, 3, bias=False)]
    if inputs != outputs:
        parts += [layouts.norm(f"{name}.downsample.0", inputs)]
        parts += [layouts.conv(f"{name}.downsample.2", outputs, inputs, 1, 1, bias=False)]
    return layouts.merged(parts)


def layout() -> layouts.Layout:
    """emonet/models/emonet.py: EmoNet(num_modules=2, n_expression=8, n_reg=2, n_blocks=4, attention=True)."""
    parts = [layouts.conv("conv1", 64, 3, 7, 7), layouts.norm("bn1", 64)]
    parts += [block("conv2", 64, 128), block("conv3", 128, 128), block("conv4", 128, 256)]
    for i in (0, 1):
        for level in (4, 3, 2, 1):
            parts += [block(f"m{i}.b{n}_{level}", 256, 256) for n in (1, 2, 3)]
        parts += [block(f"m{i}.b2_plus_1", 256, 256), block(f"top_m_{i}", 256, 256)]
        parts += [layouts.conv(f"conv_last{i}", 256, 256, 1, 1), layouts.norm(f"bn_end{i}", 256)]
        parts += [layouts.conv(f"l{i}", 68, 256, 1, 1)]
    parts += [layouts.conv("bl0", 256, 256, 1, 1), layouts.conv("al0", 256, 68, 1, 1)]
    parts += [layouts.conv("conv1x1_input_emo_2", 256, 768, 1, 1)]
    parts += [block(f"emo_net_2.{i}", 256, 256) for i in (0, 2, 4, 6)]
    parts += [layouts.conv("emo_fc_2.0", 128, 256), layouts.norm("emo_fc_2.1", 128)]
    return layouts.merged([*parts, layouts.conv("emo_fc_2.3", 10, 128)])


class EmoNet(layouts.Reference):
    """The forward pass of emonet.py by plain functions."""

    def block(self, name: str, x: torch.Tensor) -> torch.Tensor:
        parts, y = [], x
        for n in (1, 2, 3):
            y = self.conv(f"{name}.conv{n}", self.norm(f"{name}.bn{n}", y).clamp(min=0), padding=1)
            parts.append(y)
        if f"{name}.downsample.0.weight" in self.tensors:
            x = self.conv(f"{name}.downsample.2", self.norm(f"{name}.downsample.0", x).clamp(min=0))
        return self.keep(name, torch.cat(parts, 1) + x)

    def hourglass(self, name: str, level: int, x: torch.Tensor) -> torch.Tensor:
        low = self.block(f"{name}.b2_{level}", F.max_pool2d(x, 2, 2))
        low = self.hourglass(name, level - 1, low) if level > 1 else self.block(f"{name}.b2_plus_1", low)
        low = self.block(f"{name}.b3_{level}", low)
        return self.block(f"{name}.b1_{level}", x) + low.repeat_interleave(2, 2).repeat_interleave(2, 3)

    def run(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm("bn1", self.conv("conv1", x, 2, 3)).clamp(min=0)
        x = self.block("conv3", F.max_pool2d(self.block("conv2", x), 2, 2))
        x = previous = self.block("conv4", x)
        gathered = []
        for i in (0, 1):
            y = self.block(f"top_m_{i}", self.keep(f"m{i}", self.hourglass(f"m{i}", 4, previous)))
            y = self.norm(f"bn_end{i}", self.conv(f"conv_last{i}", y)).clamp(min=0)
            heat = self.conv(f"l{i}", y)
            if i == 0:
                y = self.conv("bl0", y)
                previous = previous + y + self.conv("al0", heat)
            gathered.append(y)
        y = torch.cat([x, torch.cat(gathered, 1) * heat.sum(1, keepdim=True)], 1)
        y = self.conv("conv1x1_input_emo_2", y)
        for i in (0, 2, 4, 6):
            y = F.max_pool2d(self.block(f"emo_net_2.{i}", y), 2, 2)
        y = F.avg_pool2d(y, 4).reshape(len(y), 256)
        y = self.norm("emo_fc_2.1", self.linear("emo_fc_2.0", y)).clamp(min=0)
        return self.linear("emo_fc_2.3", y)


@pytest.fixture(scope="module")
def network_and_tensors(tmp_path_factory):
    tensors = layouts.random_tensors(layout())
    parallel = {f"module.{name}": tensor for name, tensor in tensors.items()}
    path = layouts.save(parallel, tmp_path_factory.mktemp("emonet") / "emonet_8.pth", legacy=True)
    return published.EmoNet.load(path), tensors


def test_every_layer(network_and_tensors) -> None:
    network, tensors = network_and_tensors
    recorder = layouts.Recorder(network)
    faces = layouts.noise_pictures(1, 256, 256)
    probabilities = network.probabilities(faces)
    reference = EmoNet(tensors)
    logits = reference.run(layouts.images_of(faces))
    recorder.agrees_with(reference.kept)
    layouts.close(recorder.seen[""], logits)
    by_name = dict(zip(AFFECTNET, torch.softmax(logits[0, :8], 0).tolist(), strict=True))
    ours = {"surprised": "surprise", "disgusted": "disgust", "angry": "anger"}
    layouts.close(probabilities[0], np.array([by_name[ours.get(emotion, emotion)] for emotion in EMOTIONS]))
    layouts.close(network.valence_arousal(faces), logits[:, 8:])


def test_sizes_and_other_files(network_and_tensors, tmp_path) -> None:
    network, tensors = network_and_tensors
    with pytest.raises(ValueError, match="256 x 256"):
        network.probabilities(layouts.noise_pictures(1, 128, 128))
    assert network.embed(layouts.noise_pictures(0, 256, 256)).shape == (0, 256)
    five = tensors | {"emo_fc_2.3.weight": torch.zeros(7, 128), "emo_fc_2.3.bias": torch.zeros(7)}
    with pytest.raises(InputError, match=r"emo_fc_2\.3\.weight is \(7, 128\) instead of \(10, 128\)"):
        published.EmoNet.load(layouts.save(five, tmp_path / "emonet_5.pth"))


def test_face_crops_by_hand() -> None:
    picture = np.zeros((400, 400, 3), np.uint8)
    picture[:, 200:] = 255
    points = np.full((68, 2), 200.0)
    points[0], points[1] = (140, 150), (260, 250)  # a box of 120 x 100: the crop is 200 px wide
    face = face_crops(picture[None], points[None])[0]
    assert face.shape == (256, 256, 3)
    assert face[:, :126].max() == 0 and face[:, 130:].min() == 255
    corner = face_crops(picture[None], points[None] + 120)[0]  # 220 to 420: the last 20 px are outside
    assert corner[:, 236:].max() == 0 and corner[:220, :220].min() == 255
