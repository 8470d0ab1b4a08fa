"""Reading files of tensors: formats, and everything that must not be loaded."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.perception.published import layouts
from vultus.core.errors import InputError, MissingPartError
from vultus.perception import published
from vultus.perception.published.checkpoint import build, read_tensors, without_prefix

TENSORS = {"0.weight": torch.arange(6.0).reshape(2, 3), "0.bias": torch.tensor([1.0, 2.0])}


def two_layers() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 2))


@pytest.mark.parametrize("kind", ["now", "legacy", "of a module", "of a module, legacy", "safetensors"])
def test_formats(kind, tmp_path) -> None:
    if kind.startswith("of a module"):  # an OrderedDict that carries versions of its modules
        network = two_layers()
        network.load_state_dict(TENSORS)
        path = tmp_path / "net.pth"
        torch.save(network.state_dict(), path, _use_new_zipfile_serialization="legacy" not in kind)
    elif kind == "safetensors":
        from safetensors.torch import save_file

        path = tmp_path / "net.safetensors"
        save_file(TENSORS, path)
    else:
        path = layouts.save(TENSORS, tmp_path / "net.pth", legacy=kind == "legacy")
    network = build(two_layers, read_tensors(path), path)
    assert network(torch.tensor([1.0, 0.0, 0.0])).tolist() == [1, 5]
    assert not network.training and not network[0].weight.requires_grad


def test_halves_become_floats(tmp_path) -> None:
    path = layouts.save({name: tensor.half() for name, tensor in TENSORS.items()}, tmp_path / "net.pth")
    assert build(two_layers, read_tensors(path), path)[0].weight.dtype == torch.float32


class Bomb:
    """Would make a file if a pickle were executed."""

    def __reduce__(self):
        return Path.touch, (Path("exploded"),)


def test_nothing_is_executed(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    pickled, saved, model = tmp_path / "a.pkl", tmp_path / "a.pth", tmp_path / "b.pth"
    pickled.write_bytes(pickle.dumps({"0.weight": Bomb()}, protocol=2))
    torch.save({"0.weight": Bomb()}, saved)
    torch.save(two_layers(), model)
    for path in (pickled, saved, model):
        with pytest.raises(InputError, match="it was not loaded"):
            read_tensors(path)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.jit.script is, its archives are not gone
def test_torchscript_is_a_program(tmp_path) -> None:
    torch.jit.script(two_layers()).save(tmp_path / "ViT-B-32.pt")
    with pytest.raises(InputError, match="TorchScript program"):
        read_tensors(tmp_path / "ViT-B-32.pt")


@pytest.mark.parametrize("content", [b"", b"\x80\x02", b"<html></html>", b"PK\x03\x04nonsense", bytes(1000)])
@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_no_file_of_tensors(content, name, tmp_path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError):
        read_tensors(tmp_path / name)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_truncated_file(legacy, tmp_path) -> None:
    path = layouts.save({"weight": torch.randn(100, 100)}, tmp_path / "net.pth", legacy)
    whole = path.read_bytes()
    for length in (10, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_tensors(path)


@pytest.mark.parametrize("held", [[1, 2], torch.zeros(2), {"epoch": 3, "state_dict": TENSORS}])
def test_no_state_dict(held, tmp_path) -> None:
    torch.save(held, tmp_path / "net.pth")
    with pytest.raises(InputError, match="not a state dict"):
        read_tensors(tmp_path / "net.pth")


def test_faults_are_named() -> None:
    with pytest.raises(InputError, match=r"0\.bias is missing, 1\.bias is too much"):
        build(two_layers, {"0.weight": TENSORS["0.weight"], "1.bias": TENSORS["0.bias"]}, "net.pth")
    with pytest.raises(InputError, match=r"0\.weight is \(3, 2\) instead of \(2, 3\)"):
        build(two_layers, TENSORS | {"0.weight": torch.zeros(3, 2)}, "net.pth")
    with pytest.raises(InputError, match="and 4 more"):
        build(two_layers, {f"x{i}": torch.zeros(1) for i in range(5)}, "net.pth")


def test_prefixes_of_parallel_training() -> None:
    assert without_prefix({"module.a": TENSORS["0.bias"], "b": TENSORS["0.bias"]}, "module.").keys() == {"a", "b"}


def test_without_torch_one_sentence(monkeypatch) -> None:
    for module in [name for name in sys.modules if name.startswith("vultus.perception.published.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPartError, match=r"torch is not installed.*pip install .*\[train\]"):
        _ = published.Lpips
    with pytest.raises(AttributeError, match="Resnet"):
        _ = published.Resnet
