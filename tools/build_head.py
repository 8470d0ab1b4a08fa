"""Build `vultus/assets/head.npz` from an ICT-FaceKit export: our own topology, bases and correspondences.

    python tools/build_head.py ICT_FACEKIT.npz vultus/assets

The source holds a neutral head, 53 expression deltas and 100 identity deltas (each a unit-variance mode). Steps:
1. skin (face, neck, mouth socket), gums with tongue, and teeth are simplified by half-edge collapse on one half and
   mirrored, so that left and right correspond exactly; eyeballs are new spheres;
2. the identity modes are rotated to principal components and the first 60 kept; expressions are renamed to ARKit's 52
   (tongueOut is modelled here: the source has none);
3. 478 landmark correspondences are found by rendering heads, running FaceMesh on the pictures and taking the median
   of what its points hit.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from head_correspondence import find_correspondence
from head_simplify import simplify_half

from vultus.core.bases import ARKIT52

PARTS = {
    "face": (0, 9409),
    "neck": (9409, 11248),
    "socket": (11248, 13294),
    "gums": (14062, 17039),
    "teeth": (17039, 21451),
}
EYEBALLS = ((21451, 23021), (23021, 24591))
SKIN, GUMS, TONGUE, UPPER_TEETH, LOWER_TEETH, LEFT_EYE, RIGHT_EYE, SOCKET = range(8)
PART_NAMES = ["skin", "gums", "tongue", "upper_teeth", "lower_teeth", "left_eye", "right_eye", "socket"]
IDENTITY_COMPONENTS = 60
EYEBALL_RADIUS = 1.5
"""Head units; the source's shells also hold the bulge of the cornea, which our spheres leave out."""


class Source:
    """The ICT-FaceKit arrays, with ARKit names for the expressions."""

    def __init__(self, path: Path) -> None:
        data = np.load(path, allow_pickle=False)
        self.neutral = data["neutral"].astype(np.float64)
        self.triangles = data["triangles"].astype(np.int64)
        self.identity = data["identity_deltas"].astype(np.float32)
        meta = json.loads(str(data["meta_json"]))
        self.landmark68 = np.array(meta["idx_to_landmark_verts"])
        names = [str(n) for n in data["expression_names"]]
        deltas = dict(zip(names, data["expression_deltas"].astype(np.float32), strict=True))
        self.expression = np.stack([self._arkit(name, deltas) for name in ARKIT52])

    def _arkit(self, name: str, deltas: dict[str, np.ndarray]) -> np.ndarray:
        for long, short in (("Left", "_L"), ("Right", "_R")):
            if name.endswith(long) and name[: -len(long)] + short in deltas:
                return deltas[name[: -len(long)] + short]
        if name in deltas:
            return deltas[name]
        if name == "tongueOut":
            return np.zeros_like(self.neutral, np.float32)
        return deltas[f"{name}_L"] + deltas[f"{name}_R"]  # browInnerUp and cheekPuff are one shape in ARKit

    def triangles_of(self, *parts: str) -> np.ndarray:
        inside = np.zeros(len(self.neutral), bool)
        for part in parts:
            inside[slice(*PARTS[part])] = True
        return self.triangles[inside[self.triangles].all(1)]


def simplified(source: Source) -> tuple[np.ndarray, np.ndarray]:
    """Kept source vertices (M,) and their triangles (T, 3) as source indices, symmetric about x = 0."""
    features = np.concatenate(
        [source.neutral * 1.0, 0.8 * source.expression.transpose(1, 0, 2).reshape(len(source.neutral), -1)], 1
    )
    # A few directions carry nearly all motion; the collapse cost then also keeps vertices that move differently.
    centred = features[:, 3:] - features[:, 3:].mean(0)
    _, _, axes = np.linalg.svd(centred[::7], full_matrices=False)
    features = np.concatenate([features[:, :3], centred @ axes[:10].T], 1)
    weight = density(source)
    keep: list[np.ndarray] = []
    for parts, target in ((("face", "neck", "socket"), 2150), (("gums",), 330), (("teeth",), 560)):
        keep.append(
            simplify_half(features, source.neutral, source.triangles_of(*parts), weight, source.landmark68, target)
        )
    triangles = np.concatenate(keep)
    return np.unique(triangles), triangles


def density(source: Source) -> np.ndarray:
    """How much denser than elsewhere the mesh should stay (V,): eyes and mouth are looked at most."""
    marks = source.neutral[source.landmark68]
    weight = np.ones(len(source.neutral))
    for centre, radius, gain in (
        (marks[36:42].mean(0), 2.3, 14.0),
        (marks[42:48].mean(0), 2.3, 14.0),
        (marks[48:68].mean(0), 3.2, 12.0),
        (marks[27:36].mean(0), 2.5, 3.0),
        (marks[17:22].mean(0), 2.5, 3.0),
        (marks[22:27].mean(0), 2.5, 3.0),
    ):
        distance = np.linalg.norm(source.neutral - centre, axis=1) / radius
        weight = np.maximum(weight, 1 + (gain - 1) * np.exp(-(distance**4)))
    weight[slice(*PARTS["socket"])] *= 0.15
    weight[slice(*PARTS["neck"])] *= 0.5
    return weight


def eyeball(centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sphere of 13 rings x 16 around the optical axis: vertices (V, 3), triangles (T, 3)."""
    rings, around = 13, 16
    theta = np.linspace(0, np.pi, rings + 2)[1:-1]
    phi = np.arange(around) / around * 2 * np.pi
    body = np.stack(
        [
            np.outer(np.sin(theta), np.cos(phi)),
            np.outer(np.sin(theta), np.sin(phi)),
            np.outer(np.cos(theta), np.ones(around)),
        ],
        -1,
    )
    vertices = np.concatenate([[[0, 0, 1.0]], body.reshape(-1, 3), [[0, 0, -1.0]]]) * EYEBALL_RADIUS + centre
    ring = lambda r, a: 1 + r * around + a % around  # noqa: E731
    last = len(vertices) - 1
    triangles = []
    for a in range(around):
        triangles += [[0, ring(0, a), ring(0, a + 1)], [last, ring(rings - 1, a + 1), ring(rings - 1, a)]]
        for r in range(rings - 1):
            triangles += [
                [ring(r, a), ring(r + 1, a), ring(r + 1, a + 1)],
                [ring(r, a), ring(r + 1, a + 1), ring(r, a + 1)],
            ]
    return vertices, np.array(triangles)


def tongue_vertices(source: Source, gums: np.ndarray) -> np.ndarray:
    """Which of the source's gum vertices (M,) belong to the tongue: far from the teeth, and moved by the jaw."""
    from scipy.spatial import cKDTree

    teeth = source.neutral[slice(*PARTS["teeth"])]
    distance, _ = cKDTree(teeth).query(source.neutral[gums])
    fall = source.expression[ARKIT52.index("jawOpen")][gums, 1]
    x, _, z = source.neutral[gums].T
    return (distance > 0.42) & (fall < -0.5) & (np.abs(x) < 2.6) & (z < 9.9)


def tongue_out(vertices: np.ndarray, tongue: np.ndarray) -> np.ndarray:
    """Deltas (V, 3) that push the tongue forward over the lower teeth: its tip most, its root not at all."""
    deltas = np.zeros_like(vertices)
    z = vertices[tongue, 2]
    forward = np.clip((z - z.min()) / (z.max() - z.min()), 0, 1) ** 1.5
    deltas[tongue, 2] = 2.6 * forward
    deltas[tongue, 1] = 0.55 * forward
    deltas[tongue, 0] = -0.25 * vertices[tongue, 0] * forward
    return deltas


def unwrap(vertices: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Texture coordinates (V, 2) in 0-1: each part seen from its middle as an azimuthal equidistant map."""
    uv = np.zeros((len(vertices), 2))
    corners = {
        SKIN: (0, 0, 1, 0.8),
        GUMS: (0, 0.8, 0.2, 1),
        TONGUE: (0.2, 0.8, 0.4, 1),
        UPPER_TEETH: (0.4, 0.8, 0.6, 1),
    }
    corners |= {
        LOWER_TEETH: (0.6, 0.8, 0.8, 1),
        LEFT_EYE: (0.8, 0.8, 0.9, 0.9),
        RIGHT_EYE: (0.9, 0.8, 1, 0.9),
        SOCKET: (0.8, 0.9, 0.9, 1),
    }
    for k, (x0, y0, x1, y1) in corners.items():
        points = vertices[part == k]
        direction = points - (points.max(0) + points.min(0)) / 2
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        angle = np.arccos(np.clip(direction[:, 2], -1, 1)) / np.pi
        across = np.arctan2(direction[:, 1], direction[:, 0])
        plane = 0.5 + 0.5 * angle[:, None] * np.stack([np.cos(across), np.sin(across)], 1)
        uv[part == k] = [x0, y0] + plane * [x1 - x0, y1 - y0]
    return uv


def openings(mean: np.ndarray, triangles: np.ndarray, part: np.ndarray) -> dict[str, np.ndarray]:
    """Vertex indices around the mouth opening and both eye openings, in order along the rim of the skin."""
    neighbours: dict[int, list[int]] = {}
    skin = triangles[(part[triangles] == SKIN).all(1)]
    edges = Counter(tuple(sorted((t[k], t[k - 1]))) for t in skin.tolist() for k in range(3))
    for (a, b), count in edges.items():
        if count == 1:
            neighbours.setdefault(a, []).append(b)
            neighbours.setdefault(b, []).append(a)
    loops = []
    while neighbours:
        loop = [next(iter(neighbours))]
        while loop[-1] in neighbours:
            onward = [v for v in neighbours.pop(loop[-1]) if v in neighbours]
            if not onward:
                break
            loop.append(onward[0])
        loops.append(np.array(loop))
    middle = {k: mean[loop].mean(0) for k, loop in enumerate(loops)}
    front = [k for k in middle if middle[k][2] > 6 and len(loops[k]) > 20]
    mouth = min(front, key=lambda k: middle[k][1])
    left, right = max(front, key=lambda k: middle[k][0]), min(front, key=lambda k: middle[k][0])
    return {"mouth_rim": loops[mouth], "left_eye_rim": loops[left], "right_eye_rim": loops[right]}


def assemble(source: Source) -> dict[str, np.ndarray]:
    """All arrays of the asset except the 478-point correspondence."""
    kept, triangles = simplified(source)
    place = -np.ones(len(source.neutral), int)
    place[kept] = np.arange(len(kept))
    part = np.full(len(kept), SKIN)
    part[(kept >= PARTS["socket"][0]) & (kept < PARTS["socket"][1])] = SOCKET
    gums = (kept >= PARTS["gums"][0]) & (kept < PARTS["gums"][1])
    part[gums] = GUMS
    part[np.nonzero(gums)[0][tongue_vertices(source, kept[gums])]] = TONGUE
    teeth = kept >= PARTS["teeth"][0]
    fall = source.expression[ARKIT52.index("jawOpen")][kept, 1]
    part[teeth] = np.where(fall[teeth] < -0.5, LOWER_TEETH, UPPER_TEETH)

    modes = source.identity.reshape(len(source.identity), -1)[:, np.repeat(kept, 3) * 3 + np.tile([0, 1, 2], len(kept))]
    eye_means = [source.identity[:, slice(*span)].mean(1) for span in EYEBALLS]
    mean, expression = source.neutral[kept], source.expression[:, kept].astype(np.float64)
    triangles = place[triangles]
    for span, move in zip(EYEBALLS, eye_means, strict=True):
        ball = source.neutral[slice(*span)]
        centre = (ball.max(0) + ball.min(0)) / 2
        centre[2] = ball[:, 2].min() + np.ptp(ball[:, 1]) / 2
        vertices, faces = eyeball(centre)
        triangles = np.concatenate([triangles, faces + len(mean)])
        mean = np.concatenate([mean, vertices])
        part = np.concatenate([part, np.full(len(vertices), LEFT_EYE if centre[0] > 0 else RIGHT_EYE)])
        expression = np.concatenate([expression, np.zeros((len(expression), len(vertices), 3))], 1)
        modes = np.concatenate([modes, np.tile(move[:, None], (1, len(vertices), 1)).reshape(len(move), -1)], 1)
    _, scale, axes = np.linalg.svd(modes.astype(np.float64), full_matrices=False)
    identity = (scale[:, None] * axes)[:IDENTITY_COMPONENTS].reshape(IDENTITY_COMPONENTS, -1, 3)
    print(f"identity variance kept: {(scale[:IDENTITY_COMPONENTS] ** 2).sum() / (scale**2).sum():.4f}")
    expression[ARKIT52.index("tongueOut")] = tongue_out(mean, part == TONGUE)
    from scipy.spatial import cKDTree

    off, mirror = cKDTree(mean).query(mean * [-1, 1, 1])
    print(f"mirror error: {off.max():.4f} units")
    return {
        "mean": mean.astype(np.float32),
        "triangles": triangles.astype(np.int16),
        "part": part.astype(np.uint8),
        "identity_basis": identity.astype(np.float16),
        "expression_basis": expression.astype(np.float16),
        "uv": unwrap(mean, part).astype(np.float16),
        "mirror": mirror.astype(np.int16),
        "landmark68": place[source.landmark68].astype(np.int16),
        **{k: v.astype(np.int16) for k, v in openings(mean, triangles, part).items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("assets", type=Path)
    arguments = parser.parse_args()
    arrays = assemble(Source(arguments.source))
    arrays |= find_correspondence(arrays)
    target = arguments.assets / "head.npz"
    np.savez_compressed(target, **arrays)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    counts = {name: int((arrays["part"] == k).sum()) for k, name in enumerate(PART_NAMES)}
    card = {
        "name": "head", "version": 1, "sha256": digest, "vertices": counts, "triangles": len(arrays["triangles"]),
        "identity_components": IDENTITY_COMPONENTS, "expressions": list(ARKIT52), "unit": "about 1 cm",
        "licence": "MIT (derived from ICT-FaceKit, USC Institute for Creative Technologies)",
        "command": "python tools/build_head.py ICT_FACEKIT.npz vultus/assets",
        "landmark_spread_units": float(np.median(arrays["landmark478_spread"])),
    }  # fmt: skip
    (arguments.assets / "head.json").write_text(json.dumps(card, indent=1) + "\n")
    print(counts, f"{target.stat().st_size / 1e6:.2f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
