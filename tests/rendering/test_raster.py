"""The rasteriser against a plain one: which pixels, which attributes, what lies in front."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.rendering.raster import FAR, draw_colours, draw_surface, vertex_normals

HEIGHT, WIDTH = 40, 50


class Sheet:
    """Buffers to draw into, and both ways of drawing."""

    def __init__(self, flow: float = 0.0) -> None:
        self.flow = np.full((HEIGHT, WIDTH, 2), flow, np.float32)
        self.shade = np.ones((HEIGHT, WIDTH), np.float32)
        self.label = np.zeros((HEIGHT, WIDTH), np.uint8)
        self.depth = np.full((HEIGHT, WIDTH), FAR, np.float32)
        self.image = np.zeros((HEIGHT, WIDTH, 3), np.float32)

    def surface(self, points, attributes, cull: bool = False, value: int = 1, triangles=((0, 1, 2),)) -> Sheet:
        draw_surface(
            np.asarray(points, np.float32), np.asarray(triangles, np.int32), np.asarray(attributes, np.float32),
            self.flow, self.shade, self.label, self.depth, cull, value,
        )  # fmt: skip
        return self

    def colours(self, points, colours, wanted: int = 0, triangles=((0, 1, 2),)) -> Sheet:
        draw_colours(
            np.asarray(points, np.float32), np.asarray(triangles, np.int32), np.asarray(colours, np.float32),
            self.image, self.label, self.depth, wanted,
        )  # fmt: skip
        return self


def barycentric(points: np.ndarray) -> np.ndarray:
    """Weights (H, W, 3) of a triangle's corners at every pixel's centre, by solving the 3 x 3 system."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    corners = np.concatenate([np.asarray(points, float)[:, :2], np.ones((3, 1))], 1).T
    return np.einsum("ij,hwj->hwi", np.linalg.inv(corners), np.stack([x, y, np.ones_like(x)], -1))


def random_triangle(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    # some corners lie outside the picture
    return np.column_stack([rng.uniform(-15, WIDTH + 15, 3), rng.uniform(-15, HEIGHT + 15, 3), rng.uniform(1, 9, 3)])


ATTRIBUTES = np.array([[3.0, 40, 0.5, 1], [90, 7, 0.8, 1], [20, 60, 1.2, 1]])


@pytest.mark.parametrize("seed", range(12))
def test_coverage_and_attributes_are_those_of_a_plain_rasteriser(seed):
    points = random_triangle(seed)
    weights = barycentric(points)
    inside = weights.min(-1) >= 0
    clear = np.abs(weights.min(-1)) > 1e-3  # on an edge either answer is right
    sheet = Sheet().surface(points, ATTRIBUTES)
    np.testing.assert_array_equal((sheet.label == 1)[clear], inside[clear])
    drawn = clear & inside
    assert drawn.sum() > 20
    expected = weights @ ATTRIBUTES
    np.testing.assert_allclose(sheet.flow[drawn], expected[drawn][:, :2], atol=0.02)
    np.testing.assert_allclose(sheet.shade[drawn], expected[drawn][:, 2], atol=1e-3)
    np.testing.assert_allclose(sheet.depth[drawn], (weights @ points[:, 2])[drawn], atol=1e-3)
    assert (sheet.depth[clear & ~inside] == FAR).all()


@pytest.mark.parametrize("seed", range(4))
def test_colours_are_interpolated_alike(seed):
    points, colours = random_triangle(seed), np.random.default_rng(seed).uniform(0, 255, (3, 3))
    weights = barycentric(points)
    inside, clear = weights.min(-1) >= 0, np.abs(weights.min(-1)) > 1e-3
    sheet = Sheet().colours(points, colours)
    np.testing.assert_allclose(sheet.image[inside & clear], (weights @ colours)[inside & clear], atol=0.05)
    assert not sheet.image[clear & ~inside].any()


NEAR = np.array([[5.0, 5, 2], [35, 5, 2], [5, 35, 2]])
FAR_OFF = np.array([[5.0, 5, 7], [35, 5, 7], [5, 35, 7]])


def test_the_nearer_triangle_shows_in_either_order():
    flat = lambda u: [[u, u, 1, 1]] * 3  # noqa: E731
    first = Sheet().surface(NEAR, flat(10)).surface(FAR_OFF, flat(20), value=2)
    second = Sheet().surface(FAR_OFF, flat(20), value=2).surface(NEAR, flat(10))
    assert first.flow[10, 10, 0] == second.flow[10, 10, 0] == 10
    np.testing.assert_array_equal(first.flow, second.flow)
    np.testing.assert_array_equal(first.label, second.label)


def test_crossing_triangles_are_cut_where_they_cross():
    left = np.array([[0.0, 0, 1], [40, 0, 9], [0, 40, 1]])
    right = np.array([[0.0, 0, 9], [40, 0, 1], [0, 40, 9]])
    sheet = Sheet().colours(left, [[255, 0, 0]] * 3).colours(right, [[0, 0, 255]] * 3)
    assert sheet.image[3, 15, 0] == 255 and sheet.image[3, 25, 2] == 255


def test_culling_leaves_out_what_faces_away():
    anticlockwise = NEAR[[0, 2, 1]]  # with y up, as a viewer sees it
    assert Sheet().surface(anticlockwise, ATTRIBUTES, cull=True).label.any()
    assert not Sheet().surface(anticlockwise[::-1], ATTRIBUTES, cull=True).label.any()
    assert Sheet().surface(anticlockwise[::-1], ATTRIBUTES, cull=False).label.any()


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_positions_blend_with_the_flow_below(share):
    sheet = Sheet(flow=8.0).surface(NEAR, [[40, 20, 0.5, share]] * 3)
    np.testing.assert_allclose(sheet.flow[10, 10], [8 + 32 * share, 8 + 12 * share], atol=1e-3)
    assert sheet.shade[10, 10] == pytest.approx(1 - 0.5 * share, abs=1e-4)
    np.testing.assert_array_equal(sheet.flow[39, 49], [8, 8])


def test_colours_stay_within_their_label():
    sheet = Sheet()
    sheet.label[:, 12:] = 3
    sheet.colours(NEAR, [[9, 9, 9]] * 3, wanted=3)
    assert not sheet.image[:, :12].any() and sheet.image[10, 12:20].all()


def test_neighbours_leave_no_gap_and_triangles_without_area_nothing():
    corners = np.array([[2.3, 3.1, 1], [44.7, 1.9, 1], [46.2, 37.3, 1], [1.1, 35.8, 1], [20.21, 17.77, 1]])
    fan = [(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]
    sheet = Sheet().surface(corners, [[1, 1, 1, 1]] * 5, triangles=fan)
    assert (sheet.label[5:34, 4:43] == 1).all()
    assert not Sheet().surface([[1, 1, 1], [9, 9, 1], [20, 20, 1]], ATTRIBUTES).label.any()


def test_triangles_outside_the_picture_are_harmless():
    for shift in ((-500, 0), (500, 0), (0, -500), (0, 500)):
        assert not Sheet().surface(NEAR + [*shift, 0], ATTRIBUTES).label.any()


def sphere(rings: int = 16, spokes: int = 24) -> tuple[np.ndarray, np.ndarray]:
    polar, around = np.meshgrid(
        np.linspace(0.1, np.pi - 0.1, rings), np.arange(spokes) * 2 * np.pi / spokes, indexing="ij"
    )
    points = np.stack([np.sin(polar) * np.cos(around), np.cos(polar), np.sin(polar) * np.sin(around)], -1).reshape(
        -1, 3
    )
    index = np.arange(rings * spokes).reshape(rings, spokes)
    a, b = index[:-1], np.roll(index, -1, 1)[:-1]
    c, d = index[1:], np.roll(index, -1, 1)[1:]
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])
    return points.astype(np.float32), triangles.astype(np.int32)


def test_normals_of_a_sphere_point_outwards():
    points, triangles = sphere()
    alone = np.concatenate([points, [[5, 5, 5]]]).astype(np.float32)
    normals = vertex_normals(alone, triangles)
    inner = np.abs(points[:, 1]) < 0.9  # the open rims around the poles have one-sided neighbours
    np.testing.assert_allclose((normals[:-1] * points).sum(1)[inner], 1, atol=5e-3)
    np.testing.assert_allclose(np.linalg.norm(normals[:-1], axis=1), 1, atol=1e-5)
    assert not normals[-1].any()
    np.testing.assert_allclose(vertex_normals(alone, np.ascontiguousarray(triangles[:, ::-1])), -normals, atol=1e-6)
