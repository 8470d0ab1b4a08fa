"""Pictures against pictures: PSNR, SSIM, learned distances, sharpness of the mouth, and flicker over time.

Pictures are (H, W, 3) uint8 RGB unless stated. Networks are passed in as functions: nothing here loads weights.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

PEAK = 255.0
"""Largest value of a pixel."""
SSIM_SIDE, SSIM_SD = 11, 1.5
"""Side and standard deviation in pixels of SSIM's window (Wang et al. 2004, section III.B)."""
SSIM_K1, SSIM_K2 = 0.01, 0.03
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""

Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Pictures (N, H, W, 3) and (N, H, W, 3) -> distances (N,)."""


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of two pictures in dB: 10 log10(255^2 / mean (a - b)^2); inf if they are the same.

    Higher is closer; 30 dB and more is hard to tell apart, and it favours blur over detail in the wrong place.
    """
    _check_same_shape(a, b)
    error = float(((a.astype(np.float32) - b) ** 2).mean(dtype=np.float64))
    return float("inf") if error == 0 else 10 * float(np.log10(PEAK**2 / error))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity of two pictures, the mean over places and colours: -1 to 1, 1 if they are the same.

    SSIM = (2 m_a m_b + C1)(2 s_ab + C2) / ((m_a^2 + m_b^2 + C1)(s_a^2 + s_b^2 + C2)), with means m, variances s^2 and
    covariance s_ab under a Gaussian window of 11 pixels (sd 1.5), C = (K 255)^2 (Wang et al. 2004, equation 13).
    Places whose window would leave the picture do not count. Raises ValueError for pictures smaller than the window.
    """
    import cv2

    _check_same_shape(a, b)
    if min(a.shape[:2]) < SSIM_SIDE:
        raise ValueError(f"SSIM needs pictures of {SSIM_SIDE} pixels or more a side")

    def blurred(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (SSIM_SIDE, SSIM_SIDE), SSIM_SD)

    x, y = a.astype(np.float32) - PEAK / 2, b.astype(np.float32) - PEAK / 2  # about 0, where float32 is finest
    mean_x, mean_y, squares, products = blurred(x), blurred(y), blurred(x * x + y * y), blurred(x * y)
    squares -= mean_x * mean_x  # now the sum of both variances, and the covariance
    squares -= mean_y * mean_y
    products -= mean_x * mean_y
    mean_x += PEAK / 2
    mean_y += PEAK / 2
    c1, c2 = (SSIM_K1 * PEAK) ** 2, (SSIM_K2 * PEAK) ** 2
    value = (2 * mean_x * mean_y + c1) * (2 * products + c2)
    value /= (mean_x * mean_x + mean_y * mean_y + c1) * (squares + c2)
    edge = SSIM_SIDE // 2
    return float(value[edge:-edge, edge:-edge].mean(dtype=np.float64))


def perceptual_distance(a: np.ndarray, b: np.ndarray, distance: Distance) -> float:
    """Mean learned distance of pictures (N, H, W, 3), pair by pair; 0 if they are the same.

    `distance` is LPIPS (Zhang et al. 2018, equation 1, on AlexNet) for the papers' figure, or a network of our own.
    """
    _check_same_shape(a, b)
    return float(np.mean(distance(a, b)))


def laplacian_energy(picture: np.ndarray) -> float:
    """Mean squared Laplacian of brightness, grey levels squared: how much fine detail a picture (H, W, 3) has.

    The Laplacian is the sum of the four neighbours less four times the pixel (Pech-Pacheco et al. 2000 use its
    variance). Blur lowers it, noise raises it.
    """
    grey = luma(picture)
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float(((around - 4 * grey[1:-1, 1:-1]) ** 2).mean(dtype=np.float64))


def flicker(before: np.ndarray, now: np.ndarray, after: np.ndarray) -> float:
    """How much a frame departs from the mean of its two neighbours, grey levels 0-255; brightness (H, W) each.

    mean |now - (before + after) / 2|: steady motion counts little, jumping back and forth counts in full.
    """
    return float(np.abs(now - (before + after) / 2).mean(dtype=np.float64))


def luma(picture: np.ndarray) -> np.ndarray:
    """Brightness (H, W) float32, 0-255, of a picture (H, W, 3)."""
    return picture.astype(np.float32) @ np.array(LUMA, np.float32)


def _check_same_shape(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape:
        raise ValueError(f"pictures to compare must have one shape, not {a.shape} and {b.shape}")
