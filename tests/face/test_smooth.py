"""Smoothing and filling of series of any length: seams between their pieces do not show."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.face.smooth import bilateral, fill_gaps


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(1230, 5)).cumsum(0).astype(np.float32)


def test_frames_far_from_the_cut_do_not_know_how_long_the_video_is(walk):
    segment = (np.arange(len(walk)) > 700).astype(int)
    whole = bilateral(walk, segment, 1.7, 2.0)
    for part in (slice(450, 560), slice(650, 760), slice(980, 1020)):
        around = slice(part.start - 5, part.stop + 5)
        np.testing.assert_array_equal(bilateral(walk[around], segment[around], 1.7, 2.0)[5:-5], whole[part])
    assert np.abs(np.diff(whole, axis=0)).mean() < 0.8 * np.abs(np.diff(walk, axis=0)).mean()


def test_gaps_are_bridged_and_ends_held(walk):
    valid = np.random.default_rng(1).random(len(walk)) < 0.6
    valid[:4], valid[-3:], valid[490:510] = False, False, False
    filled = fill_gaps(np.where(valid[:, None], walk, np.nan), valid)
    at = np.arange(len(walk))
    for column, known in zip(filled.T, walk[valid].T, strict=True):
        np.testing.assert_allclose(column, np.interp(at, at[valid], known), atol=1e-4)
