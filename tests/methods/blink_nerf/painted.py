"""A person painted by rule, on whom a radiance field can learn in seconds what it must: mouth, eyes, pose and torso."""

from __future__ import annotations

import numpy as np

from vultus.core.pose import matrix_from_degrees
from vultus.methods.blink_nerf.person import BACKGROUND, EYES, HEAD, MOUTH, TORSO, Person

SKIN, DARK, WHITE, CLOTHES, STRIPE = (205, 160, 130), (40, 10, 10), (250, 250, 250), (40, 60, 150), (230, 220, 60)
DISTANCE, FOCAL_SIZES = 90.0, 2.5
"""Of the head in head units; of the camera in sides of the picture."""


def painted_person(count: int = 80, size: int = 32, seed: int = 0) -> Person:
    """A disc of skin, mouth as open as its landmarks, eyes as shut as AU45, on a torso that sways by itself."""
    rng = np.random.default_rng(seed)
    opening = 1.2 + np.sin(np.arange(count) * 0.9) + rng.normal(0, 0.05, count)
    au45 = np.where(np.arange(count) % 5 == 2, 5.0, 0.0).astype(np.float32)
    sway = 2.5 * np.sin(np.arange(count) * 0.23)
    degrees = np.stack([4 * np.sin(np.arange(count) * 0.31), 2 * np.cos(np.arange(count) * 0.17), 0 * sway], -1)
    rotation = matrix_from_degrees(degrees).astype(np.float32)
    shift = np.stack([np.sin(np.arange(count) * 0.31), 0.5 * np.cos(np.arange(count) * 0.4), 0 * sway], -1)
    translation = (shift + (0, 0, DISTANCE)).astype(np.float32)
    landmarks = np.stack([_landmarks(o, a) for o, a in zip(opening, au45, strict=True)])
    drawn = [
        _paint(size, landmarks[k], au45[k], rotation[k], translation[k], sway[k]) for k in range(count)
    ]  # fmt: skip
    return Person(
        frames=np.stack([frame for frame, _ in drawn]),
        masks=np.stack([mask for _, mask in drawn]),
        background=np.full((size, size, 3), (90, 150, 90), np.uint8),
        valid=np.ones(count, bool),
        shot=np.zeros(count, np.int32),
        rotation=rotation,
        translation=translation,
        expression=np.zeros((count, 52), np.float32),
        landmarks3d=landmarks,
        au45=au45,
        audio=rng.normal(size=(count, 4)).astype(np.float32),
        waveform=np.zeros(count * 640, np.float32),
        identity=np.zeros(60, np.float32),
        fps=25.0,
        focal_px=FOCAL_SIZES * size,
        center_px=(size / 2, size / 2),
        held_out=count // 10,
    )


def _landmarks(opening: float, au45: float) -> np.ndarray:
    points = np.zeros((68, 3), np.float32)
    angle = np.linspace(np.pi, 2 * np.pi, 17)
    points[:17, :2] = np.stack([7 * np.cos(angle), 8 * np.sin(angle) - 0.3 * opening * (np.sin(angle) < -0.5)], -1)
    points[17:27, :2] = np.stack([np.linspace(-4.5, 4.5, 10), np.full(10, 4.5)], -1)
    points[27:36, :2] = np.stack([np.linspace(-0.5, 0.5, 9), np.linspace(2, -1, 9)], -1)
    turn = np.array([np.pi, 2.2, 0.9, 0, -0.9, -2.2])
    lids = 0.6 * (1 - au45 / 5)
    for first, x in ((36, -3.2), (42, 3.2)):
        points[first : first + 6, :2] = np.stack([x + 1.3 * np.cos(turn), 2.5 + lids * np.sin(turn)], -1)
    for first, count, wide in ((48, 12, 2.2), (60, 8, 1.8)):
        turn = np.pi - np.arange(count) * 2 * np.pi / count
        points[first : first + count, :2] = np.stack([wide * np.cos(turn), -4 + 0.7 * opening * np.sin(turn)], -1)
    return points


def _paint(
    size: int, landmarks: np.ndarray, au45: float, rotation: np.ndarray, translation: np.ndarray, sway: float
) -> tuple[np.ndarray, np.ndarray]:
    """A picture and its labels; the face is a plane through the head's middle, seen in perspective."""
    line = (np.arange(size) + 0.5 - size / 2) / (FOCAL_SIZES * size)
    camera = np.stack([*np.meshgrid(line, line), np.ones((size, size))], -1) * (1, -1, -1)
    origin, ray = rotation.T @ (-translation * (1, -1, -1)), camera @ rotation
    x, y, _ = np.moveaxis(origin - ray * (origin[2] / ray[..., 2])[..., None], -1, 0)
    head = (x / 7.5) ** 2 + ((y - 0.5) / 8.5) ** 2 < 1
    open_by = max(1.3 * float(np.ptp(landmarks[48:, 1])) / 1.4, 0.1)
    mouth = (x / 3) ** 2 + ((y + 4) / open_by) ** 2 < 1
    eyes = (((np.abs(x) - 3.2) / 1.3) ** 2 + ((y - 2.5) / 1.2) ** 2 < 1) & head
    wide = camera[..., 0] * DISTANCE - sway
    torso = (-camera[..., 1] * DISTANCE > 5) & (np.abs(wide) < 13)
    frame = np.full((size, size, 3), (90, 150, 90), np.uint8)
    mask = np.full((size, size), BACKGROUND, np.uint8)
    shut = au45 > 2.5
    layers = (
        (torso, TORSO, CLOTHES), (torso & (np.abs(wide - 6) < 1.5), TORSO, STRIPE), (head, HEAD, SKIN),
        (mouth & head, MOUTH, DARK), (eyes, EYES, SKIN if shut else WHITE),
    )  # fmt: skip
    for where, label, colour in layers:
        frame[where], mask[where] = colour, label
    return frame, mask
