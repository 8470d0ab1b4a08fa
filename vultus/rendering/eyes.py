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

import numpy as np

from vultus.core.bases import index_of
from vultus.core.types import Fit
from vultus.face.gaze import IRIS_RADIUS
from vultus.face.points import LEFT_IRIS, RIGHT_IRIS
from vultus.rendering.eye_layers import COLUMNS, STRIP, X_RANGE, Y_RANGE, EyePatch, build_layers
from vultus.rendering.eye_paint import compose_eye
from vultus.rendering.inpaint import smoothstep

UPPER = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
"""FaceMesh points along the upper rim, image left to right: the subject's right eye, then the left one."""
LOWER = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
BROW_EDGE = ((46, 53, 52, 65, 55), (285, 295, 282, 283, 276))
IRIS = (RIGHT_IRIS, LEFT_IRIS)
SIDES = ("Right", "Left")

EYEBALL_RADIUS = 0.53
"""Of the arc on which rims move, in eye widths (an eyeball of 12 mm behind an opening of 23-30 mm)."""
LID_REACH = 0.34
"""How far above the upper rim skin moves with it, in eye widths; less where the brow is nearer."""
RIM_BROW_SHARE = 0.12
"""How much of a brow's motion the rims follow."""
MEETING = 0.14
"""Where the lids meet: this share of the opening above the lower rim."""
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
        self.patch = self._cut(texture)
        self.layers = None if self.shut else build_layers(self.patch, self.to_local(points[list(IRIS[which])]))

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

    def _cut(self, texture: np.ndarray) -> EyePatch:
        """The patch of the texture that belongs to this eye; sets `box`, its rows and columns."""
        corners = [self.origin + self.width_px * (x * self.along + y * self.down) for x in X_RANGE for y in Y_RANGE]
        low = np.maximum(np.floor(np.min(corners, 0)).astype(int), 0)
        high = np.minimum(np.ceil(np.max(corners, 0)).astype(int), texture.shape[1::-1])
        self.box = (slice(low[1], high[1]), slice(low[0], high[0]))
        rows, columns = np.mgrid[low[1] : high[1], low[0] : high[0]] + 0.5
        return EyePatch(
            np.ascontiguousarray(texture[self.box]).astype(np.float32),
            self.to_local(np.stack([columns, rows], -1)).astype(np.float32),
            self.origin - low, self.along, self.down, self.width_px, self.upper, self.lower, self.reach,
        )  # fmt: skip

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
        beyond = (upper - np.clip(upper, -bound, bound)) * (1 - shut)
        moved = EYEBALL_RADIUS * np.sin(start + (end - start) * shut) + beyond
        return moved, lower + max(shut, 0.0) ** 2 * (meeting - lower), max(shut, 0.0)

    def paint(self, texture: np.ndarray, state: EyeState) -> None:
        """Write this eye's patch of the texture (H, W, 3) uint8 for a state."""
        if self.layers is None:
            return
        patch, layers = self.patch, self.layers
        upper, lower, shut = self.rims(state)
        travel = IRIS_RADIUS * self.units_px * np.sin(np.radians(state.gaze_deg))
        compose_eye(
            patch.picture, layers.clean, layers.white, layers.iris, layers.iris_alpha, layers.residual, layers.lash,
            patch.local, np.stack([self.upper, self.lower, upper, lower, self.reach]).astype(np.float32),
            self.down.astype(np.float32), np.float32(self.width_px),
            np.array([travel[0], -travel[1]], np.float32), np.float32(shut), texture[self.box],
        )  # fmt: skip
