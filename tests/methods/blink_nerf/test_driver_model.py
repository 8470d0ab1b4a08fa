"""The driver's networks against hand values: filter, autoencoder, eyes, transformer, and the linear map under it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.methods.blink_nerf.people import talking_person
from vultus.core.bases import index_of
from vultus.methods.blink_nerf.driver.config import PAPER, TINY
from vultus.methods.blink_nerf.driver.expression import expression_of, neutral_landmarks
from vultus.methods.blink_nerf.driver.units import UNITS, action_units, eye_size, lip_gap

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("lightning", reason="lightning is not installed")

from vultus.methods.blink_nerf.driver.model import (  # noqa: E402
    Autoencoder,
    EyeControl,
    MotionNet,
    TemporalFilter,
    divergence,
    ridge,
    too_far,
)
from vultus.methods.blink_nerf.driver.train import position_loss  # noqa: E402


def test_equation_7_is_the_mean_l1_distance():
    truth = torch.zeros(2, 3, 4, 3)
    made = truth.clone()
    made[0, 0, 0] = torch.tensor([1.0, -2.0, 0.5])  # 3.5 of one landmark of 24
    assert float(position_loss(made, truth)) == pytest.approx(3.5 / 24)


def test_the_filter_is_a_weighted_mean_of_what_is_around():
    smooth = TemporalFilter(2, 1)
    for parameter in smooth.parameters():
        torch.nn.init.zeros_(parameter)
    audio = torch.tensor([[[0.0, 3.0], [3.0, 0.0], [6.0, 9.0]]])
    wanted = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])  # the ends are repeated
    torch.testing.assert_close(smooth(audio), wanted)
    with torch.no_grad():
        smooth.place.copy_(torch.tensor([0.0, 0.0, 50.0]))
    torch.testing.assert_close(smooth(audio)[0, :2], audio[0, 1:])


def test_divergence_of_known_normals():
    mean, log_variance = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.0, 1.0]]])
    assert float(divergence(mean, log_variance)) == pytest.approx(0.5 + 0.5 * (math.e - 2))
    assert float(divergence(torch.zeros(3, 2), torch.zeros(3, 2))) == 0


def test_the_autoencoder_draws_in_training_alone_and_learns_to_rebuild():
    torch.manual_seed(0)
    net = Autoencoder(6, TINY.net)
    audio = torch.randn(2, 5, 6)
    one, two = net(audio)[0], net(audio)[0]
    assert not torch.equal(one, two)
    net.eval()
    latent, mean, _, rebuilt = net(audio)
    torch.testing.assert_close(latent, mean)
    assert rebuilt.shape == audio.shape
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    losses = []
    for _ in range(150):
        loss = (net(audio)[3] - audio).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.35 * losses[0]


def test_eyes_go_where_the_control_module_says():
    eyes = EyeControl(TINY.net)
    for parameter in eyes.parameters():
        torch.nn.init.zeros_(parameter)
    state = torch.linspace(-1, 1, 36)[None]
    torch.testing.assert_close(eyes(state, torch.zeros(1, 4))[:, -1], state)
    with torch.no_grad():
        eyes.control[-1].bias[:] = 0.5
        eyes.size.bias[:] = 0.3
    torch.testing.assert_close(eyes(state, torch.zeros(1, 2))[:, 1], state + 1)
    torch.testing.assert_close(eyes.sizes(state), torch.full((1, 2), 0.3))
    assert float(eyes(state, torch.zeros(1, 100)).abs().max()) == 10, "states stay within bounds"


def test_the_transformer_hears_no_farther_than_its_reach():
    torch.manual_seed(1)
    person = talking_person(4)
    net = MotionNet(person.audio.shape[1], TINY.net).eval()
    net.fit(person, action_units(person.expression, person.au45))
    torch.nn.init.normal_(net.transformer.out.weight)
    audio = torch.from_numpy(person.audio[None, :60].copy())
    eyes, au45 = torch.zeros(1, 60, 36), torch.zeros(1, 60)
    before = net.landmarks(net.hear(audio), eyes, au45)
    audio[0, 50:] += 3.0
    after = net.landmarks(net.hear(audio), eyes, au45)
    changed = (before - after).abs().amax((0, 2, 3)) > 1e-5
    reach = TINY.net.layers * TINY.net.attention_reach + TINY.net.filter_reach + 1
    assert not changed[: 50 - reach].any() and changed[49:].all()
    assert too_far(4, 1).tolist()[0] == [False, False, True, True]


def test_the_linear_map_is_found_again():
    rng = np.random.default_rng(0)
    audio, truth = torch.from_numpy(rng.normal(size=(400, 3))).float(), torch.zeros(2, 3, 3)
    truth[0, 1, 0], truth[1, 2, 2] = 1.5, -0.5
    padded = torch.nn.functional.pad(audio.T[None], (1, 1), "replicate")
    wanted = torch.nn.functional.conv1d(padded, truth)[0].T + torch.tensor([1.0, 2.0])
    weight, bias = ridge(audio, wanted, 1, 1e-6)
    torch.testing.assert_close(weight, truth, atol=1e-4, rtol=0)
    torch.testing.assert_close(bias, torch.tensor([1.0, 2.0]), atol=1e-4, rtol=0)


def test_units_sizes_and_gaps_by_hand():
    expression = np.zeros((2, 52), np.float32)
    expression[1, index_of("mouthSmileLeft")] = 0.6
    units = action_units(expression, np.array([0, 2.5], np.float32))
    assert units[1, UNITS.index("AU12")] == pytest.approx(1.5) and units[1, UNITS.index("AU45")] == 2.5
    assert units[0].max() == 0
    face = np.zeros((68, 3))
    face[36:42] = [[0, 0, 0], [1, 1, 0], [2, 1, 0], [3, 0, 0], [2, -1, 0], [1, -1, 0]]
    face[42:48] = face[36:42] * (1, 0, 1) + (5, 0, 0)
    np.testing.assert_allclose(eye_size(face), [2 / 3, 0])
    face[61:64, 1], face[65:68, 1] = 0.4, -0.4
    face[61:64, 2] = 3.0  # a lip that juts out opens no mouth
    assert lip_gap(face) == pytest.approx(0.8 / 8)


def test_landmarks_become_the_expression_they_came_from():
    person = talking_person(4)
    found = expression_of(person.landmarks3d, neutral_landmarks(person.landmarks3d, person.expression))
    for name in ("jawOpen", "browInnerUp"):
        made, truth = found[:, index_of(name)], person.expression[:, index_of(name)]
        assert np.corrcoef(made, truth)[0, 1] > 0.98 and 0.5 < made.max() / truth.max() < 1.2, name
    assert found[:, index_of("eyeBlinkLeft")].max() == 0 and found.min() >= 0 and found.max() <= 1


def test_one_batch_overfits_at_the_papers_sizes():
    from vultus.methods.blink_nerf.driver.train import Motion

    torch.manual_seed(0)
    person = talking_person(4)
    config = replace(PAPER, net=replace(PAPER.net, dropout=0.0, noise=0.0))
    stage = Motion(replace(config, train=replace(config.train, batch=1, crop_frames=24)), person)
    torch.nn.init.zeros_(stage.net.transformer.lips.weight)
    batch = {name: torch.from_numpy(values[None, :25]) for name, values in stage._lesson.__dict__.items()}
    optimizer = torch.optim.Adam([p for p in stage.net.parameters() if p.requires_grad], 1e-3)
    losses = []
    for _ in range(25):
        found = stage.losses(batch)
        optimizer.zero_grad()
        torch.stack(list(found.values())).sum().backward()
        optimizer.step()
        losses.append(float(found["position"].detach()))
    assert losses[-1] < 0.5 * losses[0], losses[::6]
