"""Which frames of two clips are held alike, and the map that lays one over the other."""

from __future__ import annotations

import numpy as np

from tests.methods.emogen.faces import MadeClip, landmarks
from vultus.methods.emogen.stance import AU45_DEG, GAZE_SHARE, MOUTH_NUMBERS, Stance


def stance(clip: MadeClip) -> Stance:
    return Stance.of(clip)  # type: ignore[arg-type]


def test_the_frame_that_is_held_most_alike_is_found():
    one, other = stance(MadeClip("1", yaw_deg=3.2)), stance(MadeClip("1", invalid=(9,)))
    away, frame = one.most_alike(5, other, np.array([1, 2, 8, 10, 19]))
    assert frame == 8 and abs(away - 0.2) < 1e-5
    assert np.isnan(other.held[9]).all()


def test_lids_and_gaze_count_too():
    shut, aside = MadeClip("1"), MadeClip("1")
    exact = {"rotation": np.zeros((20, 3)), "au45": np.zeros(20), "gaze": np.zeros((20, 2))}
    exact["landmarks"] = landmarks(20, (30.0, 20.0))[..., :2]
    shut.labelled, aside.labelled = dict(exact), dict(exact)
    shut.labelled["au45"] = np.where(np.arange(20) == 7, 4.0, 0.0)
    aside.labelled["gaze"] = np.where(np.arange(20) == 3, 10.0, 0.0)[:, None] * (0, 1)
    everywhere = np.arange(20)
    assert stance(shut).most_alike(7, stance(aside), everywhere)[0] == 4 * AU45_DEG
    assert stance(aside).most_alike(3, stance(shut), everywhere)[0] == 10 * GAZE_SHARE
    assert stance(aside).most_alike(3, stance(aside), everywhere) == (0.0, 3)


def test_exact_labels_are_believed_where_they_fit():
    clip = MadeClip("1", yaw_deg=2)
    clip.labelled = {name: np.zeros((20, width)) for name, width in (("rotation", 3), ("gaze", 2))}
    clip.labelled |= {"au45": np.zeros(20), "landmarks": landmarks(20, (10.0, 12.0), 30.0)[..., :2]}
    found = stance(clip)
    assert found.held[:, 0].tolist() == [0.0] * 20
    assert found.eyes[4].tolist() == [10.0, 12.0] and found.span[4] == 30.0
    clip.labelled["au45"] = np.zeros(31)  # of another rate
    assert stance(clip).held[3, 0] == 5.0


def test_a_head_is_laid_over_another():
    near, far = stance(MadeClip("1", eyes_px=(40.0, 30.0))), stance(MadeClip("1", eyes_px=(20.0, 26.0)))
    far.span[:] = 10.0
    shift = near.onto(3, far, 8)
    np.testing.assert_allclose(shift @ (40, 30, 1), (20, 26))  # between the eyes
    np.testing.assert_allclose(shift @ (50, 30, 1), (25, 26))  # an eye
    far.crop_from_source[8] = [[2, 0, 5], [0, 4, 0]]
    np.testing.assert_allclose(near.onto(3, far, 8) @ (50, 30, 1), (55, 104))


def test_the_mouths_movements_are_seen_from_between_the_eyes():
    clip = MadeClip("1", invalid=(9,))
    points = landmarks(20, (30.0, 20.0), 10.0)[..., :2]
    points[:, 48:68] = (30.0, 35.0)
    points[4, 57] += (0.0, 6.0)
    clip.labelled = {
        "rotation": np.zeros((20, 3)),
        "au45": np.zeros(20),
        "gaze": np.zeros((20, 2)),
        "landmarks": points,
    }
    mouth = stance(clip).mouth
    assert mouth.shape == (20, MOUTH_NUMBERS) and np.isnan(mouth[9]).all()
    np.testing.assert_allclose(mouth[4, 19] - mouth[3, 19], 0.6, atol=1e-6)  # the tenth point's y
    moved = np.delete(np.arange(MOUTH_NUMBERS), 19)
    np.testing.assert_allclose(mouth[4, moved], 0, atol=1e-6)
    np.testing.assert_allclose(np.nanmean(mouth, 0), 0, atol=1e-6)
