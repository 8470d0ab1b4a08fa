"""Hair that moves with the face: a beard on skin that speech stretches, lashes on lids that close."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vultus.rendering.person.appearance import Appearance, linear
from vultus.rendering.person.body import EYE_SIDES, Body
from vultus.rendering.person.chart import HEIGHT, WIDTH, chart_px
from vultus.rendering.person.lids import lid_edges, lid_gap
from vultus.rendering.person.locks import Locks, at_roots, sample_roots, strand_colours
from vultus.rendering.person.skin import beard_area
from vultus.rendering.raster import vertex_normals

BEARDS = {"moustache": (0.6, 900), "goatee": (1.1, 1300), "short": (0.7, 3200), "full": (1.9, 3800)}
"""Length in head units and number of strands; stubble is painted."""
BEARD_POINTS, LASH_POINTS = 5, 4
UPPER_LASHES, LOWER_LASHES = 44, 26


@dataclass(frozen=True)
class Beard:
    """Strands that stand on triangles of the head; `locks.points` are offsets from their roots."""

    locks: Locks
    corners: np.ndarray
    weights: np.ndarray

    def posed(self, unposed: np.ndarray) -> Locks:
        """The strands on a moved, unturned head (V, 3)."""
        roots = at_roots(unposed, self.corners, self.weights)
        return replace(self.locks, points=(roots[:, None] + self.locks.points).astype(np.float32))


def grow_beard(person: Appearance, body: Body, rng: np.random.Generator) -> Beard | None:
    """A beard of the person's style, or None."""
    hair = person.hair
    if hair.beard not in BEARDS:
        return None
    length, count = BEARDS[hair.beard]
    head = body.head
    triangles = head.triangles_of("skin")
    place = chart_px(head.mean[triangles].mean(1)).astype(int)
    density = beard_area(hair)[np.clip(place[:, 1], 0, HEIGHT - 1), np.clip(place[:, 0], 0, WIDTH - 1)]
    rest = np.ascontiguousarray(body.rest[: body.head_count])
    # Folds inside the lips and nostrils share the chart with the skin before them; hair grows outside only.
    inner = (head.mean[triangles].mean(1)[:, 2] < 9.9) & (np.abs(head.mean[triangles].mean(1)[:, 0]) < 2.0)
    inner &= head.mean[triangles].mean(1)[:, 1] > -5.5
    corners, weights = sample_roots(rest, triangles, density**1.5 * ~inner, count, rng)
    normals = at_roots(vertex_normals(rest, np.ascontiguousarray(triangles, np.int32)), corners, weights)
    roots = at_roots(rest, corners, weights)
    on_lip = roots[:, 1] > rest[head.landmark68[51], 1]
    sideways = np.stack([0.06 * roots[:, 0], np.zeros(count), np.zeros(count)], 1)
    way = normals * np.where(on_lip, 0.45, 0.6)[:, None] + np.array([0, -0.75, 0.05]) + sideways
    way += 0.22 * rng.standard_normal((count, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    size = length * np.where(on_lip, min(1.0, 0.5 / length), 1.0) * rng.uniform(0.6, 1.1, count)
    along = np.linspace(0, 1, BEARD_POINTS)
    droop = np.array([0, -0.25, 0]) * (along**2)[None, :, None] * size[:, None, None]
    offsets = way[:, None] * (along[None] * size[:, None])[..., None] + droop
    openness = np.tile(np.interp(along, [0, 1], [0.55, 1.0]), (count, 1))
    locks = Locks(
        offsets.astype(np.float32), strand_colours(hair, count, BEARD_POINTS, rng, 0.15), openness.astype(np.float32),
        (0.085 * np.linspace(1, 0.5, BEARD_POINTS)).astype(np.float32), np.ones((count * BEARD_POINTS, 1), np.float32),
        0.85,
    )  # fmt: skip
    return Beard(locks, corners, weights)


class Lashes:
    """Both rows of lashes of both eyes; they turn with the lids as these close."""

    def __init__(self, person: Appearance, body: Body, rng: np.random.Generator) -> None:
        self._body = body
        self._length = person.eyes.lash_length
        count = 2 * (UPPER_LASHES + LOWER_LASHES)
        dark = linear(person.hair.colour) * 0.25 * (1 - 0.7 * person.eyes.lash_darkness) + 0.004
        colours = np.tile(dark.astype(np.float32), (count, LASH_POINTS, 1))
        width = 0.055 * np.linspace(1.2, 0.4, LASH_POINTS)
        self._locks = Locks(
            np.zeros((count, LASH_POINTS, 3), np.float32), colours, np.ones((count, LASH_POINTS), np.float32),
            width.astype(np.float32), np.ones((count * LASH_POINTS, 1), np.float32),
            0.45 + 0.4 * person.eyes.lash_darkness,
        )  # fmt: skip
        self._place = [rng.uniform(0.04, 0.98, n) for n in (UPPER_LASHES, LOWER_LASHES) * 2]
        self._vary = [rng.uniform(0.75, 1.15, n) for n in (UPPER_LASHES, LOWER_LASHES) * 2]
        self._open = [lid_gap(body, body.rest, eye) for eye in (0, 1)]

    def posed(self, unposed: np.ndarray) -> Locks:
        """The lashes on a moved, unturned head (V, 3)."""
        rows = []
        for eye, side in enumerate(EYE_SIDES):
            ball = unposed[self._body.head.vertices_of(side)]
            centre = (ball.min(0) + ball.max(0)) / 2
            upper, lower = lid_edges(self._body, unposed, eye)
            opened = float(np.clip(lid_gap(self._body, unposed, eye) / max(self._open[eye], 1e-3), 0, 1.2))
            rows.append(self._row(upper, centre, 2 * eye, 0.75 * opened - 0.45, self._length))
            rows.append(self._row(lower, centre, 2 * eye + 1, -0.55, 0.45 * self._length))
        return replace(self._locks, points=np.concatenate(rows).astype(np.float32))

    def _row(self, line: np.ndarray, centre: np.ndarray, which: int, rise: float, length: float) -> np.ndarray:
        place, vary = self._place[which], self._vary[which]
        root = np.stack([np.interp(place, np.linspace(0, 1, len(line)), line[:, c]) for c in range(3)], 1)
        outward = root - centre
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        away = (place - 0.5) * np.sign(line[-1, 0] - line[0, 0])
        way = outward * 0.8 + np.stack([0.6 * away, np.full(len(place), rise), np.zeros(len(place))], 1)
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        size = length * vary * np.interp(place, [0, 0.25, 0.7, 1], [0.55, 0.9, 1.0, 0.8])
        along = np.linspace(0, 1, LASH_POINTS)
        bend = np.array([0, 0.35 if rise > -0.5 else -0.2, 0]) * (along**2)[None, :, None]
        return root[:, None] + size[:, None, None] * (way[:, None] * along[None, :, None] + bend)
