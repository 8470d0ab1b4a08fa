"""PSNR and SSIM against scikit-image, the rest against values by hand."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from vultus.metrics.image import flicker, laplacian_energy, luma, perceptual_distance, psnr, ssim


@pytest.fixture(scope="module")
def pair(request) -> tuple[np.ndarray, np.ndarray]:
    from skimage.data import astronaut

    rng = np.random.default_rng(0)
    image = astronaut()[100:300, 120:300]
    noisy = np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)
    return image, noisy


def test_psnr_agrees_with_scikit_image_and_by_hand(pair):
    a, b = pair
    assert psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a, b, data_range=255), abs=1e-4)
    flat = np.zeros((8, 8, 3), np.uint8)
    assert psnr(flat, flat + 5) == pytest.approx(10 * np.log10(255**2 / 25), abs=1e-6)
    assert psnr(a, a) == float("inf")


@pytest.mark.parametrize("change", ["noise", "flip", "dark", "flat"])
def test_ssim_agrees_with_scikit_image(pair, change):
    a, noisy = pair
    b = {"noise": noisy, "flip": a[:, ::-1], "dark": a // 3, "flat": np.full_like(a, 128)}[change]
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    assert ssim(a, b) == pytest.approx(structural_similarity(a, b, channel_axis=2, **options), abs=1e-4)


def test_ssim_of_the_same_picture_is_one_and_of_a_tiny_one_refused(pair):
    assert ssim(pair[0], pair[0]) == pytest.approx(1, abs=1e-6)
    with pytest.raises(ValueError, match="11"):
        ssim(np.zeros((8, 20, 3), np.uint8), np.zeros((8, 20, 3), np.uint8))


def test_shapes_must_agree(pair):
    for measure in (psnr, ssim):
        with pytest.raises(ValueError, match="shape"):
            measure(pair[0], pair[1][1:])


def test_a_network_is_asked_pair_by_pair(pair):
    a, b = np.stack([pair[0]] * 2), np.stack([pair[1], pair[0]])
    distance = perceptual_distance(a, b, lambda x, y: np.abs(x.astype(float) - y).mean((1, 2, 3)))
    assert distance == pytest.approx(np.abs(pair[0].astype(float) - pair[1]).mean() / 2)


def test_laplacian_energy_by_hand_and_under_blur(pair):
    picture = np.zeros((3, 3, 3), np.uint8)
    picture[1, 1] = 10
    assert laplacian_energy(picture) == pytest.approx(40.0**2, rel=1e-5)
    import cv2

    assert laplacian_energy(cv2.GaussianBlur(pair[0], (0, 0), 2)) < 0.2 * laplacian_energy(pair[0])


def test_flicker_by_hand():
    ramp = [np.full((4, 4), level, np.float32) for level in (10, 20, 30)]
    assert flicker(*ramp) == 0
    assert flicker(ramp[0], ramp[1], ramp[0]) == pytest.approx(10)


def test_brightness_by_hand():
    assert luma(np.array([[[100, 50, 200]]], np.uint8))[0, 0] == pytest.approx(29.9 + 29.35 + 22.8, abs=1e-3)
