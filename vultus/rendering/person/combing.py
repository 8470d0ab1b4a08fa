"""Hair of the head: every style is a length, a direction to be combed in, a thickness of layers and a curl."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from vultus.rendering.person.appearance import Appearance, Hair
from vultus.rendering.person.body import Body
from vultus.rendering.person.chart import AXIS_Z, WIDTH, chart_px
from vultus.rendering.person.locks import Locks, at_roots, sample_roots, strand_colours
from vultus.rendering.person.skin import scalp_edge
from vultus.rendering.person.skull import Skull

POINTS = 14
CROWN = np.array([0.0, 13.5, -5.0], np.float32)
BUN = np.array([0.0, 12.5, -8.6], np.float32)


@dataclass(frozen=True)
class Style:
    """How one style is grown. Lengths are head units."""

    length: float
    comb: Literal["crown", "side", "back", "bun", "up"]
    layer: float
    """Thickness of the hair over the skull."""
    strands: int = 4200
    width: float = 0.15
    lift: float = 0.3
    """How steeply strands leave the skin, 0 along it to 1 straight out."""
    weight: float = 0.0
    """How soon strands hang down."""
    curl: float = 0.0
    turns: float = 0.0
    ends_at: float = -99.0
    """Height at which strands are cut."""
    wild: float = 0.12


STYLES: dict[str, Style] = {
    "crew": Style(1.1, "crown", 0.45, 5200, 0.09, 0.75, wild=0.2),
    "short": Style(3.4, "crown", 1.0, 4600, 0.13, 0.45, 0.05, wild=0.22),
    "side_part": Style(5.5, "side", 1.2, 4600, 0.14, 0.4, 0.05),
    "swept_back": Style(7.0, "back", 1.3, 4600, 0.14, 0.5, 0.03),
    "bob": Style(19.0, "side", 1.5, 4600, 0.19, 0.25, 0.25, ends_at=-6.5),
    "long": Style(34.0, "side", 1.4, 4600, 0.22, 0.2, 0.25, ends_at=-19.0),
    "wavy": Style(26.0, "side", 1.5, 4600, 0.22, 0.22, 0.3, curl=0.42, turns=3.0, ends_at=-13.0, wild=0.08),
    "curly": Style(8.0, "crown", 2.2, 4600, 0.15, 0.7, 0.12, curl=0.75, turns=3.0, wild=0.35),
    "afro": Style(5.0, "up", 4.2, 6500, 0.16, 1.0, 0.0, curl=0.4, turns=5.0, wild=0.4),
    "bun": Style(15.0, "bun", 0.5, 4200, 0.14, 0.1),
    "balding": Style(1.6, "crown", 0.4, 3200, 0.08, 0.5, 0.1, wild=0.2),
}


def comb_scalp(person: Appearance, body: Body, rng: np.random.Generator) -> Locks:
    """The strands of a head of hair, at rest."""
    hair, skull = person.hair, body.skull
    style = STYLES[hair.style]
    if person.wear.headwear == "beanie":  # pressed flat
        style = replace(style, layer=min(style.layer, 0.6), lift=0.05, wild=0.03, curl=0.3 * style.curl)
    roots, normals = _roots(hair, body, style.strands, rng)
    if style.comb == "bun":
        roots, normals = np.vstack([roots, _bun_roots(rng)]), np.vstack([normals, np.zeros((900, 3), np.float32)])
    count = len(roots)
    depth = rng.uniform(0.25, 1, count) ** 0.7
    points = _march(hair, style, roots, normals, depth, skull, rng)
    if style.comb == "bun":
        points[-900:] = _bun(roots[-900:], rng)
    if style.curl:
        points = _curled(points, style, rng)
    along = np.linspace(0, 1, POINTS)
    openness = (0.35 + 0.65 * depth)[:, None] * np.interp(along, [0, 0.15, 1], [0.55, 0.9, 1.0])[None]
    width = style.width * np.interp(along, [0, 0.7, 1], [1, 1, 0.45])
    follow = np.clip((points[..., 1].reshape(-1, 1) + 15) / 10, 0, 1)
    return Locks(
        points.astype(np.float32), strand_colours(hair, count, POINTS, rng), openness.astype(np.float32),
        width.astype(np.float32), (follow * follow * (3 - 2 * follow)).astype(np.float32), 0.9,
    )  # fmt: skip


def _roots(hair: Hair, body: Body, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Places (S, 3) on the scalp and the skin's normals (S, 3) there."""
    from vultus.rendering.raster import vertex_normals

    head = body.head
    triangles = head.triangles_of("skin")
    middle = head.mean[triangles].mean(1)
    chart = chart_px(middle)
    inside = middle[:, 1] - scalp_edge(hair, (chart[:, 0] / WIDTH - 0.5) * 360)
    ear = (np.abs(middle[:, 0]) > 7.75) & (middle[:, 1] < 5.0) & (middle[:, 1] > -3)
    weight = np.clip((inside + 0.35) / 0.7, 0, 1) * ~ear
    rest = np.ascontiguousarray(body.rest[: body.head_count])
    corners, weights = sample_roots(rest, triangles, weight, count, rng)
    normals = vertex_normals(rest, np.ascontiguousarray(triangles, np.int32))
    return at_roots(rest, corners, weights), at_roots(normals, corners, weights)


def _march(
    hair: Hair, style: Style, roots: np.ndarray, normals: np.ndarray, depth: np.ndarray, skull: Skull,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Strands (S, POINTS, 3): from their roots on, combed, pulled down, kept outside skin and off the face."""
    count = len(roots)
    length = style.length * hair.length * rng.uniform(0.75, 1.1, count)
    step = (length / (POINTS - 1))[:, None]
    sway = style.wild * rng.standard_normal((count, 3))
    fringe = (hair.parting > 0.7) & (np.abs(roots[:, 0]) < 5.5) & (roots[:, 2] > 4)
    direction = _unit(normals * style.lift + (1 - style.lift) * _flow(hair, style, roots, roots, normals))
    points = [roots]
    for k in range(1, POINTS):
        p = points[-1]
        outward, _ = skull.at(p)
        pull = _flow(hair, style, p, roots, outward)
        fall = np.clip(style.weight * k, 0, 0.9)
        # Below the ears hair comes back in towards the neck.
        hang = np.column_stack([-0.2 * np.sign(p[:, 0]) * (p[:, 1] < 1.5), np.full(count, -1.0), np.zeros(count)])
        wanted = _unit(pull * (1 - fall) + hang * fall + sway)
        direction = _unit(direction + 0.6 * (wanted - direction))
        p = p + step * direction
        layer = style.layer * depth * min(1.0, k * float(np.mean(step)) / 2.5)
        p = skull.outside(p, layer)
        p = _off_the_face(p, fringe)
        p = np.where((p[:, 1] < style.ends_at + 1.2 * sway[:, 1:2].ravel())[:, None], points[-1], p)
        points.append(p)
    return np.stack(points, 1)


def _flow(hair: Hair, style: Style, p: np.ndarray, roots: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Unit directions (S, 3) to comb in at points (S, 3)."""
    if style.comb == "up":
        return normal
    if style.comb == "back":
        want = np.tile(np.array([0, 0.35, -1.0]), (len(p), 1)) + np.clip(-p[:, 2:3] / 8, 0, 1) * np.array([0, -1.6, 0])
        want[:, 0] -= 0.05 * p[:, 0]
    elif style.comb == "bun":
        want = BUN - p
    elif style.comb == "side":
        part = 3.0 * hair.parting if abs(hair.parting) < 0.7 else 0.0
        away = np.sign(roots[:, 0] - part)
        want = np.stack([1.3 * away, np.full(len(p), -0.25), np.where(roots[:, 2] > 6, -0.15, -0.5)], 1)
        down = np.clip((np.abs(p[:, 0]) - 5.0) / 2.5, 0, 1)[:, None]
        want = want * (1 - down) + np.array([0, -1.0, -0.12]) * down
        if hair.parting > 0.7:
            front = np.clip((roots[:, 2] - 5) / 2, 0, 1) * (np.abs(roots[:, 0]) < 5.5)
            want = np.where(
                front[:, None] > 0.5, np.stack([0.06 * roots[:, 0], -0.8 + 0 * away, 0.6 + 0 * away], 1), want
            )
    else:
        want = (
            p
            - CROWN
            + np.stack([0.25 * np.sign(hair.parting + 1e-3) * np.ones(len(p)), 0 * p[:, 0], 0.4 + 0 * p[:, 0]], 1)
        )
    want = want - 0.8 * (want * normal).sum(1, keepdims=True) * normal
    return _unit(want)


_FACE_HEIGHT = np.array([-20.0, -12, -8, -4, 0, 4, 6.5, 8.5, 9.8, 11])
_FACE_ANGLE = np.radians([28.0, 40, 62, 66, 66, 62, 52, 40, 18, 0])


def _off_the_face(p: np.ndarray, fringe: np.ndarray) -> np.ndarray:
    """Points (S, 3) turned about the head's axis until they hang before no face; a fringe may, to the brows."""
    angle = np.arctan2(p[:, 0], p[:, 2] - AXIS_Z)
    least = np.interp(p[:, 1], _FACE_HEIGHT, _FACE_ANGLE)
    least = np.where(fringe & (p[:, 1] > 6.2), 0, least)
    side = np.where(angle < 0, -1.0, 1.0)
    turned = side * np.maximum(np.abs(angle), least)
    radius = np.hypot(p[:, 0], p[:, 2] - AXIS_Z)
    return np.stack([radius * np.sin(turned), p[:, 1], radius * np.cos(turned) + AXIS_Z], 1)


def _curled(points: np.ndarray, style: Style, rng: np.random.Generator) -> np.ndarray:
    """The strands wound around themselves; neighbours curl together, as locks do."""
    count = len(points)
    along = np.linspace(0, 1, points.shape[1])[None]
    tangent = _unit(np.gradient(points, axis=1))
    across = _unit(np.cross(tangent, np.array([0.3, 0.2, 1.0])))
    other = np.cross(tangent, across)
    # The phase changes slowly over the scalp and jumps a little from strand to strand.
    phase = (points[:, 0] * [1.3, 0.9, 1.1]).sum(1, keepdims=True) + 0.7 * rng.standard_normal((count, 1))
    turn = 2 * np.pi * style.turns * along + phase
    size = style.curl * np.minimum(1, along * 3) * rng.uniform(0.6, 1.2, (count, 1))
    return points + size[..., None] * (np.cos(turn)[..., None] * across + np.sin(turn)[..., None] * other)


def _bun_roots(rng: np.random.Generator) -> np.ndarray:
    return BUN + _unit(rng.standard_normal((900, 3))) * 2.2


def _bun(roots: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Strands (900, POINTS, 3) wound around a ball."""
    outward = _unit(roots - BUN)
    axis = _unit(np.array([0.2, 0.5, 1.0]) + 0.25 * rng.standard_normal(roots.shape))
    side = _unit(np.cross(axis, outward))
    angle = np.linspace(0, 1.6, POINTS)[None, :, None]
    return BUN + 2.2 * (np.cos(angle) * outward[:, None] + np.sin(angle) * side[:, None])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
