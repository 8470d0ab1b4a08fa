"""Training: the stages in order, what each of them changes, and that one clip can be learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("lightning", reason="lightning is not installed")

import vultus  # noqa: E402
from tests.methods.emogen.faces import MadeClip  # noqa: E402
from vultus.core.weights import load_weights  # noqa: E402
from vultus.methods.emogen import data as data_module  # noqa: E402
from vultus.methods.emogen.batches import far_apart, jittered, own_voice, paired, side_by_side, some_frames, spoken  # noqa: E402
from vultus.methods.emogen.config import TINY, ablated  # noqa: E402
from vultus.methods.emogen.data import Shelf  # noqa: E402
from vultus.methods.emogen.mel import RANGE  # noqa: E402
from vultus.methods.emogen.train import stages  # noqa: E402
from vultus.methods.emogen.weights import load_face_maker  # noqa: E402
from vultus.training.loop import LoopConfig, train  # noqa: E402
from vultus.training.stage import Share  # noqa: E402

LOOP = LoopConfig(accelerator="cpu", log_every=1)


def open_at(count: int) -> np.ndarray:
    """(count,) bool: every other five frames."""
    return np.arange(count) // 5 % 2 == 1


def beeps(count: int) -> np.ndarray:
    """A voice that sounds where `open_at` says so."""
    t = np.arange(count * 640) / 16_000
    return (0.4 * np.sin(2 * np.pi * 400 * t) * np.repeat(open_at(count), 640)).astype(np.float32)


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    clips = [MadeClip("1", "happy"), MadeClip("1", "sad", level=140)]
    others = [MadeClip("7", None, dataset="lrs2")]
    monkeypatch.setattr(data_module, "prepared_clips", lambda _, dataset: others if dataset == "lrs2" else clips)
    folder = tmp_path / "prepared"
    folder.mkdir()
    return folder


def test_from_clips_to_weights_that_play(data, tmp_path):
    folder = vultus.train("emogen", data, tmp_path / "run", preset="tiny", loop=LOOP)
    tensors, card = load_weights(folder)
    assert {name.split(".")[0] for name in tensors} == {"generator", "sync", "emotion"}
    assert {"sync_bce", "sync_right", "emotion_accuracy", "generator_psnr", "generator_l1"} <= set(card.results)
    assert load_face_maker(folder).side == TINY.net.side


@pytest.mark.parametrize("row", ["END", "SEQ", "PL+DA", "PRE"])
def test_every_row_of_section_4_has_its_stages(data, row):
    chain = stages(ablated(TINY, row), data)
    base = ["base"] if row == "PRE" else []
    assert [stage.name for stage in chain] == ["sync", "emotion", *base, "generator"]
    assert chain[-1].needs == ("sync", "emotion", *base)
    assert chain[-1].generator.at_end == (row == "END")
    assert (chain[-1].perceptual is None) == (row in ("END", "SEQ"))


def test_a_frozen_face_encoder_stays_the_base_models(data, tmp_path):
    config = ablated(TINY, "PRE frozen")
    chain = stages(config, data)
    train(lambda: chain, config, tmp_path / "run", LOOP)
    base, generator = chain[2].generator, chain[3].generator
    for (name, wanted), found in zip(base.face.state_dict().items(), generator.face.state_dict().values(), strict=True):
        assert torch.equal(wanted, found), name
    assert not torch.equal(base.output[-1].weight, generator.output[-1].weight)


def test_initialised_by_the_base_model_it_goes_on_learning(data, tmp_path):
    config = ablated(TINY, "PRE")
    chain = stages(config, data)
    train(lambda: chain, config, tmp_path / "run", LOOP)
    pairs = list(zip(chain[2].generator.face.parameters(), chain[3].generator.face.parameters(), strict=True))
    assert any(not torch.equal(a, b) for a, b in pairs)
    assert all((a - b).abs().max() < 0.01 for a, b in pairs)  # two steps away at a rate of 1e-4


def test_a_speech_encoder_that_learned_alone_stays_as_it_is(data, tmp_path):
    settings = replace(TINY.train, voice="frozen", pre="initial", expert_batch=6)
    config = replace(TINY, train=settings)
    chain = stages(config, data)
    assert [stage.name for stage in chain] == ["sync", "emotion", "voice", "base", "generator"]
    assert chain[3].needs == ("sync", "voice") and chain[4].needs == ("sync", "emotion", "voice", "base")
    found = train(lambda: chain, config, tmp_path / "run", LOOP)
    assert found["voice"]["mse"] > 0 and -1 <= found["voice"]["r"] <= 1
    for name, wanted in chain[2].voice.state_dict().items():
        for stage in chain[3:]:
            assert torch.equal(stage.generator.speech.state_dict()[name], wanted), name


def test_a_mouth_that_opens_with_the_voice_is_learned(monkeypatch, data, tmp_path):
    quiet = np.zeros((20, 40), np.float32)
    monkeypatch.setattr(MadeClip, "waveform", property(lambda clip: beeps(clip.count)))
    monkeypatch.setattr(Shelf, "stance", lambda *_: SimpleNamespace(mouth=np.where(open_at(20)[:, None], 0.1, quiet)))
    config = replace(TINY, train=replace(TINY.train, voice="frozen", voice_steps=80, expert_batch=12, expert_lr=1e-2))
    found = train(lambda: stages(config, data), config, tmp_path / "run", LOOP, only="voice")
    assert found["voice"]["r"] > 0.8


def test_stretches_of_voices_come_with_the_mouths_movements(data, monkeypatch):
    shelf = stages(TINY, data)[0].material.train
    mouth = np.repeat(np.arange(20.0)[:, None], 40, 1)
    monkeypatch.setattr(Shelf, "stance", lambda *_: SimpleNamespace(mouth=mouth))
    batch = spoken(shelf, np.array([0, 1]), np.random.default_rng(2), 0.0)
    assert batch["mels"].shape == (32, 1, 80, 16) and batch["mouth"].shape == (32, 40)
    start = int(batch["mouth"][0, 0])
    assert torch.equal(batch["mels"][:16, 0], torch.from_numpy(shelf[0].voices(start, 16)))
    louder = spoken(shelf, np.array([0]), np.random.default_rng(2), 0.4)["mels"] - batch["mels"][:16]
    heard = batch["mels"][:16] > -RANGE
    assert 0 < louder[heard].abs().max() <= 0.4 and louder[heard].std() < 1e-5 and not louder[~heard].any()


def test_teachers_stay_as_they_are_but_for_the_slow_discriminator(data, tmp_path):
    chain = stages(TINY, data)
    before = {}

    def note(stage, step, steps, losses):
        if stage == "emotion" and step == steps:
            before.update({k: v.clone() for k, v in chain[0].sync.state_dict().items()})
            before["judge"] = chain[1].emotion.decide.weight.clone()

    train(lambda: chain, TINY, tmp_path / "run", LOOP, on_step=note)
    for name, tensor in chain[0].sync.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    moved = (chain[1].emotion.decide.weight - before["judge"]).abs().max()
    assert 0 < moved <= 3e-6  # two steps at 1e-6


def test_alpha_survives_an_interruption(data):
    stage, again = (stages(TINY, data)[-1] for _ in range(2))
    stage.weights.validated(0.2)
    again.load_state_dict(stage.state_dict())
    assert again.weights.now[0] == TINY.loss.alpha > 0


def test_until_lips_follow_few_frames_of_many_windows_are_learned_from(data):
    stage = stages(replace(TINY, train=replace(TINY.train, batch=10, first_frames=1)), data)[-1]
    batch = next(stage.batches(0, Share()))
    (first,) = stage._dealt(batch)
    assert first["faces"].shape[:2] == first["references"].shape[:2] == first["mels"].shape[:2] == (10, 1)
    assert any(torch.equal(first["mels"][:, 0], batch["mels"][:, t]) for t in range(5))
    stage.weights.validated(0.2)
    whole, single = stage._dealt(batch)
    assert whole["faces"].shape[:2] == (3, 5) and torch.equal(whole["wrong"], batch["wrong"][:3])
    assert single["faces"].shape[:2] == (7, 1) and torch.equal(single["emotion"], batch["emotion"][3:])
    run = SimpleNamespace(modules={"generator": stage.generator, "sync": stage.sync, "emotion": stage.emotion})
    made = stage._made([whole, single], run)
    assert [faces.shape for faces in made] == [whole["faces"].shape, single["faces"].shape]
    found = stage._losses([whole["faces"], single["faces"] + 0.1], [whole, single], run)
    assert found["reconstruction"].item() == pytest.approx(0.1 * 7 / 22, rel=1e-4) and found["sync"] > 0
    chosen = some_frames(batch, torch.tensor([1, 3]))
    assert torch.equal(chosen["faces"], batch["faces"][:, [1, 3]]) and torch.equal(chosen["emotion"], batch["emotion"])


def test_jittered_faces_move_together_and_not_far():
    torch.manual_seed(3)
    ramp = torch.linspace(0, 1, 64).expand(64, 64)  # brighter to the right
    faces = torch.stack([ramp, 1 - ramp, 0.5 + 0 * ramp])[None, None].repeat(40, 2, 1, 1, 1)
    moved = jittered(faces)
    assert moved.shape == faces.shape and torch.equal(moved[:, 0], moved[:, 1])
    slope = (moved[:, 0, 0, :, 40:] - moved[:, 0, 0, :, :24]).mean((1, 2))
    assert 10 < (slope < 0).sum() < 30 and (slope.abs() > 0.4).all()
    torch.testing.assert_close(moved[:, :, 0] + moved[:, :, 1], torch.ones(40, 2, 64, 64))  # colours stay in place
    torch.testing.assert_close(moved[:, :, 2], torch.full((40, 2, 64, 64), 0.5))


def test_the_rate_falls_to_its_share_and_goes_on_where_it_was(data, tmp_path):
    config = replace(TINY, train=replace(TINY.train, lr=1e-3, lr_fall=0.01, steps=2))
    chain, rates = stages(config, data), []
    learn = chain[-1].step

    def noted(batch, run):
        found = learn(batch, run)
        rates.append(run.optimizers["generator"].param_groups[0]["lr"])
        return found

    chain[-1].step = noted
    train(lambda: chain, config, tmp_path / "run", LOOP)
    assert rates == pytest.approx([1e-3, 1e-4])
    again = stages(config, data)[-1]
    again.load_state_dict(chain[-1].state_dict())
    assert again._done == 2


def test_batches_depend_on_their_step_alone(data):
    stage = stages(TINY, data)[0]
    first = stage.batches(0, Share())
    next(first)
    for name, tensor in next(first).items():
        assert torch.equal(tensor, next(stage.batches(1, Share()))[name]), name


def test_an_expert_may_see_windows_of_a_clip_together(data, tmp_path):
    config = replace(TINY, train=replace(TINY.train, expert_batch=9, sync_group=4))
    stage = stages(config, data)[0]
    batch = next(stage.batches(0, Share()))
    assert len(batch["faces"]) == 8 and len(set(batch["emotion"][:4].tolist())) == 1
    apart = far_apart(batch, 4)
    for k in range(4):
        for other in range(4):
            assert apart[1, k, other] == (abs(batch["start"][4 + k] - batch["start"][4 + other]) >= 10)
    found = train(lambda: stages(config, data), config, tmp_path / "run", LOOP, only="sync")
    assert 0 < found["sync"]["bce"] < 20


def test_pairs_that_do_not_belong_have_another_voice(data):
    shelf = stages(TINY, data)[0].material.train
    rng = data_module.np.random.default_rng(1)
    batch = side_by_side([shelf.window(0, rng, TINY.data, False) for _ in range(2)])
    assert batch["faces"].shape == (2, 5, 3, 64, 64) and batch["mels"].shape == (2, 5, 1, 80, 16)
    mel = paired(batch, torch.tensor([1.0, 0.0]))
    assert torch.equal(mel[0], own_voice(batch)[0]) and torch.equal(mel[1], batch["wrong"][1])
    # colours come first of all: the bar at the top is (200, 30, 60)
    assert (batch["faces"][0, 0, :, 0, 0] * 255).round().tolist() == [200, 30, 60]


def test_a_clip_can_be_learned(data, tmp_path):
    net = replace(TINY.net, face_widths=(8,) * 6, decoder_widths=(16,) * 6, embedding=16)
    settings = replace(TINY.train, lr=5e-3, steps=60, batch=4)
    config = replace(TINY, net=net, train=settings, data=replace(TINY.data, augment=False))
    losses = []

    def note(stage, step, steps, found):
        if stage == "generator":
            losses.append(found["reconstruction"])

    train(lambda: stages(config, data), config, tmp_path / "run", LOOP, on_step=note)
    assert sum(losses[-5:]) / 5 < 0.5 * losses[0]
