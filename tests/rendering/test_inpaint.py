"""Filling holes and snapping masks to edges."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.rendering.inpaint import guided_filter, push_pull, smoothstep


def holes(shape: tuple[int, int], share: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < share


@pytest.mark.parametrize("shape", [(40, 60), (33, 47), (3, 200), (2, 2), (1, 30), (30, 1)])
def test_known_pixels_stay_and_the_rest_lies_between_them(shape):
    image = np.random.default_rng(1).uniform(50, 200, (*shape, 3)).astype(np.float32)
    known = holes(shape, 0.3)
    known[0, 0] = True
    filled = push_pull(image, known)
    np.testing.assert_allclose(filled[known], image[known], atol=1e-3)
    assert filled.min() >= image[known].min() - 0.01 and filled.max() <= image[known].max() + 0.01


@pytest.mark.parametrize("shape", [(40, 60), (4, 64), (64, 4), (5, 5)])
def test_a_constant_is_continued_from_one_known_pixel(shape):
    known = np.zeros(shape, bool)
    known[0, 0] = True
    np.testing.assert_allclose(push_pull(np.full((*shape, 3), 77, np.uint8), known), 77, atol=0.01)


def test_a_ramp_is_bridged_smoothly():
    ramp = np.tile(np.arange(64, dtype=np.float32)[None, :, None], (64, 1, 1))
    known = np.ones((64, 64), bool)
    known[24:40, 24:40] = False
    assert np.abs(push_pull(ramp, known) - ramp).max() < 4


def test_partly_known_pixels_keep_their_share():
    image = np.zeros((16, 16, 1), np.float32)
    image[:, 8:] = 100
    weight = np.ones((16, 16), np.float32)
    weight[8, 8] = 0.5
    assert 50 < push_pull(image, weight)[8, 8, 0] < 100


def test_nothing_known_is_black_not_nan():
    assert not push_pull(np.full((9, 9, 3), 200, np.uint8), np.zeros((9, 9), bool)).any()


def test_guided_filter_keeps_constants_and_sharpens_a_soft_mask_at_the_guides_edge():
    guide = np.zeros((60, 60), np.float32)
    guide[:, 30:] = 1
    np.testing.assert_allclose(guided_filter(guide, np.full((60, 60), 0.4, np.float32), 4), 0.4, atol=1e-3)
    soft = np.tile(smoothstep((np.arange(60) - 24) / 12), (60, 1)).astype(np.float32)
    snapped = guided_filter(guide, soft, 6)
    step = lambda mask: float(mask[30, 30] - mask[30, 29])  # noqa: E731
    assert step(snapped) > 4 * step(soft)


def test_smoothstep():
    np.testing.assert_allclose(smoothstep(np.array([-1, 0, 0.25, 0.5, 1, 7])), [0, 0, 0.15625, 0.5, 1, 1])
