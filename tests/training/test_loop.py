"""The loop learns, survives being killed to the same bits, deals batches to processes, and refuses what cannot be."""

from __future__ import annotations

import csv
import importlib.util
import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from vultus.core.errors import ControlError, InputError
from vultus.training import checkpoint
from vultus.training.log import CsvLog
from vultus.training.loop import LoopConfig
from vultus.training.stage import Share, shuffled

pytest.importorskip("lightning", reason="lightning is not installed")
TOY = Path(__file__).with_name("toy.py")


@pytest.fixture(scope="module")
def toy() -> ModuleType:
    spec = importlib.util.spec_from_file_location("toy", TOY)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["toy"] = module
    spec.loader.exec_module(module)
    torch.set_num_threads(1)
    return module


@pytest.fixture(scope="module")
def whole(toy: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole")
    toy.run(out)
    return out


def in_a_process(out: Path, devices: int = 1, kill_at: int = 0, where: str = "never") -> int:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(TOY), str(out), str(devices), str(kill_at), where]
    return subprocess.run(command, env=environment, check=False, capture_output=True, timeout=120).returncode


def weights(out: Path, stage: str) -> dict[str, torch.Tensor]:
    found = checkpoint.latest(out / stage)
    assert found is not None
    return load_file(found[1] / checkpoint.WEIGHTS_FILE)


def assert_same_bits(one: Path, other: Path) -> None:
    for stage in ("coarse", "fine"):
        mine, yours = weights(one, stage), weights(other, stage)
        assert mine.keys() == yours.keys()
        assert all(torch.equal(mine[name], yours[name]) for name in mine)
        for log in ("train.csv", "validation.csv"):
            assert (one / stage / log).read_bytes() == (other / stage / log).read_bytes()


def test_it_learns_stage_by_stage(whole: Path, toy: ModuleType) -> None:
    rows = list(csv.DictReader((whole / "coarse" / "train.csv").open()))
    assert [int(row["step"]) for row in rows] == list(range(2, 31, 2))
    assert np.mean([float(row["mse"]) for row in rows[-4:]]) < 0.6 * float(rows[0]["mse"])
    validated = list(csv.DictReader((whole / "fine" / "validation.csv").open()))
    assert [int(row["step"]) for row in validated] == [10, 20, 30]
    coarse, fine = weights(whole, "coarse"), weights(whole, "fine")
    assert torch.equal(coarse["encoder.0.weight"], fine["encoder.0.weight"])  # frozen in the second stage
    assert not torch.equal(coarse["decoder.weight"], fine["decoder.weight"])
    assert [path.name for path in (whole / "fine").glob("step-*")] == ["step-000000030"]
    figures = toy.run(whole, resume=True)  # nothing is left to do
    assert figures["fine"]["mse"] == pytest.approx(float(validated[-1]["mse"]), rel=1e-5)


@pytest.mark.parametrize(("kill_at", "where"), [(1, "step"), (None, "step"), (43, "step"), (None, "save")])
def test_killed_and_resumed_gives_the_same_bits(
    kill_at: int | None, where: str, whole: Path, toy: ModuleType, tmp_path: Path
) -> None:
    chosen = kill_at or int(np.random.default_rng().integers(2, 56))
    assert in_a_process(tmp_path, 1, chosen, where) == -signal.SIGKILL, f"killed at {chosen}"
    toy.run(tmp_path, resume=True)
    assert_same_bits(whole, tmp_path)


def test_two_processes_learn_what_one_learns(toy: ModuleType, tmp_path: Path) -> None:
    plain = toy.ToyConfig(dropout=0.0)  # dropout would differ between processes
    toy.run(tmp_path / "one", plain)
    assert in_a_process(tmp_path / "two", devices=2) == 0
    for stage in ("coarse", "fine"):
        one, two = weights(tmp_path / "one", stage), weights(tmp_path / "two", stage)
        for name in one:
            torch.testing.assert_close(one[name], two[name], atol=1e-5, rtol=1e-4)


def test_one_stage_at_a_time(whole: Path, toy: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="stage fine needs coarse"):
        toy.run(tmp_path, only="fine")
    toy.run(tmp_path, only="coarse")
    assert not (tmp_path / "fine").exists()
    toy.run(tmp_path, only="fine")
    assert_same_bits(whole, tmp_path)


def test_an_unknown_stage_is_refused(toy: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="choose coarse, fine"):
        toy.run(tmp_path / "run", only="finest")
    assert not (tmp_path / "run").exists()


def test_a_run_that_cannot_begin_leaves_nothing(toy: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="stage fine needs coarse"):
        toy.run(tmp_path / "run", only="fine")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ControlError, match="not a folder"):
        toy.run(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_another_configuration_may_follow_one_that_never_began(toy: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("hidden: 99\n")
    (tmp_path / "loop.yaml").write_text("seed: 99\n")
    toy.run(tmp_path, toy.ToyConfig(steps=1))


def test_a_changed_configuration_is_refused(whole: Path, toy: ModuleType) -> None:
    before = {path: path.read_bytes() for path in whole.rglob("*") if path.is_file()}
    with pytest.raises(ControlError, match="another hidden and lr"):
        toy.run(whole, toy.ToyConfig(hidden=9, lr=0.1), resume=True)
    with pytest.raises(ControlError, match="another devices"):
        toy.run(whole, devices=2, resume=True)
    with pytest.raises(ControlError, match="--resume"):
        toy.run(whole)
    assert before == {path: path.read_bytes() for path in whole.rglob("*") if path.is_file()}


def test_a_folder_of_other_things_is_left_alone(toy: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ControlError, match="other things"):
        toy.run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_diverging_loss_stops_the_run(toy: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mse is not finite at step"):
        toy.run(tmp_path, toy.ToyConfig(lr=1e30))


def test_weights_of_another_model_are_refused(whole: Path, toy: ModuleType) -> None:
    (other, _) = toy.build(replace(toy.ToyConfig(), hidden=9))
    found = checkpoint.latest(whole / "coarse")
    assert found is not None
    with pytest.raises(InputError, match="another model"):
        checkpoint.load_modules(found[1], other.modules())


@pytest.mark.parametrize("field", ["log_every", "save_every", "validate_every", "devices"])
def test_cadences_are_positive(field: str) -> None:
    options: dict[str, Any] = {field: 0}
    with pytest.raises(ControlError, match="out of range"):
        LoopConfig(**options)


@given(st.integers(1, 40), st.integers(1, 3), st.integers(0, 100), st.data())
def test_batches_depend_on_the_step_alone(batch: int, processes: int, start: int, data: st.DataObject) -> None:
    batch = max(batch, processes)
    count = data.draw(st.integers(batch, 3 * batch + 5))

    def dealt(first: int, n: int) -> list[np.ndarray]:
        shares = [islice(shuffled(count, batch, 3, first, Share(r, processes)), n) for r in range(processes)]
        return [np.concatenate(parts) for parts in zip(*shares, strict=True)]

    resumed, going_on = dealt(start, 5), dealt(0, start + 5)[start:]
    assert all(np.array_equal(a, b) for a, b in zip(resumed, going_on, strict=True))
    per_epoch = count // batch
    epoch = np.concatenate(dealt(0, per_epoch))
    assert len(set(epoch)) == len(epoch) == per_epoch * batch


def test_batches_too_large_or_too_small_are_refused() -> None:
    for batch, count in ((9, 8), (1, 8)):
        with pytest.raises(ValueError, match="cannot be dealt"):
            next(shuffled(count, batch, 0, 0, Share(0, 2)))


def test_a_log_is_cut_where_training_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    log = CsvLog(path, 0)
    for step in (1, 2, 3):
        log.add(step, {"mse": step / 3})
    path.write_text(path.read_text() + "4,0.")  # killed while writing
    log = CsvLog(path, 2)
    log.add(3, {"mse": 7})
    assert path.read_text().splitlines() == ["step,mse", "1,0.3333333", "2,0.6666667", "3,7"]
    with pytest.raises(ValueError, match="columns"):
        log.add(4, {"psnr": 1})
