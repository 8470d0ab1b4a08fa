"""Landmarks as ARKit weights, so that what a person's driver says plays on any head."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vultus.core.bases import ARKIT52
from vultus.face.fit import Fitter
from vultus.face.head import embedded_head
from vultus.face.points import LANDMARK68_FROM_478
from vultus.face.priors import SPARSE, expression_penalty

_PX_PER_UNIT = 13.0
"""About what a head unit is in the pictures that the fit's priors are meant for."""
_POINTS = 468
_SWEEPS = 40
_MOUTH_WEIGHT = 2.0


def neutral_landmarks(landmarks: np.ndarray, expression: np.ndarray) -> np.ndarray:
    """A person's landmarks (68, 3) without expression, from tracked ones (T, 68, 3) and ARKit weights (T, 52)."""
    bare = landmarks - landmarks_of(expression, np.zeros((68, 3)))
    middle: np.ndarray = np.median(bare, 0).astype(np.float32)
    return middle


def landmarks_of(expression: np.ndarray, neutral: np.ndarray) -> np.ndarray:
    """Landmarks (T, 68, 3) float32 of a neutral face (68, 3) that ARKit weights (T, 52) move."""
    modes, _, _ = _quadratic()
    return (neutral + np.tensordot(expression, modes, (1, 2))).astype(np.float32)


def expression_of(landmarks: np.ndarray, neutral: np.ndarray) -> np.ndarray:
    """ARKit weights (T, 52) float32, 0-1, that best move a neutral face (68, 3) to landmarks (T, 68, 3).

    Least squares with the priors of tracking (`face.priors`) within 0-1, a weight at a time, for all frames together.
    Lids, eyes and tongue stay 0.
    """
    modes, hessian, weights = _quadratic()
    moved = (landmarks - neutral).astype(np.float64) * weights[:, None]
    gradient = np.tensordot(moved, modes, ((1, 2), (0, 1))) - SPARSE * _share()
    found = np.zeros((len(landmarks), len(ARKIT52)))
    usable = np.flatnonzero(np.diag(hessian) > 0)
    for _ in range(_SWEEPS):
        for k in usable:
            rest = gradient[:, k] - found @ hessian[:, k] + found[:, k] * hessian[k, k]
            found[:, k] = np.clip(rest / hessian[k, k], 0, 1)
    return found.astype(np.float32)


def _share() -> float:
    """What a penalty of the fit's, on so many points in pixels, is on 68 in head units."""
    return 68 / _POINTS / _PX_PER_UNIT**2


@lru_cache(maxsize=1)
def _quadratic() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Modes (68, 3, 52) of the landmarks, the weights' quadratic form (52, 52), 0 for fixed ones, and each point's
    weight (68,)."""
    fitter = Fitter(embedded_head())
    modes = fitter.expression_modes[list(LANDMARK68_FROM_478)]
    weights = np.ones(68)
    weights[48:] = _MOUTH_WEIGHT
    flat = modes.reshape(-1, modes.shape[-1])
    free = np.array([i for i in fitter.active if not ARKIT52[i].startswith("eyeBlink")])
    hessian = np.zeros((len(ARKIT52), len(ARKIT52)))
    penalty = expression_penalty(free) * _share()
    weighted = flat[:, free] * np.repeat(weights, 3)[:, None]
    hessian[np.ix_(free, free)] = flat[:, free].T @ weighted + penalty
    return modes, hessian, weights
