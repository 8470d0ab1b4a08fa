"""Every data set's layout, filled with a real video: read, prepared its own way, and given out as clips to train on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.data import trees
from tests.data.conftest import HERE
from tests.data.footage import panned, write_clip
from vultus.core.controls import EMOTIONS
from vultus.core.types import SAMPLE_RATE
from vultus.data.manifest import prepared_clips
from vultus.data.prepare import prepare
from vultus.data.readers import READERS
from vultus.data.recipe import PrepareOptions

REAL = Path(__file__).parents[3] / "shared/data/real"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the real samples (../shared/data/real) are not here")

VIDEOS = {
    "voxceleb2": "dev/mp4/id10001/abc/00001.mp4",
    "mead": "W011/video/front/fear/level_2/003.mp4",
    "crema_d": "VideoFlash/1001_DFA_ANG_HI.mp4",
    "lrs2": "main/111/00001.mp4",
    "hdtf": "WDA_KatieHill_000.mp4",
    "person": "me.mp4",
    "synthetic": "p001/000.mp4",
    "video": "talks/me.mp4",
}
SIDES = {"wav2lip": 96, "pcavs": 224, "ffhq": 256, "person": 512}


def fill(dataset: str, root: Path, video: Path, sound: Path) -> None:
    """The files that make one clip of a data set."""
    if dataset == "emoface":
        trees.write_curves(root / "validation/VALID_CTR/fear_001.txt", 40)
        (root / "validation/WAV").mkdir()
        shutil.copy(sound, root / "validation/WAV")
        return
    target = root / VIDEOS[dataset]
    target.parent.mkdir(parents=True)
    shutil.copy(video, target)
    if dataset == "lrs2":
        target.with_suffix(".txt").write_text("Text:  HELLO\n")
        for name, line in (("train", "111/00001"), ("val", ""), ("test", "")):
            (root / f"{name}.txt").write_text(line)
    if dataset == "synthetic":
        target.with_suffix(".json").write_text(json.dumps({"speaker": "p001", "emotion": "sad", "level": 3}))
        np.savez(target.with_suffix(".npz"), au45=np.zeros(12, np.float32))


@pytest.fixture(scope="module")
def material(tmp_path_factory, astronaut):
    folder = tmp_path_factory.mktemp("material")
    soundfile.write(folder / "fear_001.wav", 0.2 * np.sin(np.arange(24_000) / 20), 48_000)
    return write_clip(folder / "a.mp4", panned(astronaut)), folder / "fear_001.wav"


@pytest.mark.parametrize("dataset", READERS)
def test_a_clip_of_every_data_set_can_be_trained_on(dataset, material, tmp_path):
    fill(dataset, tmp_path / "raw", *material)
    report = prepare(dataset, tmp_path / "raw", tmp_path / "out", HERE)
    assert not report.failed
    clip, *rest = prepared_clips(tmp_path / "out", dataset)
    assert clip.facts.emotion in (None, *EMOTIONS) and len(rest) == (dataset == "person")
    assert len(clip.track()) == len(clip) and len(clip.waveform) == round(len(clip) / clip.fps * SAMPLE_RATE)
    assert (clip.labels() is not None) == (dataset == "synthetic")
    if dataset == "emoface":
        assert clip.track().controls.shape == (30, 174)
        return
    side = SIDES[READERS[dataset].crop]
    for part in (clip, *rest):  # whole: a picture, a set of masks, a row of every channel and of sound for each frame
        channels = [getattr(part.track(), name) for name in part.track().channels]
        rows = {sum(1 for _ in part.frames()), sum(1 for _ in part.masks()), len(part.mouth), len(part.boxes("mouth"))}
        assert rows | {len(channel) for channel in channels} == {len(part)} and len(part) > 0
        assert len(part.waveform) == round(len(part) / part.fps * SAMPLE_RATE)
    batch = np.stack(list(clip.frames(2, 7)))
    assert batch.shape == (5, side, side, 3) and batch.std() > 10
    masks = list(clip.masks(2, 7))
    assert len(masks) == 5 and all(mask.mouth.any() and mask.eyes.any() for mask in masks)
    assert np.isfinite(clip.track().landmarks).all() and clip.background().shape == (side, side, 3)


@needs_real
@pytest.mark.parametrize(
    ("dataset", "place", "sample", "side"),
    [
        ("voxceleb2", "mp4/id06209/yt/00105.mp4", "voxceleb2/pose_620900105.mp4", 224),
        ("mead", "M003/video/front/contempt/level_3/001.mp4", "mead/contempt.mp4", 256),
    ],
)
def test_real_samples_in_their_places(dataset, place, sample, side, tmp_path):
    target = tmp_path / "raw" / place
    target.parent.mkdir(parents=True)
    target.symlink_to(REAL / sample)
    report = prepare(dataset, tmp_path / "raw", tmp_path / "out", PrepareOptions(workers=0, keep_silent=True))
    (facts,) = report.prepared
    assert (facts.width, facts.height) == (side, side) and facts.seen >= 0.99
    if facts.sound:
        assert abs(facts.av_offset_ms) <= 40 and facts.av_confidence > 0.5
    else:
        assert (facts.speaker, facts.emotion, facts.level, facts.view) == ("M003", "contempt", 3, "front")


@needs_real
def test_a_real_utterance_with_curves(tmp_path):
    raw = tmp_path / "validation"
    (raw / "WAV").mkdir(parents=True)
    (raw / "WAV/angry_gd04_001_021.wav").symlink_to(REAL / "emoface/angry_gd04_001_021.wav")
    trees.write_curves(raw / "VALID_CTR/angry_gd04_001_021.txt", 230)
    (facts,) = prepare("emoface", tmp_path, tmp_path / "out", HERE).prepared
    assert (facts.emotion, facts.split, facts.fps) == ("angry", "val", 60)
    assert facts.frames == int(3.36 * 60)  # the wave file ends first
