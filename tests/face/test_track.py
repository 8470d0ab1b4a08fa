"""Tracking: frames in, a performance out; gaps, cuts and blinks handled as they should be."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.core.bases import index_of
from vultus.core.errors import InputError
from vultus.core.types import Frames
from vultus.face.colours import BROWS, LIPS
from vultus.face.landmarks import select_face
from vultus.face.smooth import bilateral, fill_gaps
from vultus.face.track import performance_of, track, track_points, track_stream

CLIP = Path(__file__).parents[3] / "shared" / "data" / "real" / "talk" / "face_3.mp4"


def moving(rolls_deg: list[float | None], shift_px: float = 0.0) -> Frames:
    """The astronaut turned in the picture plane, frame by frame; None is a frame without a face."""

    def images() -> Iterator[np.ndarray]:
        astronaut = skimage.data.astronaut()[:320, 60:380]
        for i, roll in enumerate(rolls_deg):
            matrix = cv2.getRotationMatrix2D((165, 120), -(roll or 0.0), 1)
            matrix[0, 2] += shift_px * i
            turned = cv2.warpAffine(astronaut, matrix, (320, 320), borderMode=cv2.BORDER_REPLICATE)
            yield np.zeros_like(turned) if roll is None else turned

    return Frames(images(), 25.0, 320, 320, len(rolls_deg))


def test_roll_is_tracked_with_the_sign_of_the_house():
    rolls = list(12 * np.sin(np.arange(30) / 5))
    performance = track(moving(rolls))
    assert performance.valid.all()
    assert performance.reference == "camera"
    assert performance.channels == ("expression", "rotation", "translation", "gaze", "au45", "landmarks")
    seen = performance.rotation[:, 2] - performance.rotation[:, 2].mean()
    assert np.abs(seen - (rolls - np.mean(rolls))).max() < 2
    assert performance.au45.max() < 2.5  # nobody blinks
    assert performance.expression[:, index_of("mouthSmileLeft")].min() > 0.3


def test_a_hidden_face_is_invalid_and_filled_in():
    performance = track(moving([0.0] * 6 + [None] * 4 + [8.0] * 6))
    assert performance.valid.tolist() == [True] * 6 + [False] * 4 + [True] * 6
    before, after = performance.rotation[5, 2], performance.rotation[10, 2]
    np.testing.assert_allclose(performance.rotation[6:10, 2], np.linspace(before, after, 6)[1:-1], atol=0.3)
    assert np.isfinite(performance.landmarks).all()


def test_landmarks_follow_a_face_that_crosses_the_frame():
    performance = track(moving([0.0] * 20, shift_px=3))
    moved = performance.landmarks[-1, :, 0].mean() - performance.landmarks[0, :, 0].mean()
    assert moved == pytest.approx(57, abs=3)
    focal_over_depth = 57 / (performance.translation[-1, 0] - performance.translation[0, 0])
    assert focal_over_depth > 0


def test_a_fresh_start_after_a_gap_is_a_cut():
    cuts = [frame.cut for frame in track_stream(moving([0.0, 0.0, None, 3.0, 3.0])) if frame is not None]
    assert cuts == [True, False, True, False]


def test_videos_without_a_person_are_refused():
    with pytest.raises(InputError, match=r"clip\.mp4: no face found"):
        track(moving([None] * 3), where="clip.mp4")
    with pytest.raises(InputError, match="no frames"):
        track(moving([]), where="clip.mp4")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 9))
def test_filling_gaps_keeps_what_was_seen_and_invents_nothing_outside_its_range(valid, seed):
    valid = np.array(valid)
    values = np.random.default_rng(seed).normal(size=(len(valid), 2)).astype(np.float32)
    filled = fill_gaps(values, valid)
    np.testing.assert_array_equal(filled[valid], values[valid])
    if valid.any():
        assert filled.min() >= values[valid].min() - 1e-6
        assert filled.max() <= values[valid].max() + 1e-6


def test_smoothing_takes_jitter_and_leaves_blinks_where_they_are():
    rng = np.random.default_rng(0)
    blink = np.zeros(200)
    for start in range(20, 190, 30):
        blink[start : start + 5] = (0.5, 1, 1, 0.6, 0.2)
    noisy = (blink + rng.normal(0, 0.02, 200)).astype(np.float32)[:, None]
    smooth = bilateral(noisy, np.zeros(200), 1.25, 0.08)[:, 0]
    assert np.std(smooth[blink == 0]) < 0.75 * np.std(noisy[blink == 0])
    assert np.abs(smooth - blink).max() < 0.1
    lags = [np.corrcoef(np.roll(smooth, lag), blink)[0, 1] for lag in (-1, 0, 1)]
    assert np.argmax(lags) == 1


def test_smoothing_does_not_reach_across_a_cut():
    values = np.repeat([0.0, 0.05], 10).astype(np.float32)[:, None]
    np.testing.assert_allclose(bilateral(values, np.repeat([0, 1], 10), 2.0, 1.0), values, atol=1e-7)


def test_points_alone_can_be_tracked():
    points = select_face(skimage.data.astronaut())
    performance = performance_of(track_points([points, None, points]), 25.0)
    assert performance.valid.tolist() == [True, False, True]
    assert list(track_points([None, None])) == []


def test_a_picture_says_more_than_its_points():
    seen = list(track_stream(moving([0.0, 0.0, None, 3.0])))
    shown = [None if frame is None else [part.shape for part in frame.colours] for frame in seen]
    assert shown == [None if k == 2 else [(2, LIPS.samples), (2, BROWS.samples)] for k in range(4)]
    alone = next(iter(track_points([select_face(skimage.data.astronaut())])))
    assert alone is not None and alone.colours is None


@pytest.mark.skipif(not CLIP.exists(), reason="the shared clips are not beside the repository")
def test_a_real_talker_blinks_speaks_and_keeps_still_where_still():
    with av.open(str(CLIP)) as container:
        images = (
            frame.to_ndarray(format="rgb24") for frame, _ in zip(container.decode(video=0), range(75), strict=False)
        )
        performance = track(Frames(images, 25.0, 590, 590))
    assert performance.valid.all()
    assert performance.au45.max() > 4
    assert np.median(performance.au45) < 1
    jaw = performance.expression[:, index_of("jawOpen")]
    assert 0.1 < np.ptp(jaw) < 0.9
    assert np.abs(np.diff(performance.rotation, axis=0)).max() < 8
