"""Light that stays where it is while skin folds and the head turns under it."""

from __future__ import annotations

import numpy as np

from vultus.core.types import Fit
from vultus.rendering.raster import vertex_normals
from vultus.rendering.surface import Surface

STRENGTH = 0.55
"""How much of the change in shading is shown; the picture's light is only guessed."""
LIMITS = (0.78, 1.18)
LIGHT = np.array([0.0, 0.45, 0.89])
"""Direction of the key light in camera axes turned upright (x right, y up, z towards the viewer)."""
AMBIENT = 0.45


class Relight:
    """Ratio of each skin vertex's shading now to its shading in the picture, under a soft light from above."""

    def __init__(self, surface: Surface, fit: Fit) -> None:
        self.triangles = surface.skin
        self.to_view = fit.rotation.astype(np.float32)
        self.drawn = np.zeros(len(surface.rest), bool)
        self.drawn[np.unique(self.triangles)] = True
        self.drawn &= surface.visible
        self.rest = self._shading(surface.rest)

    def _shading(self, points: np.ndarray) -> np.ndarray:
        normals = vertex_normals(np.ascontiguousarray(points), self.triangles)
        facing = np.clip(normals @ (self.to_view.T @ LIGHT).astype(np.float32), 0, 1)
        return AMBIENT + (1 - AMBIENT) * facing

    def ratio(self, points: np.ndarray) -> np.ndarray:
        """(A,) float32 factor on the picture's brightness for moved and posed points (A, 3); exactly 1 at rest."""
        change = self._shading(points) / self.rest - 1
        return np.where(self.drawn, np.clip(1 + STRENGTH * change, *LIMITS), 1).astype(np.float32)
