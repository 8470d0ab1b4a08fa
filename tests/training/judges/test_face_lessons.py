"""What is done to faces in lessons: it changes them, within bounds, and less than other emotions do."""

from __future__ import annotations

import numpy as np

from vultus.perception.judges.face_reader import CROP_PX
from vultus.training.judges.drawn_faces import KEPT_PX
from vultus.training.judges.face_lessons import altered


def test_altered_faces_have_the_networks_size_and_stay_grey_between_0_and_1():
    crop = np.random.default_rng(0).integers(0, 256, KEPT_PX[::-1]).astype(np.uint8)
    faces = [altered(crop, False, np.random.default_rng(seed)) for seed in range(20)]
    assert all(face.shape == CROP_PX[::-1] and face.dtype == np.float32 for face in faces)
    assert all(face.min() >= 0 and face.max() <= 1 for face in faces)
    assert not np.array_equal(faces[0], faces[1])
    assert np.array_equal(faces[0], altered(crop, False, np.random.default_rng(0)))


def test_a_mirrored_face_is_the_other_way_round():
    crop = np.tile(np.linspace(0, 255, KEPT_PX[0]).astype(np.uint8), (KEPT_PX[1], 1))
    for seed in range(5):
        plain, mirrored = (altered(crop, way, np.random.default_rng(seed)) for way in (False, True))
        assert plain[:, -16:].mean() - plain[:, :16].mean() > 0.1 + mirrored[:, -16:].mean() - mirrored[:, :16].mean()
