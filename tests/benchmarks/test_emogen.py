"""The benchmark of EmoGen: its judge comes from a run, perfect faces score best, nulls score as chance does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("lightning", reason="lightning is not installed")

import torch

from benchmarks.emogen import border_hue_shift, mean_fid, of_actor, overfit, score
from benchmarks.emogen_judges import embeds, house_judge, load_judge, load_maker
from benchmarks.emogen_pictures import Case, embeddings, neighbours_agree, plot, sheet
from benchmarks.emogen_videos import Made, faces_in, summary, travel
from tests.methods.emogen.faces import MadeClip
from vultus.core.errors import ControlError, InputError
from vultus.core.method import Trainable
from vultus.methods import get_method
from vultus.methods.emogen import data as data_module
from vultus.methods.emogen.config import EMOTIONS, PRESETS, ROWS, SMALL, TINY, ablated
from vultus.methods.emogen.data import talking_face
from vultus.methods.emogen.experts import EmotionDiscriminator
from vultus.methods.emogen.train import stages
from vultus.training.loop import LoopConfig, train


class Painter:
    """Stands for a generator that knows: its faces are the clip's own, marked with the emotion's number."""

    side = 64

    def __init__(self, truth: np.ndarray) -> None:
        self.truth = truth

    def faces(self, references: np.ndarray, mels: np.ndarray, emotions: np.ndarray) -> np.ndarray:
        made = self.truth.astype(np.float32)
        made[:, 0, 0, 0] = emotions.argmax(1)
        return made


def test_a_perfect_generator_scores_best():
    clip = talking_face(MadeClip("1", "fear"), 64)
    clip.frames[:, 0, 0, 0] = clip.emotion
    case = Case(clip, np.roll(clip.frames, 10, axis=0), clip.frames)
    looks = {"fid": lambda video: video[:, 40, 40].astype(np.float64)}
    figures = score(Painter(clip.frames), [case], lambda video: int(video[3, 0, 0, 0]), looks)
    assert figures["judge_right_on_real"] == figures["emo_acc"] == 1
    assert figures["null_emo_acc"] == pytest.approx(1 / len(EMOTIONS))
    assert figures["ssim"] == pytest.approx(1) and figures["null_ssim"] <= 1
    assert figures["psnr"] == 100 > figures["null_psnr"] and figures["fid"] == pytest.approx(0, abs=1e-6)
    assert figures["emo_acc_sad"] == 1 and figures["border_hue_shift_worst"] < 1


def test_fid_is_averaged_over_emotions():
    rng = np.random.default_rng(0)
    real = rng.normal(0, 1, (400, 3))
    features = {0: [real], 1: [real + np.array([2.0, 0, 0])]}
    assert mean_fid(features, [real]) == pytest.approx((0 + 4) / 2, abs=1e-6)


def test_our_own_features_know_a_blurred_picture():
    embed = embeds()["frechet_house"]
    rng = np.random.default_rng(0)
    sharp = np.stack([np.roll(astronaut()[30:190, 150:310], rng.integers(9, size=2), (0, 1)) for _ in range(12)])
    soft = np.stack([cv2.GaussianBlur(image, None, 3) for image in sharp])
    halves, blurred = (mean_fid({0: [embed(some)]}, [embed(sharp[:6])]) for some in (sharp[6:], soft))
    assert 0 <= halves < blurred / 3


def test_the_judge_is_a_stage_of_a_run(monkeypatch, tmp_path):
    clips = [MadeClip("1"), MadeClip("2", "sad", level=160)]
    monkeypatch.setattr(data_module, "prepared_clips", lambda data, dataset: clips)
    loop = LoopConfig(accelerator="cpu", log_every=1)
    train(lambda: stages(TINY, tmp_path), TINY, tmp_path / "run", loop, only="emotion")
    judge, side = load_judge(tmp_path / "run")
    assert side == 64 and judge(talking_face(clips[0], 64).frames) in range(len(EMOTIONS))


def test_a_stage_can_be_looked_at_as_weights_can(monkeypatch, tmp_path):
    config = ablated(TINY, "PRE")
    clips = [MadeClip("1"), MadeClip("2", "sad", level=160), MadeClip("3", None, dataset="lrs2")]
    by_set = {None: clips[:2], "lrs2": clips[2:]}
    monkeypatch.setattr(data_module, "prepared_clips", lambda data, dataset: by_set[dataset])
    run, rng = tmp_path / "run", np.random.default_rng(0)
    train(lambda: stages(config, tmp_path), config, run, LoopConfig(accelerator="cpu", log_every=1))
    pictures, mels = rng.integers(0, 255, (2, 64, 64, 3), dtype=np.uint8), rng.normal(size=(2, 80, 16))
    happy, sad = (np.repeat(np.eye(6)[[k]], 2, 0) for k in (3, 5))
    base, generator = load_maker(run / "base"), load_maker(run / "generator")
    assert np.array_equal(base.faces(pictures, mels, happy), base.faces(pictures, mels, sad))
    assert not np.array_equal(generator.faces(pictures, mels, happy), generator.faces(pictures, mels, sad))


def test_every_row_has_a_preset_of_its_own():
    method = get_method("emogen")
    assert isinstance(method, Trainable) and method.presets["small"] == SMALL
    for row in ("end", "seq", "pre", "pre-frozen"):
        assert method.presets[f"small-{row}"] != SMALL and method.presets[f"paper-{row}"].net.side == 96
    assert len(set(PRESETS.values())) == len(PRESETS) == 3 + 2 * (len(ROWS) - 1)
    assert PRESETS["small-end"].net.join == "end" and PRESETS["paper-pre-frozen"].train.pre == "frozen"


def test_a_row_that_is_not_there():
    import vultus

    with pytest.raises(ControlError, match="small-seq"):
        vultus.train("emogen", ".", "nowhere", preset="small-best")


def test_a_background_that_leaks_moves_the_borders_hue_and_light_does_not():
    real = np.full((3, 64, 64, 3), (90, 110, 130), np.uint8)
    assert border_hue_shift(real + np.uint8(40), real) == pytest.approx(0)
    middle = real.copy()
    middle[:, 8:-8, 8:-8] = (0, 255, 0)
    assert border_hue_shift(middle, real) == 0
    green = real.copy()
    green[:, :, :2, 1] += 60  # half of the border's four sides, less corners
    assert 5 < border_hue_shift(green, real) < 40


def test_a_sheet_shows_given_true_and_six_emotions():
    clips = [talking_face(MadeClip("1", "fear"), 64) for _ in range(2)]
    cases = [Case(clip, clip.frames, clip.frames) for clip in clips]
    assert sheet(Painter(clips[0].frames), cases).shape == (2 * 64 * 3, 8 * 64 * 3, 3)


def test_embeddings_are_plotted_one_a_clip():
    torch.manual_seed(0)
    clips = [talking_face(MadeClip("1", name, level=30 * k + 20), 64) for k, name in enumerate(EMOTIONS)]
    points = embeddings(EmotionDiscriminator(TINY.net).eval(), clips)
    assert points.shape == (6, TINY.net.embedding) and len(np.unique(points, axis=0)) == 6
    labels = np.arange(6) // 2
    assert neighbours_agree(labels[:, None] + np.eye(6) * 0.01, labels) == 1
    picture, placed = plot(points, np.arange(6), 1.5)
    assert placed.shape == (6, 2) and len(np.unique(picture.reshape(-1, 3), axis=0)) >= 7


def test_one_clip_is_overfitted():
    clip = talking_face(MadeClip("1", "sad", count=8), 64)
    found = list(overfit(clip, TINY.net, 3))
    assert [step for step, _ in found] == [3] and 0 < found[0][1] < 60


def test_actors_of_the_plot_were_held_out(monkeypatch, tmp_path):
    clips = [MadeClip(str(k)) for k in range(5)] + [MadeClip("9", split="test")]
    monkeypatch.setattr(data_module, "prepared_clips", lambda data, dataset: clips)
    assert [clip.actor for clip in of_actor(tmp_path, 64, "9")] == ["9"]
    learned = {clip.actor for clip in clips} - {"9"}
    with pytest.raises(InputError, match="held out"):
        for actor in sorted(learned):
            of_actor(tmp_path, 64, actor)


def test_figures_of_videos_by_hand():
    rng = np.random.default_rng(0)
    face = rng.uniform(40, 90, (478, 3)).astype(np.float32)
    points = face + np.arange(5, dtype=np.float32)[:, None, None] * np.float32([2, 0, 0])
    still = np.repeat(face[None], 5, 0)
    still[2] = np.nan
    assert travel(still, 25.0) == 0 < travel(points, 25.0)
    assert travel(points, 50.0) == pytest.approx(2 * travel(points, 25.0))
    pictures = rng.integers(0, 255, (5, 128, 128, 3), dtype=np.uint8)
    assert faces_in(pictures, still, 64, 25.0).shape == (4, 64, 64, 3)
    made = [Made("a", "sad", 0.4, 0.1, 1.0, "sad"), Made("b", "fear", 0.1, 0.3, 2.0, "sad")]
    found = summary(made)
    assert (found["own_voice_wins"], found["emo_acc"], found["travel"]) == (0.5, 0.5, 1.5)


def test_our_own_judge_reads_faces_and_says_when_there_is_none():
    judge = house_judge()
    assert judge(np.full((4, 96, 96, 3), 128, np.uint8)) == -1
    face = cv2.resize(astronaut()[30:190, 150:290], (96, 96), interpolation=cv2.INTER_AREA)
    assert EMOTIONS[judge(np.repeat(face[None], 4, 0))] == "happy"
