"""The inside of the mouth: teeth, gums, tongue and socket, seen between the lips."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from vultus.core.bases import ARKIT52, index_of
from vultus.core.types import Fit
from vultus.face.head import HeadModel
from vultus.rendering.inpaint import smoothstep
from vultus.rendering.photo_mouth import SUPERSAMPLE, PhotoMouth, skin_and_lip
from vultus.rendering.raster import FAR, draw_colours, draw_surface, vertex_normals
from vultus.rendering.surface import MovedSurface, Surface
from vultus.rendering.texture import Texture

INCISOR_SHOW = 0.48
"""Head units by which the tips of the upper incisors stand below the upper lip's inner edge at rest."""
LOWER_INCISOR_SHOW = -0.04
"""Head units by which the tips of the lower incisors stand above the lower lip's inner edge."""
TEETH_WIDER = 1.1
"""About its own middle, so that neighbours touch."""
TYPICAL_SKIN = np.array([205.0, 160.0, 138.0])
REDDENING = 0.7
"""How much sooner than red the colours fall off into the mouth that its flesh swallows: as a share of what it does."""
LINGUAL_SHADOW = 0.7
"""Share of the light that the side of a tooth towards the tongue loses: a turned head shows it at the far corner."""
LIP_JUMP = 3.0
"""Pixels above each other in the supersampled box that show positions farther apart (lookup units) lie on two lips."""
HOLE, LIPS = 1, 2


def _middle(points: np.ndarray, row: np.ndarray) -> np.ndarray:
    """The quarter of a row of teeth, as indices into points (A, 3), that is nearest to the face's middle."""
    return row[np.argsort(np.abs(points[row, 0]))[: len(row) // 4]]


def _teeth(head: HeadModel, surface: Surface) -> list[np.ndarray]:
    """The vertices of each single tooth among the surface's."""
    triangles = surface.index[head.triangles_of("upper_teeth", "lower_teeth")]
    joined = coo_matrix(
        (np.ones(2 * len(triangles)), (triangles[:, [0, 1]].ravel(), triangles[:, [1, 2]].ravel())),
        (len(surface.rest),) * 2,
    )
    _, label = connected_components(joined, directed=False)
    teeth = surface.index[head.vertices_of("upper_teeth", "lower_teeth")]
    return [teeth[label[teeth] == k] for k in np.unique(label[teeth])]


def seat_teeth(head: HeadModel, surface: Surface) -> Surface:
    """The surface with its teeth a little wider and at the height that fits this person's lips."""
    rest = surface.rest.copy()
    neutral = np.zeros(len(ARKIT52), np.float32)
    relaxed = surface.moved(neutral)
    upper, lower = (surface.index[head.vertices_of(f"{row}_teeth")] for row in ("upper", "lower"))
    lips = relaxed[surface.index[head.landmark68[[61, 62, 63]]], 1].mean()
    tips = relaxed[_middle(relaxed, upper), 1].min()
    tops = relaxed[_middle(relaxed, lower), 1].max()
    lift_upper, lift_lower = float(lips - INCISOR_SHOW - tips), float(lips + LOWER_INCISOR_SHOW - tops)
    rest[upper, 1] += lift_upper
    rest[lower, 1] += lift_lower
    rest[surface.index[head.vertices_of("tongue")], 1] += lift_lower
    gums = surface.index[head.vertices_of("gums")]
    with_jaw = np.clip(-surface.basis[index_of("jawOpen"), gums, 1] / 2, 0, 1)
    rest[gums, 1] += lift_upper + (lift_lower - lift_upper) * with_jaw
    for tooth in _teeth(head, surface):
        middle = rest[tooth].mean(0)
        rest[tooth] = middle + (rest[tooth] - middle) * [TEETH_WIDER, 1, TEETH_WIDER]
    return replace(surface, rest=rest)


def _jumps(down: np.ndarray) -> np.ndarray:
    """Which pixels (h, w) of a flow's rows show skin far from what the ones above show: there lips meet."""
    jumps = np.zeros(down.shape, bool)
    jumps[1:] = np.abs(down[1:] - down[:-1]) > LIP_JUMP
    return jumps


class Mouth:
    """Draws the mouth's box: what shows between the lips."""

    def __init__(self, head: HeadModel, surface: Surface, fit: Fit, texture: np.ndarray) -> None:
        self.surface, self.fit = surface, fit
        self.rim = surface.index[head.mouth_rim]
        self.inner = {
            p: surface.index[head.vertices_of(p)] for p in ("socket", "gums", "tongue", "upper_teeth", "lower_teeth")
        }
        self.upper_lip, self.lower_lip = (surface.index[head.landmark68[k]] for k in (62, 66))
        self.photo = PhotoMouth.cut(texture, fit, surface, head)
        parts = [
            ("socket", "gums", "tongue", "lower_teeth"),
            ("socket", "gums", "tongue", "upper_teeth", "lower_teeth"),
        ]
        drawn = surface.index[head.triangles_of(*parts[self.photo.teeth is None])]
        self.triangles = np.ascontiguousarray(drawn, np.int32)
        self.indices = np.unique(self.triangles)
        self.place = np.full(len(surface.rest), -1, np.int32)
        self.place[self.indices] = np.arange(len(self.indices))
        self.local_triangles = np.ascontiguousarray(self.place[self.triangles])
        self.colours = self._colours(head, texture)
        # Not only what is shown: skin at the far corner of a turned face is the backdrop's, but hides the inside too.
        skin = surface.index[head.triangles_of("skin")].astype(np.int32)
        self.width_units = float(np.ptp(surface.moved(np.zeros(len(ARKIT52)))[self.rim, 0]))
        middle = surface.rest[self.rim].mean(0)
        reach = np.abs(surface.rest[skin].mean(1) - middle)
        self.lip_triangles = np.ascontiguousarray(skin[(reach[:, 0] < 4.2) & (reach[:, 1] < 4.6)])

    def _colours(self, head: HeadModel, texture: np.ndarray) -> np.ndarray:
        """Colours (N, 3) of the inner vertices in even light, matched to the picture's skin and lips."""
        skin, lip, grey = skin_and_lip(texture, self.fit)
        light = np.clip(skin.mean() / 165, 0.45, 1.1)
        # The picture's light tints teeth as it tints skin, yellow in an old painting; pale skin makes none blue.
        tint = (skin / max(skin.mean(), 1)) / (TYPICAL_SKIN / TYPICAL_SKIN.mean())
        tint = np.clip(np.minimum(tint, tint[0]) / tint[0], 0.5, 1)
        tooth = np.array([236, 226, 208]) * light * 0.78 * tint**0.8 + skin * 0.14
        if self.photo.teeth is not None:
            tooth = self.photo.tooth_colour
        self.darkness = (lip * 0.15).astype(np.float32)
        # What little light reaches the depth has met red flesh before: the deeper, the redder.
        self.bounce = 1 + REDDENING * (1 - lip / max(lip.max(), 1))
        gum, tongue = lip * 0.9, lip * 1.0 + np.array([12, 0, 4]) * (not grey)
        if grey:
            tooth = np.full(3, tooth.mean())
        surface = self.surface
        count = len(surface.rest)
        colour = np.zeros((count, 3))
        for part, value in (
            ("socket", lip * 0.3),
            ("gums", gum),
            ("tongue", tongue),
            ("upper_teeth", tooth),
            ("lower_teeth", 0.82 * tooth),
        ):
            colour[self.inner[part]] = value
        normals = vertex_normals(np.ascontiguousarray(surface.rest), self.triangles)
        lambert = np.clip(0.6 + 0.45 * np.abs(normals @ np.array([0, 0.2, 0.98], np.float32)), 0, 1.05)
        # The tongue's middle lies in a shallow groove.
        tongue_x = surface.rest[self.inner["tongue"], 0]
        lambert[self.inner["tongue"]] = 0.7 + 0.35 * np.abs(
            normals[self.inner["tongue"]] @ np.array([0, 0.6, 0.8], np.float32)
        )
        lambert[self.inner["tongue"]] *= 1.05 - 0.22 * np.exp(-((tongue_x / 0.25) ** 2)) - 0.05 * tongue_x**2
        teeth = np.concatenate([self.inner["upper_teeth"], self.inner["lower_teeth"]])
        lambert[teeth] = 0.5 + 0.5 * lambert[teeth]  # enamel scatters light
        colour *= lambert[:, None]
        self._tint_teeth(head, colour, gum)
        return colour[self.indices].astype(np.float32)

    def _tint_teeth(self, head: HeadModel, colour: np.ndarray, gum: np.ndarray) -> None:
        """Give each tooth a line towards its neighbours, warmth at the gum, a cool, clear edge and a back in shadow."""
        rest = self.surface.rest
        upper = set(self.inner["upper_teeth"].tolist())
        middle_z = rest[np.concatenate([self.inner["upper_teeth"], self.inner["lower_teeth"]]), 2].mean()
        for tooth in _teeth(head, self.surface):
            p = rest[tooth]
            side = p[:, 0].mean()
            arch = np.array([1.0, 0, 0]) if abs(side) < 1.5 else np.array([0.35 * np.sign(side), 0, -1.0])
            across = np.abs((p - p.mean(0)) @ (arch / np.linalg.norm(arch)))
            across /= max(across.max(), 1e-6)
            from_root = (p[:, 1] - p[:, 1].min()) / max(np.ptp(p[:, 1]), 1e-6)
            if tooth[0] in upper:
                from_root = 1 - from_root
            value = colour[tooth] * (1 - 0.2 * smoothstep((across - 0.6) / 0.4))[:, None]
            root = smoothstep((0.4 - from_root) / 0.4)[:, None]
            value = value * (1 - 0.2 * root) + 0.2 * root * (0.5 * value + 0.5 * gum)
            clear = smoothstep((from_root - 0.8) / 0.2)[:, None]
            inwards = np.array([-side, 0, middle_z - p[:, 2].mean()])
            behind = (p - p.mean(0)) @ inwards
            shadow = LINGUAL_SHADOW * smoothstep(behind / max(behind.max(), 1e-6))[:, None]
            colour[tooth] = value * (1 - clear * np.array([0.08, 0.05, 0.02])) * (1 - shadow)

    def opening(self, points: np.ndarray) -> float:
        """Gap between the lips' middles in moved, unposed points (A, 3), head units."""
        return max(0.0, float(points[self.upper_lip, 1] - points[self.lower_lip, 1]))

    def lower_tongue(self, points: np.ndarray, tongue_out: float) -> None:
        """Let the tongue sink, in place, in an opening mouth: the head model's tongue stays at the palate."""
        tongue = self.inner["tongue"]
        opening = self.opening(points) * (1 - min(1.0, 2 * tongue_out))
        back = smoothstep((9.2 - self.surface.rest[tongue, 2]) / 3.0)
        points[tongue, 1] -= opening * (0.04 + 0.32 * back) + 0.12 * smoothstep(opening / 0.7)

    def lit(self, points: np.ndarray) -> np.ndarray:
        """Colours (N, 3) of the inner vertices for moved, unposed points (A, 3): deeper and farther back is darker."""
        lip = (points[self.upper_lip] + points[self.lower_lip]) / 2
        opening = self.opening(points)
        wide_open = np.clip(opening / 1.6, 0, 1)
        p = points[self.indices]
        depth = np.clip(lip[2] - p[:, 2], 0, 10)
        under_lip = points[self.upper_lip, 1] - p[:, 1]
        is_tooth = np.isin(self.indices, np.concatenate([self.inner["upper_teeth"], self.inner["lower_teeth"]]))
        tooth = np.exp(-np.maximum(depth - 0.9, 0) / (1.8 + 0.4 * wide_open)) * (0.88 + 0.12 * wide_open)
        other = np.exp(-np.maximum(depth - 1.1, 0) / (2.3 + 1.9 * wide_open)) * (0.8 + 0.2 * wide_open)
        light = np.where(is_tooth, tooth, other)
        light = light * np.clip(0.84 + 0.6 * np.clip(under_lip, -0.2, 0.5), 0.66, 1.0)
        light = light * np.clip(1.06 - 0.075 * p[:, 0] ** 2, 0.2, 1)
        light = light * (0.25 + 0.75 * smoothstep(opening / 0.35))
        return (self.colours * light[:, None] ** self.bounce).astype(np.float32)

    def draw(
        self, moved: MovedSurface, texture: Texture, image: np.ndarray, flow: np.ndarray, margin: int, own_share: float
    ) -> None:
        """Draw the mouth into a stage image (H, W, 3) uint8 that already shows the skin.

        Args:
            moved: the surface in this frame.
            texture: with the eyes painted; flow: (H, W, 2) lookup positions of the finished skin.
            margin: texture pixels around the stage.
            own_share: 1 at the picture's own mouth, falling to 0 away from it: there the picture's own inside is shown.
        """
        box = self._box(moved.screen, image.shape)
        if box is None:
            return
        x0, y0, x1, y1 = box
        s = SUPERSAMPLE
        shape = ((y1 - y0) * s, (x1 - x0) * s)
        fine = moved.screen.copy()
        fine[:, :2] = (fine[:, :2] - [x0, y0]) * s
        under = cv2.resize(flow[y0:y1, x0:x1], shape[::-1], interpolation=cv2.INTER_LINEAR)
        label, shade = np.zeros(shape, np.uint8), np.ones(shape, np.float32)
        cv2.fillPoly(label, [np.round(fine[self.rim, :2] * 16).astype(np.int32)], HOLE, cv2.LINE_8, 4)
        within = label == HOLE
        depth = np.full(shape, FAR, np.float32)
        draw_surface(fine, self.lip_triangles, moved.attributes, under, shade, label, depth, True, LIPS)
        hole = label == HOLE
        fresh = hole | (within & _jumps(under[..., 1]))
        if not fresh.any():
            return
        mixed = texture.look_up(under) * shade[..., None]
        if hole.any():
            inside = self._inside(moved, fine, label, own_share, np.array([x0 + margin, y0 + margin]))
            mixed = np.where(hole[..., None], inside, mixed)
        small = cv2.resize(mixed, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
        # Only the opening, its edge and the line where lips meet are taken from here: elsewhere skin is already exact.
        near = cv2.GaussianBlur(cv2.dilate(fresh.astype(np.uint8), np.ones((3, 3))).astype(np.float32), (0, 0), 0.8)
        amount = np.clip(1.6 * cv2.resize(near, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)[..., None], 0, 1)
        part = image[y0:y1, x0:x1]
        part[:] = np.clip(part + (small - part) * amount + 0.5, 0, 255).astype(np.uint8)

    def _box(self, screen: np.ndarray, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
        """Corners x0, y0, x1, y1 of the mouth's box on a stage of a shape (H, W, ...); None where there is none."""
        around = screen[self.rim, :2]
        pad = 0.12 * np.ptp(around[:, 0]) + 3
        x0, y0 = np.maximum(np.floor(around.min(0) - pad), 0).astype(int)
        x1, y1 = np.minimum(np.ceil(around.max(0) + pad), shape[1::-1]).astype(int)
        return None if x1 - x0 < 4 or y1 - y0 < 4 else (int(x0), int(y0), int(x1), int(y1))

    def _inside(
        self, moved: MovedSurface, fine: np.ndarray, label: np.ndarray, own_share: float, origin_px: np.ndarray
    ) -> np.ndarray:
        """What is seen through the hole of a supersampled box: colours (h, w, 3) float32."""
        inside = np.tile(self.darkness, (*label.shape, 1))
        depth = np.full(label.shape, FAR, np.float32)
        points = np.ascontiguousarray(fine[self.indices])
        draw_colours(points, self.local_triangles, self.lit(moved.points), inside, label, depth, HOLE)
        self.photo.lay(inside, own_share, moved.pose, origin_px)
        # Little light falls into a narrow slit or between rounded lips.
        hole = label == HOLE
        unit = SUPERSAMPLE * self.fit.focal_px / fine[self.rim, 2].mean()
        slit = smoothstep(hole.sum(0) / (0.05 * np.ptp(fine[self.rim, 0])))
        slit = slit * (0.35 + 0.65 * smoothstep(hole.any(0).sum() / (0.8 * self.width_units * unit)))
        inside *= (own_share + (1 - own_share) * (0.35 + 0.65 * slit)).astype(np.float32)[None, :, None]
        return inside
