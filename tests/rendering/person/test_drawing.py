"""The pieces of the person renderer: triangles with attributes, strands, visibility, film."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.rendering.person import occlusion
from vultus.rendering.person.appearance import BEARD_STYLES, HAIR_STYLES, SCENES, Backdrop, Camera, Hair
from vultus.rendering.person.backdrops import paint_backdrop
from vultus.rendering.person.chart import chart_px, hairline
from vultus.rendering.person.film import Film
from vultus.rendering.person.gbuffer import ATTRIBUTES, draw_attributes, draw_strands
from vultus.rendering.person.skin import beard_area, lip_mask, scalp_cover
from vultus.rendering.person.skull import Skull
from vultus.rendering.raster import FAR


def square(z: float, low: float, high: float) -> np.ndarray:
    return np.array([[low, low, z], [high, low, z], [high, high, z], [low, high, z]], np.float32)


def drawn(cut_values: tuple[float, float] = (1.0, 1.0)) -> tuple[np.ndarray, np.ndarray]:
    points = np.vstack([square(5, 0, 16), square(3, 4, 12)])
    triangles = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]], np.int32)
    attributes = np.zeros((8, ATTRIBUTES), np.float32)
    attributes[:4, 0], attributes[4:, 0] = 1, 2
    attributes[4:6, 2], attributes[6:, 2] = cut_values
    out, label = np.zeros((16, 16, ATTRIBUTES), np.float32), np.zeros((16, 16), np.uint8)
    cut = np.zeros(256, np.bool_)
    cut[7] = True
    depth = np.full((16, 16), FAR, np.float32)
    draw_attributes(points, triangles, np.array([6, 6, 7, 7], np.uint8), attributes, cut, out, label, depth)
    return out, label


def test_the_nearest_triangle_wins():
    out, label = drawn()
    assert (label[5:11, 5:11] == 7).all() and (out[5:11, 5:11, 0] == 2).all()
    assert (label[:3] == 6).all() and np.allclose(out[:3, :, 0], 1)


def test_a_cut_material_ends_where_its_third_attribute_does():
    _, label = drawn((1.0, -1.0))
    assert (label[5:7, 5:11] == 7).all()
    assert (label[9:11, 5:11] == 6).all()


def strand(z: float, width_px: float) -> tuple[np.ndarray, np.ndarray]:
    image, depth = np.zeros((12, 12, 3), np.float32), np.full((12, 12), 5.0, np.float32)
    points = np.array([[2, 6, z], [6, 6, z], [10, 6, z]], np.float32)
    draw_strands(
        points, np.array([0, 3]), np.ones((3, 3), np.float32), np.full(3, width_px, np.float32),
        np.ones(1, np.float32), np.float32(0.1), image, depth,
    )  # fmt: skip
    return image, depth


def test_a_strand_covers_its_length_times_its_width():
    for width_px in (0.5, 1.0, 3.0):
        assert strand(1.0, width_px)[0][..., 0].sum() == pytest.approx(8 * width_px, rel=0.05)


def test_a_strand_behind_a_surface_is_hidden_and_one_before_it_hides():
    assert not strand(6.0, 2.0)[0].any()
    assert strand(1.0, 2.0)[1][6, 6] == 1.0


def test_what_stands_in_a_hole_gets_less_light():
    wall = np.array([[-9, 0, -9], [9, 0, -9], [9, 0, 9], [-9, 0, 9]], np.float32)
    roof = wall + np.float32([0, 3, 0])
    corners = np.array([[0, 2, 1], [0, 3, 2]], np.int32)
    receiver, up = np.array([[0, 0.3, 1.5]], np.float32), np.array([[0, 1, 0]], np.float32)
    nobody = np.zeros((0, 3), np.float32)
    _, free = occlusion.bake(wall, corners, receiver, up, nobody)
    visibility, hidden = occlusion.bake(
        np.vstack([wall, roof]), np.vstack([corners, corners + 4]), receiver, up, nobody
    )
    assert free[0] > 0.95
    assert hidden[0] < 0.3
    sideways, above = (occlusion.lit(visibility, up, np.array(way)) for way in ([1.0, 0.05, 0], [0, 1.0, 0]))
    assert above[0] < 0.35
    assert sideways.shape == (1,)


@given(level=st.floats(0, 1.9), exposure=st.floats(0.5, 1.5))
@settings(max_examples=30, deadline=None)
def test_film_is_brighter_where_there_is_more_light_and_never_overflows(level, exposure):
    film = Film(Camera(blur_px=0, noise=0, exposure=exposure), np.random.default_rng(0))
    dim, bright = (film.develop(np.full((8, 8, 3), v, np.float32), 2) for v in (level, level + 0.1))
    assert dim.shape == (4, 4, 3)
    assert (bright.astype(int) >= dim).all()


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_is_a_picture(scene):
    rng = np.random.default_rng(3)
    painted = paint_backdrop(Backdrop(scene), 48, rng)
    assert painted.shape == (48, 48, 3) and painted.dtype == np.float32
    assert np.isfinite(painted).all() and painted.min() >= 0


@pytest.mark.parametrize("style", HAIR_STYLES)
def test_hair_covers_the_crown_unless_there_is_none(style):
    cover = scalp_cover(Hair(style=style), np.random.default_rng(0))
    nape, mouth = cover[225, 100], cover[330, 512]
    assert mouth == 0
    assert (nape > 0.3) == (style != "bald")


@pytest.mark.parametrize("beard", [b for b in BEARD_STYLES if b != "none"])
def test_beards_leave_lips_and_forehead_free(beard):
    area = beard_area(Hair(beard=beard))
    assert area[lip_mask() > 0.95].max() < 0.1
    assert area[:190].max() < 0.02
    assert area.max() > 0.8


@given(st.floats(-180, 180))
def test_the_hairline_is_the_same_on_both_sides(angle):
    one, other = hairline(np.array([angle, -angle]))
    assert one == other
    assert -6 < one < 11


def test_the_chart_runs_around_the_head_from_right_to_left_and_down():
    points = chart_px(np.array([[0, 0, 9.0], [5, 0, 9], [-5, 0, 9], [0, 5, 9]]))
    assert points[1, 0] > points[0, 0] > points[2, 0]
    assert points[3, 1] < points[0, 1]


def test_a_skull_keeps_hair_outside():
    rng = np.random.default_rng(1)
    ball = rng.standard_normal((4000, 3))
    ball = np.float32([0, 4, 0.8]) + 7 * ball / np.linalg.norm(ball, axis=1, keepdims=True)
    skull = Skull.of(ball.astype(np.float32))
    inside = np.float32([[1, 4, 1], [0, 7, 0], [0, 4, -20]])
    moved = skull.outside(inside, np.full(3, 0.5))
    assert np.linalg.norm(moved[:2] - skull.centre, axis=1) == pytest.approx(7.5, abs=0.1)
    assert np.array_equal(moved[2], inside[2])
