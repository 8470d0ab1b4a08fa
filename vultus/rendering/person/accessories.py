"""Glasses, a headscarf, a knitted cap: solid things that go with the head."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vultus.face.head import HeadModel
from vultus.rendering.person.appearance import Wear, linear
from vultus.rendering.person.chart import AXIS_Z, BOTTOM, HEIGHT, TOP, WIDTH
from vultus.rendering.person.garments import Patch, neck_follow
from vultus.rendering.person.materials import GLOSSY, HEADWEAR
from vultus.rendering.person.skull import Skull

TUBE = 0.13
"""Radius of a spectacle frame."""
LENS = (2.35, 1.75)
"""Half width and half height of a lens."""
SCARF_ROWS, CAP_ROWS, AROUND = 44, 20, 96


def lens_outline(wear: Wear, head: HeadModel, vertices: np.ndarray, side: int) -> np.ndarray:
    """(40, 3) points around one lens; `side` is 1 on the subject's left, -1 on the right."""
    eye = head.eye_centres(vertices)[0 if side > 0 else 1]
    front = float(vertices[head.landmark68[[17, 26, 27, 36, 45]], 2].max()) + 0.35
    turn = np.linspace(0, 2 * np.pi, 41)[:-1]
    power = 0.55 + 0.45 * wear.glasses_round
    x = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power * LENS[0]
    y = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power * LENS[1] * (0.85 + 0.25 * wear.glasses_round)
    x = eye[0] + side * 0.08 + x
    return np.stack([x, eye[1] - 0.35 + y, front - 0.035 * x**2], 1)


def glasses(wear: Wear, head: HeadModel, rest: np.ndarray) -> list[Patch]:
    """The frame of a pair of glasses, or nothing."""
    if wear.glasses is None:
        return []
    left, right = (lens_outline(wear, head, rest, side) for side in (1, -1))
    bridge = np.linspace(right[np.argmax(right[:, 0])], left[np.argmin(left[:, 0])], 7)
    bridge[:, 1] += 0.55 * np.sin(np.linspace(0, np.pi, 7)) + 0.3
    bridge[:, 2] += 0.1
    colour = linear(wear.glasses)
    tubes = [_tube(left, True, colour), _tube(right, True, colour), _tube(bridge, False, colour)]
    ear_y = float(rest[head.landmark68[[0, 16]], 1].mean()) + 0.9
    for rim, side in ((left, 1), (right, -1)):
        hinge = rim[np.argmax(side * rim[:, 0])] + [0, 0.5, 0]
        reach = np.array([side * 8.5, ear_y, 0.2])
        temple = np.linspace(hinge, reach, 9)
        temple[:, 0] = side * np.maximum(np.abs(temple[:, 0]), _wide_at(rest, temple, side) + 0.2)
        tubes.append(_tube(temple, False, colour))
    return tubes


def headwear(wear: Wear, skull: Skull) -> list[Patch]:
    """A headscarf around the face or a cap over the hair, or nothing."""
    if wear.headwear == "headscarf":
        return [_scarf(skull)]
    if wear.headwear == "beanie":
        return [_cap(skull)]
    return []


def _scarf(skull: Skull) -> Patch:
    """Cloth all over head and neck, but for an oval around the face."""
    points, angle, up = _hull(skull, SCARF_ROWS, -1.25, lambda up: 0.75 + 0.9 * np.clip(-up, 0, 1) ** 2)
    fold = 0.09 * np.sin(5 * up * 3.1 + 2.5 * np.abs(np.radians(angle)) * 2)
    points += (points - skull.centre) * (fold / 10)[:, None]
    height = points[:, 1]
    face = 1 - (angle / 44.0) ** 2 - ((height - 1.4) / 9.4) ** 2
    return _woven(points, SCARF_ROWS, angle, -face, neck_follow(points))


def _cap(skull: Skull) -> Patch:
    """Knitted cloth down to the forehead and over the tops of the ears, with a turned-up brim."""
    points, angle, _ = _hull(skull, CAP_ROWS, 0.18, _cap_thickness)
    edge = points[:, 1] - np.interp(np.abs(angle), [0, 40, 80, 180], [7.6, 7.0, 4.2, 2.0])
    return _woven(points, CAP_ROWS, angle, edge + 0.6, np.ones(len(points)))


def _cap_thickness(up: np.ndarray) -> np.ndarray:
    """Distance from the skin by elevation: room above the crown, a brim folded over at the edge."""
    return 1.45 + 0.8 * np.clip(up - 0.6, 0, 1) + 0.35 * (up < 0.62)


def _hull(
    skull: Skull, rows: int, lowest: float, away: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (rows * AROUND, 3) over the skull from the crown down to an elevation, their angles and elevations."""
    up = np.repeat(np.linspace(np.pi / 2 - 0.02, lowest, rows), AROUND)
    around = np.tile(np.linspace(-np.pi, np.pi, AROUND + 1)[:-1], rows)
    way = np.stack([np.sin(around) * np.cos(up), np.sin(up), np.cos(around) * np.cos(up)], 1)
    _, skin = skull.at(skull.centre + way)
    points = skull.centre + way * (skin + away(up))[:, None]
    angle = np.degrees(np.arctan2(points[:, 0], points[:, 2] - AXIS_Z))
    return points, angle, up


def _woven(points: np.ndarray, rows: int, angle: np.ndarray, cut: np.ndarray, follow: np.ndarray) -> Patch:
    numbers = np.arange(rows * AROUND).reshape(rows, AROUND)
    a, b = numbers[:-1], np.roll(numbers, -1, 1)[:-1]
    c, d = numbers[1:], np.roll(numbers, -1, 1)[1:]
    faces = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    chart = [(angle / 360 + 0.5) * WIDTH, (TOP - points[:, 1]) / (TOP - BOTTOM) * HEIGHT, cut]
    return Patch(points, faces, np.full(len(faces), HEADWEAR), np.stack(chart, 1), follow)


def _tube(path: np.ndarray, closed: bool, colour: np.ndarray) -> Patch:
    """A round wire along a path (N, 3)."""
    sides = 6
    ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    across = np.cross(ahead, [0.1, 0.2, 1.0])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    other = np.cross(ahead, across)
    turn = np.linspace(0, 2 * np.pi, sides + 1)[:-1]
    ring = TUBE * (np.cos(turn)[None, :, None] * across[:, None] + np.sin(turn)[None, :, None] * other[:, None])
    points = (path[:, None] + ring).reshape(-1, 3)
    numbers = np.arange(len(points)).reshape(-1, sides)
    start, end = (numbers, np.roll(numbers, -1, 0)) if closed else (numbers[:-1], numbers[1:])
    a, b, c, d = start, np.roll(start, -1, 1), end, np.roll(end, -1, 1)
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])
    surface = np.tile(colour, (len(points), 1))
    return Patch(points, faces, np.full(len(faces), GLOSSY), surface, np.ones(len(points)))


def _wide_at(rest: np.ndarray, path: np.ndarray, side: int) -> np.ndarray:
    """How far out (N,) the head is where a path passes."""
    near = [rest[(np.abs(rest[:, 1] - y) < 0.8) & (np.abs(rest[:, 2] - z) < 0.9) & (side * rest[:, 0] < 8.3)]
            for _, y, z in path]  # fmt: skip
    return np.array([float((side * points[:, 0]).max()) if len(points) else 0.0 for points in near])
