"""Mesh simplification by half-edge collapse with quadrics in feature space (Garland and Heckbert 1998), on one half."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict

import numpy as np

MIDLINE = 1e-3


def simplify_half(
    features: np.ndarray,
    positions: np.ndarray,
    triangles: np.ndarray,
    weight: np.ndarray,
    locked: np.ndarray,
    target: int,
) -> np.ndarray:
    """Triangles (T, 3) of the simplified mesh, as indices into `positions`, both halves.

    Args:
        features: (V, F) position followed by scaled motion coordinates: what the quadrics measure.
        positions: (V, 3); the mesh mirrors itself about x = 0.
        triangles: (T, 3) to simplify.
        weight: (V,) cost factor: larger keeps more vertices there.
        locked: vertices that must stay.
        target: vertices to keep on the half x <= 0.
    """
    half = triangles[(positions[triangles, 0] <= MIDLINE).all(1)]
    mesh = _Mesh(features, positions, half, weight, set(locked.tolist()))
    mesh.collapse_to(target)
    kept = np.array(sorted(mesh.faces.values()))
    return np.concatenate([kept, _mirrored(kept, positions, triangles)])


def _mirrored(half: np.ndarray, positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    from scipy.spatial import cKDTree

    used = np.unique(triangles)
    # Coincident points of neighbouring parts must not be confused: the nearest mirror among this part's own vertices.
    off, nearest = cKDTree(positions[used]).query(positions[np.unique(half)] * [-1, 1, 1])
    if off.max() > 0.05:
        raise ValueError(f"the mesh is not symmetric: a vertex is {off.max():.3f} units from its mirror")
    twin = dict(zip(np.unique(half).tolist(), used[nearest].tolist(), strict=True))
    return np.array([[twin[a], twin[c], twin[b]] for a, b, c in half.tolist()])


class _Mesh:
    """A triangle mesh under collapse: faces by id, faces around each vertex, a quadric a vertex."""

    def __init__(self, features, positions, triangles, weight, locked) -> None:
        self.features, self.positions, self.weight = features, positions, weight
        self.faces = {k: tuple(t) for k, t in enumerate(triangles.tolist())}
        self.around: dict[int, set[int]] = defaultdict(set)
        self.quadric: dict[int, np.ndarray] = defaultdict(lambda: np.zeros((features.shape[1] + 1,) * 2))
        edges: Counter[tuple[int, int]] = Counter()
        for k, face in self.faces.items():
            q = self._face_quadric(face)
            for a, b in zip(face, face[1:] + face[:1], strict=True):
                self.around[a].add(k)
                self.quadric[a] += q
                edges[tuple(sorted((a, b)))] += 1
        mid = np.abs(positions[:, 0]) <= MIDLINE
        rim = {v for edge, n in edges.items() if n == 1 for v in edge if not (mid[edge[0]] and mid[edge[1]])}
        self.mid = mid
        self.locked = locked | rim  # openings (lids, lips, neck) keep every vertex

    def _face_quadric(self, face: tuple[int, ...]) -> np.ndarray:
        p, q, r = (self.features[v] for v in face)
        e1 = q - p
        e1 = e1 / max(np.linalg.norm(e1), 1e-9)
        e2 = (r - p) - e1 * (e1 @ (r - p))
        e2 = e2 / max(np.linalg.norm(e2), 1e-9)
        area = 0.5 * np.linalg.norm(np.cross(*(self.positions[v] - self.positions[face[0]] for v in face[1:])))
        a = np.eye(len(p)) - np.outer(e1, e1) - np.outer(e2, e2)
        b = e1 * (p @ e1) + e2 * (p @ e2) - p
        c = p @ p - (p @ e1) ** 2 - (p @ e2) ** 2
        return (area + 1e-4) * np.block([[a, b[:, None]], [b[None], np.array([[c]])]])

    def _neighbours(self, v: int) -> set[int]:
        return {w for k in self.around[v] for w in self.faces[k]} - {v}

    def _cost(self, v: int, into: int) -> float:
        x = np.append(self.features[into], 1.0)
        edge = np.linalg.norm(self.features[v] - self.features[into])
        return float(x @ self.quadric[v] @ x + 2e-3 * edge**2) * self.weight[v]

    def _allowed(self, v: int, into: int) -> bool:
        if self.mid[v] and not self.mid[into]:
            return False
        if len(self._neighbours(v) & self._neighbours(into)) > 2:
            return False
        for k in self.around[v]:
            face = self.faces[k]
            if into in face:
                continue
            before = [self.positions[w] for w in face]
            after = [self.positions[into if w == v else w] for w in face]
            n0 = np.cross(before[1] - before[0], before[2] - before[0])
            n1 = np.cross(after[1] - after[0], after[2] - after[0])
            longest = max(np.linalg.norm(after[i] - after[i - 1]) for i in range(3))
            if n0 @ n1 < 0.25 * np.linalg.norm(n0) * np.linalg.norm(n1) or np.linalg.norm(n1) < 0.04 * longest**2:
                return False
        return True

    def collapse_to(self, target: int) -> None:
        """Remove the cheapest vertices until `target` are left or none may go."""
        stamp: dict[int, int] = defaultdict(int)
        heap: list[tuple[float, int, int, int]] = []

        def push(v: int) -> None:
            if v in self.locked:
                return
            options = [(self._cost(v, w), w) for w in self._neighbours(v)]
            for cost, w in sorted(options)[:4]:
                heapq.heappush(heap, (cost, v, w, stamp[v]))

        alive = set(self.around)
        for v in sorted(alive):
            push(v)
        while len(alive) > target and heap:
            _, v, into, when = heapq.heappop(heap)
            if v not in alive or into not in alive or when != stamp[v] or not self._allowed(v, into):
                continue
            ring = self._neighbours(v)
            for k in list(self.around[v]):
                face = self.faces[k]
                if into in face:
                    for w in face:
                        self.around[w].discard(k)
                    del self.faces[k]
                else:
                    self.faces[k] = tuple(into if w == v else w for w in face)
                    self.around[into].add(k)
            self.quadric[into] = self.quadric[into] + self.quadric[v]
            alive.discard(v)
            del self.around[v]
            for w in sorted(ring):
                stamp[w] += 1
                push(w)
