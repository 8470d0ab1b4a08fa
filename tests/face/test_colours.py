"""Colours of lips and brows: beside the skin, whatever the light and the size of the picture, where the points are."""

import cv2
import numpy as np
import pytest
import skimage.data

from vultus.face.colours import BROWS, LIPS, colours, face_colours, mirrored
from vultus.face.landmarks import select_face

REGIONS = pytest.mark.parametrize("region", [LIPS, BROWS], ids=["lips", "brows"])


@pytest.fixture(scope="module")
def face() -> tuple[np.ndarray, np.ndarray]:
    image = skimage.data.astronaut()
    return image, select_face(image)


def test_both_regions_are_looked_at(face):
    seen = face_colours(*face)
    assert seen.lips.shape == (2, LIPS.samples) and seen.brows.shape == (2, BROWS.samples)
    np.testing.assert_array_equal(seen.brows, colours(*face, BROWS))


@REGIONS
def test_a_face_of_one_colour_has_neither_lips_nor_brows(face, region):
    plain = np.full_like(face[0], (180, 120, 100))
    np.testing.assert_allclose(colours(plain, face[1], region), np.zeros((2, region.samples)), atol=1e-5)


def test_lips_are_redder_than_skin_and_redder_than_the_chin(face):
    redness = colours(*face, LIPS)[1].reshape(-1, LIPS.strips)
    lower_lip, chin = redness[10:15].mean(), redness[-2:].mean()
    assert lower_lip > 0.1 + chin


def test_brows_are_darker_than_the_skin_between_them(face):
    lightness = colours(*face, BROWS)[0].reshape(-1, BROWS.strips)
    between = lightness[:, BROWS.strips // 2].mean()
    assert lightness[:, [6, -7]].min(0).max() < between - 0.15


def test_a_brow_that_slides_down_is_seen_to(face):
    image, points = face
    right, left = points[70, :2], points[300, :2]
    top, bottom = int(points[10, 1]), int(points[168, 1])
    step = round(0.04 * float(np.linalg.norm(right - left)))
    lowered = image.copy()
    lowered[top + step : bottom] = image[top : bottom - step]
    before, after = (colours(picture, points, BROWS)[0].reshape(-1, BROWS.strips) for picture in (image, lowered))
    inner = [5, 6, 7, -8, -7, -6]
    rows = np.arange(len(before))[:, None]
    dark = [np.maximum(0, seen[:, inner].mean(0) - seen[:, inner]) for seen in (before, after)]
    where = [float((rows * weight).sum() / weight.sum()) for weight in dark]
    assert where[1] > where[0] + 0.3


@REGIONS
def test_exposure_and_tint_hardly_count(face, region):
    image, points = face
    dimmed = (0.7 * image * np.array([1.0, 0.95, 0.9])).astype(np.uint8)
    before, after = colours(image, points, region), colours(dimmed, points, region)
    assert np.abs(after - before).mean() < 0.1 * np.abs(before).mean() + 0.01


@REGIONS
@pytest.mark.parametrize("scale", [0.75, 3.0])
def test_size_hardly_counts(face, scale, region):
    image, points = face
    resized = cv2.resize(
        image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    before = colours(image, points, region)
    after = colours(resized, (points * scale).astype(np.float32), region)
    assert np.abs(after - before).mean() < 0.2 * np.abs(before).mean()


@REGIONS
def test_a_turn_of_the_picture_turns_the_strips(face, region):
    image, points = face
    turned = np.ascontiguousarray(np.rot90(image, -1))  # (x, y) -> (height - y, x)
    moved = points.copy()
    moved[:, 0], moved[:, 1] = len(image) - points[:, 1], points[:, 0]
    before, after = colours(image, points, region), colours(turned, moved, region)
    assert np.abs(after - before).mean() < 0.1 * np.abs(before).mean()


def test_bared_teeth_show_between_the_lips(face):
    image, points = face
    upper, lower = LIPS.rows[1], LIPS.rows[2]
    inner = np.concatenate([points[upper, :2], points[lower[::-1], :2]])
    bared = cv2.fillPoly(image.copy(), [np.round(inner).astype(np.int32)], (250, 250, 245))
    rise = (colours(bared, points, LIPS) - colours(image, points, LIPS))[0].reshape(-1, LIPS.strips)
    assert rise[7:10].mean() > 3 * max(abs(rise[:5]).mean(), abs(rise[13:]).mean())


@REGIONS
def test_a_face_at_the_border_is_read_too(face, region):
    image, points = face
    low = points[:, :2].min(0).astype(int) + 10
    cut = np.ascontiguousarray(image[low[1] :, low[0] :])
    moved = points - np.append(low, 0).astype(np.float32)
    before, after = colours(image, points, region), colours(cut, moved, region)
    assert np.abs(after - before).mean() < 0.05 * np.abs(before).mean() + 0.005


@REGIONS
def test_a_mirror_swaps_the_sides_and_back(region):
    seen = np.random.default_rng(0).normal(size=(3, 2, region.samples)).astype(np.float32)
    swapped, last = mirrored(seen, region), region.strips - 1
    np.testing.assert_array_equal(swapped[0, 1, : region.strips], seen[0, 1, last::-1])
    np.testing.assert_array_equal(mirrored(swapped, region), seen)
