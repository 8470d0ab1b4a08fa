"""Weights come back bit by bit with their card, or not at all."""

from __future__ import annotations

import json

import pytest
import torch

from vultus.core import weights
from vultus.core.errors import InputError, MissingPartError
from vultus.core.weights import CARD_FILE, TENSORS_FILE, Card, load_into, load_weights, read_card, save_weights

CARD = Card(
    method="lips",
    preset="small",
    version="1.0",
    config={"width": 3},
    training_data="synthetic speech",
    licence="Apache-2.0",
    results={"closure_recall": 0.9},
)


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    return model, save_weights(tmp_path, model.state_dict(), CARD)


def test_tensors_and_card_come_back(saved, tmp_path):
    model, folder = saved
    tensors, card = load_weights(folder)
    assert torch.equal(tensors["weight"], model.weight) and set(tensors) == {"weight", "bias"}
    assert card.results == {"closure_recall": 0.9} and card.config == {"width": 3}
    assert folder.name == card.name == f"lips-small-1.0-{card.sha256[:8]}"
    assert [entry.name for entry in tmp_path.iterdir()] == [folder.name]


def test_same_tensors_have_the_same_name(saved, tmp_path):
    model, folder = saved
    assert save_weights(tmp_path / "again", model.state_dict(), CARD).name == folder.name


def test_loading_into_a_module(saved):
    model, folder = saved
    other = torch.nn.Linear(3, 2)
    assert load_into(other, folder).method == "lips"
    assert torch.equal(other.weight, model.weight) and torch.equal(other.bias, model.bias)


@pytest.mark.parametrize("module", [torch.nn.Linear(4, 2), torch.nn.Linear(3, 2, bias=False), torch.nn.Sequential()])
def test_weights_that_do_not_fit_are_refused(saved, module):
    with pytest.raises(InputError, match="do not fit"):
        load_into(module, saved[1])


def test_a_changed_byte_is_noticed(saved):
    path = saved[1] / TENSORS_FILE
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="not those of their card"):
        load_weights(saved[1])


def test_missing_parts_are_named(saved, tmp_path):
    (saved[1] / TENSORS_FILE).unlink()
    with pytest.raises(InputError, match="missing"):
        load_weights(saved[1])
    with pytest.raises(InputError, match="no weights here"):
        read_card(tmp_path / "none")


@pytest.mark.parametrize("text", ["{", "[]", '{"method": "lips"}', json.dumps({"unknown": 1})])
def test_malformed_cards(saved, text):
    (saved[1] / CARD_FILE).write_text(text)
    with pytest.raises(InputError, match="malformed"):
        read_card(saved[1])


def test_an_interrupted_save_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        save_weights(tmp_path, {"a": torch.zeros(1)}, Card("m", "p", "1", {"bad": object()}, "none", "none"))
    assert list(tmp_path.iterdir()) == []


def test_without_torch_one_sentence_says_so(saved, monkeypatch):
    monkeypatch.setattr(weights, "find_spec", {}.get)
    with pytest.raises(MissingPartError, match=r"torch is not installed; run in .*: pip install .*'\.\[train\]'"):
        load_weights(saved[1])
