"""The head kept beside a clip: in the crop's pixels, filled in where no face was seen, read back or refused."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.errors import InputError
from vultus.data.heads import Head, _nearest


def test_frames_without_a_face_take_the_nearest_that_has_one():
    valid = np.array([0, 1, 0, 0, 1, 1, 0], bool)
    assert _nearest(valid).tolist() == [0, 0, 0, 1, 1, 2, 2]


def test_what_is_saved_comes_back_and_can_be_cut(tmp_path):
    rng = np.random.default_rng(0)
    head = Head(
        rng.normal(size=(6, 3, 3)).astype(np.float32),
        rng.normal(size=(6, 3)).astype(np.float32),
        rng.normal(size=(6, 68, 3)).astype(np.float32),
        np.arange(6, dtype=np.int32),
        np.zeros(60, np.float32),
        500.0,
        np.array([48, 47], np.float32),
        1.5,
    )
    head.save(tmp_path / "head.npz")
    there = Head.load(tmp_path / "head.npz")[2:5]
    np.testing.assert_array_equal(there.landmarks3d, head.landmarks3d[2:5])
    assert (there.focal_px, there.rms_px, there.shot.tolist()) == (500.0, 1.5, [2, 3, 4])


def test_anything_else_is_refused(tmp_path):
    for name in ("none.npz", "text.npz"):
        (tmp_path / "text.npz").write_text("no archive")
        with pytest.raises(InputError, match="vultus prepare person"):
            Head.load(tmp_path / name)
