"""Unmixing expressions: the network that ships, what it may change, and what it must leave alone."""

import hashlib
import json

import numpy as np
import pytest

from vultus.core.bases import ARKIT52, index_of
from vultus.face.colours import BROWS, LIPS, Colours
from vultus.face.fit import Fitter
from vultus.face.head import embedded_head
from vultus.face.leaks import (
    ASSET,
    COLUMNS,
    JAW_GAIN,
    MOVEMENTS,
    WEIGHT_UNIT,
    Reader,
    coordinates,
    features,
    movements,
    reader,
    settle_jaw,
    undo_leaks,
)

VALID = np.ones(40, bool)


def acted(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates, weights and turns of 40 frames."""
    rng = np.random.default_rng(seed)
    count = len(coordinates(np.zeros((468, 2), np.float32)))
    shown = rng.normal(0, 1, (40, count)).astype(np.float32)
    expression = rng.uniform(0.2, 0.4, (40, len(ARKIT52))).astype(np.float32)
    return shown, expression, rng.normal(0, 5, (40, 3)).astype(np.float32)


def test_the_network_that_ships_is_for_these_movements():
    data = np.load(ASSET)
    count, shifts = len(MOVEMENTS), data["shift_modes"].shape[1]
    seen = shifts + 2 * (data["lip_modes"].shape[2] + data["brow_modes"].shape[2]) + count + 3
    assert tuple(data["movements"]) == MOVEMENTS
    assert data["shift_modes"].shape == (468 * 2, shifts)
    assert data["lip_modes"].shape[:2] == (2, LIPS.samples)
    assert data["brow_modes"].shape[:2] == (2, BROWS.samples)
    assert data["into"].shape == (seen, len(data["into_bias"]))
    assert data["out"].shape == (len(data["into_bias"]), count) and data["direct"].shape == (seen, count)
    card = json.loads(ASSET.with_suffix(".json").read_text())
    assert card["sha256"] == hashlib.sha256(ASSET.read_bytes()).hexdigest()
    assert ASSET.stat().st_size < 300_000


def test_every_weight_but_lids_gaze_and_tongue_is_a_movement_once():
    used = [column for columns in COLUMNS for column in columns]
    assert len(used) == len(set(used)) == 52 - 8 - 2 - 1
    assert MOVEMENTS.count("mouthSmile") == 1
    assert "mouthLeft" in MOVEMENTS


def test_a_face_at_rest_stays_as_it_is():
    still = [np.repeat(part[:1], 40, 0) for part in acted()]
    np.testing.assert_allclose(undo_leaks(*still, VALID), still[1], atol=1e-5)


def test_lids_gaze_tongue_and_the_difference_of_sides_are_kept():
    shown, expression, rotation = acted()
    unmixed = undo_leaks(shown, expression, rotation, VALID)
    kept = [i for i, name in enumerate(ARKIT52) if name.startswith(("eyeBlink", "eyeLook", "tongue"))]
    np.testing.assert_array_equal(unmixed[:, kept], expression[:, kept])
    left, right = index_of("mouthSmileLeft"), index_of("mouthSmileRight")
    inside = ((unmixed > 0) & (unmixed < 1))[:, [left, right]].all(1)
    change = unmixed - expression
    np.testing.assert_allclose(change[inside, left], change[inside, right], atol=1e-6)
    assert 0 <= unmixed.min() <= unmixed.max() <= 1 and np.abs(change).max() > 0.05


def test_features_count_from_the_median_of_frames_with_a_face():
    shown, expression, rotation = acted()
    expression[30:] = 1.0
    seen = features(shown, expression, rotation, np.arange(40) < 30)
    assert np.abs(np.median(seen[:30], axis=0)).max() < 1e-6
    assert movements(expression).shape == (40, len(MOVEMENTS))


def test_the_network_is_its_formula():
    rng = np.random.default_rng(3)
    small = Reader(*(rng.normal(size=shape) for shape in ((4, 2), (2, 5, 1), (2, 7, 1), (5, 3), (3,), (3, 2), (5, 2))))
    seen = rng.normal(size=5)
    units = [row @ seen + bias for row, bias in zip(small.into.T, small.into_bias, strict=True)]
    lifted = [a / (1 + np.exp(-a)) - b / (1 + np.exp(-b)) for a, b in zip(units, small.into_bias, strict=True)]
    expected = WEIGHT_UNIT * (np.array(lifted) @ small.out + seen @ small.direct)
    np.testing.assert_allclose(small.change(seen[None])[0], expected)


@pytest.mark.parametrize("movement", ["jawOpen", "mouthSmile", "browOuterUp", "noseSneer", "mouthUpperUp"])
def test_what_the_head_model_does_is_not_taken_for_a_leak(movement):
    fitter, column = Fitter(embedded_head()), MOVEMENTS.index(movement)
    wave = 0.5 * np.abs(np.sin(np.arange(40) / 4))
    made = np.zeros((40, len(ARKIT52)))
    made[:, COLUMNS[column]] = wave[:, None]
    shown = np.stack([coordinates((fitter.expression_modes @ row)[:, :2]) for row in made])
    read = movements(undo_leaks(shown, made.astype(np.float32), np.zeros((40, 3)), VALID))
    assert np.corrcoef(read[:, column], wave)[0, 1] > 0.9


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


@pytest.mark.parametrize("part", Colours._fields)
def test_what_is_not_seen_says_nothing_and_the_rest_does(part):
    departure, rng = np.zeros((468, 2), np.float32), np.random.default_rng(0)
    dark = Colours(*(np.zeros((2, region.samples), np.float32) for region in (LIPS, BROWS)))
    coloured = rng.normal(0, 0.2, getattr(dark, part).shape).astype(np.float32)
    np.testing.assert_array_equal(coordinates(departure), 0)
    seen = coordinates(departure, dark._replace(**{part: coloured}))
    modes = {"lips": reader().lip_modes, "brows": reader().brow_modes}
    start = reader().shift_modes.shape[1] + (2 * reader().lip_modes.shape[2] if part == "brows" else 0)
    expected = np.concatenate([coloured[kind] @ modes[part][kind] for kind in range(2)])
    np.testing.assert_allclose(seen[start : start + len(expected)], expected, rtol=1e-4, atol=1e-5)
    assert not np.delete(seen, range(start, start + len(expected))).any()
