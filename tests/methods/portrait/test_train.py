"""Training of the lips: lessons in step with their sound, batches by number of step, and losses that fall."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vultus.audio.features import BANDS
from vultus.core.errors import InputError
from vultus.core.types import Phone, Speech
from vultus.methods import get_method
from vultus.methods.portrait.config import TRAINING, FinetuneConfig, LipTrainConfig, PretrainConfig
from vultus.methods.portrait.data import TalkClip, speaker_of, talk_clips
from vultus.methods.portrait.lessons import Batch, Lesson, lesson_of_clip, lesson_of_speech
from vultus.motion.components import COMPONENTS
from vultus.motion.visemes import SYMBOLS
from vultus.perception.speech import SpeechNetConfig
from vultus.training.stage import Share

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("lightning", reason="lightning is not installed")

RNG = np.random.default_rng(0)
CONFIG = LipTrainConfig(
    SpeechNetConfig(width=16),
    PretrainConfig(steps=30, batch=4, negatives=1, crop_s=1.0),
    FinetuneConfig(steps=40, batch=4, synthetic=1, crop_s=1.0),
)


def babble(words: int = 8) -> Speech:
    """M-AA-M-AA as sound: hum and tone; phones of .15 s."""
    phones, sound = [], []
    for k in range(2 * words):
        symbol = "M" if k % 2 == 0 else "AA"
        phones.append(Phone(symbol, 0.15 * k, 0.15 * (k + 1)))
        t = np.arange(2400) / 16000
        sound.append((0.05 if symbol == "M" else 0.4) * np.sin(2 * np.pi * (200 if symbol == "M" else 900) * t))
    return Speech(np.concatenate(sound).astype(np.float32), tuple(phones))


def clip_of(speech: Speech, offset_s: float = 0.0) -> TalkClip:
    """A talker whose mouth is open in AA and shut in M, filmed at 25 fps."""
    at_s = offset_s + np.arange(int(25 * speech.duration_s)) / 25
    opened = (np.floor(np.clip(at_s, 0, None) / 0.15) % 2).astype(np.float32)
    mouths = np.stack([0.1 * opened, 0.6 - 0.05 * opened], 1)
    valid = np.ones(len(at_s), bool)
    return TalkClip("toy", "toy", speech.waveform, 25.0, offset_s, valid, mouths, np.zeros((len(at_s), 52)))


class ToyMaterial:
    """Stands for `Material`."""

    def __init__(self) -> None:
        self.synthetic = [lesson_of_speech(babble()) for _ in range(3)]
        self.negatives = [RNG.normal(-5, 1, (150, BANDS)).astype(np.float32)]
        self.lessons = [lesson_of_clip(clip_of(babble()))]


def test_lessons_know_what_is_said_when() -> None:
    lesson = lesson_of_speech(babble())
    assert lesson.phones is not None and lesson.components is not None
    assert len(lesson.mel) == 2 * len(lesson.phones) == 2 * len(lesson.components)
    assert SYMBOLS[lesson.phones[3]] == "M" and SYMBOLS[lesson.phones[11]] == "AA"
    jaw = lesson.components[:, list(COMPONENTS).index("jaw")]
    assert jaw[40:100][lesson.phones[40:100] == SYMBOLS.index("AA")].mean() > jaw[40:100].mean()


def test_a_clips_offset_is_taken_out() -> None:
    straight, late = (lesson_of_clip(clip_of(babble(), s)) for s in (0.0, 0.2))
    assert straight.mouth is not None and late.mouth is not None and late.seen is not None
    assert late.seen[:10].sum() == 0 and late.seen[11:90].all()
    assert np.corrcoef(straight.mouth[20:90, 0], late.mouth[20:90, 0])[0, 1] > 0.9


def test_speakers() -> None:
    assert speaker_of("talk/Obama_clip2") == "Obama" and speaker_of("talk/feifeili_clip2_short") == "feifeili"
    assert speaker_of("voxceleb2/pose_741400163") == speaker_of("voxceleb2/741400104")


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the known clips"):
        next(talk_clips(tmp_path))


def test_a_row_is_filled_in_step() -> None:
    lesson = Lesson(np.arange(40.0)[:, None].repeat(BANDS, 1), phones=np.arange(20))
    batch = Batch.empty(1, 20, 11)
    batch.fill(0, lesson, np.random.default_rng(2))
    np.testing.assert_array_equal(batch.mel[0, 0, ::2] / 2, batch.phones[0])


def test_batches_depend_on_their_step_alone() -> None:
    from vultus.methods.portrait.train import stages

    for stage in stages(CONFIG, ToyMaterial()):  # type: ignore[arg-type]
        first = stage.batches(0, Share())
        next(first)
        for one, two in zip(next(first).values(), next(stage.batches(1, Share())).values(), strict=True):
            np.testing.assert_array_equal(one, two)


def test_both_stages_learn(tmp_path: Path) -> None:
    from vultus.methods.portrait.train import stages
    from vultus.training.loop import LoopConfig, train

    seen: dict[str, list[float]] = {}

    def note(stage: str, step: int, steps: int, losses: dict[str, float]) -> None:
        seen.setdefault(stage, []).append(losses.get("mouth", np.nan))

    loop = LoopConfig(accelerator="cpu", log_every=1)
    figures = train(lambda: stages(CONFIG, ToyMaterial()), CONFIG, tmp_path, loop, on_step=note)  # type: ignore[arg-type]
    for losses in seen.values():
        assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])
    assert figures["finetune"]["aperture_r"] > 0.3


def test_portrait_can_be_trained_and_its_presets_are_whole() -> None:
    from vultus.core.method import Trainable

    method = get_method("portrait")
    assert isinstance(method, Trainable) and "small" in method.presets
    assert replace(TRAINING["small"]) == method.presets["small"]
    assert TRAINING["small"].net.symbols == len(SYMBOLS) and TRAINING["small"].net.components == len(COMPONENTS)
