"""The network: the paper's shapes, equations 1 and 2, interpolation, padding; numpy plays what torch has trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vultus.face.metahuman import COUNT
from vultus.methods.emoface.config import ABLATIONS, EMOTIONS, PAPER, SMALL, TINY, NetConfig, ablated
from vultus.methods.emoface.network import NumpyNet
from vultus.perception.wav2vec2 import resampled_states

torch = pytest.importorskip("torch", reason="torch is not installed")

from vultus.methods.emoface.model import EmoFaceNet, Wav2Vec2Ear, positions, to_frames  # noqa: E402

RNG = np.random.default_rng(0)


def net_of(config: NetConfig) -> EmoFaceNet:
    """A network that does not start from zero curves."""
    torch.manual_seed(0)
    net = EmoFaceNet(config).eval()
    torch.nn.init.normal_(net.out.weight, std=0.3)
    return net


def inputs(config: NetConfig, frames: int, rows: int = 1):
    emotion = torch.eye(len(EMOTIONS))[torch.arange(rows * frames) % len(EMOTIONS)].reshape(rows, frames, -1)
    return torch.randn(rows, frames, config.states), emotion


def test_the_papers_sizes():
    net = EmoFaceNet(PAPER.net)
    shapes = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    assert shapes["content.weight"] == (512, 768)
    assert shapes["emotion.embedding.weight"] == (7, 256) and shapes["emotion.second.weight"] == (512, 512)
    assert shapes["out.weight"] == (174, 512) == (COUNT, PAPER.net.width)
    layers = net.audio2rig.layers.layers
    assert len(layers) == 10
    assert all(layer.self_attn.embed_dim == 512 and layer.self_attn.num_heads == 8 for layer in layers)
    assert (PAPER.train.rounds, PAPER.train.decay, PAPER.train.decay_rounds) == (3000, 0.995, 100)
    assert tuple(sorted(EMOTIONS)) == EMOTIONS and len(EMOTIONS) == 7


def test_positions_are_those_of_the_equations():
    table = positions(4, 512)
    assert table[0, :4].tolist() == [0, 1, 0, 1]
    assert table[3, 0] == pytest.approx(np.sin(3)) and table[3, 1] == pytest.approx(np.cos(3))
    assert table[2, 256] == pytest.approx(np.sin(2 / 100)) and table[2, 257] == pytest.approx(np.cos(2 / 100))


def test_states_are_interpolated_to_60_fps():
    states = torch.arange(6.0)[None, :, None]
    # the middle of frame k lies at (k + .5) / 60 s, that is at state (k + .5) 5 / 6
    made = to_frames(states, 7)[0, :, 0]
    np.testing.assert_allclose(made, [5 / 12, 1.25, 25 / 12, 35 / 12, 3.75, 55 / 12, 5], atol=1e-6)
    random = torch.randn(1, 31, 5)
    np.testing.assert_allclose(to_frames(random, 36)[0], resampled_states(random[0].numpy(), 60, 36), atol=1e-5)


def test_attention_runs_over_time_and_not_into_the_padding():
    net = net_of(TINY.net)
    states, emotion = inputs(TINY.net, 20)
    alone = net(states, emotion)[0]
    changed = states.clone()
    changed[0, 15] += 3
    assert (net(changed, emotion)[0, 2] - alone[2]).abs().max() > 1e-4, "a frame does not see another"
    padded = torch.cat([states, torch.full((1, 9, TINY.net.states), 7.0)], 1)
    longer = torch.cat([emotion, emotion[:, :9]], 1)
    with_padding = net(padded, longer, torch.tensor([20]))[0, :20]
    np.testing.assert_allclose(with_padding.detach(), alone.detach(), atol=1e-5)


def test_emotions_are_linear_in_their_encodings():
    encoder = net_of(TINY.net).emotion
    codes = encoder.codes()
    angry, happy = (torch.eye(7)[EMOTIONS.index(name)] for name in ("angry", "happy"))
    np.testing.assert_allclose(encoder(angry).detach(), codes[0].detach(), atol=1e-6)
    half = encoder(0.5 * angry + 0.5 * happy)
    np.testing.assert_allclose(half.detach(), (0.5 * codes[0] + 0.5 * codes[3]).detach(), atol=1e-6)


@pytest.mark.parametrize("row", ABLATIONS)
def test_every_ablation_is_a_switch(row):
    config = ablated(TINY, row).net
    states, emotion = inputs(config, 11, rows=2)
    made = net_of(config)(states, emotion, torch.tensor([11, 7]))
    assert made.shape == (2, 11, 174) and torch.isfinite(made).all()
    assert (config == TINY.net) == (row == "EmoFace")


def test_the_autoregressive_decoder_agrees_with_itself():
    config = replace(TINY.net, decoder="decoder")
    net = net_of(config)
    states, emotion = inputs(config, 6)
    with torch.no_grad():
        made = net(states, emotion)
        shown = net(states, emotion, shown=made)  # shown its own past, it says the same again
    np.testing.assert_allclose(made, shown, atol=1e-5)


def test_without_positions_order_does_not_matter():
    plain = net_of(replace(TINY.net, positions=False))
    states, emotion = inputs(TINY.net, 9)
    emotion = emotion[:, :1].expand(-1, 9, -1)
    order = torch.randperm(9)
    np.testing.assert_allclose(
        plain(states[:, order], emotion).detach(), plain(states, emotion)[:, order].detach(), atol=1e-5
    )
    placed = net_of(TINY.net)
    assert (placed(states[:, order], emotion) - placed(states, emotion)[:, order]).abs().max() > 1e-4


@pytest.mark.parametrize("config", [TINY.net, SMALL.net, replace(TINY.net, positions=False)])
def test_numpy_plays_what_torch_has_trained(config):
    net = net_of(config)
    states, emotion = inputs(config, 50)
    tensors = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    with torch.no_grad():
        wanted = net(states, emotion)[0].numpy()
    np.testing.assert_allclose(NumpyNet(tensors, config)(states[0].numpy(), emotion[0].numpy()), wanted, atol=2e-5)


def test_wav2vec2_learns_along_but_for_its_convolutions(monkeypatch, tmp_path):
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    import vultus.methods.emoface.model as model

    tiny = transformers.Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, conv_dim=(8, 8),
        conv_stride=(16, 20), conv_kernel=(16, 20), num_feat_extract_layers=2, num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    transformers.Wav2Vec2Model(tiny).save_pretrained(tmp_path)
    monkeypatch.setattr(model, "weights_folder", lambda name: tmp_path)
    ear = Wav2Vec2Ear(initialised=True)
    assert ear(torch.randn(1, 6400)).shape == (1, 20, 16)
    learning = {name.split(".")[1] for name, p in ear.named_parameters() if p.requires_grad}
    assert "feature_extractor" not in learning and "encoder" in learning
    again, random = (Wav2Vec2Ear(initialised=i) for i in (True, False))
    key = "network.encoder.layers.0.attention.k_proj.weight"
    assert torch.equal(ear.state_dict()[key], again.state_dict()[key])
    assert not torch.equal(ear.state_dict()[key], random.state_dict()[key])
