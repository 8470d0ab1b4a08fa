"""The portrait driver: one performance, whole and in step, whatever the chunks; every control has its effect."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vultus
from vultus.audio.io import read_speech
from vultus.core.bases import ARKIT52, index_of
from vultus.core.controls import Controls
from vultus.core.types import SAMPLE_RATE, Performance
from vultus.methods.portrait.infer import PortraitDriver
from vultus.motion.lips import LipMotion, frame_count

SAMPLE = Path(vultus.__file__).parent / "assets" / "sample_speech.flac"
CHANNELS = ("expression", "rotation", "translation", "gaze", "au45")


class WavingLips:
    """A lip motion without recogniser: the jaw follows time; each frame is out as soon as it has begun."""

    def __init__(self, fps: float) -> None:
        self.fps, self.lookahead_s = fps, 0.0
        self._samples = self._frames = 0

    def push(self, samples: np.ndarray) -> np.ndarray:
        self._samples += len(samples)
        return self._until(int(self._samples * self.fps / SAMPLE_RATE))

    def finish(self) -> np.ndarray:
        return self._until(frame_count(self._samples, self.fps))

    def _until(self, frame: int) -> np.ndarray:
        lips = np.zeros((frame - self._frames, len(ARKIT52)), np.float32)
        lips[:, index_of("jawOpen")] = 0.1 + 0.1 * np.sin(np.arange(self._frames, frame))
        self._frames = frame
        return lips


def perform(waveform: np.ndarray, sizes: list[int] | None = None, fps: float = 25, lips: LipMotion | None = None,
            sources: dict[str, Performance] | None = None, **options: object) -> Performance:  # fmt: skip
    driver = PortraitDriver(Controls.parse(**options), fps, lips=lips or WavingLips(fps), **(sources or {}))
    parts, at = [], 0
    for size in sizes or [len(waveform)]:
        parts.append(driver.push(waveform[at : at + size]))
        at += size
    parts.append(driver.finish())
    return Performance.concatenate(part for part in parts if part is not None)


@pytest.fixture(scope="module")
def waveform() -> np.ndarray:
    return read_speech(SAMPLE).waveform


@pytest.mark.parametrize("fps", [12, 25, 29.97, 60])
def test_it_covers_the_voice_with_every_channel_in_range(waveform: np.ndarray, fps: float) -> None:
    made = perform(waveform, fps=fps, emotion="0:happy@3 4:angry@3")
    assert len(made) == frame_count(len(waveform), fps)
    assert set(made.channels) == set(CHANNELS)
    assert (made.reference, made.basis, made.fps) == ("rest", "arkit52", fps)
    assert made.expression.min() >= 0 and made.expression.max() <= 1
    assert all(np.isfinite(getattr(made, name)).all() for name in CHANNELS)


def test_recognised_lips_give_the_same_for_any_chunks(waveform: np.ndarray) -> None:
    def run(sizes: list[int]) -> Performance:
        driver = PortraitDriver(Controls.parse(emotion="0:sad 3:happy", gaze="0:natural 2:5,5", seed=3), 25)
        parts, at = [], 0
        for size in sizes:
            parts.append(driver.push(waveform[at : at + size]))
            at += size
        parts.append(driver.finish())
        return Performance.concatenate(part for part in parts if part is not None)

    rest = len(waveform) - 70_001
    one, other = run([len(waveform)]), run([1, 20_000, 0, 50_000, rest])
    for name in CHANNELS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-5, err_msg=name)


def test_seeds_reproduce_and_differ(waveform: np.ndarray) -> None:
    first, again, other = perform(waveform, seed=1), perform(waveform, seed=1), perform(waveform, seed=2)
    for name in CHANNELS:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    for name in ("rotation", "gaze", "au45"):
        assert not np.array_equal(getattr(first, name), getattr(other, name))


def test_idle_motion_follows_the_voice(waveform: np.ndarray) -> None:
    silent = np.zeros(len(waveform), np.float32)
    speaking, quiet = perform(waveform), perform(silent)
    moved = [np.abs(np.diff(made.rotation, axis=0)).mean() for made in (speaking, quiet)]
    assert moved[0] > 2 * moved[1]
    assert speaking.expression[:, index_of("browInnerUp")].max() > 0.05
    assert not quiet.expression[:, index_of("browInnerUp")].any()


def test_still_controls_leave_only_the_lips(waveform: np.ndarray) -> None:
    made = perform(waveform, pose="still", blink="none", gaze="still")
    for name in ("rotation", "translation", "gaze", "au45"):
        assert not getattr(made, name).any(), name
    assert made.expression[:, index_of("jawOpen")].max() > 0.1


def test_eyes_hold_the_viewer_against_the_heads_motion(waveform: np.ndarray) -> None:
    made = perform(waveform, gaze="0,0")
    np.testing.assert_allclose(made.gaze, -0.9 * made.rotation[:, :2], atol=1e-5)


def test_blinks_agree_between_channels(waveform: np.ndarray) -> None:
    made = perform(waveform, blink="1.0,3.0", emotion="happy@3")
    lids = made.expression[:, [index_of("eyeBlinkLeft"), index_of("eyeBlinkRight")]].mean(1)
    np.testing.assert_allclose(made.au45 / 5, lids, atol=1e-5)
    shut_s = (np.flatnonzero(made.au45 > 4.5) + 0.5) / 25
    np.testing.assert_allclose(np.minimum(abs(shut_s - 1), abs(shut_s - 3)), 0, atol=0.06)
    assert made.au45.max() > 4.9


def test_scales_scale(waveform: np.ndarray) -> None:
    half, full = (perform(waveform, lip_scale=s).expression[:, index_of("jawOpen")] for s in (0.5, 1.0))
    np.testing.assert_allclose(half, full / 2, atol=1e-6)
    weak, strong = (perform(waveform, emotion="sad", expression_scale=s).expression[:, index_of("mouthFrownLeft")]
                    for s in (0.5, 1.0))  # fmt: skip
    np.testing.assert_allclose(weak, strong / 2, atol=1e-6)


def test_a_pose_video_is_followed_and_needed(waveform: np.ndarray) -> None:
    time_s = np.arange(300) / 30
    rotation = np.stack([9 * np.sin(time_s), 5 * np.cos(1.3 * time_s), 4 * np.sin(2 * time_s)], 1).astype(np.float32)
    source = Performance(fps=30, valid=np.ones(300, bool), rotation=rotation + 5, au45=np.zeros(300, np.float32))
    video = str(SAMPLE)  # any existing file: the caller tracks it
    made = perform(waveform, pose=video, blink=video, sources={"pose_source": source, "blink_source": source})
    wanted = source.resampled(25).rotation[: len(made)]
    for axis in range(3):
        assert np.corrcoef(made.rotation[:, axis], wanted[:, axis])[0, 1] > 0.99
    with pytest.raises(ValueError, match="tracked"):
        PortraitDriver(Controls.parse(pose=video), 25)


def test_lips_at_another_rate_are_refused() -> None:
    with pytest.raises(ValueError, match="30"):
        PortraitDriver(Controls(), 25, lips=WavingLips(30))


def test_an_empty_voice_gives_no_frame_and_memory_stays_bounded() -> None:
    driver = PortraitDriver(Controls(), 25, lips=WavingLips(25))
    assert driver.push(np.zeros(0, np.float32)) is None
    assert driver.finish() is None
    driver = PortraitDriver(Controls(), 25)
    made = 0
    for _ in range(90):
        part = driver.push(np.zeros(SAMPLE_RATE, np.float32))
        made += 0 if part is None else len(part)
    assert made > 25 * 80
    assert len(driver._waiting) < 25 * 6
