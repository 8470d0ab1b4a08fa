"""The benchmark of EmoGen: its judge comes from a run, perfect faces score best, nulls score as chance does."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("lightning", reason="lightning is not installed")

from benchmarks.emogen import load_judge, mean_fid, score
from tests.methods.emogen.faces import MadeClip
from vultus.core.errors import ControlError
from vultus.core.method import Trainable
from vultus.methods import get_method
from vultus.methods.emogen import data as data_module
from vultus.methods.emogen.config import EMOTIONS, PRESETS, ROWS, SMALL, TINY
from vultus.methods.emogen.data import talking_face
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
    figures = score(Painter(clip.frames), [clip], lambda video: int(video[3, 0, 0, 0]), None)
    assert figures["judge_right_on_real"] == figures["emo_acc"] == 1
    assert figures["null_emo_acc"] == pytest.approx(1 / len(EMOTIONS))
    assert figures["ssim"] == pytest.approx(1) and figures["null_ssim"] <= 1
    assert figures["psnr"] == 100 > figures["null_psnr"] and "fid" not in figures


def test_fid_is_averaged_over_emotions():
    rng = np.random.default_rng(0)
    real = rng.normal(0, 1, (400, 3))
    features = {0: [real], 1: [real + np.array([2.0, 0, 0])]}
    assert mean_fid(features, [real]) == pytest.approx((0 + 4) / 2, abs=1e-6)


def test_the_judge_is_a_stage_of_a_run(monkeypatch, tmp_path):
    clips = [MadeClip("1"), MadeClip("2", "sad", level=160)]
    monkeypatch.setattr(data_module, "prepared_clips", lambda data, dataset: clips)
    loop = LoopConfig(accelerator="cpu", log_every=1)
    train(lambda: stages(TINY, tmp_path), TINY, tmp_path / "run", loop, only="emotion")
    judge, side = load_judge(tmp_path / "run")
    assert side == 64 and judge(talking_face(clips[0], 64).frames) in range(len(EMOTIONS))


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
