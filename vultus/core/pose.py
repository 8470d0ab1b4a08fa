"""Head rotation as degrees and as matrices, in one convention for the whole house.

Head frame: x towards image right (the subject's left), y up, z out of the face. Positive yaw turns the face
towards image right, positive pitch looks up, positive roll tilts the crown towards image right. Zero is frontal.
"""

from __future__ import annotations

import numpy as np


def matrix_from_degrees(ypr_deg: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) in the head frame from yaw, pitch, roll (..., 3) in degrees."""
    yaw, pitch, roll = np.moveaxis(np.radians(np.asarray(ypr_deg, np.float64)), -1, 0)
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)
    about_y = _matrix([[cy, zero, sy], [zero, one, zero], [-sy, zero, cy]])
    about_x = _matrix([[one, zero, zero], [zero, cp, sp], [zero, -sp, cp]])
    about_z = _matrix([[cr, sr, zero], [-sr, cr, zero], [zero, zero, one]])
    return about_y @ about_x @ about_z


def degrees_from_matrix(rotation: np.ndarray) -> np.ndarray:
    """Yaw, pitch, roll (..., 3) in degrees from head-frame matrices (..., 3, 3); pitch in [-90, 90]."""
    rotation = np.asarray(rotation, np.float64)
    yaw = np.arctan2(rotation[..., 0, 2], rotation[..., 2, 2])
    pitch = np.arcsin(np.clip(rotation[..., 1, 2], -1.0, 1.0))
    roll = -np.arctan2(rotation[..., 1, 0], rotation[..., 1, 1])
    return np.degrees(np.stack([yaw, pitch, roll], -1))


def _matrix(rows: list[list[np.ndarray]]) -> np.ndarray:
    return np.stack([np.stack(row, -1) for row in rows], -2)
