"""Clothes: the bust's own shape, a little larger, below a neckline; shoulders lofted from its edge; a collar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vultus.face.head import HeadModel
from vultus.rendering.person.appearance import Garment, Wear
from vultus.rendering.person.chart import AXIS_Z, BOTTOM, HEIGHT, TOP, WIDTH, chart_px
from vultus.rendering.person.materials import CLOTH
from vultus.rendering.raster import vertex_normals

UNDER_COLLAR: dict[Garment, float] = {"crew": -0.2, "v_neck": -0.2, "shirt": 0.3, "polo_neck": 1.0, "hoodie": 0.6}
"""How far cloth goes on under the collar."""
SHELL = 0.42
"""Distance of cloth from skin."""
RINGS = ((1.12, -0.6, 0.25), (1.3, -1.6, 0.5), (1.48, -3.4, 0.8), (1.6, -6.5, 1.2), (1.64, -22.0, 1.6))
"""From the bust's edge on: factor on x, drop, and how far forward or backward from the middle."""
NECKLINES: dict[Garment, tuple[tuple[float, float], ...]] = {
    "crew": ((0, -13.4), (35, -13.0), (80, -11.3), (180, -9.8)),
    "v_neck": ((0, -17.2), (20, -14.8), (60, -11.9), (100, -11.0), (180, -9.8)),
    "shirt": ((0, -14.6), (10, -13.4), (30, -12.4), (80, -10.9), (180, -9.2)),
    "polo_neck": ((0, -11.8), (50, -11.4), (90, -10.6), (180, -9.2)),
    "hoodie": ((0, -14.2), (30, -13.4), (80, -11.2), (180, -9.6)),
}
"""Height of the neckline by angle from the front, both sides alike."""


@dataclass(frozen=True)
class Patch:
    """A piece of a body's mesh: points (N, 3), triangles (T, 3), material (T,), surface (N, 3), follow (N,)."""

    points: np.ndarray
    triangles: np.ndarray
    material: np.ndarray
    surface: np.ndarray
    follow: np.ndarray


NECK_STILL, NECK_TURNS = -14.0, -6.0
"""Heights below which the body stays still and above which skin turns with the head."""


def neck_follow(points: np.ndarray) -> np.ndarray:
    """How much (N,) of the head's turning reaches points (N, 3) at rest."""
    x = np.clip((points[:, 1] - NECK_STILL) / (NECK_TURNS - NECK_STILL), 0, 1)
    return x * x * (3 - 2 * x)


def neckline(kind: Garment, angle_deg: np.ndarray) -> np.ndarray:
    """Height of the neckline at angles."""
    angles, heights = zip(*NECKLINES[kind], strict=True)
    return np.interp(np.abs(angle_deg), angles, heights)


def garment(wear: Wear, head: HeadModel, rest: np.ndarray) -> list[Patch]:
    """The cloth of a person whose head model's vertices at rest are (H, 3)."""
    shell = _shell(wear.garment, head, rest)
    return [shell, _collar(wear.garment, head, rest)]


def _shell(kind: Garment, head: HeadModel, rest: np.ndarray) -> Patch:
    """The bust's skin moved outwards, continued to shoulders and chest."""
    skin = head.triangles_of("skin")
    triangles = skin[(head.mean[skin][..., 1] < -8).any(1)]
    used, local = np.unique(triangles, return_inverse=True)
    normals = vertex_normals(np.ascontiguousarray(rest), np.ascontiguousarray(skin, np.int32))[used]
    points = rest[used] + SHELL * normals
    chart = chart_px(head.mean[used])
    angle = (chart[:, 0] / WIDTH - 0.5) * 360
    cut = neckline(kind, angle) + UNDER_COLLAR[kind] - head.mean[used, 1]
    triangles = local.reshape(-1, 3)
    edge = _open_edge(triangles, points)
    rings, faces = _loft(points, edge)
    ring_chart = np.tile(chart[edge], (len(RINGS), 1))
    drop = np.repeat([drop for _, drop, _ in RINGS], len(edge))
    ring_chart[:, 1] -= drop / (TOP - BOTTOM) * HEIGHT
    surface = np.vstack([np.column_stack([chart, cut]), np.column_stack([ring_chart, np.ones(len(rings))])])
    points, triangles = np.vstack([points, rings]), np.vstack([triangles, faces])
    return Patch(points, triangles, np.full(len(triangles), CLOTH), surface, neck_follow(points))


def _open_edge(triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The lower open edge of the shell, as vertex indices ordered by angle."""
    edges: Counter[tuple[int, int]] = Counter()
    for a, b, c in triangles.tolist():
        edges.update((min(p), max(p)) for p in ((a, b), (b, c), (c, a)))
    open_vertices = np.unique([edge for edge, count in edges.items() if count == 1])
    open_vertices = open_vertices[points[open_vertices, 1] < -11.5]
    angle = np.arctan2(points[open_vertices, 0], points[open_vertices, 2] + 2.0)
    return open_vertices[np.argsort(angle)]


def _loft(points: np.ndarray, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rings (R * E, 3) continuing an edge, and triangles in the numbering of points followed by rings."""
    base = points[edge]
    sign = np.sign(base[:, 2] + 2.0)
    rings = [np.stack([base[:, 0] * wide, base[:, 1] + drop, base[:, 2] + sign * out], 1) for wide, drop, out in RINGS]
    count = len(edge)
    numbers = np.vstack([edge, len(points) + np.arange(len(RINGS) * count).reshape(-1, count)])
    a, b = numbers[:-1], np.roll(numbers, -1, 1)[:-1]
    c, d = numbers[1:], np.roll(numbers, -1, 1)[1:]
    faces = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    return np.vstack(rings), faces


def _collar(kind: Garment, head: HeadModel, rest: np.ndarray) -> Patch:
    """A band around the neck: rows of (height above the neckline, distance from the skin) by the kind of garment."""
    rows = {
        "crew": ((-1.5, 0.3), (-0.85, 0.72), (-0.1, 0.72), (0.1, 0.2)),
        "v_neck": ((-1.5, 0.3), (-0.8, 0.68), (-0.05, 0.65), (0.1, 0.2)),
        "shirt": ((-1.3, 1.0), (0.5, 0.95), (1.3, 0.62), (1.2, 0.35), (-0.4, 0.3)),
        "polo_neck": ((-1.0, 0.5), (-0.5, 1.0), (1.4, 0.85), (2.3, 0.6), (2.2, 0.25)),
        "hoodie": ((-2.2, 0.6), (-1.4, 1.7), (0.0, 1.9), (0.7, 1.3), (0.4, 0.4)),
    }[kind]
    angles = np.linspace(-180, 180, 97)[:-1]
    line = neckline(kind, angles)
    points, surface = [], []
    reach = _radius(head, rest)
    for above, away in rows:
        height = line + above
        if kind == "shirt":  # the collar's points hang down in front, and leave the throat open
            front = np.exp(-0.5 * ((np.abs(angles) - 17) / 9) ** 2)
            height = height - (1.5 * front if above < 0.4 and away > 0.5 else 0.0)
        radius = reach(angles, height) + away
        theta = np.radians(angles)
        points.append(np.stack([radius * np.sin(theta), height, radius * np.cos(theta) + AXIS_Z], 1))
        chart = np.stack([(angles / 360 + 0.5) * WIDTH, (TOP - height) / (TOP - BOTTOM) * HEIGHT], 1)
        open_front = np.abs(angles) - 7.0 - 2.5 * (0.8 - above) if kind == "shirt" else np.ones_like(angles)
        surface.append(np.column_stack([chart, open_front]))
    count = len(angles)
    numbers = np.arange(len(rows) * count).reshape(-1, count)
    a, b = numbers[:-1], np.roll(numbers, -1, 1)[:-1]
    c, d = numbers[1:], np.roll(numbers, -1, 1)[1:]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])
    points_, surface_ = np.vstack(points), np.vstack(surface)
    return Patch(points_, faces, np.full(len(faces), CLOTH), surface_, neck_follow(points_))


def _radius(head: HeadModel, rest: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function of angles in degrees and heights: distance of neck and bust from the chart's axis."""
    from scipy.interpolate import LinearNDInterpolator

    skin = head.vertices_of("skin")
    bust = rest[skin[(head.mean[skin, 1] < -7.0)]]
    angle = np.degrees(np.arctan2(bust[:, 0], bust[:, 2] - AXIS_Z))
    distance = np.hypot(bust[:, 0], bust[:, 2] - AXIS_Z)
    # Once around and a bit, so that the back is no border; nothing above matters.
    places = np.concatenate([np.column_stack([angle + turn, bust[:, 1]]) for turn in (-360, 0, 360)])
    keep = np.abs(places[:, 0]) < 230
    surface = LinearNDInterpolator(places[keep] / [20, 1], np.tile(distance, 3)[keep], fill_value=float("nan"))
    typical = float(np.median(distance))

    def at(angles: np.ndarray, heights: np.ndarray) -> np.ndarray:
        found = surface(np.column_stack([angles / 20, heights]))
        return np.where(np.isfinite(found), found, typical)

    return at
