"""Skin moved by points: it lands where it is wanted, and stays where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.rendering.footage.warp import FOLD, LEAST_PX, MOST_REACH, REACH, Move, move_points

MIDDLE, RADIUS_PX, SIDE_PX = np.array([100.0, 96.0]), 40.0, 200
ANGLES = np.linspace(0, 2 * np.pi, 36, endpoint=False)
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], -1)
OUTLINE = MIDDLE + RADIUS_PX * CIRCLE
INNER = np.concatenate([MIDDLE + part * RADIUS_PX * CIRCLE[::4] for part in (0.3, 0.6)])


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)


def moved(shift: np.ndarray, which: slice) -> tuple[Move, np.ndarray, np.ndarray]:
    """A move that takes some of the inner points by a shift and holds the others and the outline."""
    source = np.concatenate([INNER, OUTLINE])
    wanted = source.copy()
    wanted[which] += shift
    found = move_points(wanted, source, OUTLINE, (SIDE_PX, SIDE_PX, 3))
    assert found is not None
    return found, wanted, source


@pytest.mark.parametrize("shift", [(4.0, 0.0), (0.0, 6.0), (-3.0, -5.0)])
def test_points_come_from_where_they_were(shift):
    move, wanted, source = moved(np.array(shift), slice(0, 9))
    at = np.floor(wanted).astype(int) - [move.box[1].start, move.box[0].start]
    field = move.field[at[:, 1], at[:, 0]]
    np.testing.assert_allclose(field[:18], (source - wanted)[:18], atol=0.6)


def test_a_spot_lands_on_the_pixel_that_is_wanted():
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] + 0.5
    move, wanted, source = moved(np.array([3.0, 5.0]), slice(0, 9))
    at = 2
    spot = 200 * np.exp(-((x - source[at, 0]) ** 2 + (y - source[at, 1]) ** 2) / 8)
    drawn = move.of(np.repeat(spot[..., None], 3, 2).astype(np.uint8))[..., 0].astype(float)
    inside = (y[move.box], x[move.box])
    centre = [(drawn * axis).sum() / drawn.sum() for axis in inside[::-1]]
    np.testing.assert_allclose(centre, wanted[at], atol=0.4)


@pytest.mark.parametrize(("shift", "reach"), [((0.0, 3.0), REACH), ((0.0, 12.0), FOLD * 12 / RADIUS_PX)])
def test_beyond_its_reach_every_pixel_stays_and_the_picture_is_not_written_on(shift, reach):
    move, _, _ = moved(np.array(shift), slice(0, 18))
    before = picture()
    after = before.copy()
    after[move.box] = move.of(before)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] + 0.5
    cell_px = 3
    far = np.hypot(x - MIDDLE[0], y - MIDDLE[1]) > (1 + min(reach, MOST_REACH)) * RADIUS_PX + cell_px
    np.testing.assert_array_equal(after[far], before[far])
    assert (after != before).any(-1).mean() > 0.05
    np.testing.assert_array_equal(before, picture())


def test_a_face_at_the_border_is_moved_inside_the_picture():
    source = np.concatenate([INNER, OUTLINE]) - [90, 80]
    wanted = source.copy()
    wanted[:9] += [0, 5]
    move = move_points(wanted, source, OUTLINE - [90, 80], (SIDE_PX, SIDE_PX, 3))
    rows, columns = move.box
    assert rows.start >= 0 and columns.start >= 0 and np.isfinite(move.field).all()
    assert move.of(picture()).shape == (rows.stop - rows.start, columns.stop - columns.start, 3)


def test_what_does_not_move_is_no_work():
    points = np.concatenate([INNER, OUTLINE])
    assert move_points(points, points, OUTLINE, (SIDE_PX, SIDE_PX, 3)) is None
    assert move_points(points + LEAST_PX / 10, points, OUTLINE, (SIDE_PX, SIDE_PX, 3)) is None
    assert move_points(points + 500, points + 500, OUTLINE + 500, (SIDE_PX, SIDE_PX, 3)) is None
