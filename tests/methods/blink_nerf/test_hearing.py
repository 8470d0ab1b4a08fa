"""Audio features of frames: as many as frames, the same however the voice is cut up, and late by what is stated."""

from __future__ import annotations

import numpy as np
import pytest

from tests.methods.emoface.voices import babble
from vultus.core.types import SAMPLE_RATE
from vultus.methods.blink_nerf.hearing import LEAST_PROBABILITY, FrameFeatures, feature_count, features_of
from vultus.motion.lips import frame_count

EARS = ("speech", "sounds")


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    return babble().waveform[: 3 * SAMPLE_RATE]


@pytest.mark.parametrize("name", EARS)
@pytest.mark.parametrize("fps", [25.0, 30.0])
def test_chunks_change_nothing(name, fps, voice):
    whole = FrameFeatures(name, fps)
    rows = np.concatenate([whole.push(voice), whole.finish()])
    assert rows.shape == (frame_count(len(voice), fps), feature_count(name)) and rows.dtype == np.float32
    pieces, stream = [], FrameFeatures(name, fps)
    for start in range(0, len(voice), 1711):
        pieces.append(stream.push(voice[start : start + 1711]))
        out = sum(map(len, pieces))
        pushed_s = min(start + 1711, len(voice)) / SAMPLE_RATE
        assert out >= min(len(rows), int((pushed_s - stream.lookahead_s) * fps - 1))
    pieces.append(stream.finish())
    np.testing.assert_allclose(np.concatenate(pieces), rows, atol=1e-4)


def test_what_is_missing_is_held(voice):
    rows = features_of(voice[:SAMPLE_RATE], "sounds", 25.0, 40)
    assert len(rows) == 40
    np.testing.assert_array_equal(rows[25:], np.tile(rows[24], (15, 1)))


def test_sounds_are_log_probabilities_beside_bands(voice):
    rows = features_of(voice, "sounds", 25.0, 75)
    classes = feature_count("sounds") - 20
    probabilities = np.exp(rows[:, :classes]) - LEAST_PROBABILITY
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-4)
    assert probabilities.min() > -1e-6
    assert rows[:, classes:].std() > 0.1
