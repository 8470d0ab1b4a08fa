"""Where the eyes look and how far the lids are open, from FaceMesh's iris and rim points and a fitted head."""

from __future__ import annotations

import numpy as np

from vultus.core.types import Fit
from vultus.face.head import FLIP, HeadModel, project
from vultus.face.points import LEFT_EYE, LEFT_IRIS, RIGHT_EYE, RIGHT_IRIS, eye_aspect_ratio

IRIS_RADIUS = 1.35
"""Distance from the eyeball's centre to the iris plane, head units."""

IRIS_GAIN = (1.6, 2.3)
"""By how much eyes turn further, sideways and up or down, than FaceMesh's iris points do.

On rendered eyes its points make .6 and .35 of the way. In newsreaders who keep looking into the camera while the head
turns, they go back by .4-.5 of the head's yaw and .3-.5 of its pitch, where the eyes go back by all of it.
"""

_MAX_GAZE_DEG = 40.0


def gaze_degrees(fit: Fit, head: HeadModel, model_points: np.ndarray) -> np.ndarray:
    """Gaze (2,) in degrees relative to the head (x towards image right, y up), the mean of both eyes.

    An iris centre is carried back onto its eyeball, a sphere around the model's eye centre. The lid rim as FaceMesh
    sees it against the model's, `model_points` (468, 3), moves that centre: individual eyes sit differently.
    """
    centres = head.eye_centres(head.vertices(fit.identity))
    eyes = (LEFT_EYE, LEFT_IRIS), (RIGHT_EYE, RIGHT_IRIS)
    pose = fit.rotation, fit.translation, fit.focal_px, fit.center_px
    directions = []
    for centre, (rim, iris) in zip(centres, eyes, strict=True):
        corners = [rim[0], rim[8]]  # lids move, corners do not
        seen, modelled = fit.landmarks[corners, :2], project(model_points[corners], *pose)[:, :2]
        middle_px = project(centre[None], *pose)[0, :2] + (seen - modelled).mean(0)
        directions.append(_direction(fit, centre, middle_px, fit.landmarks[iris[0], :2]))
    mean = np.mean(directions, 0)
    angles = np.degrees([np.arctan2(mean[0], mean[2]), np.arcsin(np.clip(mean[1] / np.linalg.norm(mean), -1, 1))])
    return np.clip(angles, -_MAX_GAZE_DEG, _MAX_GAZE_DEG).astype(np.float32)


def calibrated_gaze(gaze_deg: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Gaze (T, 2) of a video with FaceMesh's short way (`IRIS_GAIN`) made up for.

    Up and down that goes for what departs from the median of the `valid` frames (T,): the level of the irises between
    the lids differs among people by more than they look up or down, and would be blown up.
    """
    level = np.array([0.0, np.median(gaze_deg[valid, 1]) if valid.any() else 0.0], np.float32)
    return np.clip(level + (gaze_deg - level) * np.array(IRIS_GAIN, np.float32), -_MAX_GAZE_DEG, _MAX_GAZE_DEG)


def _direction(fit: Fit, centre: np.ndarray, middle_px: np.ndarray, iris_px: np.ndarray) -> np.ndarray:
    """Head-frame unit vector (3,) from an eyeball's centre to its iris: the line of sight meets the sphere."""
    depth = (FLIP @ fit.rotation @ centre + fit.translation)[2]
    offset = (iris_px - middle_px) * depth / fit.focal_px
    reach = np.linalg.norm(offset)
    if reach > 0.95 * IRIS_RADIUS:
        offset *= 0.95 * IRIS_RADIUS / reach
    camera = np.array([offset[0], offset[1], -np.sqrt(IRIS_RADIUS**2 - offset @ offset)])
    towards_camera = -(fit.translation + FLIP @ fit.rotation @ centre)
    camera = _turn_to(camera, towards_camera / np.linalg.norm(towards_camera))
    return (FLIP @ fit.rotation).T @ camera / IRIS_RADIUS


def _turn_to(vector: np.ndarray, line_of_sight: np.ndarray) -> np.ndarray:
    """Rotate `vector`, given for a sight line straight along (0, 0, -1), to a nearby sight line (small-angle)."""
    axis = np.cross([0.0, 0.0, -1.0], line_of_sight)
    return vector + np.cross(axis, vector)


def eye_openness(fit: Fit, open_points: np.ndarray, shut_points: np.ndarray) -> np.ndarray:
    """How open the right and the left eye are (2,): 1 as the model's at rest, 0 as the model's blink, in this pose.

    Compares eye aspect ratios (emoface, equation 3) in the picture with the model's open and shut eyes, points
    (468, 3), as the same camera sees them; so turning the head changes nothing.
    """
    pose = fit.rotation, fit.translation, fit.focal_px, fit.center_px
    seen = eye_aspect_ratio(fit.landmarks)
    widest, shut = (eye_aspect_ratio(project(points, *pose)) for points in (open_points, shut_points))
    return ((seen - shut) / np.maximum(widest - shut, 0.05)).astype(np.float32)
