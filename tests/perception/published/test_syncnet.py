"""SyncNet from a random file of the official format, layer by layer; its cepstra by the definition; its face crops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.perception.published import layouts
from vultus.perception import published
from vultus.perception.published.mfcc import mfcc
from vultus.perception.published.syncnet import face_crops

# syncnet_python, SyncNetModel.py: (number in the sequence, channels out, channels in, kernel)
SOUND = ((0, 64, 1, 3, 3), (4, 192, 64, 3, 3), (8, 384, 192, 3, 3), (11, 256, 384, 3, 3), (14, 256, 256, 3, 3))
SOUND += ((18, 512, 256, 5, 4),)
LIPS = ((0, 96, 3, 5, 7, 7), (4, 256, 96, 1, 5, 5), (8, 256, 256, 1, 3, 3), (11, 256, 256, 1, 3, 3))
LIPS += ((14, 256, 256, 1, 3, 3), (18, 512, 256, 1, 6, 6))


def layout() -> layouts.Layout:
    parts = []
    for tower, convolutions in (("netcnnaud", SOUND), ("netcnnlip", LIPS)):
        for at, outputs, *rest in convolutions:
            parts += [layouts.conv(f"{tower}.{at}", outputs, *rest), layouts.norm(f"{tower}.{at + 1}", outputs)]
    for tower in ("netfcaud", "netfclip"):
        parts += [layouts.conv(f"{tower}.0", 512, 512), layouts.norm(f"{tower}.1", 512)]
        parts += [layouts.conv(f"{tower}.3", 1024, 512)]
    return layouts.merged(parts)


class SyncNet(layouts.Reference):
    """The two towers of SyncNetModel.py."""

    def step(self, tower: str, at: int, x: torch.Tensor, stride=1, padding=0) -> torch.Tensor:
        return self.norm(f"{tower}.{at + 1}", self.conv(f"{tower}.{at}", x, stride, padding)).clamp(min=0)

    def end(self, tower: str, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(f"{tower}.1", self.linear(f"{tower}.0", x.reshape(len(x), 512))).clamp(min=0)
        return self.linear(f"{tower}.3", x)

    def sound(self, x: torch.Tensor) -> torch.Tensor:
        x = self.step("netcnnaud", 4, self.step("netcnnaud", 0, x, 1, 1), 1, 1)
        x = self.step("netcnnaud", 8, F.max_pool2d(x, (3, 3), (1, 2)), 1, 1)
        x = self.step("netcnnaud", 14, self.step("netcnnaud", 11, x, 1, 1), 1, 1)
        return self.end("netfcaud", self.step("netcnnaud", 18, F.max_pool2d(x, (3, 3), (2, 2))))

    def lips(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool3d(self.step("netcnnlip", 0, x, (1, 2, 2)), (1, 3, 3), (1, 2, 2))
        x = self.step("netcnnlip", 4, x, (1, 2, 2), (0, 1, 1))
        x = F.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))
        for at in (8, 11, 14):
            x = self.step("netcnnlip", at, x, 1, (0, 1, 1))
        return self.end("netfclip", self.step("netcnnlip", 18, F.max_pool3d(x, (1, 3, 3), (1, 2, 2))))


@pytest.fixture(scope="module")
def network_and_tensors(tmp_path_factory):
    tensors = layouts.random_tensors(layouts.without_counters(layout()))  # of 2016
    tensors["netcnnlip.0.weight"] /= 100  # the network takes 0-255
    path = layouts.save(tensors, tmp_path_factory.mktemp("syncnet") / "syncnet_v2.model", legacy=True)
    return published.SyncNetV2.load(path), tensors


@pytest.fixture(scope="module")
def waveform() -> np.ndarray:
    rng = np.random.default_rng(3)
    return (0.2 * rng.standard_normal(6_500) * np.linspace(0, 1, 6_500)).astype(np.float32)


def cepstra_by_definition(waveform: np.ndarray) -> np.ndarray:
    """python_speech_features.mfcc(sound, 16000) for 16-bit sound, loop by loop."""
    sound = np.clip(np.round(waveform.astype(float) * 32768), -32768, 32767)
    sound = np.append(sound[0], sound[1:] - 0.97 * sound[:-1])
    count = 1 if len(sound) <= 400 else 1 + int(np.ceil((len(sound) - 400) / 160))
    sound = np.append(sound, np.zeros((count - 1) * 160 + 400 - len(sound)))
    mel = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 28)
    edges = np.floor(513 * 700 * (10 ** (mel / 2595) - 1) / 16000)
    bank = np.zeros((26, 257))
    for j in range(26):
        for i in range(int(edges[j]), int(edges[j + 1])):
            bank[j, i] = (i - edges[j]) / (edges[j + 1] - edges[j])
        for i in range(int(edges[j + 1]), int(edges[j + 2])):
            bank[j, i] = (edges[j + 2] - i) / (edges[j + 2] - edges[j + 1])
    turns = np.exp(-2j * np.pi * np.outer(np.arange(257), np.arange(400)) / 512)
    rows = []
    for t in range(count):
        power = np.abs(turns @ sound[160 * t : 160 * t + 400]) ** 2 / 512
        logs = np.log(np.maximum(bank @ power, np.finfo(float).eps))
        row = [
            (np.sqrt(1 / 26) if k == 0 else np.sqrt(2 / 26))
            * sum(logs[n] * np.cos(np.pi * k * (2 * n + 1) / 52) for n in range(26))
            * (1 + 11 * np.sin(np.pi * k / 22))
            for k in range(13)
        ]
        row[0] = np.log(max(power.sum(), np.finfo(float).eps))
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("samples", [6_500, 400, 401, 100, 1])
def test_cepstra(waveform, samples) -> None:
    layouts.close(mfcc(waveform[-samples:]), cepstra_by_definition(waveform[-samples:]))


def test_cepstra_of_silence_and_nothing() -> None:
    silent = mfcc(np.zeros(1_600, np.float32))
    assert np.isfinite(silent).all() and silent[0, 0] == pytest.approx(np.log(np.finfo(float).eps))
    assert mfcc(np.zeros(0, np.float32)).shape == (0, 13)


def test_every_layer_of_the_sound(network_and_tensors, waveform) -> None:
    network, tensors = network_and_tensors
    recorder = layouts.Recorder(network)
    found = network.embed_sound(waveform)
    cepstra = cepstra_by_definition(waveform)
    assert found.shape == ((len(cepstra) - 20) // 4 + 1, 1024)
    windows = np.stack([cepstra[4 * i : 4 * i + 20].T[None] for i in range(len(found))])
    reference = SyncNet(tensors)
    layouts.close(found, reference.sound(torch.tensor(windows, dtype=torch.float32)))
    recorder.agrees_with(reference.kept)


def test_every_layer_of_the_lips(network_and_tensors) -> None:
    network, tensors = network_and_tensors
    recorder = layouts.Recorder(network)
    pictures = layouts.noise_pictures(6, 224, 224)
    found = network.embed_lips(pictures)
    blue_first = pictures[..., ::-1].astype(np.float32)
    windows = np.stack([blue_first[i : i + 5].transpose(3, 0, 1, 2) for i in range(2)])
    reference = SyncNet(tensors)
    layouts.close(found, reference.lips(torch.tensor(windows)))
    recorder.agrees_with(reference.kept)


def test_a_clip_is_paired_as_officially(network_and_tensors, waveform) -> None:
    network, _ = network_and_tensors
    lips, sound = network.embed_clip(layouts.noise_pictures(7, 224, 224), waveform)
    assert lips.shape == sound.shape == (2, 1024)
    np.testing.assert_array_equal(sound, network.embed_sound(waveform)[:2])
    lips, sound = network.embed_clip(layouts.noise_pictures(3, 224, 224), waveform)
    assert lips.shape == sound.shape == (0, 1024)


def test_face_crops_by_hand() -> None:
    pictures = np.zeros((13, 200, 200, 3), np.uint8)
    pictures[:, 100:, :, 0] = 200  # the lower half is red
    boxes = np.tile((60.0, 80, 140, 120), (13, 1))
    boxes[6] += 50  # one slip of the detector
    crop = face_crops(pictures, boxes)[6]
    # half = 40, middle (100, 100): rows 60 to 172, columns 44 to 156, all within the picture
    assert crop.shape == (224, 224, 3)
    assert crop[:78].max() == 0 and crop[82:, :, 0].min() == 200
    np.testing.assert_array_equal(face_crops(pictures[:3], boxes[:3]), np.stack([crop] * 3))
    beyond = face_crops(pictures, np.tile((150.0, 0, 200, 50), (13, 1)))[6]
    # half = 25, middle (175, 25): columns 140 to 210, of which the last 10 lie outside
    assert (beyond[:, 195:] == 110).all() and (beyond[:, :185] == 0).all()
