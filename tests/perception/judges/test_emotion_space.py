"""The shared space of emotions, and that numpy and torch read it alike."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.controls import EMOTIONS
from vultus.perception.judges.emotion_space import WIDTH, EmotionReader, anchors, place


def test_anchors_are_unit_vectors_at_right_angles():
    assert anchors().shape == (len(EMOTIONS), WIDTH)
    assert np.allclose(anchors() @ anchors().T, np.eye(len(EMOTIONS)), atol=1e-6)


def test_a_mix_lies_between_its_emotions():
    half = place(np.array([0, 0.5, 0, 0, 0, 0.5, 0, 0]))
    assert np.allclose(half @ anchors()[[1, 5]].T, np.sqrt(0.5), atol=1e-6)
    assert np.allclose(half, place((anchors()[1] + anchors()[5]) @ anchors().T), atol=1e-6)


def test_torch_and_numpy_read_alike():
    torch = pytest.importorskip("torch")
    from vultus.perception.judges.emotion_net import EmotionNet, EmotionNetConfig

    torch.manual_seed(0)
    net = EmotionNet(EmotionNetConfig(11, (16, 12))).eval()
    inputs = np.random.default_rng(0).normal(3, 4, (20, 11)).astype(np.float32)
    net.expect(inputs)
    with torch.no_grad():
        embedding, logits = net(torch.from_numpy(inputs))
    reader = EmotionReader({name: tensor.numpy() for name, tensor in net.state_dict().items()})
    assert np.allclose(reader.embed(inputs), embedding.numpy(), atol=1e-5)
    assert np.allclose(reader.probabilities(inputs), torch.softmax(logits, 1).numpy(), atol=1e-5)


def test_losses_by_hand():
    torch = pytest.importorskip("torch")
    from vultus.perception.judges.emotion_net import emotion_losses

    shares = torch.eye(8)[[5]]
    embedding = torch.from_numpy(place(np.array([[0, 0, 0, 0, 0, 1.0, 1.0, 0]])))
    losses = emotion_losses(embedding, torch.zeros(1, 8), shares)
    assert float(losses["cosine"]) == pytest.approx(1 - np.sqrt(0.5), abs=1e-6)
    assert float(losses["entropy"]) == pytest.approx(np.log(8), abs=1e-6)
