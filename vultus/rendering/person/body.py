"""The solid parts of a person: head, lids' inner rims, clothes; at rest, in motion, and how they turn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.core.pose import matrix_from_degrees
from vultus.face.head import PARTS, HeadModel, embedded_head
from vultus.rendering.person import materials
from vultus.rendering.person.accessories import glasses, headwear
from vultus.rendering.person.appearance import Appearance
from vultus.rendering.person.chart import chart_px
from vultus.rendering.person.garments import Patch, garment, neck_follow
from vultus.rendering.person.lids import blink_gains
from vultus.rendering.person.skull import Skull
from vultus.rendering.raster import vertex_normals

LIPS_APART = 0.05
"""Gap in head units between everybody's relaxed lips; the identity basis alone would leave some mouths open."""
INCISORS_BELOW, LOWER_INCISORS_ABOVE = 0.42, -0.06
"""How far the upper incisors' tips stand below the relaxed upper lip's edge, and the lower ones' above the lower's."""
TOOTH_SIZE = np.array([1.14, 1.0, 1.1], np.float32)
"""About each tooth's own middle, so that neighbours touch."""
LID_CLEARANCE = 0.045
"""Lids stay this far outside the eyeball."""
EYE_SIDES = ("left_eye", "right_eye")


@dataclass(frozen=True)
class Body:
    """Meshes of one person at rest. Vertices: the head model's H first, then inner rims of the lids, then clothes."""

    head: HeadModel
    rest: np.ndarray
    """(V, 3) float32."""
    triangles: np.ndarray
    """(T, 3) int32."""
    material: np.ndarray
    """(T,) uint8, see `materials`."""
    surface: np.ndarray
    """(V, 3) float32: chart position and cut, or a linear colour."""
    skull: Skull
    follow: np.ndarray
    """(V, 1) float32: how much of the head's turning reaches a vertex."""
    pivot: np.ndarray
    """(3,) about which the head turns."""
    rims: tuple[np.ndarray, np.ndarray]
    """Vertices around the subject's left and right eye openings, in order."""
    rim_copies: tuple[slice, slice]
    """Where the inner rims' copies stand; a centre vertex follows each."""
    lids: tuple[np.ndarray, np.ndarray]
    """Skin vertices that may slide over each eyeball."""

    gains: np.ndarray = field(default_factory=lambda: np.ones(len(ARKIT52), np.float32))
    """(52,) factors on expression weights, `lids.blink_gains`."""

    @property
    def head_count(self) -> int:
        return len(self.head.mean)

    def moved(self, expression: np.ndarray, gained: bool = False) -> np.ndarray:
        """Vertices (V, 3) with expression weights (52,), not yet turned; lids kept off the eyeballs.

        `gained`: the weights have this person's `gains` already.
        """
        expression = expression if gained else expression * self.gains
        vertices = self.rest.copy()
        active = np.nonzero(np.abs(expression) > 1e-4)[0]
        weights = expression[active].astype(np.float32)
        vertices[: self.head_count] += np.tensordot(weights, self.head.expression_basis[active], 1)
        for side, copies, rim, lid in zip(EYE_SIDES, self.rim_copies, self.rims, self.lids, strict=True):
            ball = vertices[self.head.vertices_of(side)]
            centre = (ball.min(0) + ball.max(0)) / 2
            radius = float(np.linalg.norm(ball[0] - centre)) + LID_CLEARANCE
            offset = vertices[lid] - centre
            distance = np.linalg.norm(offset, axis=1, keepdims=True)
            vertices[lid] = centre + offset * np.maximum(1, radius / distance)
            count = len(rim)
            vertices[copies][:count] = vertices[rim]
            vertices[copies][count] = centre
        return vertices

    def turned(self, points: np.ndarray, follow: np.ndarray, rotation: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Points (N, 3) under the head's rotation (3, 3) about the neck and shift (3,), as far as they follow."""
        swing = (points - self.pivot) @ rotation.T.astype(np.float32) + self.pivot + shift.astype(np.float32)
        return points + follow * (swing - points)


def build_body(person: Appearance) -> Body:
    """Everything solid about a person, ready to move."""
    head = embedded_head()
    assert head.left_eye_rim is not None and head.right_eye_rim is not None
    rest = head.vertices(person.identity).astype(np.float32)
    rest = _with_shut_lips(head, rest)
    _seat_teeth(head, rest)
    patches = [_head_patch(head, rest, person)]
    start = len(rest)
    copies = []
    for rim, side in ((head.left_eye_rim, "left_eye"), (head.right_eye_rim, "right_eye")):
        patch = _inner_rim(rest, rim, head.vertices_of(side))
        copies.append(slice(start, start + len(patch.points)))
        start += len(patch.points)
        patches.append(patch)
    skull = Skull.of(rest[head.vertices_of("skin")])
    patches += [*garment(person.wear, head, rest), *glasses(person.wear, head, rest), *headwear(person.wear, skull)]
    follow = [neck_follow(patches[0].points), *(p.follow for p in patches[1:])]
    bases = np.cumsum([0, *(len(p.points) for p in patches[:-1])])
    chin = float(rest[head.landmark68[8], 1])
    body = Body(
        head=head,
        rest=np.concatenate([p.points for p in patches]).astype(np.float32),
        triangles=np.concatenate([p.triangles + b for p, b in zip(patches, bases, strict=True)]).astype(np.int32),
        material=np.concatenate([p.material for p in patches]).astype(np.uint8),
        surface=np.concatenate([p.surface for p in patches]).astype(np.float32),
        skull=skull,
        follow=np.concatenate(follow).astype(np.float32)[:, None],
        pivot=np.array([0, chin + 1.5, -1.0], np.float32),
        rims=(head.left_eye_rim, head.right_eye_rim),
        rim_copies=(copies[0], copies[1]),
        lids=(_lid_vertices(head, EYE_SIDES[0]), _lid_vertices(head, EYE_SIDES[1])),
    )
    return replace(body, gains=blink_gains(body))


def head_rotation(rotation_deg: np.ndarray) -> np.ndarray:
    """(3, 3) float32 of yaw, pitch, roll in degrees."""
    return matrix_from_degrees(rotation_deg).astype(np.float32)


def body_normals(body: Body, vertices: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals of the whole body; an eyeball's point away from its centre."""
    normals = vertex_normals(vertices, body.triangles)
    for side in EYE_SIDES:
        ball = body.head.vertices_of(side)
        points = vertices[ball]
        centre = (points.min(0) + points.max(0)) / 2
        normals[ball] = (points - centre) / np.linalg.norm(points - centre, axis=1, keepdims=True)
    return normals


def _with_shut_lips(head: HeadModel, rest: np.ndarray) -> np.ndarray:
    """The same person with lips that just touch."""
    close = head.expression_basis[index_of("mouthClose")]
    upper, lower = head.landmark68[[61, 62, 63]], head.landmark68[[67, 66, 65]]
    gap = float((rest[upper, 1] - rest[lower, 1]).mean())
    closing = float((close[lower, 1] - close[upper, 1]).mean())
    return (rest + close * ((gap - LIPS_APART) / closing)).astype(np.float32)


def _seat_teeth(head: HeadModel, rest: np.ndarray) -> None:
    """Bring teeth, gums and tongue to the height that fits this person's lips, in place."""
    upper, lower = head.vertices_of("upper_teeth"), head.vertices_of("lower_teeth")
    lip = rest[head.landmark68[[61, 62, 63]], 1].mean()
    front_upper = upper[np.argsort(np.abs(rest[upper, 0]))[: len(upper) // 4]]
    front_lower = lower[np.argsort(np.abs(rest[lower, 0]))[: len(lower) // 4]]
    lift_upper = lip - INCISORS_BELOW - rest[front_upper, 1].min()
    lift_lower = lip + LOWER_INCISORS_ABOVE - INCISORS_BELOW - rest[front_lower, 1].max()
    rest[upper, 1] += lift_upper
    rest[lower, 1] += lift_lower
    rest[head.vertices_of("tongue"), 1] += lift_lower
    gums = head.vertices_of("gums")
    with_jaw = np.clip(-head.expression_basis[index_of("jawOpen"), gums, 1] / 2, 0, 1)
    rest[gums, 1] += lift_upper + (lift_lower - lift_upper) * with_jaw
    for tooth in single_teeth():
        middle = rest[tooth].mean(0)
        rest[tooth] = middle + (rest[tooth] - middle) * TOOTH_SIZE


@lru_cache(maxsize=1)
def single_teeth() -> list[np.ndarray]:
    """The head model's vertices of each tooth."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    head = embedded_head()
    triangles = head.triangles_of("upper_teeth", "lower_teeth")
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    joined = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (len(head.mean),) * 2)
    label = connected_components(joined, directed=False)[1]
    teeth = head.vertices_of("upper_teeth", "lower_teeth")
    return [teeth[label[teeth] == k] for k in np.unique(label[teeth])]


def _head_patch(head: HeadModel, rest: np.ndarray, person: Appearance) -> Patch:
    assert head.part is not None
    surface = np.zeros((len(rest), 3), np.float32)
    surface[:, :2] = chart_px(head.mean)
    surface[:, 2] = 1
    for part, colour in materials.mouth_colours(person).items():
        surface[head.vertices_of(part)] = colour
    kinds = np.array([materials.OF_PART[name] for name in PARTS], np.uint8)
    return Patch(rest, head.triangles, kinds[head.part[head.triangles[:, 0]]], surface, np.ones(len(rest)))


def _inner_rim(rest: np.ndarray, rim: np.ndarray, ball: np.ndarray) -> Patch:
    """A pink funnel from the lids' edge to behind the eyeball: no gap shows between lid and eye."""
    centre = (rest[ball].min(0) + rest[ball].max(0)) / 2
    points = np.vstack([rest[rim], centre])
    fan = np.stack([np.arange(len(rim)), np.roll(np.arange(len(rim)), -1), np.full(len(rim), len(rim))], 1)
    colour = np.tile(materials.INNER_RIM, (len(points), 1))
    return Patch(points, fan, np.full(len(fan), materials.MATTE), colour, np.ones(len(points)))


def _lid_vertices(head: HeadModel, side: str) -> np.ndarray:
    """Skin vertices that lids may carry into the eyeball."""
    skin = head.vertices_of("skin")
    lids = [k for k, name in enumerate(ARKIT52) if name.startswith(("eyeBlink", "eyeLook", "eyeSquint"))]
    moves = np.linalg.norm(head.expression_basis[lids][:, skin], axis=2).max(0) > 0.05
    ball = head.mean[head.vertices_of(side)]
    near = np.linalg.norm(head.mean[skin] - (ball.min(0) + ball.max(0)) / 2, axis=1) < 2.1
    return skin[moves & near]
