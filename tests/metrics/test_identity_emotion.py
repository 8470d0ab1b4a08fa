"""CSIM, EmoAcc and EFD against values by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.metrics.emotion import clip_emotion, emotion_accuracy, emotion_feature_distance
from vultus.metrics.identity import cosine_similarity


def test_cosines_by_hand():
    a = np.array([[3.0, 4.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    b = np.array([[6.0, 8.0], [0.0, 2.0], [1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(cosine_similarity(a, b), [1, 0, np.sqrt(0.5), 0], atol=1e-9)


def test_a_clip_is_what_its_frames_are_on_average():
    assert clip_emotion(np.array([[0.5, 0.4, 0.1], [0.0, 0.6, 0.4], [0.5, 0.4, 0.1]])) == 1


def test_accuracy_and_feature_distance_by_hand():
    assert emotion_accuracy(np.array([1, 2, 3, 3]), np.array([1, 2, 0, 3])) == pytest.approx(0.75)
    apart = emotion_feature_distance(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[3.0, 4.0], [1.0, 1.0]]))
    np.testing.assert_allclose(apart, [5, 0])
