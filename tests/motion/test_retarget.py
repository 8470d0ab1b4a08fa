"""Retargeting: offsets from the actor's rest, and nothing of where their face was in the video."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vultus.core.bases import index_of
from vultus.core.types import Performance
from vultus.motion.retarget import retarget


def test_a_tracked_performance_leaves_pixels_behind():
    base = Performance.neutral(20, 25.0)
    expression = base.expression.copy()
    expression[:, index_of("browDownLeft")] = 0.4
    tracked = replace(
        base,
        expression=expression,
        rotation=np.tile(np.float32([8, 0, 0]), (20, 1)),
        landmarks=np.full((20, 68, 3), 300, np.float32),
        reference="camera",
    )
    played = retarget(tracked)
    assert played.reference == "rest" and played.landmarks is None
    assert not played.rotation.any() and played.expression.max() < 1e-6


def test_what_a_driver_made_is_left_alone():
    made = replace(Performance.neutral(3, 25.0), landmarks=np.ones((3, 68, 3), np.float32))
    np.testing.assert_array_equal(retarget(made).landmarks, made.landmarks)
