"""Displays of emotions drawn from action units."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.bases import index_of
from vultus.core.controls import EMOTIONS
from vultus.training.judges.facs import action_units, random_display


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_displays_are_faces_of_their_emotion(emotion: str):
    rng = np.random.default_rng(3)
    displays = [random_display(rng, emotion) for _ in range(30)]
    assert all(d.expression.shape == (52,) and d.expression.min() >= 0 <= 1 - d.expression.max() for d in displays)
    assert all(np.isclose(d.shares.sum(), 1) and d.shares[EMOTIONS.index(emotion)] >= 0.5 for d in displays)
    assert all((d.level == 0) == (emotion == "neutral") for d in displays)


def test_a_unit_moves_what_it_should():
    smile = action_units({12: 1.0})
    assert smile[index_of("mouthSmileLeft")] == smile[index_of("mouthSmileRight")] == pytest.approx(0.95)
    sneer = action_units({12: 1.0}, "Left")
    assert sneer[index_of("mouthSmileLeft")] == pytest.approx(0.95) and sneer[index_of("mouthSmileRight")] == 0
