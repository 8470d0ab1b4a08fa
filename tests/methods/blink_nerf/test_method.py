"""From a folder with a person to weights, loaded strictly and rendered: the conformance test of a personal method."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.methods.blink_nerf.painted import painted_person
from vultus import learn
from vultus.core.config import resolved
from vultus.core.errors import InputError
from vultus.core.method import Trainable
from vultus.methods import PERSONAL, get_personal
from vultus.methods.blink_nerf.config import PRESETS, TINY
from vultus.methods.blink_nerf.hearing import feature_count

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("lightning", reason="lightning is not installed")

from vultus.core.weights import Card, load_weights, save_weights  # noqa: E402
from vultus.methods.blink_nerf.conditioning import Condition  # noqa: E402
from vultus.methods.blink_nerf.infer import HeadPoses, TrainedPerson, depth_picture  # noqa: E402
from vultus.training.loop import LoopConfig  # noqa: E402


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blink_nerf")
    person = painted_person(24, TINY.size)
    audio = np.random.default_rng(1).normal(size=(24, feature_count(TINY.ear))).astype(np.float32)
    person = replace(person, audio=audio)
    data = person.save(folder / "person")
    weights = learn.train("blink_nerf", data, folder / "run", preset="tiny", loop=LoopConfig(accelerator="cpu"))
    return person, weights


def performed(person):
    condition = Condition(person.landmarks3d, person.au45, person.audio)[person.test]
    return condition, HeadPoses(person.rotation[person.test], person.translation[person.test])


def test_it_is_registered():
    method = get_personal("blink_nerf")
    assert PERSONAL[method.name] == f"vultus.methods.{method.name}" and method.paper
    assert isinstance(method, Trainable)
    assert set(method.presets) == {"small", "paper", "tiny"} and method.presets["tiny"] is PRESETS["tiny"]


def test_weights_show_the_same_frames_every_time(trained):
    person, weights = trained
    _, card = load_weights(weights)
    assert card.method == "blink_nerf" and card.config["size"] == TINY.size == resolved(TINY)["size"]
    assert {"coarse_whole_psnr_db", "fine_mouth_psnr_db"} <= set(card.results)
    condition, poses = performed(person)
    takes = [np.stack(list(TrainedPerson.load(weights).frames(condition, poses, person.fps))) for _ in range(2)]
    assert takes[0].shape == (len(condition), TINY.size, TINY.size, 3) and takes[0].dtype == np.uint8
    np.testing.assert_array_equal(takes[0], takes[1])
    larger = next(iter(TrainedPerson.load(weights).frames(condition, poses, person.fps, size=48)))
    assert larger.shape == (48, 48, 3)


def test_turntable_goes_round_the_heads_middle(trained):
    shown = TrainedPerson.load(trained[1])
    poses = shown.turntable(fps=5)
    assert len(poses) == 20
    middle = shown.net.middle.numpy()
    seen = (poses.rotation @ middle) * (1, -1, -1) + poses.translation
    np.testing.assert_allclose(seen, np.tile(seen[0], (20, 1)), atol=1e-3)
    angle = np.degrees(np.arccos(np.clip((np.trace(poses.rotation[0].T @ poses.rotation[5]) - 1) / 2, -1, 1)))
    assert angle == pytest.approx(np.hypot(6, 3), abs=0.1)
    rest = shown.at_rest(len(poses))
    depths = list(shown.depths(rest, poses, fps=5))
    assert len(depths) == 20 and depths[0].shape == (TINY.size, TINY.size, 3)


def test_depth_is_white_near_and_black_nowhere():
    grey = depth_picture(np.array([[80.0, 100.0, np.inf]], np.float32), 80, 100)[0, :, 0]
    assert grey.tolist() == [255, 26, 0]


def test_as_many_poses_as_conditions(trained):
    condition, poses = performed(trained[0])
    with pytest.raises(ValueError, match="frames of condition"):
        TrainedPerson.load(trained[1]).frames(condition[:1], poses, 25.0)


def test_other_weights_are_refused(trained, tmp_path):
    tensors, card = load_weights(trained[1])
    other = save_weights(tmp_path, tensors, replace(card, method="toy"))
    with pytest.raises(InputError, match="weights of toy"):
        TrainedPerson.load(other)
    tensors.pop("net.half_box")
    less = save_weights(tmp_path, tensors, Card("blink_nerf", "tiny", "0", card.config, "", ""))
    with pytest.raises(InputError, match="do not fit"):
        TrainedPerson.load(less)
