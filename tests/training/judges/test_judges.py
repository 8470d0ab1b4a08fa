"""Every judge has two roles that are trained alike but not the same; what each learns from is what it should be."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from vultus.core.errors import InputError
from vultus.core.weights import load_weights
from vultus.perception.judges import ROLES
from vultus.perception.judges.mouth_numbers import NUMBERS
from vultus.training import checkpoint
from vultus.training.judges import JUDGES, face_pictures, get_judge, identity, perceptual, sync
from vultus.training.judges.face_pictures import LOOKS, SIZE_PX, TAKES, Sitter
from vultus.training.judges.sync_clips import SyncClip, of_half
from vultus.training.judges.sync_trials import TRIAL_ROWS, area_under_roc, separation, window_scores
from vultus.training.loop import LoopConfig, train
from vultus.training.stage import Share, Stage

pytest.importorskip("lightning", reason="lightning is not installed")
torch.set_num_threads(1)


def clip(number: int, synthetic: bool, rows: int = 60) -> SyncClip:
    rng = np.random.default_rng(number)
    mouth = rng.standard_normal((rows, NUMBERS)).astype(np.float32)
    return SyncClip(f"c{number}", f"s{number}", synthetic, mouth, np.float32(rng.standard_normal((4 * rows, 80))))


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """A data folder with the pictures of twenty people, who are noise."""
    folder = tmp_path / "data" / perceptual.FACES_FOLDER
    folder.mkdir(parents=True)
    for number in range(20):
        rng = np.random.default_rng(number)
        pictures = rng.integers(0, 256, (4, SIZE_PX, SIZE_PX, 3), np.uint8)
        landmarks = (rng.uniform(20, 100, (1, 478, 3)) + rng.normal(0, 1, (4, 478, 3))).astype(np.float32)
        kept = folder / f"sitter-0-{number:04d}.npz"
        np.savez(kept, pictures=pictures, landmarks=landmarks, take=np.array([0, 1, TAKES, TAKES + 1]))
    return folder.parent


def sync_stages(data: Path) -> Sequence[Stage]:
    lesson = sync.LessonConfig(3, 2, 2, 1e-3)
    config = dataclasses.replace(sync.PRESETS["judge"], first=lesson, second=lesson, crop_rows=48)
    torch.manual_seed(1)
    parts = (sync.SyncNet(config.net), sync.Sharpness())
    clips = ([clip(1, False), clip(2, False, 40)], [clip(3, True), clip(4, True)], [clip(5, False), clip(6, False)])
    return [
        sync.Contrast("synthetic", (), config, lesson, parts, clips),
        sync.Contrast("real", ("synthetic",), config, lesson, parts, clips),
    ]


def identity_stages(data: Path) -> Sequence[Stage]:
    return identity.stages(
        dataclasses.replace(identity.PRESETS["judge"], people=9, batch=3, faces=3, dimensions=4), data
    )


def perceptual_stages(data: Path) -> Sequence[Stage]:
    return perceptual.stages(dataclasses.replace(perceptual.PRESETS["judge"], people=3, steps=3, batch=2), data)


STAGES: dict[str, Callable[[Path], Sequence[Stage]]] = {
    "sync": sync_stages, "identity": identity_stages, "perceptual": perceptual_stages,
}  # fmt: skip


@pytest.mark.parametrize("name", ["sync", "identity", "perceptual"])
def test_roles_differ_in_what_they_drew_from_and_in_nothing_else(name):
    presets = get_judge(name).presets
    assert set(presets) == set(ROLES) and name in JUDGES
    teacher, judge = presets["teacher"], presets["judge"]
    assert dataclasses.replace(teacher, seed=judge.seed) == judge
    assert teacher.seed != judge.seed


@pytest.mark.parametrize("name", list(STAGES))
def test_a_judge_learns_and_resumes_to_the_same_bits(name, faces, tmp_path):
    class Killed(Exception):
        pass

    def kill(stage: str, done: int, *_: object) -> None:
        if done == 2:
            raise Killed

    loop = LoopConfig(accelerator="cpu", log_every=1, validate_every=3, save_every=1)
    build = STAGES[name]
    whole = train(lambda: build(faces), loop, tmp_path / "whole", loop)
    with pytest.raises(Killed):
        train(lambda: build(faces), loop, tmp_path / "cut", loop, on_step=kill)
    assert train(lambda: build(faces), loop, tmp_path / "cut", loop, resume=True) == whole
    last = build(faces)[-1]
    one, other = (
        load_file(checkpoint.latest(tmp_path / run / last.name)[1] / checkpoint.WEIGHTS_FILE)
        for run in ("whole", "cut")
    )
    assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
    untouched = checkpoint.tensors_of(last.modules())
    assert any(not torch.equal(one[key], untouched[key]) for key in one if key.startswith("net."))
    assert all(np.isfinite(value) for value in whole[last.name].values())


def test_vultus_train_gives_weights_that_load(faces, tmp_path):
    import vultus
    from vultus.perception.judges.identity import load_identity

    changes = tmp_path / "few.yaml"
    changes.write_text("{people: 12, batch: 6, dimensions: 5}\n")
    loop = LoopConfig(accelerator="cpu")
    folder = vultus.train("identity", faces, tmp_path / "run", preset="teacher", config=changes, loop=loop)
    tensors, card = load_weights(folder)
    assert (card.method, card.preset, card.config["seed"]) == ("identity", "teacher", 2)
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == {"mean": (936,), "projection": (936, 5)}
    assert np.abs(load_identity(folder=folder).projection).min() > 0


def test_area_under_roc_by_hand():
    assert area_under_roc(np.array([3.0, 1.0]), np.array([0.0, 2.0])) == pytest.approx(3 / 4)
    assert area_under_roc(np.array([1.0]), np.array([1.0, 0.0])) == pytest.approx(3 / 4)  # a tie counts half
    assert area_under_roc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1


def test_windows_in_sync_and_shifted():
    products = np.zeros((2 * TRIAL_ROWS + 1, 150))
    products[TRIAL_ROWS] = 1.0  # all similarity at offset 0
    positive, negative = window_scores(products, 1.0)
    known = 150 - 2 * TRIAL_ROWS
    assert len(positive) == len(range(0, known - 25 + 1, 12)) and len(negative) == 2 * len(positive)
    assert (positive == 1).all() and (negative == 0).all()
    assert separation([products, products], None) == 1.0
    assert separation([np.roll(products, 5, 0)], 1.0) < 0.5  # late by 200 ms: the shifted one looks better
    with pytest.raises(ValueError, match="none whose sound"):
        window_scores(products[:, : 2 * TRIAL_ROWS], 1.0)


def test_halves_share_no_speaker():
    clips = [clip(number % 5, False) for number in range(10)]
    even, others = of_half(clips, "even")
    odd, rest = of_half(clips, "odd")
    assert {c.speaker for c in even} == {c.speaker for c in rest} == {"s0", "s2", "s4"}
    assert {c.speaker for c in odd} == {c.speaker for c in others} == {"s1", "s3"}
    assert of_half(clips, "all") == (clips, []) and of_half(clips, "none") == ([], clips)


@pytest.mark.parametrize("faster", [0.8, 1.0, 1.25])
def test_what_is_said_faster_stays_together(faster):
    rows = np.arange(100.0)
    told = SyncClip("", "", False, np.repeat(rows[:, None], NUMBERS, 1), np.repeat(np.arange(400.0)[:, None], 80, 1))
    mouth, mel = told.cut(50, faster, np.random.default_rng(2))
    assert mouth.shape == (NUMBERS, 50) and mel.shape == (80, 200)
    moments_mouth, moments_mel = mouth[0] + 0.5, (mel[0] + 0.5).reshape(50, 4).mean(1) / 4
    np.testing.assert_allclose(moments_mouth[2:-2], moments_mel[2:-2], atol=1e-3)
    slope = np.diff(moments_mouth[2:-2]).mean()
    assert slope == pytest.approx(np.ceil(50 * faster) / 50, abs=0.02)


def test_sync_wants_the_clips_it_is_to_learn_from(monkeypatch, tmp_path):
    config = sync.PRESETS["judge"]
    monkeypatch.setattr(sync, "sync_clips", lambda data: [clip(1, False), clip(2, False)])
    with pytest.raises(InputError, match="0 synthetic"):
        sync.stages(config, tmp_path)
    monkeypatch.setattr(sync, "sync_clips", lambda data: [clip(1, True), clip(2, True)])
    assert [stage.name for stage in sync.stages(config, tmp_path)] == ["synthetic"]
    with pytest.raises(InputError, match="0 real"):
        sync.stages(dataclasses.replace(config, half="all"), tmp_path)
    monkeypatch.setattr(sync, "sync_clips", lambda data: [clip(1, True), clip(2, False)])
    assert [stage.name for stage in sync.stages(dataclasses.replace(config, half="all"), tmp_path)][1:] == ["real"]


def test_discriminant_finds_what_tells_people_apart():
    config = dataclasses.replace(identity.PRESETS["judge"], people=120, batch=40, faces=4, dimensions=24)
    (stage,) = identity.stages(config, Path())
    batches = stage.batches(0, Share())
    for _ in range(stage.steps):
        stage.step(next(batches), None)
    shapes = torch.from_numpy(identity.drawn_shapes(30, 4, np.random.default_rng(5)))
    person = torch.arange(30).repeat_interleave(4)
    same = person[:, None] == person[None]
    upper = torch.ones(120, 120, dtype=torch.bool).triu(1)

    def auc(vectors: torch.Tensor) -> float:
        cosines = vectors.flatten(0, 1) @ vectors.flatten(0, 1).T
        return area_under_roc(cosines[upper & same].numpy(), cosines[upper & ~same].numpy())

    assert auc(stage.net(shapes)) > max(0.97, auc(torch.nn.functional.normalize(shapes, dim=-1)))


def test_sitters_are_drawn_once_and_in_two_looks(tmp_path, monkeypatch):
    drawn = []

    def draw(seed: int, number: int) -> Sitter:
        drawn.append((seed, number))
        return Sitter(np.zeros((1, SIZE_PX, SIZE_PX, 3), np.uint8), np.zeros((1, 478, 3), np.float32), np.zeros(1, int))

    monkeypatch.setattr(face_pictures, "draw_sitter", draw)
    assert len(list(face_pictures.sitters(tmp_path, 3, 4))) == 3
    assert len(list(face_pictures.sitters(tmp_path, 4, 4))) == 4
    assert drawn == [(4, 0), (4, 1), (4, 2), (4, 3)]


def test_a_sitter_keeps_the_face_and_changes_the_rest():
    sitter = face_pictures.draw_sitter(3, 1)
    assert len(sitter.take) >= 0.7 * LOOKS * TAKES and set(sitter.take // TAKES) == {0, 1}
    assert (sitter.landmarks[..., :2].mean(1) > 0).all() and (sitter.landmarks[..., :2].mean(1) < SIZE_PX).all()
    corners = sitter.pictures[:, :8, :8].reshape(len(sitter.pictures), -1, 3).mean(1)
    assert len({tuple(np.round(corner / 8)) for corner in corners}) > 2  # other places
