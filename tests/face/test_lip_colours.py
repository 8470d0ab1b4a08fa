"""Colours of the lips: beside the skin, whatever the light and the size of the picture, and where the points are."""

import cv2
import numpy as np
import pytest
import skimage.data

from vultus.face.landmarks import select_face
from vultus.face.lip_colours import _LOWER_INNER, _UPPER_INNER, SAMPLES, lip_colours, mirrored_lips


@pytest.fixture(scope="module")
def face() -> tuple[np.ndarray, np.ndarray]:
    image = skimage.data.astronaut()
    return image, select_face(image)


def test_a_face_of_one_colour_has_no_lips(face):
    plain = np.full_like(face[0], (180, 120, 100))
    np.testing.assert_allclose(lip_colours(plain, face[1]), np.zeros((2, SAMPLES)), atol=1e-5)


def test_lips_are_redder_than_skin_and_redder_than_the_chin(face):
    redness = lip_colours(*face)[1].reshape(-1, 9)
    lower_lip, chin = redness[10:15].mean(), redness[-2:].mean()
    assert lower_lip > 0.1 + chin


def test_exposure_and_tint_hardly_count(face):
    image, points = face
    dimmed = (0.7 * image * np.array([1.0, 0.95, 0.9])).astype(np.uint8)
    before, after = lip_colours(image, points), lip_colours(dimmed, points)
    assert np.abs(after - before).mean() < 0.1 * np.abs(before).mean() + 0.01


@pytest.mark.parametrize("scale", [0.75, 3.0])
def test_size_hardly_counts(face, scale):
    image, points = face
    resized = cv2.resize(
        image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    before, after = lip_colours(image, points), lip_colours(resized, (points * scale).astype(np.float32))
    assert np.abs(after - before).mean() < 0.2 * np.abs(before).mean()


def test_a_turn_of_the_picture_turns_the_strips(face):
    image, points = face
    turned = np.ascontiguousarray(np.rot90(image, -1))  # (x, y) -> (height - y, x)
    moved = points.copy()
    moved[:, 0], moved[:, 1] = len(image) - points[:, 1], points[:, 0]
    before, after = lip_colours(image, points), lip_colours(turned, moved)
    assert np.abs(after - before).mean() < 0.1 * np.abs(before).mean()


def test_bared_teeth_show_between_the_lips(face):
    image, points = face
    inner = np.concatenate([points[_UPPER_INNER, :2], points[_LOWER_INNER[::-1], :2]])
    bared = cv2.fillPoly(image.copy(), [np.round(inner).astype(np.int32)], (250, 250, 245))
    rise = (lip_colours(bared, points) - lip_colours(image, points))[0].reshape(-1, 9)
    assert rise[7:10].mean() > 3 * max(abs(rise[:5]).mean(), abs(rise[13:]).mean())


def test_a_face_at_the_border_is_read_too(face):
    image, points = face
    low = points[:, :2].min(0).astype(int) + 10
    cut = np.ascontiguousarray(image[low[1] :, low[0] :])
    moved = points - np.append(low, 0).astype(np.float32)
    np.testing.assert_allclose(lip_colours(cut, moved), lip_colours(image, points), atol=0.05)


def test_a_mirror_swaps_the_sides_and_back():
    colours = np.random.default_rng(0).normal(size=(3, 2, SAMPLES)).astype(np.float32)
    swapped = mirrored_lips(colours)
    np.testing.assert_array_equal(swapped[0, 1, :9], colours[0, 1, 8::-1])
    np.testing.assert_array_equal(mirrored_lips(swapped), colours)
