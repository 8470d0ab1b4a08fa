"""What an eye is painted from: the picture's own pixels, and what they hide, filled in."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vultus.rendering.inpaint import push_pull, smoothstep

X_RANGE, Y_RANGE = (-0.4, 1.4), (-0.72, 0.62)
"""Of an eye's patch in local coordinates: from the image-left corner (0) to the image-right one (1), y downwards."""
COLUMNS = 181
LOWER_REACH = 0.30
"""How far below the lower rim skin moves with it, in eye widths."""
STRIP = (0.055, 0.03)
"""Widths of the strips of the picture that ride on the upper and the lower rim, in eye widths."""
RIM_SHADOW = 0.07
"""How far lashes and shadow of the upper rim reach onto the eyeball, in eye widths; of the lower one, half of it."""
LASH_REACH, LASH_ROWS = 0.09, 24
"""Length of a shut eye's lashes in eye widths, and rows of their sprite."""

SKIN_FROM = 0.65
"""Darker than this share of the light skin around an eye (its upper quartile) nothing fills its lid."""


@dataclass(frozen=True)
class EyePatch:
    """The picture around one eye, and where its pixels and rims lie in the eye's own coordinates."""

    picture: np.ndarray
    """(h, w, 3) float32."""
    local: np.ndarray
    """(h, w, 2) float32 local coordinates of each pixel."""
    origin_px: np.ndarray
    """(2,) the image-left corner of the eye, in pixels of the patch."""
    along: np.ndarray
    """(2,) unit vector from corner to corner; `down` is the one across it."""
    down: np.ndarray
    width_px: float
    upper: np.ndarray
    """(COLUMNS,) y of the upper rim over X_RANGE; `lower` likewise."""
    lower: np.ndarray
    reach: np.ndarray
    """(COLUMNS,) how far above the upper rim skin moves with it."""

    @property
    def columns(self) -> np.ndarray:
        """(COLUMNS,) x of the rims' samples."""
        return np.linspace(*X_RANGE, COLUMNS)

    def at_columns(self, curve: np.ndarray) -> np.ndarray:
        """A curve (COLUMNS,) looked up at every pixel (h, w)."""
        return np.interp(self.local[..., 0], self.columns, curve)


@dataclass(frozen=True)
class EyeLayers:
    """Layers (h, w, 3) float32 of one eye."""

    clean: np.ndarray
    """Lid skin without crease, lashes and opening."""
    white: np.ndarray
    iris: np.ndarray
    iris_alpha: np.ndarray
    """(h, w) float32."""
    residual: np.ndarray
    """What white and iris miss of the picture: lashes, shadows, glints."""
    lash: np.ndarray
    """(LASH_ROWS, COLUMNS) darkness of a shut eye's lashes."""


def build_layers(patch: EyePatch, iris: np.ndarray) -> EyeLayers:
    """The layers of one eye; `iris` (5, 2) is the iris's middle and four points of its rim, local coordinates."""
    x, y = patch.local[..., 0], patch.local[..., 1]
    upper, lower = patch.at_columns(patch.upper), patch.at_columns(patch.lower)
    pixel = 1 / patch.width_px
    clean = _clean_lid(patch, upper, lower)
    opening = (x > 0) & (x < 1) & (y > upper + 1.5 * pixel) & (y < lower - 1.5 * pixel)
    centre, radius = iris[0], float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
    distance = np.hypot(x - centre[0], y - centre[1])
    white = _white(patch, opening & (distance > 1.18 * radius), (upper + lower) / 2, clean)
    whole = _whole_iris(patch, opening, centre, radius, distance)
    soft = max(0.12 * radius, 0.8 * pixel)
    alpha = (1 - smoothstep((distance - radius + 0.3 * soft) / soft)).astype(np.float32)
    resting = white * (1 - alpha[..., None]) + whole * alpha[..., None]
    residual = (patch.picture - resting).astype(np.float32)
    return EyeLayers(clean, white, whole, alpha, residual, _lashes(patch, clean, upper))


def _clean_lid(patch: EyePatch, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Skin without crease, lashes and opening: filled in from around the eye, with the picture's own grain."""
    x, y = patch.local[..., 0], patch.local[..., 1]
    reach = patch.at_columns(patch.reach)
    known = (y < upper - np.minimum(0.14, 0.5 * reach)) & (y > upper - reach)
    known |= (y > lower + 0.13) & (y < lower + LOWER_REACH)
    known &= (x > -0.25) & (x < 1.25)
    if known.any():  # a crease, a brow's shadow and lashes are no skin to shut an eye with
        brightness = patch.picture.mean(-1)
        known &= brightness >= SKIN_FROM * np.percentile(brightness[known], 75)
    filled = push_pull(cv2.GaussianBlur(patch.picture, (0, 0), max(0.8, 0.02 * patch.width_px)), known)
    filled = cv2.GaussianBlur(filled, (0, 0), max(1.0, 0.03 * patch.width_px))
    skin = known & (y > lower)
    grain = patch.picture - cv2.GaussianBlur(patch.picture, (0, 0), 1.2)
    strength = float(np.median(np.abs(grain[skin].mean(-1)))) * 1.48 if skin.any() else 1.0
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(size=x.shape).astype(np.float32), (0, 0), 0.7)
    noise *= min(strength, 4.0) / max(float(noise.std()), 1e-6)
    # The lid bulges over the cornea: a little lighter along its middle, darker where it turns under the brow bone.
    middle = (upper + lower) / 2
    bulge = 1.0 + 0.05 * np.exp(-(((y - middle) / 0.12) ** 2)) * smoothstep(1.2 - 2 * np.abs(x - 0.5))
    return (np.clip(filled * bulge[..., None] + noise[..., None], 0, 255)).astype(np.float32)


def _white(patch: EyePatch, seen: np.ndarray, middle: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """The eyeball without its iris, filled in from what the picture shows of the white."""
    if seen.sum() > 12:
        filled = push_pull(patch.picture, seen)
        typical = np.median(patch.picture[seen], 0)
    else:
        # Nothing of the white is seen: as bright as the skin around allows, a little warm.
        typical = np.median(skin.reshape(-1, 3), 0).mean() * np.array([1.02, 0.98, 0.95], np.float32)
        filled = np.tile(typical.astype(np.float32), (*seen.shape, 1))
    far = smoothstep((np.abs(patch.local[..., 1] - middle) - 0.12) / 0.2)[..., None]
    return (filled * (1 - far) + typical * far).astype(np.float32)


def _whole_iris(
    patch: EyePatch, seen: np.ndarray, centre: np.ndarray, radius: float, distance: np.ndarray
) -> np.ndarray:
    """The whole disc of the iris and a little around it: what is seen, else its mirror image, else the radial mean."""
    px = patch.origin_px + patch.width_px * (centre[0] * patch.along + centre[1] * patch.down)
    px = px.astype(np.float32)
    height, width = distance.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    u, v = columns + 0.5 - px[0], rows + 0.5 - px[1]
    weight = seen.astype(np.float32)
    rings = np.round(distance * patch.width_px).astype(int)
    profile = _radial_profile(patch.picture, seen, rings, int(1.4 * radius * patch.width_px) + 2)
    whole = profile[np.clip(rings, 0, len(profile) - 1)].astype(np.float32)
    for flip_x, flip_y in ((1, -1), (-1, -1), (-1, 1)):
        at_x, at_y = px[0] + flip_x * u - 0.5, px[1] + flip_y * v - 0.5
        mirrored = cv2.remap(patch.picture, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        there = cv2.GaussianBlur(cv2.remap(weight, at_x, at_y, cv2.INTER_LINEAR), (0, 0), 0.8)[..., None] ** 2
        whole = whole + (mirrored - whole) * there
    soft = np.minimum(cv2.GaussianBlur(weight, (0, 0), 1.0), weight)[..., None]
    return (whole + (patch.picture - whole) * soft).astype(np.float32)


def _lashes(patch: EyePatch, clean: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Darkness (LASH_ROWS, COLUMNS) 0-1 of the lashes of a shut eye, by distance below the rim up to LASH_REACH.

    As dark as the picture's own lash line; single hairs, longest towards the outer corner.
    """
    y = patch.local[..., 1]
    band = (np.abs(y - upper) < 0.035) & (patch.local[..., 0] > 0.1) & (patch.local[..., 0] < 0.9)
    ratio = patch.picture[band].mean(-1) / np.maximum(clean[band].mean(-1), 1)
    dark = float(np.clip(1 - np.percentile(ratio, 25), 0.1, 0.8)) if band.any() else 0.3
    rng = np.random.default_rng(1)
    fine = np.zeros((LASH_ROWS * 4, COLUMNS * 4), np.float32)
    for x in np.arange(0.04, 0.97, 0.016):
        x = x + rng.normal() * 0.004
        length = (0.04 + 0.03 * np.sin(np.pi * x)) * rng.uniform(0.7, 1.1)
        lean = 0.5 * (x - 0.5) * length
        ends = [(x, 0.0), (x + lean * 0.3, length * 0.6), (x + lean, length)]
        path = [
            ((a - X_RANGE[0]) / (X_RANGE[1] - X_RANGE[0]) * COLUMNS * 4, b / LASH_REACH * LASH_ROWS * 4)
            for a, b in ends
        ]
        cv2.polylines(fine, [np.round(np.array(path) * 8).astype(np.int32)], False, 1.0, 2, cv2.LINE_AA, 3)
    # Hairs finer than the picture's pixels become an even band.
    pixel = 1 / patch.width_px
    blur_x = max(2.0, 0.5 * pixel / (X_RANGE[1] - X_RANGE[0]) * COLUMNS * 4)
    fine = cv2.GaussianBlur(fine, (0, 0), blur_x, sigmaY=max(2.0, 0.5 * pixel / LASH_REACH * LASH_ROWS * 4))
    sprite = cv2.resize(fine, (COLUMNS, LASH_ROWS), interpolation=cv2.INTER_AREA)
    taper = np.linspace(1, 0.15, LASH_ROWS)[:, None]
    rim = np.exp(-((np.arange(LASH_ROWS)[:, None] / 3.0) ** 2)) * 0.6
    inside = smoothstep(np.minimum(patch.columns, 1 - patch.columns) / 0.12)
    return (np.clip(sprite * taper + rim, 0, 1) * dark * inside).astype(np.float32)


def _radial_profile(picture: np.ndarray, seen: np.ndarray, rings: np.ndarray, count: int) -> np.ndarray:
    """Median colours (count, 3) of the seen pixels by ring; rings of which nothing is seen are interpolated."""
    profile = np.full((count, 3), np.nan)
    for ring in range(count):
        members = seen & (np.abs(rings - ring) <= 1)
        if members.sum() > 3:
            profile[ring] = np.median(picture[members], 0)
    known = np.isfinite(profile[:, 0])
    if not known.any():
        return np.full((count, 3), 40.0)
    steps = np.arange(count)
    return np.stack([np.interp(steps, steps[known], profile[known, c]) for c in range(3)], 1)
