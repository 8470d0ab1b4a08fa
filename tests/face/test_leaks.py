"""Unmixing expressions: the map that ships, what it may change, and what it must leave alone."""

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.face.leaks import ASSET, COLUMNS, JAW_GAIN, MOVEMENTS, features, movements, settle_jaw, undo_leaks

VALID = np.ones(40, bool)


def acted(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    expression = rng.uniform(0.2, 0.4, (40, len(ARKIT52))).astype(np.float32)
    return expression, rng.normal(0, 5, (40, 3)).astype(np.float32)


def test_the_map_that_ships_is_for_these_movements():
    data = np.load(ASSET)
    assert tuple(data["movements"]) == MOVEMENTS
    assert data["unmixing"].shape == (len(MOVEMENTS) + 3, len(MOVEMENTS))
    own = np.diag(data["unmixing"])
    assert own.min() > 0.2  # every movement still says most about itself
    assert own.max() < 2


def test_every_weight_but_lids_gaze_and_tongue_is_a_movement_once():
    used = [column for columns in COLUMNS for column in columns]
    assert len(used) == len(set(used)) == 52 - 8 - 2 - 1
    assert MOVEMENTS.count("mouthSmile") == 1
    assert "mouthLeft" in MOVEMENTS


def test_a_face_at_rest_stays_as_it_is():
    expression, rotation = acted()
    still, facing = np.repeat(expression[:1], 40, 0), np.repeat(rotation[:1], 40, 0)
    np.testing.assert_allclose(undo_leaks(still, facing, VALID), still, atol=1e-6)


def test_lids_gaze_tongue_and_the_difference_of_sides_are_kept():
    expression, rotation = acted()
    unmixed = undo_leaks(expression, rotation, VALID)
    kept = [i for i, name in enumerate(ARKIT52) if name.startswith(("eyeBlink", "eyeLook", "tongue"))]
    np.testing.assert_array_equal(unmixed[:, kept], expression[:, kept])
    left, right = index_of("mouthSmileLeft"), index_of("mouthSmileRight")
    inside = (unmixed[:, [left, right]] > 0).all(1)
    change = unmixed - expression
    np.testing.assert_allclose(change[inside, left], change[inside, right], atol=1e-6)
    assert 0 <= unmixed.min() <= unmixed.max() <= 1


def test_features_count_from_the_median_of_frames_with_a_face():
    expression, rotation = acted()
    expression[30:] = 1.0
    seen = features(expression, rotation, np.arange(40) < 30)
    assert np.abs(np.median(seen[:30], axis=0)).max() < 1e-6
    assert movements(expression).shape == (40, len(MOVEMENTS))


def test_an_opening_jaw_is_no_rolling_lip():
    expression = np.full((40, len(ARKIT52)), 0.2, np.float32)
    jaw = np.abs(np.sin(np.arange(40) / 3))
    expression[:, index_of("jawOpen")] = 0.3 * jaw
    expression[:, index_of("mouthRollLower")] = 0.4 - 0.12 * jaw  # what tracking makes of a jaw that opens
    unmixed = undo_leaks(expression, np.zeros((40, 3), np.float32), VALID)
    assert np.corrcoef(unmixed[:, index_of("jawOpen")], jaw)[0, 1] > 0.95


def test_a_speaker_s_jaw_comes_to_rest_and_a_held_one_stays_open():
    jaw = index_of("jawOpen")
    valid = np.ones(100, bool)
    speaking = np.zeros((100, len(ARKIT52)), np.float32)
    speaking[:, jaw] = 0.18 + 0.15 * (1 + np.sin(np.arange(100)))
    settled = settle_jaw(speaking, valid)
    assert np.percentile(settled[:, jaw], 5) < 0.08
    np.testing.assert_allclose(np.diff(settled[:, jaw]), JAW_GAIN * np.diff(speaking[:, jaw]), atol=1e-6)
    lowered = speaking - 0.18 * (np.arange(len(ARKIT52)) == jaw)
    assert np.percentile(settle_jaw(np.maximum(lowered, 0), valid)[:, jaw], 5) > 0.02  # lips shut over a jaw ajar
    held = np.full((100, len(ARKIT52)), 0.3, np.float32)
    np.testing.assert_array_equal(settle_jaw(held, valid), held)
    np.testing.assert_array_equal(settle_jaw(speaking, np.arange(100) < 20), speaking)
