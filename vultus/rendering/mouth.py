"""The inside of the mouth: teeth, gums, tongue and socket behind the lips, and lips that meet when told to."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from vultus.core.bases import ARKIT52, index_of
from vultus.core.types import Fit
from vultus.face.head import FLIP, HeadModel, project
from vultus.face.points import LIPS_INNER, LIPS_OUTER, lip_opening
from vultus.rendering.inpaint import push_pull, smoothstep
from vultus.rendering.raster import FAR, draw_colours, draw_surface, vertex_normals
from vultus.rendering.texture import Texture
from vultus.rendering.surface import Pose, Surface

LIP_PAIRS = ((13, 14), (82, 87), (312, 317), (81, 178), (311, 402), (80, 88), (310, 318), (191, 95), (415, 324))
"""FaceMesh points on the upper and the lower inner lip that face each other."""
MOUTH_SHAPES = tuple(k for k, name in enumerate(ARKIT52) if name.startswith(("mouth", "jaw")))
INCISOR_SHOW = 0.48
"""Head units by which the tips of the upper incisors stand below the upper lip's inner edge at rest."""
LOWER_INCISOR_SHOW = -0.04
"""Head units by which the tips of the lower incisors stand above the lower lip's inner edge."""
TEETH_WIDER = 1.1
"""About its own middle, so that neighbours touch."""
TEETH_SHOWING = 0.07
"""A picture whose lips are farther apart than this (in mouth widths) may show teeth."""
SUPERSAMPLE = 3
TYPICAL_SKIN = np.array([205.0, 160.0, 138.0])
HOLE, LIPS = 1, 2


def close_lips(head: HeadModel, surface: Surface) -> tuple[np.ndarray, np.ndarray]:
    """What makes the lips just meet at the neutral expression.

    Returns:
        Displacements (A, 3) float32 to add at the neutral expression, and how much each shape (52,) counts when asking
        how far an expression is from the picture's (there they must not be added).
    """
    corners, weights = surface.index[head.landmark478_vertices], head.landmark478_weights
    neutral = surface.expression.copy()
    neutral[list(MOUTH_SHAPES)] = 0
    points = (surface.moved(neutral)[corners] * weights[..., None]).sum(1)
    pairs = np.array(LIP_PAIRS)
    upper, lower = points[pairs[:, 0]], points[pairs[:, 1]]
    gap = upper[:, 1] - lower[:, 1]
    order = np.argsort(upper[:, 0])
    corner = points[[78, 308]]
    x = np.concatenate([[corner[:, 0].min()], upper[order, 0], [corner[:, 0].max()]])
    gaps = np.concatenate([[0], gap[order] + 0.01, [0]])
    middle = np.concatenate([[corner[:, 1].mean()], ((upper + lower) / 2)[order, 1], [corner[:, 1].mean()]])

    at_neutral = surface.moved(neutral)
    fall = surface.basis[index_of("jawOpen"), :, 1]
    is_lower = fall < 0.33 * fall.min()
    distance = np.abs(at_neutral[:, 1] - np.interp(at_neutral[:, 0], x, middle))
    near = np.exp(-((np.maximum(distance - 0.25, 0) / 0.7) ** 2)) * (at_neutral[:, 2] > 7)
    outside = (at_neutral[:, 0] < x[0]) | (at_neutral[:, 0] > x[-1])
    amount = np.where(outside, 0, np.interp(at_neutral[:, 0], x, gaps)) * near
    move = np.zeros_like(surface.rest)
    move[:, 1] = np.where(is_lower, 0.5, -0.5) * amount
    for part in ("upper_teeth", "lower_teeth", "gums", "tongue", "socket"):
        move[surface.index[head.vertices_of(part)]] = 0
    moves = (surface.basis[:, corners] * weights[..., None]).sum(2)
    counts = np.abs(moves[:, pairs[:, 0], 1] - moves[:, pairs[:, 1], 1]).mean(1)
    counts[[k for k in range(len(counts)) if k not in MOUTH_SHAPES]] = 0
    return move.astype(np.float32), counts


def _teeth(head: HeadModel, surface: Surface) -> list[np.ndarray]:
    """The vertices of each single tooth among the surface's."""
    triangles = surface.index[head.triangles_of("upper_teeth", "lower_teeth")]
    joined = coo_matrix(
        (np.ones(2 * len(triangles)), (triangles[:, [0, 1]].ravel(), triangles[:, [1, 2]].ravel())), (len(surface.rest),) * 2
    )
    _, label = connected_components(joined, directed=False)
    teeth = surface.index[head.vertices_of("upper_teeth", "lower_teeth")]
    return [teeth[label[teeth] == k] for k in np.unique(label[teeth])]


class Mouth:
    """Draws the mouth's box: what shows between the lips."""

    def __init__(self, head: HeadModel, surface: Surface, fit: Fit, texture: np.ndarray) -> None:
        self.surface, self.fit = surface, fit
        self._seat_teeth(head)
        self.rim = surface.index[head.mouth_rim]
        self.inner = {p: surface.index[head.vertices_of(p)] for p in ("socket", "gums", "tongue", "upper_teeth", "lower_teeth")}
        self.upper_lip, self.lower_lip = (surface.index[head.landmark68[k]] for k in (62, 66))
        self.photo = PhotoMouth.cut(texture, fit, surface, head)
        parts = [("socket", "gums", "tongue", "lower_teeth"), ("socket", "gums", "tongue", "upper_teeth", "lower_teeth")]
        drawn = surface.index[head.triangles_of(*parts[self.photo.teeth is None])]
        self.triangles = np.ascontiguousarray(drawn, np.int32)
        self.indices = np.unique(self.triangles)
        self.place = np.full(len(surface.rest), -1, np.int32)
        self.place[self.indices] = np.arange(len(self.indices))
        self.local_triangles = np.ascontiguousarray(self.place[self.triangles])
        self.colours = self._colours(head, texture)
        skin = surface.skin
        self.width_units = float(np.ptp(surface.moved(np.zeros(len(ARKIT52)))[self.rim, 0]))
        middle = surface.rest[self.rim].mean(0)
        reach = np.abs(surface.rest[skin].mean(1) - middle)
        self.lip_triangles = np.ascontiguousarray(skin[(reach[:, 0] < 4.2) & (reach[:, 1] < 4.6)])

    def _seat_teeth(self, head: HeadModel) -> None:
        """Widen the teeth a little and set their height to the lips of this person."""
        surface = self.surface
        neutral = np.zeros(len(ARKIT52), np.float32)
        relaxed = surface.moved(neutral)
        upper, lower = (surface.index[head.vertices_of(f"{row}_teeth")] for row in ("upper", "lower"))
        lips = relaxed[surface.index[head.landmark68[[61, 62, 63]]], 1].mean()
        tips = relaxed[upper[np.abs(relaxed[upper, 0]) < 0.9], 1].min()
        tops = relaxed[lower[np.abs(relaxed[lower, 0]) < 0.9], 1].max()
        lift_upper, lift_lower = float(lips - INCISOR_SHOW - tips), float(lips + LOWER_INCISOR_SHOW - tops)
        surface.rest[upper, 1] += lift_upper
        surface.rest[lower, 1] += lift_lower
        surface.rest[surface.index[head.vertices_of("tongue")], 1] += lift_lower
        gums = surface.index[head.vertices_of("gums")]
        with_jaw = np.clip(-surface.basis[index_of("jawOpen"), gums, 1] / 2, 0, 1)
        surface.rest[gums, 1] += lift_upper + (lift_lower - lift_upper) * with_jaw
        for tooth in _teeth(head, surface):
            middle = surface.rest[tooth].mean(0)
            surface.rest[tooth] = middle + (surface.rest[tooth] - middle) * [TEETH_WIDER, 1, TEETH_WIDER]

    def _colours(self, head: HeadModel, texture: np.ndarray) -> np.ndarray:
        """Colours (N, 3) of the inner vertices in even light, matched to the picture's skin and lips."""
        skin, lip, grey = _skin_and_lip(texture, self.fit)
        light = np.clip(skin.mean() / 165, 0.45, 1.1)
        # The picture's light tints teeth as it tints skin: yellow in an old painting, blue at dusk.
        tint = (skin / max(skin.mean(), 1)) / (TYPICAL_SKIN / TYPICAL_SKIN.mean())
        tooth = np.array([236, 226, 208]) * light * 0.78 * np.clip(tint, 0.6, 1.15) ** 0.8 + skin * 0.14
        if self.photo.teeth is not None:
            tooth = self.photo.tooth_colour
        self.darkness = (lip * 0.15).astype(np.float32)
        gum, tongue = lip * 0.9, lip * 1.0 + np.array([12, 0, 4]) * (not grey)
        if grey:
            tooth = np.full(3, tooth.mean())
        surface = self.surface
        count = len(surface.rest)
        colour = np.zeros((count, 3))
        for part, value in (("socket", lip * 0.3), ("gums", gum), ("tongue", tongue), ("upper_teeth", tooth), ("lower_teeth", 0.82 * tooth)):
            colour[self.inner[part]] = value
        normals = vertex_normals(np.ascontiguousarray(surface.rest), self.triangles)
        lambert = np.clip(0.6 + 0.45 * np.abs(normals @ np.array([0, 0.2, 0.98], np.float32)), 0, 1.05)
        # The tongue's middle lies in a shallow groove.
        tongue_x = surface.rest[self.inner["tongue"], 0]
        lambert[self.inner["tongue"]] = 0.7 + 0.35 * np.abs(normals[self.inner["tongue"]] @ np.array([0, 0.6, 0.8], np.float32))
        lambert[self.inner["tongue"]] *= 1.05 - 0.22 * np.exp(-((tongue_x / 0.25) ** 2)) - 0.05 * tongue_x**2
        teeth = np.concatenate([self.inner["upper_teeth"], self.inner["lower_teeth"]])
        lambert[teeth] = 0.5 + 0.5 * lambert[teeth]  # enamel scatters light
        colour *= lambert[:, None]
        self._tint_teeth(head, colour, gum)
        return colour[self.indices].astype(np.float32)

    def _tint_teeth(self, head: HeadModel, colour: np.ndarray, gum: np.ndarray) -> None:
        """Give each tooth a line towards its neighbours, warmth at the gum and a cool, clear edge."""
        rest = self.surface.rest
        upper = set(self.inner["upper_teeth"].tolist())
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
            colour[tooth] = value * (1 - clear * np.array([0.08, 0.05, 0.02]))

    def opening(self, points: np.ndarray) -> float:
        """Gap between the lips' middles in moved, unposed points (A, 3), head units."""
        return max(0.0, float(points[self.upper_lip, 1] - points[self.lower_lip, 1]))

    def lower_tongue(self, points: np.ndarray, tongue_out: float) -> None:
        """Let the tongue sink, in place, in an opening mouth: the head model's tongue stays at the palate."""
        tongue = self.inner["tongue"]
        opening = self.opening(points) * (1 - min(1.0, 2 * tongue_out))
        back = smoothstep((9.2 - self.surface.rest[tongue, 2]) / 3.0)
        points[tongue, 1] -= opening * (0.10 + 0.45 * back) + 0.35 * smoothstep(opening / 0.7)

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
        other = np.exp(-np.maximum(depth - 1.1, 0) / (2.3 + 0.9 * wide_open)) * (0.8 + 0.2 * wide_open)
        light = np.where(is_tooth, tooth, other)
        light = light * np.clip(0.84 + 0.6 * np.clip(under_lip, -0.2, 0.5), 0.66, 1.0)
        light = light * np.clip(1.06 - 0.075 * p[:, 0] ** 2, 0.2, 1)
        light = light * (0.25 + 0.75 * smoothstep(opening / 0.35))
        return (self.colours * light[:, None]).astype(np.float32)

    def draw(self, points: np.ndarray, screen: np.ndarray, attributes: np.ndarray, texture: Texture, image: np.ndarray, flow: np.ndarray, pose: Pose, margin: int, own_share: float) -> None:
        """Draw the mouth's box into a stage image (H, W, 3) uint8 that already shows the skin.

        Args:
            points: (A, 3) moved, unposed; screen: (A, 3) posed, in stage pixels and depth.
            attributes: (A, 4) of `raster.draw_surface`.
            texture: with the eyes painted; flow: (H, W, 2) of the finished skin.
            own_share: 1 at the picture's own mouth, falling to 0 away from it: there the picture's own inside is shown.
        """
        around = screen[self.rim]
        size = np.ptp(around[:, 0])
        screen_scale = self.fit.focal_px / around[:, 2].mean()
        pad = 0.12 * size + 3
        height, width = image.shape[:2]
        x0, y0 = (int(max(0, np.floor(around[:, k].min() - pad))) for k in (0, 1))
        x1, y1 = (int(min(n, np.ceil(around[:, k].max() + pad))) for k, n in ((0, width), (1, height)))
        if x1 - x0 < 4 or y1 - y0 < 4:
            return
        s = SUPERSAMPLE
        shape = ((y1 - y0) * s, (x1 - x0) * s)
        fine = screen.copy()
        fine[:, :2] = (fine[:, :2] - [x0, y0]) * s
        label = np.zeros(shape, np.uint8)
        self._stencil(fine, label)
        under = cv2.resize(flow[y0:y1, x0:x1], shape[::-1], interpolation=cv2.INTER_LINEAR)
        depth = np.full(shape, FAR, np.float32)
        shade = np.ones(shape, np.float32)
        draw_surface(fine, self.lip_triangles, attributes, under, shade, label, depth, True, LIPS)
        hole = label == HOLE
        if not hole.any():
            return
        inside = np.empty((*shape, 3), np.float32)
        inside[:] = self.darkness
        depth[:] = FAR
        draw_colours(np.ascontiguousarray(fine[self.indices]), self.local_triangles, self.lit(points), inside, label, depth, HOLE)
        self.photo.lay(inside, own_share, pose, self.surface, self.fit, margin, (x0, y0))
        # Little light falls into a narrow slit or between rounded lips.
        slit = smoothstep(hole.sum(0) / (0.05 * size * s))
        slit = slit * (0.35 + 0.65 * smoothstep(hole.any(0).sum() / (0.8 * self.width_units * screen_scale * s)))
        inside *= (own_share + (1 - own_share) * (0.35 + 0.65 * slit)).astype(np.float32)[None, :, None]
        skin = texture.look_up(under) * shade[..., None]
        mixed = np.where(hole[..., None], inside, skin)
        small = cv2.resize(mixed, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
        # Only the opening and its edge are taken from here: elsewhere the skin is already exact.
        near = cv2.dilate(hole.astype(np.uint8), np.ones((3, 3))).astype(np.float32)
        amount = cv2.resize(cv2.GaussianBlur(near, (0, 0), 0.8), (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)[..., None]
        amount = np.clip(amount * 1.6, 0, 1)
        box = image[y0:y1, x0:x1]
        box[:] = np.clip(box + (small - box) * amount + 0.5, 0, 255).astype(np.uint8)

    def _stencil(self, fine: np.ndarray, label: np.ndarray) -> None:
        """Mark the mouth opening by the fan over its rim."""
        outline = np.round(fine[self.rim, :2] * 16).astype(np.int32)
        cv2.fillPoly(label, [outline], HOLE, cv2.LINE_8, 4)


def _skin_and_lip(texture: np.ndarray, fit: Fit) -> tuple[np.ndarray, np.ndarray, bool]:
    """Typical colours (3,) of cheeks and lips, and whether the picture is grey."""
    marks = fit.landmarks[:, :2]
    height, width = texture.shape[:2]
    column, row = (np.clip(marks[[50, 280, 101, 330], k].astype(int), 0, n - 1) for k, n in ((0, width), (1, height)))
    skin = np.median(texture[row, column].astype(np.float64), 0)
    lips, inner = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    cv2.fillPoly(lips, [marks[list(LIPS_OUTER)].astype(np.int32)], 1)
    cv2.fillPoly(inner, [marks[list(LIPS_INNER)].astype(np.int32)], 1)
    chosen = texture[(lips == 1) & (inner == 0)]
    lip = np.median(chosen.astype(np.float64), 0) if len(chosen) > 20 else skin * [0.8, 0.6, 0.6]
    return skin, lip, bool(texture.astype(np.float32).std(2).mean() < 4)


class PhotoMouth:
    """What the picture itself shows between the lips, on a plane fixed to the skull."""

    def __init__(self, own: np.ndarray, corner: np.ndarray, plane: np.ndarray) -> None:
        """`own` (h, w, 3): the mouth's box of the picture; `corner` (4, 2) its corners, `plane` (4, 3) in the head."""
        self.own, self.corner, self.plane = own, corner, plane
        self.teeth: np.ndarray | None = None
        """(h, w, 4) colour and cover of the upper row of teeth, where the picture shows one."""
        self.tooth_colour: np.ndarray | None = None

    @staticmethod
    def cut(texture: np.ndarray, fit: Fit, surface: Surface, head: HeadModel) -> PhotoMouth:
        """Cut the mouth out of the picture, and find the teeth in it if its lips are apart."""
        rim = fit.landmarks[list(LIPS_INNER), :2]
        span = float(np.ptp(rim[:, 0]))
        low = np.maximum(np.floor(rim.min(0) - 0.1 * span), 0).astype(int)
        high = np.minimum(np.ceil(rim.max(0) + 0.1 * span), texture.shape[1::-1]).astype(int)
        own = texture[low[1] : high[1], low[0] : high[0]].astype(np.float32)
        corners = np.array([[0, 0], [own.shape[1], 0], [own.shape[1], own.shape[0]], [0, own.shape[0]]], np.float64)
        to_camera = FLIP @ fit.rotation
        rays = np.concatenate([(corners + low - fit.center_px) / fit.focal_px, np.ones((4, 1))], 1) @ to_camera
        eye = -to_camera.T @ fit.translation
        depth = float(surface.rest[surface.index[head.vertices_of("upper_teeth")], 2].max())
        photo = PhotoMouth(own, corners, eye + rays * ((depth - eye[2]) / rays[:, 2])[:, None])
        if lip_opening(fit.landmarks) >= TEETH_SHOWING:
            skin, _, _ = _skin_and_lip(texture, fit)
            photo._find_teeth(rim - low, float(skin.mean()), span)
        return photo

    def _find_teeth(self, rim: np.ndarray, skin_brightness: float, span: float) -> None:
        inner = np.zeros(self.own.shape[:2], np.uint8)
        cv2.fillPoly(inner, [np.round(rim * 8).astype(np.int32)], 1, cv2.LINE_8, 3)
        if inner.sum() < 80:
            return
        brightness = self.own.mean(2)
        bright = (inner > 0) & (brightness > max(0.6 * skin_brightness, 0.6 * np.percentile(brightness[inner > 0], 90)))
        if bright.sum() < 0.25 * inner.sum():
            return
        self.tooth_colour = self.own[bright & (brightness > np.percentile(brightness[bright], 50))].mean(0)
        # Everything above the lowest tooth of each column belongs to the upper row, with the gaps between its teeth.
        rows = np.arange(len(inner))[:, None]
        lowest = np.where(bright.any(0), len(inner) - 1 - np.argmax(bright[::-1], 0), -1)
        kept = (inner > 0) & (rows <= lowest)
        filled = push_pull(self.own, kept & (cv2.erode(inner, np.ones((3, 3))) > 0))
        # Upwards the row goes on under the lip: the lip may rise.
        highest = np.where(kept.any(0), np.argmax(kept, 0), len(inner))
        cover = ((rows <= lowest) & (rows >= highest - 0.05 * span)).astype(np.float32)
        self.teeth = np.dstack([filled, cv2.GaussianBlur(cover, (0, 0), max(0.7, 0.008 * span))])

    def lay(
        self,
        inside: np.ndarray,
        own_share: float,
        pose: Pose,
        surface: Surface,
        fit: Fit,
        margin: int,
        origin: tuple[int, int],
    ) -> None:
        """Lay the picture's teeth over the drawn inside (h, w, 3) of a box whose stage corner is `origin`.

        `own_share` 0-1 is how much of the picture's mouth as a whole is shown.
        """
        moved = pose.apply(self.plane.astype(np.float32), np.ones(4, np.float32), surface.pivot)
        seen = project(moved, fit.rotation, fit.translation, fit.focal_px, fit.center_px)[:, :2]
        seen = (seen - margin - np.array(origin)) * SUPERSAMPLE
        to_tile = cv2.getPerspectiveTransform(seen.astype(np.float32), self.corner.astype(np.float32))
        half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        warp = np.linalg.inv(half) @ to_tile @ half
        size = inside.shape[1::-1]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        if self.teeth is not None:
            teeth = cv2.warpPerspective(self.teeth, warp, size, flags=flags)
            inside += (teeth[..., :3] - inside) * np.clip(teeth[..., 3:], 0, 1)
        if own_share > 0:
            own = cv2.warpPerspective(self.own, warp, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
            inside += (own - inside) * own_share
