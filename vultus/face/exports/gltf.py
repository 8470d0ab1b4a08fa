"""Our head as glTF 2.0: 52 morph targets under Apple's names, turning eyes, and a performance that plays on them.

Nodes: `head` (the mesh `face`; weights, rotation and translation are animated) with `left_eye` and `right_eye` below
it, whose rotation is animated. Metres; x to the subject's left, y up, z out of the face, as glTF has it.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from vultus.core.bases import ARKIT52
from vultus.core.pose import matrix_from_degrees
from vultus.core.types import Performance
from vultus.face.exports.glb import INDICES, VERTICES, GlbBuffer
from vultus.face.exports.tables import arkit_weights
from vultus.face.head import PARTS, HeadModel, embedded_head
from vultus.face.rig_map import with_expression

METRES = 0.01
"""In a head unit."""
LEAST_OFFSET = 1e-3
"""Offsets of a shape below this, in head units, are left out."""
EYES = ("left_eye", "right_eye")
IRIS_DEG, PUPIL_DEG = 27.0, 14.0
"""How far from its middle the iris and the pupil reach, seen from the eyeball's centre."""
MATERIALS: dict[str, tuple[tuple[int, int, int], float]] = {
    "skin": ((214, 170, 146), 0.6), "gums": ((172, 92, 92), 0.4), "tongue": ((192, 102, 102), 0.45),
    "teeth": ((238, 230, 216), 0.3), "socket": ((80, 34, 34), 0.8), "white": ((240, 238, 234), 0.25),
    "iris": ((92, 62, 42), 0.2), "pupil": ((14, 11, 10), 0.2),
}  # fmt: skip
"""Name -> sRGB colour, roughness."""
LIPS = (0.80, 0.48, 0.50)
"""Factors on the skin's colour."""
_OF_PART = {"upper_teeth": "teeth", "lower_teeth": "teeth"}
"""Parts whose material has another name."""


def write_glb(performance: Performance, file: BinaryIO) -> None:
    """Write the head and what it does; see the module. Raises InputError without weights or controls."""
    acted = with_expression(performance)
    head, buffer = embedded_head(), GlbBuffer()
    names = list(MATERIALS)
    meshes = [_face(head, buffer, names), *(_eye(head, side, buffer, names) for side in EYES)]
    centres = head.eye_centres(head.mean) * METRES
    nodes = [
        {"name": "head", "mesh": 0, "children": [1, 2]},
        *({"name": side, "mesh": i + 1, "translation": centres[i].tolist()} for i, side in enumerate(EYES)),
    ]
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "vultus", "copyright": "head derived from ICT-FaceKit (MIT)"},
        "scene": 0,
        "scenes": [{"name": "vultus", "nodes": [0]}],
        "nodes": nodes,
        "meshes": meshes,
        "materials": [_material(name) for name in names],
        "animations": [_animation(acted, buffer)],
    }
    buffer.write(document, file)


def _face(head: HeadModel, buffer: GlbBuffer, materials: list[str]) -> dict[str, Any]:
    """Everything but the eyeballs: one set of vertices and shapes, a primitive for each material."""
    assert head.part is not None
    keep = ~np.isin(head.part, [PARTS.index(side) for side in EYES])
    place = np.cumsum(keep) - 1
    triangles = head.triangles[keep[head.triangles].all(1)]
    kinds = np.array([_OF_PART.get(name, name) for name in PARTS])[head.part[triangles[:, 0]]]
    rest = head.mean[keep]
    local = place[triangles]
    normals = _normals(rest, local)
    attributes = {
        "POSITION": buffer.add(rest * np.float32(METRES), VERTICES, bounds=True),
        "NORMAL": buffer.add(normals, VERTICES),
    }
    targets = []
    for shape in head.expression_basis[:, keep]:
        offsets = np.where(np.abs(shape).max(1, keepdims=True) < LEAST_OFFSET, 0, shape).astype(np.float32)
        bend = _normals(rest + offsets, local) - normals
        bend[np.abs(bend).max(1) < LEAST_OFFSET] = 0
        targets.append(
            {"POSITION": buffer.add_offsets(offsets * np.float32(METRES)), "NORMAL": buffer.add_offsets(bend)}
        )
    painted = attributes | {"COLOR_0": buffer.add(_paint(head)[keep], VERTICES)}
    primitives = [
        {
            "attributes": painted if name == "skin" else attributes,
            "indices": buffer.add(local[kinds == name].astype(np.uint16).ravel(), INDICES),
            "material": materials.index(name),
            "targets": targets,
        }
        for name in dict.fromkeys(kinds)
    ]
    return {
        "name": "face",
        "primitives": primitives,
        "weights": [0.0] * len(targets),
        "extras": {"targetNames": list(ARKIT52)},
    }


def _paint(head: HeadModel) -> np.ndarray:
    """Factors (V, 3) float32 on the skin's colour, a vertex: the lips are redder."""
    outline = head.landmarks68(head.mean)[48:60].astype(np.float64)
    in_front = head.mean[:, 2] > outline[0, 2] - 1
    paint = np.ones((len(head.mean), 3), np.float32)
    paint[_inside(head.mean[:, :2].astype(np.float64), outline[:, :2]) & in_front] = LIPS
    return paint


def _inside(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Which points (N, 2) lie in a polygon (M, 2): those from which a ray to the right leaves it once more often."""
    (x0, y0), (x1, y1) = polygon.T, np.roll(polygon, -1, axis=0).T
    x, y = points[:, :1], points[:, 1:]
    crosses = (y0 > y) != (y1 > y)
    at = x0 + (y - y0) / np.where(y1 == y0, 1, y1 - y0) * (x1 - x0)
    return (crosses & (at > x)).sum(1) % 2 == 1


def _eye(head: HeadModel, side: str, buffer: GlbBuffer, materials: list[str]) -> dict[str, Any]:
    """One eyeball about its own centre: white, iris, pupil."""
    chosen = head.vertices_of(side)
    place = np.zeros(len(head.mean), np.int64)
    place[chosen] = np.arange(len(chosen))
    local = place[head.triangles_of(side)]
    rest = head.mean[chosen] - head.mean[chosen].mean(0)
    rest, local = _finer(rest.astype(np.float32), local, float(np.linalg.norm(rest, axis=1).max()))
    middle = rest[local].mean(1)
    angle = np.degrees(np.arctan2(np.hypot(middle[:, 0], middle[:, 1]), middle[:, 2]))
    kinds = np.where(angle < PUPIL_DEG, "pupil", np.where(angle < IRIS_DEG, "iris", "white"))
    attributes = {
        "POSITION": buffer.add(rest * np.float32(METRES), VERTICES, bounds=True),
        "NORMAL": buffer.add(_normals(rest, local), VERTICES),
    }
    primitives = [
        {
            "attributes": attributes,
            "indices": buffer.add(local[kinds == name].astype(np.uint16).ravel(), INDICES),
            "material": materials.index(name),
        }
        for name in ("white", "iris", "pupil")
    ]
    return {"name": side, "primitives": primitives}


def _finer(points: np.ndarray, triangles: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A sphere with each triangle cut into four, so that iris and pupil get round borders."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, which = np.unique(edges, axis=0, return_inverse=True)
    middle = points[unique].mean(1)
    middle *= radius / np.linalg.norm(middle, axis=1, keepdims=True)
    ab, bc, ca = np.split(len(points) + which.reshape(-1), 3)
    a, b, c = triangles.T
    cut = np.concatenate([np.stack(corners, 1) for corners in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    return np.concatenate([points, middle]).astype(np.float32), cut


def _animation(acted: Performance, buffer: GlbBuffer) -> dict[str, Any]:
    times = buffer.add((np.arange(len(acted)) / acted.fps).astype(np.float32), bounds=True)
    tracks: list[tuple[int, str, np.ndarray]] = [(0, "weights", arkit_weights(acted).reshape(-1))]
    if acted.rotation is not None:
        tracks.append((0, "rotation", _quaternions(acted.rotation)))
    if acted.translation is not None and acted.reference == "rest":
        tracks.append((0, "translation", (acted.translation * METRES).astype(np.float32)))
    if acted.gaze is not None:
        turn = _quaternions(np.concatenate([acted.gaze, np.zeros((len(acted), 1))], 1))
        tracks += [(1, "rotation", turn), (2, "rotation", turn)]
    samplers = [{"input": times, "output": buffer.add(values), "interpolation": "LINEAR"} for _, _, values in tracks]
    channels = [{"sampler": i, "target": {"node": node, "path": path}} for i, (node, path, _) in enumerate(tracks)]
    return {"name": "performance", "samplers": samplers, "channels": channels}


def _quaternions(ypr_deg: np.ndarray) -> np.ndarray:
    """Unit quaternions (T, 4) float32, x y z w, without jumps of sign."""
    from scipy.spatial.transform import Rotation

    quaternions = Rotation.from_matrix(matrix_from_degrees(ypr_deg)).as_quat()
    flips = np.cumprod(np.where((quaternions[1:] * quaternions[:-1]).sum(1) < 0, -1, 1))
    quaternions[1:] *= flips[:, None]
    single = quaternions.astype(np.float32)
    return single / np.linalg.norm(single, axis=1, keepdims=True)


def _material(name: str) -> dict[str, Any]:
    colour, roughness = MATERIALS[name]
    linear = [round((value / 255) ** 2.2, 4) for value in colour]
    surface = {"baseColorFactor": [*linear, 1.0], "metallicFactor": 0.0, "roughnessFactor": roughness}
    return {"name": name, "pbrMetallicRoughness": surface, "doubleSided": name in ("socket", "gums")}


def _normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals (V, 3) float32; a vertex without a triangle points out of the face."""
    a, b, c = (vertices[triangles[:, i]].astype(np.float64) for i in range(3))
    across = np.cross(b - a, c - a)
    flat = triangles.ravel()
    sums = np.stack([np.bincount(flat, np.repeat(across[:, i], 3), len(vertices)) for i in range(3)], 1)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(length > 0, sums / np.maximum(length, 1e-30), [0.0, 0.0, 1.0]).astype(np.float32)
