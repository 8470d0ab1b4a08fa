"""All the strands of one person, lit and drawn over the shaded picture."""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np

from vultus.rendering.person.appearance import Appearance
from vultus.rendering.person.body import Body
from vultus.rendering.person.combing import STYLES, comb_scalp
from vultus.rendering.person.face_hair import Beard, Lashes, grow_beard
from vultus.rendering.person.locks import Locks


@dataclass(frozen=True)
class Groom:
    """Scalp, beard and lashes; `centre` (3,) is the middle of the skull, from which hair is shaded as a volume."""

    scalp: Locks | None
    beard: Beard | None
    lashes: Lashes
    centre: np.ndarray

    def occluders(self) -> np.ndarray:
        """(P, 3) points of the scalp's hair that keep light from skin."""
        return np.zeros((0, 3), np.float32) if self.scalp is None else self.scalp.points[:, 1:].reshape(-1, 3)

    def posed(self, unposed: np.ndarray) -> list[Locks]:
        """Everything to draw on a moved, unturned body (V, 3), in the order to draw it."""
        locks = [] if self.beard is None else [self.beard.posed(unposed)]
        locks.append(self.lashes.posed(unposed))
        return locks if self.scalp is None else [*locks, self.scalp]


def grow(person: Appearance, body: Body, rng: np.random.Generator) -> Groom:
    """Everything that grows on a person."""
    hidden = person.wear.headwear == "headscarf" or person.hair.style not in STYLES
    scalp = None if hidden else comb_scalp(person, body, rng)
    return Groom(scalp, grow_beard(person, body, rng), Lashes(person, body, rng), body.skull.centre)


@nb.njit(cache=True, fastmath=True, nogil=True, boundscheck=False)
def light_strands(
    points: np.ndarray, colours: np.ndarray, openness: np.ndarray, centre: np.ndarray, look: np.ndarray
) -> np.ndarray:
    """Light (S, K, 3) float32 that strands send to the camera, after Kajiya and Kay 1989.

    Args:
        points: (S, K, 3) in the viewer's frame; colours: (S, K, 3) linear; openness: (S, K).
        centre: (3,) middle of the volume that the hair forms; its far side from the light is darker.
        look: see `shading.LOOK_ROWS`.
    """
    strands, count = points.shape[0], points.shape[1]
    light = np.empty((strands, count, 3), np.float32)
    lx, ly, lz = look[0, 0], look[0, 1], look[0, 2]
    hx, hy, hz = lx, ly, lz + 1.0
    norm = np.sqrt(hx * hx + hy * hy + hz * hz)
    hx, hy, hz = hx / norm, hy / norm, hz / norm
    for s in range(strands):
        for k in range(count):
            a, b = max(0, k - 1), min(count - 1, k + 1)
            tx = points[s, b, 0] - points[s, a, 0]
            ty = points[s, b, 1] - points[s, a, 1]
            tz = points[s, b, 2] - points[s, a, 2]
            length = np.sqrt(tx * tx + ty * ty + tz * tz) + 1e-9
            tx, ty, tz = tx / length, ty / length, tz / length
            ox = points[s, k, 0] - centre[0]
            oy = points[s, k, 1] - centre[1]
            oz = points[s, k, 2] - centre[2]
            out = np.sqrt(ox * ox + oy * oy + oz * oz) + 1e-9
            side = (ox * lx + oy * ly + oz * lz) / out
            volume = 0.12 + 0.88 * min(1.0, max(0.0, 0.35 + 0.75 * side))
            to_light = tx * lx + ty * ly + tz * lz
            to_half = tx * hx + ty * hy + tz * hz
            diffuse = np.sqrt(max(0.0, 1.0 - to_light * to_light))
            bright = np.sqrt(max(0.0, 1.0 - to_half * to_half))
            up = 0.5 + 0.5 * oy / out
            free = openness[s, k]
            for c in range(3):
                key = look[1, c] * volume * free
                sky = (look[3, c] + up * (look[2, c] - look[3, c])) * free + 0.2 * look[2, c] * free
                tinted = colours[s, k, c]
                glint = 0.05 * bright**60 + (0.10 * tinted + 0.012) * bright**14
                light[s, k, c] = tinted * (0.75 * key * diffuse + 1.0 * sky) + key * glint
    return light
