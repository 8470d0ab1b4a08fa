"""Presets and their YAML overlays: what is not known is refused, what is saved comes back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.core.config import load_overlay, overlay, resolved, save_config
from vultus.core.errors import ControlError, InputError


@dataclass(frozen=True)
class Optimiser:
    rate: float = 1e-4
    betas: tuple[float, float] = (0.5, 0.999)


@dataclass(frozen=True)
class Training:
    steps: int = 1000
    resume: bool = False
    kind: Literal["adam", "sgd"] = "adam"
    weights: Path | None = None
    milestones: tuple[int, ...] = ()
    names: dict[str, int] = field(default_factory=dict)
    optimiser: Optimiser = Optimiser()


PRESET = Training()


def test_only_what_is_named_changes():
    changed = overlay(PRESET, {"steps": 5, "optimiser": {"rate": 1, "betas": [0, 0.9]}, "weights": "a/b"})
    assert changed == replace(PRESET, steps=5, optimiser=Optimiser(1.0, (0.0, 0.9)), weights=Path("a/b"))
    assert isinstance(changed.optimiser.rate, float) and PRESET.steps == 1000


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"step": 1}, "config", "did you mean steps"),
        ({"optimiser": {"beta": 1}}, "config.optimiser", "did you mean betas"),
        ({"zzz": 1}, "config", "it has kind"),
        ({"steps": "many"}, "config.steps", "is not int"),
        ({"steps": True}, "config.steps", "is not int"),
        ({"steps": 1.5}, "config.steps", "is not int"),
        ({"resume": 1}, "config.resume", "is not bool"),
        ({"kind": "lion"}, "config.kind", "'lion' is not"),
        ({"optimiser": 3}, "config.optimiser", "is not Optimiser"),
        ({"optimiser": {"betas": [1]}}, "config.optimiser.betas", "[1] is not"),
        ({"milestones": [1, "a"]}, "config.milestones", "is not"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(changes, where, what):
    with pytest.raises(ControlError) as caught:
        overlay(PRESET, changes)
    assert str(caught.value).startswith(f"{where}: ") and what in str(caught.value)


@given(
    steps=st.integers(),
    rate=st.floats(allow_nan=False),
    kind=st.sampled_from(["adam", "sgd"]),
    milestones=st.lists(st.integers()),
    weights=st.none() | st.just(Path("a/b.safetensors")),
    names=st.dictionaries(st.text("abc"), st.integers()),
)
def test_saved_configurations_come_back(tmp_path_factory, steps, rate, kind, milestones, weights, names):
    config = Training(steps, True, kind, weights, tuple(milestones), names, Optimiser(rate))
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    save_config(config, path)
    assert load_overlay(PRESET, path) == config
    assert overlay(PRESET, resolved(config)) == config
    assert [entry.name for entry in path.parent.iterdir()] == ["config.yaml"]


def test_empty_file_changes_nothing(tmp_path):
    (tmp_path / "a.yaml").write_text("# nothing\n")
    assert load_overlay(PRESET, tmp_path / "a.yaml") == PRESET


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [", "!!python/object/apply:os.getcwd []", "just words"])
def test_files_that_are_no_overlay(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError):
        load_overlay(PRESET, tmp_path / "a.yaml")


def test_missing_overlay(tmp_path):
    with pytest.raises(InputError):
        load_overlay(PRESET, tmp_path / "none.yaml")
