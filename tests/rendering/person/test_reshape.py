"""One rendered person's skin and hair on a face of another build, and where FaceMesh's points truly lie."""

from __future__ import annotations

import numpy as np

from vultus.data.synthetic.people import random_person
from vultus.rendering.person.renderer import PersonRenderer

REST = (np.zeros(52, np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32))


def test_another_build_is_drawn_where_its_points_say():
    renderer = PersonRenderer(random_person(3, 1), 64)
    before = renderer.landmarks478(*REST)
    nose_tip = renderer.landmarks68(*REST)[30, :2]
    assert before.shape == (468, 2) and np.linalg.norm(before[1] - nose_tip) < 3
    picture = renderer.frame(*REST, np.zeros(2, np.float32))
    renderer.reshape(random_person(3, 2).identity)
    after = renderer.landmarks478(*REST)
    assert np.abs(after - before).mean() > 0.2
    redrawn = renderer.frame(*REST, np.zeros(2, np.float32)).astype(float)
    assert 0.5 < np.abs(redrawn - picture).mean() < 60
