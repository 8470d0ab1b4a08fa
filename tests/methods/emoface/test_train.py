"""Training: one batch overfits at the paper's sizes, errors are the tables', and the small one learns in seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.methods.emoface.voices import babble
from vultus.core.errors import ControlError, MissingPartError
from vultus.core.method import Trainable
from vultus.face.metahuman import COUNT, NAMES, index_of
from vultus.methods.emoface import METHOD
from vultus.methods.emoface.config import EMOTIONS, PAPER, PRESETS, TINY
from vultus.methods.emoface.data import Ear, Material, Utterance, _label, acted_utterance, label_rows
from vultus.training.stage import Run, Share

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("lightning", reason="lightning is not installed")

from vultus.methods.emoface.model import EmoFaceNet  # noqa: E402
from vultus.methods.emoface.train import AREAS, Curves, mean_absolute_errors, side_by_side, stages  # noqa: E402
from vultus.training.loop import LoopConfig, train  # noqa: E402

RNG = np.random.default_rng(0)


def toy_material() -> Material:
    ear = Ear(TINY.net)
    made = [acted_utterance(name, babble(), _label(name), k, 0.0, ear) for k, name in enumerate(EMOTIONS)]
    return Material(made, made[:2])


class Stretch(torch.nn.Module):
    """A stand-in for wav2vec2: 768 random features of every 20 ms of a waveform."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = torch.nn.Linear(320, 768)

    def forward(self, waveform):
        return self.maps(waveform[:, : waveform.shape[1] // 320 * 320].unflatten(1, (-1, 320)))


def test_one_batch_overfits_at_the_papers_sizes():
    torch.manual_seed(0)
    truth = RNG.uniform(0, 1, (1, COUNT)) * np.sin(np.arange(16)[:, None] / RNG.uniform(2, 9, COUNT)) ** 2
    noise = RNG.normal(0, 0.1, 4300).astype(np.float32)
    utterance = Utterance("one", noise, truth.astype(np.float32), label_rows("sad", 16))
    config = replace(PAPER, train=replace(PAPER.train, lr=3e-4), net=replace(PAPER.net, dropout=0.0))
    stage = Curves(config, Material([utterance], [utterance]), EmoFaceNet(config.net), Stretch())
    assert stage.net.out.out_features == 174 == len(NAMES)
    batch = next(stage.batches(0, Share()))
    assert batch["waveform"].mean().abs() < 1e-4 and batch["waveform"].std() == pytest.approx(1, abs=1e-3)

    class Fabric:
        @staticmethod
        def backward(loss) -> None:
            loss.backward()

    run = Run(Fabric(), stage.modules(), stage.optimizers())  # type: ignore[arg-type]
    losses = [float(stage.step(batch, run)["mse"]) for _ in range(20)]
    assert losses[-1] < 0.3 * losses[0], losses[::4]


def test_the_small_one_learns_lips_and_feeling(tmp_path):
    config = replace(TINY, train=replace(TINY.train, rounds=150, lr=1e-2))
    made = toy_material()
    kept: list[Curves] = []

    def build() -> list[Curves]:
        kept.extend(stages(config, Path(), made))
        return kept

    figures = train(build, config, tmp_path, LoopConfig(accelerator="cpu", validate_every=10**6))["curves"]
    assert set(figures) == set(AREAS)
    mean = np.concatenate([u.controls for u in made.train]).mean(0)
    at_mean = np.mean([list(mean_absolute_errors(mean[None], u.controls).values()) for u in made.val], 0)
    assert figures["full_face_mae"] < 0.6 * at_mean[0]
    assert bytes(kept[0].net.heard_by.tolist()).decode() == Ear(config.net).sha8


def test_errors_are_those_of_the_tables():
    truth = np.zeros((5, COUNT), np.float32)
    made = truth.copy()
    made[:, index_of("jaw")] = 0.5
    found = mean_absolute_errors(made, truth)
    assert found["full_face_mae"] == pytest.approx(0.5 / 174)
    assert found["eye_mae"] == 0 and found["mouth_mae"] > found["full_face_mae"]
    made[:, index_of("brow_down", "left")] = -0.2
    assert mean_absolute_errors(made, truth)["eye_mae"] > 0


def test_batches_are_padded_and_depend_on_their_step_alone():
    made = toy_material()
    short = replace(
        made.train[0], **{name: getattr(made.train[0], name)[:40] for name in ("controls", "emotion", "states")}
    )
    batch = side_by_side([made.train[1], short])
    assert batch["seen"].sum(1).tolist() == [len(made.train[1].controls), 40]
    assert not batch["states"][1, 40:].any() and batch["controls"].shape[2] == 174
    stage = Curves(TINY, made, EmoFaceNet(TINY.net), None)
    first = stage.batches(0, Share())
    next(first)
    for one, two in zip(next(first).values(), next(stage.batches(1, Share())).values(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_padding_costs_nothing():
    stage = Curves(TINY, toy_material(), EmoFaceNet(TINY.net), None)
    stage.net.eval()
    one = side_by_side([stage.material.train[0]])
    wide = {name: torch.nn.functional.pad(t, (0, 0, 0, 30) if t.ndim == 3 else (0, 30)) for name, t in one.items()}
    wide["controls"][:, -30:] = 9
    losses = []
    for batch in (one, wide):
        run = Run(type("F", (), {"backward": staticmethod(lambda loss: loss.backward())})(), stage.modules(), {})
        run = replace(run, optimizers=stage.optimizers())
        state = {name: t.clone() for name, t in stage.net.state_dict().items()}
        losses.append(float(stage.step(batch, run)["mse"]))
        stage.net.load_state_dict(state)
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_it_can_be_trained_and_its_presets_are_whole():
    assert isinstance(METHOD, Trainable) and METHOD.presets == PRESETS
    assert PAPER.net.ear == "wav2vec2" and PAPER.data.source == "emoface" and not PAPER.train.balanced


def test_wav2vec2_wants_recorded_utterances(monkeypatch):
    with pytest.raises(ControlError, match="choose emoface"):
        stages(replace(PAPER, data=TINY.data), Path())
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(MissingPartError, match="transformers is not installed"):
        stages(PAPER, Path())
