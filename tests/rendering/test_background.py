"""Other backgrounds, and none."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.errors import ControlError
from vultus.rendering.background import behind, composite, decontaminated, matte_from_mask


@pytest.mark.parametrize(
    ("text", "colour"), [("#20a040", (32, 160, 64)), ("#FFFFFF", (255, 255, 255)), ("#000000", (0, 0, 0))]
)
def test_a_colour(text, colour):
    sheet = behind(text, 7, 5)
    assert sheet.shape == (5, 7, 3) and (sheet == colour).all()


@pytest.mark.parametrize(
    "text", ["#12", "#12345", "#1234567", "#gggggg", "#-12345", "#+1+1+1", "# 12345", "20a040", "#"]
)
def test_what_is_no_colour_is_refused(text):
    with pytest.raises(ControlError, match="is not a background"):
        behind(text, 7, 5)


def test_none_is_nothing():
    assert behind("none", 7, 5) is None


@pytest.mark.parametrize("shape", [(10, 40), (40, 10), (33, 33), (1, 1), (500, 700)])
@pytest.mark.parametrize("size", [(64, 48), (31, 77)])
def test_a_picture_covers_from_its_middle(shape, size):
    picture = np.zeros((*shape, 3), np.uint8)
    picture[..., 0] = 200
    covered = behind(picture, *size)
    assert covered.shape == (size[1], size[0], 3) and covered.dtype == np.uint8
    assert np.abs(covered.astype(int) - [200, 0, 0]).max() <= 1  # no border of another colour


def test_a_wide_picture_loses_its_sides():
    picture = np.zeros((20, 60, 3), np.uint8)
    picture[:, 20:40] = 255
    assert behind(picture, 40, 40)[:, 3:-3].min() == 255


def test_composite_and_alpha():
    frame, backdrop = np.full((4, 6, 3), 200, np.uint8), np.full((4, 6, 3), 100, np.uint8)
    matte = np.tile(np.linspace(0, 1, 6, dtype=np.float32), (4, 1))
    over = composite(frame, matte, backdrop)
    np.testing.assert_allclose(over[0, :, 0], [100, 120, 140, 160, 180, 200], atol=1)
    transparent = composite(frame, matte, None)
    assert transparent.shape == (4, 6, 4)
    np.testing.assert_array_equal(transparent[0, :, 3], [0, 51, 102, 153, 204, 255])
    np.testing.assert_array_equal(transparent[..., :3], frame)


def test_the_matte_follows_the_pictures_edge_and_the_old_background_goes():
    image = np.full((120, 120, 3), (20, 160, 30), np.uint8)
    image[:, 60:] = (210, 170, 150)
    coarse = np.tile(np.clip((np.arange(120) - 52) / 16, 0, 1), (120, 1)).astype(np.float32)
    matte = matte_from_mask(image, coarse)
    assert matte[:, :50].max() < 0.05 and matte[:, 70:].min() > 0.95
    clean = decontaminated(image, matte)
    np.testing.assert_array_equal(clean[:, 75:], image[:, 75:])
    assert np.abs(clean[:, 58].astype(int) - (210, 170, 150)).max() < 12  # where green would have shone through
