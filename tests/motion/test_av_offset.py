"""Offsets of pictures against their sound: known ones are found, and none where lips and voice are strangers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

import vultus
from vultus.audio.io import read_speech
from vultus.face.mouth import mouth, performed_mouth
from vultus.face.stream import FaceStream
from vultus.motion.av_offset import PLAUSIBLE_S, MouthSeries, av_offset, offset_between
from vultus.motion.learned_lips import default_lips
from vultus.video.read import open_video

SAMPLE = Path(vultus.__file__).parent / "assets" / "sample_speech.flac"
REAL = Path(__file__).parents[3] / "shared" / "data" / "real" / "voxceleb2"
FINE_HZ = 1000


def talking(seed: int, duration_s: float = 8.0) -> np.ndarray:
    """Aperture and width (n, 2) at `FINE_HZ` of somebody who opens and shuts the mouth at the pace of speech."""
    noise = np.random.default_rng(seed).normal(size=(round(duration_s * FINE_HZ), 2))
    return gaussian_filter1d(noise, 0.05 * FINE_HZ, axis=0)


def filmed(motion: np.ndarray, fps: float, first_s: float = 0.0, late_s: float = 0.0) -> MouthSeries:
    """The motion as frames whose first is shown at `first_s`, each frame's lips late by `late_s`."""
    count = int((len(motion) / FINE_HZ - first_s) * fps)
    at_s = first_s + (np.arange(count) + 0.5) / fps - late_s
    fine_s = np.arange(len(motion)) / FINE_HZ
    return MouthSeries(np.stack([np.interp(at_s, fine_s, column) for column in motion.T], -1), fps, None, first_s)


@settings(max_examples=25, deadline=None)
@given(
    late_s=st.floats(-0.22, 0.22),
    fps=st.sampled_from((24.0, 25.0, 30000 / 1001, 30.0, 50.0, 60.0)),
    first_s=st.floats(0, 0.5),
    seed=st.integers(0, 1000),
)
def test_an_offset_is_found_to_a_fraction_of_a_frame(late_s: float, fps: float, first_s: float, seed: int) -> None:
    motion = talking(seed)
    found = offset_between(filmed(motion, 50), filmed(motion, fps, first_s, late_s))
    assert abs(found.offset_s - late_s) < 0.003
    assert found.in_sync and found.correlation > 0.9


def test_an_early_picture_has_a_negative_offset() -> None:
    motion = talking(1)
    early = filmed(motion, 25)
    early = MouthSeries(early.mouth[3:], 25)  # the first three frames are lost: all lips come 120 ms too soon
    assert offset_between(filmed(motion, 50), early).offset_ms == pytest.approx(-120, abs=3)


def test_counting_frames_leaves_out_what_the_stream_starts_late() -> None:
    """A picture track that begins at .08 s: in sync by presentation time, 80 ms early where frames are counted."""
    motion = talking(2)
    shown = filmed(motion, 25, first_s=0.08)
    assert abs(offset_between(filmed(motion, 50), shown).offset_ms) <= 2
    counted = MouthSeries(shown.mouth, 25)
    assert offset_between(filmed(motion, 50), counted).offset_ms == pytest.approx(-80, abs=2)


def test_noise_and_unseen_frames_do_not_hide_it() -> None:
    motion, rng = talking(3), np.random.default_rng(3)
    seen = filmed(motion, 25, late_s=0.1)
    noisy = seen.mouth + seen.mouth.std(0) * rng.normal(size=seen.mouth.shape)
    valid = np.ones(len(noisy), bool)
    valid[50:70], noisy[50:70] = False, np.nan
    found = offset_between(filmed(motion, 50), MouthSeries(noisy, 25, valid))
    assert found.in_sync and abs(found.offset_s - 0.1) < 0.015


def test_strangers_are_not_in_sync() -> None:
    found = [offset_between(filmed(talking(k), 50), filmed(talking(k + 500), 25)) for k in range(40)]
    assert sum(offset.in_sync for offset in found) <= 3


def test_an_offset_too_large_to_be_plausible_is_not_believed() -> None:
    motion = talking(5)
    found = offset_between(filmed(motion, 50), filmed(motion, 25, late_s=PLAUSIBLE_S + 0.08))
    assert found.offset_s == pytest.approx(PLAUSIBLE_S + 0.08, abs=0.005) and not found.in_sync


@pytest.mark.parametrize(
    "seen", [MouthSeries(np.ones((100, 2)), 25), MouthSeries(np.ones((9, 2)), 25, np.zeros(9, bool))]
)
def test_a_still_or_hidden_mouth_has_no_offset(seen: MouthSeries) -> None:
    found = offset_between(filmed(talking(6), 50), seen)
    assert found.confidence < 0.01 and not found.in_sync


def test_two_seconds_in_common_are_needed() -> None:
    motion = talking(7)
    assert offset_between(filmed(motion, 50), filmed(motion[: 3 * FINE_HZ], 25)).in_sync
    assert offset_between(filmed(motion, 50), filmed(motion[: int(1.9 * FINE_HZ)], 25)).confidence == 0


def test_a_voice_is_performed_and_compared() -> None:
    voice = read_speech(SAMPLE).waveform
    lips = default_lips(25)
    acted = performed_mouth(np.concatenate([lips.push(voice), lips.finish()]))
    late = av_offset(voice, MouthSeries(acted, 25, None, 0.12))
    assert late.in_sync and late.offset_ms == pytest.approx(120, abs=8)


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared clips are not beside the repository")
@pytest.mark.parametrize(("name", "in_sync"), [("00015", True), ("pose_00473", False)])
def test_real_clips_are_told_apart(name: str, in_sync: bool) -> None:
    video = open_video(REAL / f"{name}.mp4")
    with FaceStream() as stream:
        points = [stream.next(frame) for frame in video.frames()]
    seen = np.array([mouth(p) if p is not None else (np.nan, np.nan) for p in points])
    found = av_offset(read_speech(video.path).waveform, MouthSeries(seen, video.fps, ~np.isnan(seen[:, 0])))
    assert found.in_sync == in_sync
    assert not in_sync or abs(found.offset_ms) <= 40
