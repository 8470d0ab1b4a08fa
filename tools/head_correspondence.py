"""Where FaceMesh's 468 skin points lie on our head: render heads, detect, look up what each point hit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from vultus.core.pose import matrix_from_degrees
from vultus.face.landmarks import FaceMesh
from vultus.rendering.raster import FAR, draw_colours, vertex_normals

SIZE = 640
FOCAL = 2.2 * SIZE
HEADS = 60
UPPER_INNER_LIP = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
LOWER_INNER_LIP = [95, 88, 178, 87, 14, 317, 402, 318, 324]
JAW_OPEN, SKIN = 24, 0


def find_correspondence(head: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """`landmark478_vertices` (468, 3), `landmark478_weights` (468, 3) and the spread (468,) of the estimates."""
    rng = np.random.default_rng(1)
    sitter = _Sitter(head)
    hits = []
    with FaceMesh() as mesh:
        for k in range(HEADS):
            jaw = 0.0 if k % 2 else rng.uniform(0.15, 0.5)
            angles = rng.uniform([-14, -10, -5], [14, 10, 5])
            hit = sitter.hits(rng.normal(size=len(head["identity_basis"])) * 0.7, jaw, angles, mesh)
            if hit is not None:
                hits.append(hit)
    found = np.array(hits)
    median = np.nanmedian(found, 0)
    spread = np.nanmedian(np.abs(found - median), 0).max(1)
    print(f"{len(found)} of {HEADS} heads detected; spread: median {np.nanmedian(spread):.3f} units")
    vertices, weights = sitter.nearest(median)
    return {
        "landmark478_vertices": vertices.astype(np.int16),
        "landmark478_weights": weights.astype(np.float32),
        "landmark478_spread": spread.astype(np.float32),
    }


class _Sitter:
    """The head, painted so that a detector takes it for a person."""

    def __init__(self, head: dict[str, np.ndarray]) -> None:
        self.head = {k: v.astype(np.float32) if v.dtype == np.float16 else v for k, v in head.items()}
        self.mean = self.head["mean"]
        self.triangles = head["triangles"].astype(np.int32)
        self.skin = np.ascontiguousarray(self.triangles[(head["part"][self.triangles] == SKIN).all(1)])
        fall = self.head["expression_basis"][JAW_OPEN, :, 1]
        self.fall, self.deepest = fall[self.skin].mean(1), -fall.min()
        self.colours = self._paint()

    def _paint(self) -> np.ndarray:
        mean, part = self.mean, self.head["part"]
        marks = mean[self.head["landmark68"]]
        colour = np.tile(np.float32([205, 160, 135]), (len(mean), 1))
        for brow in (marks[17:22], marks[22:27]):
            fine = np.concatenate([np.linspace(a, b, 8) for a, b in pairwise(brow)])
            near = np.linalg.norm(mean[:, None] - fine[None], axis=2).min(1) < 0.42
            colour[near] = [60, 42, 32]
        centre, extent = marks[48:60].mean(0), np.ptp(marks[48:60], axis=0)
        lips = (((mean[:, :2] - centre[:2]) / (extent[:2] * [0.52, 0.56])) ** 2).sum(1) < 1
        colour[lips & (mean[:, 2] > 8.5)] = [165, 70, 70]
        for k, c in ((1, [150, 70, 70]), (2, [170, 80, 80]), (3, [235, 230, 220]), (4, [230, 225, 215])):
            colour[part == k] = c
        for k in (5, 6):
            ball = part == k
            offset = mean[ball] - mean[ball].mean(0)
            angle = np.degrees(np.arccos(offset[:, 2] / np.linalg.norm(offset, axis=1)))
            colour[ball] = np.where(
                angle[:, None] < 10, [15, 12, 10], np.where(angle[:, None] < 28, [90, 60, 40], [240, 238, 235])
            )
        return colour

    def hits(self, identity: np.ndarray, jaw: float, angles: np.ndarray, mesh: FaceMesh) -> np.ndarray | None:
        """Positions (468, 3) on the mean head that FaceMesh's points hit in one rendered head; None if undetected."""
        shape = self.mean + np.tensordot(identity.astype(np.float32), self.head["identity_basis"], 1)
        shape = shape + np.float32(jaw) * self.head["expression_basis"][JAW_OPEN]
        turned = (shape @ matrix_from_degrees(angles).T).astype(np.float32)
        z = 60.0 - turned[:, 2]
        points = np.stack([SIZE / 2 + FOCAL * turned[:, 0] / z, SIZE / 2 - FOCAL * turned[:, 1] / z, z], 1).astype(
            np.float32
        )
        light = vertex_normals(turned, self.triangles) @ np.float32([0.2, 0.35, 0.91])
        image = np.full((SIZE, SIZE, 3), 120, np.float32)
        label, depth = np.ones((SIZE, SIZE), np.uint8), np.full((SIZE, SIZE), FAR, np.float32)
        draw_colours(
            points, self.triangles, self.colours * (0.45 + 0.55 * np.clip(light, 0, 1))[:, None], image, label, depth, 1
        )
        sighting = mesh.look(np.clip(image, 0, 255).astype(np.uint8), np.full(2, SIZE / 2), SIZE)
        if sighting is None:
            return None
        landmarks = sighting.landmarks
        normals = np.cross(
            turned[self.skin[:, 1]] - turned[self.skin[:, 0]], turned[self.skin[:, 2]] - turned[self.skin[:, 0]]
        )
        front = normals[:, 2] > 0
        found = np.full((468, 3), np.nan)
        groups = (
            (np.arange(468), front),
            (np.array(UPPER_INNER_LIP), front & (self.fall > -0.25 * self.deepest)),
            (np.array(LOWER_INNER_LIP), front & (self.fall < -0.4 * self.deepest)),
        )
        for points_of, chosen in groups:
            found[points_of] = self._lookup(points, self.skin[chosen], landmarks[points_of, :2])
        return found

    def _lookup(self, points: np.ndarray, triangles: np.ndarray, pixels: np.ndarray) -> np.ndarray:
        from scipy.spatial import cKDTree

        where = np.full((SIZE, SIZE, 3), np.nan, np.float32)
        label, depth = np.ones((SIZE, SIZE), np.uint8), np.full((SIZE, SIZE), FAR, np.float32)
        draw_colours(points, np.ascontiguousarray(triangles), self.mean, where, label, depth, 1)
        ys, xs = np.nonzero(depth < FAR)
        distance, nearest = cKDTree(np.stack([xs + 0.5, ys + 0.5], 1)).query(pixels)
        result = where[ys[nearest], xs[nearest]].astype(np.float64)
        result[distance > 8] = np.nan
        return result

    def nearest(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Triangles (N, 3) of vertex indices and barycentric weights (N, 3) of the skin points nearest to (N, 3)."""
        from scipy.spatial import cKDTree

        corners = self.mean[self.skin].astype(np.float64)
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        tree = cKDTree(corners.mean(1))
        vertices, weights = np.zeros((len(targets), 3), int), np.zeros((len(targets), 3))
        upper, lower = set(UPPER_INNER_LIP), set(LOWER_INNER_LIP)
        for i, target in enumerate(targets):
            best = np.inf
            for t in tree.query(target, k=40)[1]:
                if i in upper and self.fall[t] < -0.25 * self.deepest:
                    continue
                if i in lower and self.fall[t] > -0.4 * self.deepest:
                    continue
                if i not in upper | lower and normal[t, 2] <= 0:
                    continue
                origin, *ends = corners[t]
                edges = np.stack([end - origin for end in ends], 1)
                bc = np.clip(np.linalg.lstsq(edges, target - origin, rcond=None)[0], 0, 1)
                bc /= max(1.0, bc.sum())
                distance = np.linalg.norm(origin + edges @ bc - target)
                if distance < best:
                    best, vertices[i], weights[i] = distance, self.skin[t], [1 - bc.sum(), *bc]
        return vertices, weights
