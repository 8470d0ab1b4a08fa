"""`vultus train`: from a method and data to weights with their card; what cannot be trained is one sentence."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch

import vultus
from vultus import cli
from vultus.core.errors import ControlError, InputError
from vultus.core.method import Trainable
from vultus.core.weights import load_weights
from vultus.methods import METHODS
from vultus.training.judges import JUDGES

pytest.importorskip("lightning", reason="lightning is not installed")


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The toy of tests/training as a method of that name."""
    spec = importlib.util.spec_from_file_location("toy", Path(__file__).parent / "training" / "toy.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "toy", module)
    spec.loader.exec_module(module)
    small = module.ToyConfig(steps=8)
    module.METHOD = SimpleNamespace(
        presets={"small": small, "paper": module.ToyConfig(hidden=32, steps=8)},
        stages=lambda config, data: module.build(config),
    )
    monkeypatch.setitem(METHODS, "toy", "toy")
    return module


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "toy-data"
    folder.mkdir()
    return folder


def test_a_method_becomes_weights_with_a_card(toy: ModuleType, data: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    folder = vultus.train("toy", data, tmp_path / "run", on_step=lambda *args: seen.append(args[:3]))
    assert seen[0] == ("coarse", 1, 8) and seen[-1] == ("fine", 8, 8) and len(seen) == 16
    tensors, card = load_weights(folder)
    assert (card.method, card.preset, card.training_data) == ("toy", "small", "toy-data")
    assert card.config["steps"] == 8 and set(card.results) == {"coarse_mse", "fine_mse"}
    assert folder.parent == tmp_path / "run" and folder.name == card.name
    _, fine = toy.build(toy.ToyConfig(steps=8))
    fine.modules()["decoder"].load_state_dict({k: tensors[f"decoder.{k}"] for k in ("weight", "bias")})
    assert vultus.train("toy", data, tmp_path / "run", resume=True) == folder  # nothing is left to do


def test_a_judge_becomes_the_weights_of_its_net(
    toy: ModuleType, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stages(config: object, data: Path) -> list[object]:
        stage = toy.build(config)[0]
        encoder, decoder = stage.modules()["encoder"], stage.modules()["decoder"]
        monkeypatch.setattr(stage, "modules", lambda: {"net": encoder, "decoder": decoder})
        stage.step = lambda batch, run: {"mse": torch.zeros(())}
        stage.validate = lambda run: {"mse": 0.0}
        return [stage]

    roles = {"judge": toy.ToyConfig(steps=2), "teacher": toy.ToyConfig(steps=3)}
    monkeypatch.setitem(sys.modules, "ear", SimpleNamespace(PRESETS=roles, stages=stages))
    monkeypatch.setitem(JUDGES, "ear", "ear")
    tensors, card = load_weights(vultus.train("ear", data, tmp_path / "run"))
    assert (card.method, card.preset, card.config["steps"]) == ("ear", "judge", 2)
    assert set(tensors) == set(toy.build(roles["judge"])[0].modules()["encoder"].state_dict())
    assert vultus.train("ear", data, tmp_path / "other", preset="teacher").name.startswith("ear-teacher-")


def test_the_verb_trains_stage_by_stage(
    toy: ModuleType, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    changes = tmp_path / "changes.yaml"
    changes.write_text("hidden: 5\n")
    command = [
        "train",
        "toy",
        str(data),
        str(out),
        "--config",
        str(changes),
        "--accelerator",
        "cpu",
        "--log-every",
        "4",
    ]
    assert cli.run([*command, "--stage", "coarse"]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == str(out) and "steps/s" in captured.err
    assert cli.run([*command, "--stage", "coarse"]) == 0  # it is finished
    assert cli.run([*command, "--stage", "fine"]) == 0
    tensors, card = load_weights(capsys.readouterr().out.strip().splitlines()[-1])
    assert card.config["hidden"] == 5 and tensors["encoder.0.weight"].shape == torch.Size([5, 3])
    assert (out / "coarse" / "train.csv").read_text().splitlines()[0] == "step,mse"
    assert cli.run(command) == 2
    assert "--resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [({"preset": "huge"}, "choose small, paper"), ({"stage": "finest"}, "choose coarse, fine")],
)
def test_unknown_choices(options: dict[str, str], says: str, toy: ModuleType, data: Path, tmp_path: Path) -> None:
    with pytest.raises(ControlError, match=says):
        vultus.train("toy", data, tmp_path / "run", **options)


def test_missing_data_leave_no_run_behind(toy: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        vultus.train("toy", tmp_path / "none", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_method_without_stages_names_those_that_have_some(
    toy: ModuleType, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fixed", SimpleNamespace(METHOD=SimpleNamespace(name="fixed")))
    monkeypatch.setitem(METHODS, "fixed", "fixed")
    with pytest.raises(ControlError, match=r"nothing to train; choose .*toy"):
        vultus.train("fixed", data, tmp_path / "run")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(toy: ModuleType, data: Path, tmp_path: Path) -> None:
    from vultus.training.loop import LoopConfig

    with pytest.raises(ControlError, match="no GPU"):
        vultus.train("toy", data, tmp_path / "run", loop=LoopConfig(accelerator="gpu"))
    assert not (tmp_path / "run").exists()


def test_the_toy_is_trainable(toy: ModuleType) -> None:
    assert isinstance(toy.METHOD, Trainable)


def test_ctrl_c_tells_how_to_go_on(
    toy: ModuleType, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(toy.Regression, "step", interrupted)
    assert cli.run(["train", "toy", str(data), str(tmp_path / "run"), "--accelerator", "cpu"]) == cli.INTERRUPTED
    assert "--resume" in capsys.readouterr().err


def test_the_stage_of_the_documentation_trains(tmp_path: Path) -> None:
    from torch.nn.functional import mse_loss

    from vultus.training.loop import LoopConfig, train
    from vultus.training.stage import shuffled

    text = (Path(__file__).parents[1] / "docs" / "training.md").read_text("utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    names = {"torch": torch, "mse_loss": mse_loss, "shuffled": shuffled}
    exec(code, names)
    stage = names["Regression"]()
    stage.net, stage.steps = torch.nn.Linear(2, 1), 60
    stage.x, stage.held_x = torch.randn(128, 2), torch.randn(20, 2)
    stage.y, stage.held_y = stage.x.sum(1, keepdim=True), stage.held_x.sum(1, keepdim=True)
    before = mse_loss(stage.net(stage.held_x), stage.held_y).item()
    loop = LoopConfig(accelerator="cpu")
    figures = train(lambda: [stage], LoopConfig(), tmp_path / "run", loop)
    assert figures["regression"]["mse"] < before
