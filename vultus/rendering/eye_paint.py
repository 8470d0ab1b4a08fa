"""The inner loop of `rendering.eyes`: one eye's pixels from its layers and its rims."""

from __future__ import annotations

import numba as nb
import numpy as np

from vultus.rendering.eye_layers import LASH_REACH, LASH_ROWS, LOWER_REACH, RIM_SHADOW, STRIP, X_RANGE


@nb.njit(cache=True, fastmath=True, nogil=True, inline="always")
def _ease(x: float) -> float:
    x = min(1.0, max(0.0, x))
    return x * x * (3.0 - 2.0 * x)


@nb.njit(cache=True, fastmath=True, nogil=True, inline="always")
def _sample(image: np.ndarray, x: float, y: float, channel: int) -> float:
    height, width = image.shape[0], image.shape[1]
    x = min(max(x, 0.0), width - 1.001)
    y = min(max(y, 0.0), height - 1.001)
    i, j = int(y), int(x)
    a, b = x - j, y - i
    top = image[i, j, channel] * (1 - a) + image[i, j + 1, channel] * a
    bottom = image[i + 1, j, channel] * (1 - a) + image[i + 1, j + 1, channel] * a
    return top * (1 - b) + bottom * b


@nb.njit(cache=True, fastmath=True, nogil=True, inline="always")
def _mask(image: np.ndarray, x: float, y: float) -> float:
    height, width = image.shape
    if x < 0 or y < 0 or x > width - 1.001 or y > height - 1.001:
        return 0.0
    i, j = int(y), int(x)
    a, b = x - j, y - i
    top = image[i, j] * (1 - a) + image[i, j + 1] * a
    return top * (1 - b) + (image[i + 1, j] * (1 - a) + image[i + 1, j + 1] * a) * b


@nb.njit(cache=True, nogil=True)
def compose_eye(
    picture: np.ndarray, clean: np.ndarray, white: np.ndarray, iris: np.ndarray, iris_alpha: np.ndarray,
    residual: np.ndarray, lash: np.ndarray, local: np.ndarray, curves: np.ndarray, down: np.ndarray,
    width_px: np.float32, travel: np.ndarray, shut: np.float32, out: np.ndarray,
) -> None:  # fmt: skip
    """Paint one eye.

    Args:
        picture, clean, white, iris: (h, w, 3) float32 layers; residual: what they miss of the picture at rest.
        iris_alpha: (h, w); lash: (LASH_ROWS, COLUMNS) darkness of a shut eye's lashes.
        local: (h, w, 2) local coordinates of each pixel.
        curves: (5, COLUMNS): rims in the picture (upper, lower), rims now (upper, lower), reach of the upper lid.
        down: (2,) unit vector of local y in pixels; width_px: eye width.
        travel: (2,) how far the iris moved, pixels; shut: 0-1.
        out: (h, w, 3) uint8, written.
    """
    height, width = iris_alpha.shape
    last = curves.shape[1] - 1
    per_column = last / (X_RANGE[1] - X_RANGE[0])
    keep = np.exp(-(travel[0] ** 2 + travel[1] ** 2) / (0.04 * width_px) ** 2)
    strip_up, strip_low = STRIP
    for i in range(height):
        for j in range(width):
            x, y = local[i, j, 0], local[i, j, 1]
            if x <= 0.0 or x >= 1.0:
                for c in range(3):
                    out[i, j, c] = np.uint8(picture[i, j, c])
                continue
            position = (x - X_RANGE[0]) * per_column
            k = int(position)
            f = position - k
            upper_0 = curves[0, k] * (1 - f) + curves[0, k + 1] * f
            lower_0 = curves[1, k] * (1 - f) + curves[1, k + 1] * f
            upper = curves[2, k] * (1 - f) + curves[2, k + 1] * f
            lower = curves[3, k] * (1 - f) + curves[3, k + 1] * f
            reach = curves[4, k] * (1 - f) + curves[4, k + 1] * f
            lid = min(1.0, max(0.0, 0.5 + (upper - y) * width_px))
            under = min(1.0, max(0.0, 0.5 + (y - lower) * width_px))
            if upper >= lower - 0.25 / width_px:  # shut: no sliver of eyeball between two half-covered pixels
                under = max(under, 1.0 - lid)
            # Upper lid: where in the picture this skin was, and how much of it is new skin.
            source, fresh = 0.0, 0.0
            above = upper - y
            if lid > 0.0:
                room, room_0 = upper - strip_up - (upper_0 - reach), reach - strip_up
                stretch = max(room / room_0, 0.05)
                revealed = _ease((stretch - 1.0) / 0.5)
                if above <= strip_up:
                    source = upper_0 - above
                    fresh = revealed * _ease((above - 0.45 * strip_up) / (0.55 * strip_up))
                else:
                    t = min(1.0, (above - strip_up) / max(room, 1e-4))
                    if stretch > 1.0:
                        source = upper_0 - strip_up - room_0 * t**stretch
                        fresh = min(revealed, _ease((max(t, 1e-3) ** (1.0 - stretch) - 1.15) / 1.4))
                    else:
                        source = upper_0 - strip_up - room_0 * t
                    if above >= reach + (upper - upper_0):
                        source = y
            # Lower lid.
            source_low = y
            if under > 0.0:
                below = y - lower
                if below <= strip_low:
                    source_low = lower_0 + below
                else:
                    room = lower_0 + LOWER_REACH - lower - strip_low
                    t = (below - strip_low) / max(room, 1e-4)
                    if t < 1.0:
                        source_low = lower_0 + strip_low + t * (LOWER_REACH - strip_low)
            shade = 1.0
            if shut > 0.4 and y > upper:
                row = (y - upper) / LASH_REACH * (LASH_ROWS - 1)
                if row < LASH_ROWS - 2:
                    r = int(row)
                    g = row - r
                    shade = 1.0 - _ease((float(shut) - 0.4) / 0.55) * (lash[r, k] * (1 - g) + lash[r + 1, k] * g)
            # Lashes and the lid's shadow, which the layers leave out, move with the rim they belong to.
            ball = 1.0 - lid - under
            alpha, near_up, near_low = 0.0, 0.0, 0.0
            if ball > 0.0:
                alpha = _mask(iris_alpha, j - travel[0], i - travel[1])
                near_up = np.exp(-(((y - upper) / RIM_SHADOW) ** 2))
                near_low = (1.0 - near_up) * np.exp(-(((lower - y) / (0.5 * RIM_SHADOW)) ** 2))
            shift_up, shift_low = (upper_0 - upper) * width_px, (lower_0 - lower) * width_px
            up_px, low_px = (source - y) * width_px, (source_low - y) * width_px
            for c in range(3):
                value = 0.0
                if lid > 0.0:
                    skin = _sample(picture, j + down[0] * up_px, i + down[1] * up_px, c)
                    value += lid * (skin + (clean[i, j, c] - skin) * fresh)
                if under > 0.0:
                    value += under * shade * _sample(picture, j + down[0] * low_px, i + down[1] * low_px, c)
                if ball > 0.0:
                    eye = white[i, j, c] * (1 - alpha)
                    if alpha > 0.0:
                        eye += alpha * _sample(iris, j - travel[0], i - travel[1], c)
                    missed = near_up * _sample(residual, j + down[0] * shift_up, i + down[1] * shift_up, c)
                    missed += near_low * _sample(residual, j + down[0] * shift_low, i + down[1] * shift_low, c)
                    # Shadows stay with the rims; what was lighter than the layers was lit iris and goes with it.
                    missed *= keep if missed > 0.0 else 1.0
                    value += ball * (eye + missed + (1.0 - near_up - near_low) * keep * residual[i, j, c])
                out[i, j, c] = np.uint8(min(255.0, max(0.0, value + 0.5)))
