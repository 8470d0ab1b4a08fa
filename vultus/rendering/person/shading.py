"""Light on a rendered person, pixel by pixel: skin, cloth, eyes and what is in the mouth. All in linear light.

Vectors are in the viewer's frame: x towards image right, y up, z towards the camera.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from vultus.rendering.person.materials import CLOTH, GLOSSY, HEADWEAR, LEFT_EYE, NOTHING, RIGHT_EYE, SKIN

IRIS_COS, PUPIL_COS = np.cos(np.radians(24.5)), np.cos(np.radians(9.0))
_KEY, _KEY_COLOUR, _SKY, _GROUND, _IRIS, _CLOTH, _SECOND, _HEADWEAR = range(8)
LOOK_ROWS = 8
"""Rows of `look` in `shade`: direction of the key light, its colour, sky, ground, iris, two colours of
cloth, headwear."""


@nb.njit(cache=True, fastmath=True, nogil=True, inline="always")
def _ease(x: float, low: float, high: float) -> float:
    t = min(1.0, max(0.0, (x - low) / (high - low)))
    return t * t * (3.0 - 2.0 * t)


@nb.njit(cache=True, fastmath=True, nogil=True, inline="always")
def _sample(chart: np.ndarray, u: float, v: float, c: int) -> float:
    height, width = chart.shape[0], chart.shape[1]
    x = min(max(u - 0.5, 0.0), width - 1.001)
    y = min(max(v - 0.5, 0.0), height - 1.001)
    i, j = int(y), int(x)
    a, b = x - j, y - i
    top = chart[i, j, c] * (1 - a) + chart[i, j + 1, c] * a
    bottom = chart[i + 1, j, c] * (1 - a) + chart[i + 1, j + 1, c] * a
    return top * (1 - b) + bottom * b


@nb.njit(cache=True, fastmath=True, nogil=True, boundscheck=False)
def shade(
    label: np.ndarray, surface: np.ndarray, chart: np.ndarray, grain: np.ndarray, look: np.ndarray, eyes: np.ndarray,
    rotation: np.ndarray, stripes: np.float32, image: np.ndarray,
) -> None:  # fmt: skip
    """Write the light (H, W, 3) that every labelled pixel sends to the camera.

    Args:
        label: (H, W) uint8; surface: (H, W, 8) as `gbuffer.draw_attributes` leaves it.
        chart: (HEIGHT, WIDTH, 4) skin; grain: (256, 256) noise of unit variance, for cloth and veins.
        look: (LOOK_ROWS, 3); eyes: (2, 3, 3) gaze rotations of the left and right eyeball; rotation: (3, 3) head.
        stripes: period of cloth's stripes in chart pixels, 0 for none.
        image: (H, W, 3) float32, written.
    """
    height, width = label.shape
    colour = np.empty(3, np.float64)
    wrap = np.empty(3, np.float64)
    for y in range(height):
        for x in range(width):
            kind = label[y, x]
            if kind == NOTHING:
                continue
            u, v, w = surface[y, x, 0], surface[y, x, 1], surface[y, x, 2]
            nx, ny, nz = surface[y, x, 3], surface[y, x, 4], surface[y, x, 5]
            openness, lit = max(0.0, surface[y, x, 6]), max(0.0, surface[y, x, 7])
            if nz < 0.0 and kind in (CLOTH, HEADWEAR):
                nx, ny, nz = -nx, -ny, -nz
            gloss, tight = 0.0, 24.0
            wrap[0], wrap[1], wrap[2] = 0.0, 0.0, 0.0
            if kind == SKIN:
                for c in range(3):
                    colour[c] = _sample(chart, u, v, c)
                gloss, tight = _sample(chart, u, v, 3), 22.0
                wrap[0], wrap[1], wrap[2] = 0.30, 0.16, 0.10
            elif kind in (CLOTH, HEADWEAR):
                fold = grain[int(v * 0.11) & 255, int(u * 0.07 + 0.3 * grain[int(v * 0.2) & 255, 7]) & 255]
                weave = grain[int(v * 2.0) & 255, int(u * 2.0) & 255]
                second = 0.0
                if stripes > 0.0 and kind == CLOTH:
                    phase = v / stripes - np.floor(v / stripes)
                    second = _ease(phase, 0.0, 0.1) * (1.0 - _ease(phase, 0.42, 0.52))
                for c in range(3):
                    base = look[_HEADWEAR, c] if kind == HEADWEAR else look[_CLOTH, c]
                    base += second * (look[_SECOND, c] - base)
                    colour[c] = base * np.exp(0.05 * weave + 0.05 * fold)
                wrap[0], wrap[1], wrap[2] = 0.15, 0.15, 0.15
            elif kind in (LEFT_EYE, RIGHT_EYE):
                _eye(colour, nx, ny, nz, eyes[kind - LEFT_EYE], rotation, grain, look)
                gloss, tight = 1.0, 420.0
            else:
                colour[0], colour[1], colour[2] = u, v, w
                if kind == GLOSSY:
                    gloss, tight = 0.5, 50.0
                wrap[0], wrap[1], wrap[2] = 0.3, 0.25, 0.2
            length = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
            nx, ny, nz = nx * length, ny * length, nz * length
            towards = nx * look[_KEY, 0] + ny * look[_KEY, 1] + nz * look[_KEY, 2]
            hx, hy, hz = look[_KEY, 0], look[_KEY, 1], look[_KEY, 2] + 1.0
            half = max(0.0, (nx * hx + ny * hy + nz * hz) / np.sqrt(hx * hx + hy * hy + hz * hz))
            shine = gloss * (0.22 * half**tight + 0.10 * half ** (0.4 * tight)) * lit
            if kind >= LEFT_EYE:
                shine = 1.0 * half**tight * min(1.0, 1.6 * lit) + 0.015 * half**12
            rim = (1.0 - min(1.0, max(0.0, nz))) ** 4 * 0.25 * openness * (0.3 + gloss)
            up = 0.5 + 0.5 * ny
            fill = 0.30 * max(0.0, nz)
            for c in range(3):
                sky = look[_GROUND, c] + up * (look[_SKY, c] - look[_GROUND, c])
                direct = max(0.0, (towards + wrap[c]) / (1.0 + wrap[c]))
                # Light that bounces once more out of a fold keeps the colour of skin: dark folds stay warm.
                around = openness ** (1.15 - 0.55 * min(1.0, colour[c]))
                received = (
                    look[_KEY_COLOUR, c] * direct * lit ** (1.0 - 0.4 * wrap[c]) + (sky + fill * look[_SKY, c]) * around
                )
                image[y, x, c] = colour[c] * received + shine * look[_KEY_COLOUR, c] + rim * sky


@nb.njit(cache=True, fastmath=True, nogil=True, inline="always")
def _eye(
    colour: np.ndarray, nx: float, ny: float, nz: float, gaze: np.ndarray, rotation: np.ndarray, grain: np.ndarray,
    look: np.ndarray,
) -> None:  # fmt: skip
    """Albedo of an eyeball where its outward direction, in the viewer's frame, is n."""
    hx = rotation[0, 0] * nx + rotation[1, 0] * ny + rotation[2, 0] * nz
    hy = rotation[0, 1] * nx + rotation[1, 1] * ny + rotation[2, 1] * nz
    hz = rotation[0, 2] * nx + rotation[1, 2] * ny + rotation[2, 2] * nz
    ex = gaze[0, 0] * hx + gaze[1, 0] * hy + gaze[2, 0] * hz
    ey = gaze[0, 1] * hx + gaze[1, 1] * hy + gaze[2, 1] * hz
    ez = gaze[0, 2] * hx + gaze[1, 2] * hy + gaze[2, 2] * hz
    ez /= np.sqrt(ex * ex + ey * ey + ez * ez + 1e-12)
    inside = _ease(ez, IRIS_COS - 0.012, IRIS_COS + 0.006)
    pupil = _ease(ez, PUPIL_COS - 0.002, PUPIL_COS + 0.002)
    vein = grain[int(60 * ey + 128) & 255, int(60 * ex + 128) & 255]
    ray = grain[int((np.arctan2(ey, ex) + 3.2) * 14.0) & 255, 31]
    ring = (ez - IRIS_COS) / (PUPIL_COS - IRIS_COS)
    limbus = _ease(ring, -0.05, 0.35)
    bright = (0.45 + 0.9 * limbus - 0.35 * _ease(ring, 0.5, 1.0)) * (1.0 + 0.16 * ray)
    corner = min(1.0, max(0.0, 1.0 - ez)) * 0.9
    for c in range(3):
        warm = 1.0 if c == 0 else 0.9
        white = (
            (0.60 if c == 0 else 0.57)
            * (1.0 - corner * (0.25 if c == 0 else 0.55))
            * (1.0 - 0.02 * vein * (1 if c else 0))
        )
        iris = look[_IRIS, c] * bright * warm
        value = white + inside * (iris - white)
        colour[c] = value + pupil * (0.006 - value)
