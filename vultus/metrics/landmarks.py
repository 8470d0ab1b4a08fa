"""Landmarks against landmarks: how far mouth, eyes or all 68 points of two faces lie apart. Weights: none."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

REGIONS: Mapping[str, tuple[int, ...]] = {
    "mouth": tuple(range(48, 68)),
    "inner_mouth": tuple(range(60, 68)),
    "eyes": tuple(range(36, 48)),
    "all": tuple(range(68)),
}
"""Of the 68 points; cp_eb counts the 8 of `inner_mouth` and the 6 + 6 of `eyes`."""
OUTER_EYES = (36, 45)


def landmark_distance(generated: np.ndarray, reference: np.ndarray, region: str = "all") -> np.ndarray:
    """LMD of every frame (T,): mean distance in pixels of the points of a region, (T, 68, 2 or more) each.

    LMD = 1/P sum_p |g_p - r_p|, in the picture plane (Chen et al. 2018, equation 12, before the mean over frames). In
    pixels of whatever the points are given in: the papers' crop is 224 pixels (`data.crops`, "pcavs").
    """
    chosen = list(REGIONS[region])
    apart = np.asarray(generated, np.float64)[:, chosen, :2] - np.asarray(reference, np.float64)[:, chosen, :2]
    return np.linalg.norm(apart, axis=-1).mean(1)


def interocular(reference: np.ndarray) -> np.ndarray:
    """Distance (T,) between the outer eye corners of points (T, 68, 2 or more), in the picture plane."""
    points = np.asarray(reference, np.float64)
    return np.linalg.norm(points[:, OUTER_EYES[0], :2] - points[:, OUTER_EYES[1], :2], axis=-1)


def normalised_landmark_distance(generated: np.ndarray, reference: np.ndarray, region: str = "all") -> np.ndarray:
    """LMD of every frame (T,) in percent of the reference's median inter-ocular distance."""
    return 100 * landmark_distance(generated, reference, region) / np.median(interocular(reference))


def angle_error_deg(generated: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Mean absolute difference (T,) of yaw, pitch and roll (T, 3), degrees, the shorter way round."""
    apart = (np.asarray(generated, np.float64) - reference + 180) % 360 - 180
    return np.abs(apart).mean(-1)
