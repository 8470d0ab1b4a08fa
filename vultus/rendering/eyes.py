"""Eyes played in the picture: lids, lashes, iris and white of one eye, redrawn in place for every frame.

Lids slide over a ball, so their motion is nearly all within the picture plane of the eye. Each eye is therefore a
small puppet in the texture, and the head's surface only carries it: two rim curves move on the arc of the eyeball
until they meet; a narrow strip of the picture (rim and lashes) rides on each rim; the skin above unfolds, and where it
would smear, clean lid skin takes its place; between the rims lies an eyeball whose iris can move. With nothing asked
for, the result is the picture itself, to the bit.

Local coordinates of an eye: x from its image-left corner (0) to its image-right corner (1), y downwards, in eye widths.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba as nb
import numpy as np

from vultus.core.bases import index_of
from vultus.core.types import Fit
from vultus.rendering.inpaint import push_pull, smoothstep

UPPER = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
"""FaceMesh points along the upper rim, image left to right: the subject's right eye, then the left one."""
LOWER = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
BROW_EDGE = ((46, 53, 52, 65, 55), (285, 295, 282, 283, 276))
IRIS = ((468, 469, 470, 471, 472), (473, 474, 475, 476, 477))
SIDES = ("Right", "Left")

X_RANGE, Y_RANGE = (-0.4, 1.4), (-0.72, 0.62)
COLUMNS = 181
EYEBALL_RADIUS = 0.53
"""Of the arc on which rims move, in eye widths (an eyeball of 12 mm behind an opening of 23-30 mm)."""
LID_REACH = 0.34
"""How far above the upper rim skin moves with it, in eye widths; less where the brow is nearer."""
LOWER_REACH = 0.30
STRIP = (0.055, 0.03)
"""Widths of the strips that ride on the upper and the lower rim, in eye widths."""
RIM_BROW_SHARE = 0.12
"""How much of a brow's motion the rims follow."""
RIM_SHADOW = 0.07
"""How far lashes and shadow of the upper rim reach onto the eyeball, in eye widths; of the lower one, half of it."""
MEETING = 0.14
"""Where the lids meet: this share of the opening above the lower rim."""
IRIS_TRAVEL = 1.5
"""Head units from the eyeball's centre to its iris."""
SHUT_OPENING = 0.09
"""An eye whose opening in the picture is lower than this (in eye widths) stays as it is."""


@dataclass(frozen=True)
class EyeState:
    """What one eye is asked to do. `closure` 0-1 and `wide`, `squint` are ARKit weights; gaze is in degrees."""

    closure: float
    wide: float
    squint: float
    gaze_deg: tuple[float, float]


class Eye:
    """One eye of a portrait: builds its layers once, then paints any state into the texture."""

    def __init__(self, texture: np.ndarray, fit: Fit, which: int, units_px: float) -> None:
        """`which` is 0 for the subject's right eye, 1 for the left; `units_px` pixels per head unit at the eye."""
        points = fit.landmarks[:, :2]
        left, right = points[UPPER[which][0]], points[UPPER[which][-1]]
        self.width_px = float(np.linalg.norm(right - left))
        self.units_px = units_px
        self.origin = left
        self.along = (right - left) / self.width_px
        self.down = np.array([-self.along[1], self.along[0]])
        side = SIDES[which]
        self.closed_in_picture = float(fit.expression[index_of(f"eyeBlink{side}")])
        self.wide_in_picture = float(fit.expression[index_of(f"eyeWide{side}")])
        self.squint_in_picture = float(fit.expression[index_of(f"eyeSquint{side}")])

        self.columns = np.linspace(*X_RANGE, COLUMNS)
        self.upper, self.lower = (self._rim(points[list(rim[which])]) for rim in (UPPER, LOWER))
        self.lower = np.maximum(self.lower, self.upper)
        self.shut = float((self.lower - self.upper).max()) < SHUT_OPENING
        brow = self.to_local(points[list(BROW_EDGE[which])])
        room = self.upper - np.interp(self.columns, brow[:, 0], brow[:, 1])
        self.reach = np.clip(0.8 * room, 2.2 * STRIP[0], LID_REACH)
        self._cut(texture)
        if not self.shut:
            self._build_layers(self.to_local(points[list(IRIS[which])]))

    def to_local(self, points: np.ndarray) -> np.ndarray:
        """Texture pixels (..., 2) to local coordinates (..., 2)."""
        offset = points - self.origin
        return np.stack([offset @ self.along, offset @ self.down], -1) / self.width_px

    def window(self, points: np.ndarray) -> np.ndarray:
        """How much (N,) of the lids' motion at texture positions (N, 2) is played here rather than by the mesh."""
        if self.shut:
            return np.zeros(len(points), np.float32)
        x, y = self.to_local(points.astype(np.float64)).T
        edge = np.minimum.reduce([x - X_RANGE[0], X_RANGE[1] - x, y - Y_RANGE[0], Y_RANGE[1] - y])
        return smoothstep(edge / 0.15).astype(np.float32)

    def brow_share(self, points: np.ndarray) -> np.ndarray:
        """How much (N,) of the brows' motion reaches texture positions (N, 2): little at the rim, all above the lid."""
        x, y = self.to_local(points.astype(np.float64)).T
        above = np.interp(x, self.columns, self.upper) - y
        risen = smoothstep(above / np.interp(x, self.columns, self.reach + 0.06))
        beside = smoothstep((np.abs(x - 0.5) - 0.55) / 0.4)
        return np.maximum(RIM_BROW_SHARE + (1 - RIM_BROW_SHARE) * risen, beside).astype(np.float32)

    def _rim(self, points: np.ndarray) -> np.ndarray:
        """A smooth curve y (COLUMNS,) through rim points (9, 2), exactly 0 at and outside the corners."""
        x, y = self.to_local(points.astype(np.float64)).T
        inner = slice(1, -1)
        bump = x[inner] * (1 - x[inner])
        coefficients, *_ = np.linalg.lstsq(
            np.stack([bump, bump * x[inner], bump * x[inner] ** 2], 1), y[inner], rcond=None
        )
        c = np.clip(self.columns, 0, 1)
        return c * (1 - c) * (coefficients[0] + coefficients[1] * c + coefficients[2] * c**2)

    def _cut(self, texture: np.ndarray) -> None:
        corners = [self.origin + self.width_px * (x * self.along + y * self.down) for x in X_RANGE for y in Y_RANGE]
        low = np.maximum(np.floor(np.min(corners, 0)).astype(int), 0)
        high = np.minimum(np.ceil(np.max(corners, 0)).astype(int), texture.shape[1::-1])
        self.box = (slice(low[1], high[1]), slice(low[0], high[0]))
        self.picture = np.ascontiguousarray(texture[self.box]).astype(np.float32)
        rows, columns = np.mgrid[low[1] : high[1], low[0] : high[0]] + 0.5
        self.local = self.to_local(np.stack([columns, rows], -1)).astype(np.float32)
        self.offset_px = (self.origin - low).astype(np.float32)

    def _at_columns(self, curve: np.ndarray) -> np.ndarray:
        """A curve (COLUMNS,) looked up at every pixel of the patch."""
        return np.interp(self.local[..., 0], self.columns, curve)

    def _build_layers(self, iris: np.ndarray) -> None:
        x, y = self.local[..., 0], self.local[..., 1]
        upper, lower = self._at_columns(self.upper), self._at_columns(self.lower)
        pixel = 1 / self.width_px
        self.clean = self._clean_lid(x, y, upper, lower)
        within = (x > 0) & (x < 1)
        open_px = within & (y > upper + 1.5 * pixel) & (y < lower - 1.5 * pixel)
        centre, radius = iris[0], float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
        distance = np.hypot(x - centre[0], y - centre[1])
        self.iris_centre, self.iris_radius = centre, radius
        self.white = self._white(x, y, open_px & (distance > 1.18 * radius), upper, lower)
        self.iris = self._whole_iris(open_px, centre, radius, distance)
        soft = max(0.12 * radius, 0.8 * pixel)
        self.iris_alpha = (1 - smoothstep((distance - radius + 0.3 * soft) / soft)).astype(np.float32)
        resting = self.white * (1 - self.iris_alpha[..., None]) + self.iris * self.iris_alpha[..., None]
        self.residual = (self.picture - resting).astype(np.float32)
        self.lash = self._lashes(upper)

    def _clean_lid(self, x, y, upper, lower) -> np.ndarray:
        """Skin without crease, lashes and opening: filled in from around the eye, with the picture's own grain."""
        reach = self._at_columns(self.reach)
        known = (y < upper - np.minimum(0.14, 0.5 * reach)) & (y > upper - reach)
        known |= (y > lower + 0.13) & (y < lower + LOWER_REACH)
        known &= (x > -0.25) & (x < 1.25)
        filled = push_pull(cv2.GaussianBlur(self.picture, (0, 0), max(0.8, 0.02 * self.width_px)), known)
        filled = cv2.GaussianBlur(filled, (0, 0), max(1.0, 0.03 * self.width_px))
        skin = known & (y > lower)
        grain = self.picture - cv2.GaussianBlur(self.picture, (0, 0), 1.2)
        strength = float(np.median(np.abs(grain[skin].mean(-1)))) * 1.48 if skin.any() else 1.0
        noise = cv2.GaussianBlur(np.random.default_rng(0).normal(size=x.shape).astype(np.float32), (0, 0), 0.7)
        noise *= min(strength, 4.0) / max(float(noise.std()), 1e-6)
        # The lid bulges over the cornea: a little lighter along its middle, darker where it turns under the brow bone.
        middle = (upper + lower) / 2
        bulge = 1.0 + 0.05 * np.exp(-(((y - middle) / 0.12) ** 2)) * smoothstep(1.2 - 2 * np.abs(x - 0.5))
        return (np.clip(filled * bulge[..., None] + noise[..., None], 0, 255)).astype(np.float32)

    def _white(self, x, y, seen, upper, lower) -> np.ndarray:
        """The eyeball without its iris, filled in from what the picture shows of the white."""
        if seen.sum() > 12:
            filled = push_pull(self.picture, seen)
            typical = np.median(self.picture[seen], 0)
        else:
            # Nothing of the white is seen: as bright as the skin around allows, a little warm.
            typical = np.median(self.clean.reshape(-1, 3), 0).mean() * np.array([1.02, 0.98, 0.95], np.float32)
            filled = np.tile(typical.astype(np.float32), (*x.shape, 1))
        far = smoothstep((np.abs(y - (upper + lower) / 2) - 0.12) / 0.2)[..., None]
        return (filled * (1 - far) + typical * far).astype(np.float32)

    def _whole_iris(self, seen, centre, radius, distance) -> np.ndarray:
        """The whole disc of the iris (and a little around it): seen parts, else their mirror image, else the radial mean."""
        px = (self.offset_px + self.width_px * (centre[0] * self.along + centre[1] * self.down)).astype(np.float32)
        height, width = distance.shape
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        u, v = columns + 0.5 - px[0], rows + 0.5 - px[1]
        weight = seen.astype(np.float32)
        rings = np.round(distance * self.width_px).astype(int)
        last = int(1.4 * radius * self.width_px) + 2
        profile = np.array([
            np.median(self.picture[seen & (np.abs(rings - r) <= 1)], 0) if (seen & (np.abs(rings - r) <= 1)).sum() > 3
            else [np.nan] * 3 for r in range(last)
        ])  # fmt: skip
        for channel in range(3):
            known = np.isfinite(profile[:, channel])
            steps = np.arange(last)
            profile[:, channel] = np.interp(steps, steps[known], profile[known, channel]) if known.any() else 40.0
        whole = profile[np.clip(rings, 0, last - 1)].astype(np.float32)
        for flip_x, flip_y in ((1, -1), (-1, -1), (-1, 1)):
            at_x, at_y = px[0] + flip_x * u - 0.5, px[1] + flip_y * v - 0.5
            mirrored = cv2.remap(self.picture, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            there = cv2.GaussianBlur(cv2.remap(weight, at_x, at_y, cv2.INTER_LINEAR), (0, 0), 0.8)[..., None] ** 2
            whole = whole + (mirrored - whole) * there
        soft = np.minimum(cv2.GaussianBlur(weight, (0, 0), 1.0), weight)[..., None]
        return (whole + (self.picture - whole) * soft).astype(np.float32)

    def _lashes(self, upper: np.ndarray) -> np.ndarray:
        """Darkness (24, COLUMNS) 0-1 of the lashes of a shut eye, by distance below the rim (0-.09 eye widths).

        As dark as the picture's own lash line; single hairs, longest towards the outer corner.
        """
        y = self.local[..., 1]
        band = (np.abs(y - upper) < 0.035) & (self.local[..., 0] > 0.1) & (self.local[..., 0] < 0.9)
        ratio = self.picture[band].mean(-1) / np.maximum(self.clean[band].mean(-1), 1)
        dark = float(np.clip(1 - np.percentile(ratio, 25), 0.1, 0.8)) if band.any() else 0.3
        rng = np.random.default_rng(1)
        fine = np.zeros((24 * 4, COLUMNS * 4), np.float32)
        for x in np.arange(0.04, 0.97, 0.016):
            x = x + rng.normal() * 0.004
            length = (0.04 + 0.03 * np.sin(np.pi * x)) * rng.uniform(0.7, 1.1)
            lean = 0.5 * (x - 0.5) * length
            ends = [(x, 0.0), (x + lean * 0.3, length * 0.6), (x + lean, length)]
            path = [((a - X_RANGE[0]) / (X_RANGE[1] - X_RANGE[0]) * COLUMNS * 4, b / 0.09 * 96) for a, b in ends]
            cv2.polylines(fine, [np.round(np.array(path) * 8).astype(np.int32)], False, 1.0, 2, cv2.LINE_AA, 3)
        # Hairs finer than the picture's pixels become an even band.
        pixel = 1 / self.width_px
        blur_x = max(2.0, 0.5 * pixel / (X_RANGE[1] - X_RANGE[0]) * COLUMNS * 4)
        fine = cv2.GaussianBlur(fine, (0, 0), blur_x, sigmaY=max(2.0, 0.5 * pixel / 0.09 * 96))
        sprite = cv2.resize(fine, (COLUMNS, 24), interpolation=cv2.INTER_AREA)
        taper = np.linspace(1, 0.15, 24)[:, None]
        rim = np.exp(-((np.arange(24)[:, None] / 3.0) ** 2)) * 0.6
        inside = smoothstep(np.minimum(self.columns, 1 - self.columns) / 0.12)
        return (np.clip(sprite * taper + rim, 0, 1) * dark * inside).astype(np.float32)

    def rims(self, state: EyeState) -> tuple[np.ndarray, np.ndarray, float]:
        """Upper and lower rim (COLUMNS,) each and how far shut 0-1 the eye is under a state."""
        shape = 4 * np.clip(self.columns, 0, 1) * (1 - np.clip(self.columns, 0, 1))
        opening = self.lower - self.upper
        wide = state.wide - self.wide_in_picture
        squint = state.squint - self.squint_in_picture
        up = state.gaze_deg[1]
        # Widening and looking lose their hold on lids that close.
        shut = float(np.clip((state.closure - self.closed_in_picture) / max(1 - self.closed_in_picture, 0.05), -0.3, 1))
        free = 1 - max(shut, 0.0)
        lift = shape * (0.10 * wide + (0.006 if up > 0 else 0.0075) * up)
        upper = self.upper + free * (0.12 * squint * opening - lift)
        lower = self.lower + free * (-0.30 * squint * opening + shape * (0.015 * wide - 0.0015 * up))
        lower = np.maximum(lower, upper)
        meeting = lower - MEETING * (lower - upper)
        bound = 0.98 * EYEBALL_RADIUS
        start, end = (np.arcsin(np.clip(c, -bound, bound) / EYEBALL_RADIUS) for c in (upper, meeting))
        moved = EYEBALL_RADIUS * np.sin(start + (end - start) * shut) + (upper - np.clip(upper, -bound, bound)) * (1 - shut)
        return moved, lower + max(shut, 0.0) ** 2 * (meeting - lower), max(shut, 0.0)

    def paint(self, texture: np.ndarray, state: EyeState) -> None:
        """Write this eye's patch of the texture (H, W, 3) uint8 for a state."""
        if self.shut:
            return
        upper, lower, shut = self.rims(state)
        travel = IRIS_TRAVEL * self.units_px * np.sin(np.radians(state.gaze_deg))
        compose_eye(
            self.picture, self.clean, self.white, self.iris, self.iris_alpha, self.residual, self.lash, self.local,
            np.stack([self.upper, self.lower, upper, lower, self.reach]).astype(np.float32),
            self.down.astype(np.float32), np.float32(self.width_px),
            np.array([travel[0], -travel[1]], np.float32), np.float32(shut), texture[self.box],
        )  # fmt: skip


@nb.njit(cache=True, fastmath=True, nogil=True, inline="always")
def _ease(x):
    x = min(1.0, max(0.0, x))
    return x * x * (3.0 - 2.0 * x)


@nb.njit(cache=True, fastmath=True, nogil=True, inline="always")
def _sample(image, x, y, channel):
    height, width = image.shape[0], image.shape[1]
    x = min(max(x, 0.0), width - 1.001)
    y = min(max(y, 0.0), height - 1.001)
    i, j = int(y), int(x)
    a, b = x - j, y - i
    top = image[i, j, channel] * (1 - a) + image[i, j + 1, channel] * a
    bottom = image[i + 1, j, channel] * (1 - a) + image[i + 1, j + 1, channel] * a
    return top * (1 - b) + bottom * b


@nb.njit(cache=True, fastmath=True, nogil=True, inline="always")
def _mask(image, x, y):
    height, width = image.shape
    if x < 0 or y < 0 or x > width - 1.001 or y > height - 1.001:
        return 0.0
    i, j = int(y), int(x)
    a, b = x - j, y - i
    top = image[i, j] * (1 - a) + image[i, j + 1] * a
    return top * (1 - b) + (image[i + 1, j] * (1 - a) + image[i + 1, j + 1] * a) * b


@nb.njit(cache=True, nogil=True)
def compose_eye(picture, clean, white, iris, iris_alpha, residual, lash, local, curves, down, width_px, travel, shut, out):
    """Paint one eye.

    Args:
        picture, clean, white, iris: (h, w, 3) float32 layers; residual: what they miss of the picture at rest.
        iris_alpha: (h, w); lash: (24, COLUMNS) darkness of a shut eye's lashes.
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
                row = (y - upper) / 0.09 * 23.0
                if row < 22.0:
                    r = int(row)
                    g = row - r
                    shade = 1.0 - _ease((shut - 0.4) / 0.55) * (lash[r, k] * (1 - g) + lash[r + 1, k] * g)
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
