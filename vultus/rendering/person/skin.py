"""Painting skin on the chart: colour by melanin and blood, lips, brows, stubble, freckles, lines; and its gloss."""

from __future__ import annotations

import cv2
import numpy as np

from vultus.rendering.person.appearance import Appearance, Hair, Skin, linear
from vultus.rendering.person.chart import (
    BOTTOM,
    HEIGHT,
    TOP,
    WIDTH,
    blob,
    both_sides,
    grid,
    hairline,
    marks_px,
    noise,
    ramp,
)  # fmt: skip

TONES = np.array(
    [(238, 201, 184), (226, 181, 156), (204, 152, 120), (166, 114, 84), (120, 80, 59), (84, 56, 44)], np.float32
)
"""sRGB of cheeks in even light, from no melanin to most."""


def tone(skin: Skin) -> np.ndarray:
    """Linear albedo (3,) of plain skin."""
    place = np.clip(skin.melanin, 0, 1) * (len(TONES) - 1)
    colour = np.array([np.interp(place, range(len(TONES)), TONES[:, c]) for c in range(3)])
    colour = colour * (1 + 0.05 * skin.warmth * np.array([0.0, 0.6, -1.0]))
    return linear(tuple(colour)) * (1 + 0.12 * skin.blood * np.array([0.5, -0.6, -0.6], np.float32))


def paint_skin(person: Appearance, rng: np.random.Generator) -> np.ndarray:
    """Chart (HEIGHT, WIDTH, 4) float32: linear albedo, and gloss 0-1."""
    skin = person.skin
    base = tone(skin)
    albedo = np.tile(base, (HEIGHT, WIDTH, 1)).astype(np.float32)
    _redden(albedo, _blood(rng), skin)
    mottle = 0.05 * noise(rng, 40) + 0.035 * noise(rng, 14) + 0.03 * noise(rng, 5) + 0.04 * noise(rng, 2)
    albedo *= np.exp(0.6 * mottle * np.float32(0.6 + 0.4 * skin.age))[..., None]
    _eye_surroundings(albedo, skin)
    _freckles_and_moles(albedo, skin, rng)
    _lines(albedo, skin, rng)
    gloss = _gloss(skin, rng)
    lips = lip_mask()
    _paint_lips(albedo, lips, skin, base, rng)
    gloss = np.maximum(gloss, (0.75 if skin.lip_colour else 0.5) * lips)
    hair = linear(person.hair.colour) * 0.5
    _cover(albedo, gloss, brows(person.hair, rng), hair)
    _cover(albedo, gloss, scalp_cover(person.hair, rng), hair)
    _cover(albedo, gloss, beard_shadow(person.hair, rng), 0.35 * hair + 0.25 * base)
    return np.concatenate([np.clip(albedo, 0.002, 1), gloss[..., None]], -1).astype(np.float32)


def lip_mask() -> np.ndarray:
    """Lips (HEIGHT, WIDTH) float32 0-1 with a soft border."""
    outer = marks_px()[48:60]
    closed = np.vstack([outer, outer[:1]])
    steps = np.arange(len(closed))
    from scipy.interpolate import CubicSpline

    curve = CubicSpline(steps, closed, bc_type="periodic")(np.linspace(0, len(outer), 120))
    # The cupid's bow is sharper than a spline through three points.
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.fillPoly(mask, [np.round(curve * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask, (0, 0), 1.6)


def beard_area(hair: Hair) -> np.ndarray:
    """Where a beard grows (HEIGHT, WIDTH) 0-1, by its style: cheeks below a line, chin, upper lip, upper neck."""
    angle, row = grid()
    side = np.abs(angle)
    upper_lip = both_sides(9, -1.55, 9, 0.38) + blob(0, -1.5, 12, 0.3)
    upper_lip = np.clip(1.6 * upper_lip, 0, 1) * ramp(side, 27, 21)
    chin = np.clip(1.9 * blob(0, -6.2, 14, 1.35), 0, 1) * ramp(row, -4.2, -4.9)
    beside = np.clip(1.8 * both_sides(26, -3.8, 4.5, 1.6), 0, 1)
    line = np.interp(side, [0, 18, 26, 40, 60, 72, 82], [-4.6, -4.4, -1.9, -1.6, 0.4, 2.6, 3.0])
    neck = np.interp(side, [0, 40, 80], [-9.2, -8.2, -4.0])
    jaw = ramp(row - line, 0.6, -0.6) * ramp(row - neck, -0.8, 0.9) * ramp(side, 88, 78)
    jaw = jaw * np.where(side < 24, ramp(row, -4.4, -5.0), 1.0)
    style = hair.beard
    if style == "moustache":
        area = upper_lip
    elif style == "goatee":
        area = np.maximum.reduce([upper_lip, chin, beside])
    else:
        area = np.maximum.reduce([upper_lip, chin, jaw, beside])
    return (area * (1 - lip_mask())).astype(np.float32)


def brows(hair: Hair, rng: np.random.Generator) -> np.ndarray:
    """Coverage (HEIGHT, WIDTH) 0-1 of the brows: single hairs over a soft shade."""
    scale = 3
    marks = marks_px()
    cover = np.zeros((HEIGHT, WIDTH), np.float32)
    for points in (marks[17:22][::-1], marks[22:27]):
        path = np.stack([np.interp(np.linspace(0, 4, 60), range(5), points[:, c]) for c in range(2)], 1)
        low = np.floor(path.min(0) - 22).astype(int)
        size = np.ceil(path.max(0) + 22).astype(int) - low
        fine = np.zeros((size[1] * scale, size[0] * scale), np.float32)
        outward = np.sign(path[-1, 0] - path[0, 0])
        for _ in range(round(190 + 300 * hair.brow_thickness)):
            t = rng.uniform(0, 1)
            middle = path[int(t * 59)] - low
            thick = (3.2 + 5.5 * hair.brow_thickness) * np.interp(t, [0, 0.12, 0.55, 1], [0.75, 1.0, 0.85, 0.28])
            root = middle + [rng.normal() * 1.5, rng.uniform(-0.5, 0.5) * thick + 1.5]
            up = np.interp(t, [0, 0.3, 0.7, 1], [-1.4, -0.6, -0.1, 0.35]) + rng.normal() * 0.18
            length = rng.uniform(5, 9) * (0.8 + 0.4 * hair.brow_thickness)
            tip = root + length * np.array([outward * np.cos(np.arctan(up)), np.sin(np.arctan(up))])
            ends = np.round(np.stack([root, (root + tip) / 2 + [0, -0.4], tip]) * scale * 8).astype(np.int32)
            cv2.polylines(fine, [ends], False, rng.uniform(0.5, 1.0), 1, cv2.LINE_AA, 3)
        soft = cv2.GaussianBlur(fine, (0, 0), 1.6 * scale)
        patch = cv2.resize(np.clip(0.6 * fine + 1.1 * soft, 0, 1), tuple(size), interpolation=cv2.INTER_AREA)
        part = cover[low[1] : low[1] + size[1], low[0] : low[0] + size[0]]
        np.maximum(part, patch, out=part)
    return np.clip(cover * (0.75 + 0.35 * hair.brow_thickness), 0, 0.95)


def scalp_cover(hair: Hair, rng: np.random.Generator) -> np.ndarray:
    """How much (HEIGHT, WIDTH) of the scalp's skin its hair hides, before any strand is drawn."""
    angle, row = grid()
    depth = row - scalp_edge(hair, np.broadcast_to(angle, (WIDTH,)), rng)[None]
    if hair.style == "bald":
        return np.zeros((HEIGHT, WIDTH), np.float32)
    soft = 0.8 if hair.style in ("shaved", "balding") else 0.5
    grown = ramp(depth + 0.18 * noise(rng, 5), -0.3, soft)
    if hair.style == "shaved":
        return (0.6 * grown * (0.85 + 0.1 * noise(rng, 1.5))).astype(np.float32).clip(0, 1)
    return (0.93 * grown).astype(np.float32)


def scalp_edge(hair: Hair, angle_deg: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
    """Height of this person's hairline at angles, with recession at the temples."""
    edge = hairline(angle_deg)
    side = np.abs(angle_deg)
    edge = edge + hair.recession * 2.2 * np.exp(-0.5 * ((side - 26) / 9) ** 2) + hair.recession * 0.8 * (side < 50)
    if hair.style == "balding":
        crown = np.interp(side, [0, 50, 62, 70, 84, 112, 150, 180], [40, 40, 6.6, 4.5, 5.5, 6.5, 6.8, 6.8])
        edge = np.where(side < 66, np.maximum(edge, crown), edge)
    return edge


def beard_shadow(hair: Hair, rng: np.random.Generator) -> np.ndarray:
    """Coverage (HEIGHT, WIDTH) 0-1 by the roots of a beard."""
    if hair.beard == "none":
        return np.zeros((HEIGHT, WIDTH), np.float32)
    dots = 0.55 + 0.25 * noise(rng, 1.3) + 0.15 * noise(rng, 6)
    strength = {"stubble": 0.42, "moustache": 0.8, "goatee": 0.75, "short": 0.75, "full": 0.85}[hair.beard]
    return np.clip(strength * beard_area(hair) * (dots + 0.45), 0, 0.92).astype(np.float32)


def _blood(rng: np.random.Generator) -> np.ndarray:
    """Where blood shows (HEIGHT, WIDTH): cheeks, nose, ears, chin, lids; less on the forehead."""
    cheeks = both_sides(36, 0.3, 11, 1.5) * (0.8 + 0.25 * noise(rng, 8))
    nose = blob(0, 0.6, 9, 1.3) + 0.4 * both_sides(8, -0.2, 4, 0.6)
    ears = both_sides(99, 1.0, 12, 3.0)
    rest = 0.35 * blob(0, -6, 14, 0.9) + 0.35 * both_sides(26, 3.3, 11, 0.9) - 0.3 * blob(0, 8.5, 35, 1.6)
    return (0.75 * cheeks + 0.9 * nose + 0.7 * ears + rest + 0.12 * noise(rng, 25)).astype(np.float32)


def _redden(albedo: np.ndarray, blood: np.ndarray, skin: Skin) -> None:
    amount = 0.16 * (1 + 0.6 * skin.blood) * (1 - 0.55 * skin.melanin)
    albedo *= np.exp(np.multiply.outer(blood * amount, np.array([0.12, -1.0, -0.8], np.float32)))


def _eye_surroundings(albedo: np.ndarray, skin: Skin) -> None:
    below = both_sides(20, 2.15, 8, 0.45) + 0.6 * both_sides(12, 2.6, 4, 0.5)
    lids = both_sides(25, 4.25, 9, 0.35)
    tint = np.multiply.outer(below, np.array([-0.10, -0.14, -0.07], np.float32)) * (0.5 + 0.8 * skin.age)
    tint += np.multiply.outer(lids, np.array([-0.06, -0.12, -0.10], np.float32))
    tint += np.multiply.outer(lids, np.array([-0.5, -0.8, -0.6], np.float32)) * skin.eye_shadow
    albedo *= np.exp(tint)


def _freckles_and_moles(albedo: np.ndarray, skin: Skin, rng: np.random.Generator) -> None:
    spots = np.zeros((HEIGHT, WIDTH), np.float32)
    for _ in range(round(420 * skin.freckles)):
        angle, height = rng.normal(0, 30), rng.normal(0.8, 2.2)
        _dot(spots, angle, height, rng.uniform(0.5, 1.5), rng.uniform(0.2, 0.7))
    spots = cv2.GaussianBlur(spots, (0, 0), 0.7)
    moles = np.zeros_like(spots)
    for _ in range(skin.moles):
        _dot(moles, rng.uniform(-75, 75), rng.uniform(-9, 9), rng.uniform(0.8, 2.0), 0.9)
    moles = cv2.GaussianBlur(moles, (0, 0), 0.6)
    albedo *= np.exp(-np.multiply.outer(spots, np.array([0.25, 0.5, 0.65], np.float32)) * (1 - 0.6 * skin.melanin))
    albedo *= np.exp(-np.multiply.outer(moles, np.array([0.8, 1.1, 1.2], np.float32)))


def _dot(field: np.ndarray, angle_deg: float, height: float, radius_px: float, value: float) -> None:
    centre = np.array([(angle_deg / 360 + 0.5) * WIDTH, (TOP - height) / (TOP - BOTTOM) * HEIGHT])
    cv2.circle(field, tuple(np.round(centre * 8).astype(int)), round(radius_px * 8), value, -1, cv2.LINE_AA, 3)


_LINES = (
    ((8, -0.2), (17, -1.2), (24, -2.4), (27, -3.6)),
    ((34, 3.5), (39, 3.3), (44, 2.7)),
    ((34, 3.8), (40, 4.1), (45, 4.5)),
    ((10, 2.2), (16, 1.7), (24, 1.7)),
)  # fmt: skip
"""Lines (angle, height) that come on each side with the years: nose to mouth, crow's feet, under the eye."""


def _lines(albedo: np.ndarray, skin: Skin, rng: np.random.Generator) -> None:
    ink = np.zeros((HEIGHT, WIDTH), np.float32)
    for side in (-1, 1):
        for line in _LINES:
            _stroke(ink, [(side * angle, height) for angle, height in line], 1.0)
    for height in (7.4, 8.3, 9.2):
        wave = rng.normal(size=5) * 0.12
        _stroke(ink, [(a, height + w) for a, w in zip((-30, -15, 0, 15, 30), wave, strict=True)], 0.7)
    ink = 0.6 * cv2.GaussianBlur(ink, (0, 0), 1.2) + 1.6 * cv2.GaussianBlur(ink, (0, 0), 3.5)
    albedo *= np.exp(-(0.05 + 0.5 * max(0.0, skin.age - 0.25)) * ink)[..., None]


def _stroke(field: np.ndarray, line: list[tuple[float, float]], value: float) -> None:
    points = np.array([((a / 360 + 0.5) * WIDTH, (TOP - h) / (TOP - BOTTOM) * HEIGHT) for a, h in line])
    fine = np.stack([np.interp(np.linspace(0, len(line) - 1, 24), range(len(line)), points[:, c]) for c in (0, 1)], 1)
    cv2.polylines(field, [np.round(fine * 8).astype(np.int32)], False, value, 1, cv2.LINE_AA, 3)


def _gloss(skin: Skin, rng: np.random.Generator) -> np.ndarray:
    zone = (
        blob(0, 1.2, 7, 2.2)
        + 0.8 * blob(0, 8.3, 26, 1.8)
        + 0.6 * both_sides(32, 1.2, 9, 1.0)
        + 0.4 * blob(0, -6, 9, 0.7)
    )
    return np.clip((0.28 + 0.45 * np.clip(zone, 0, 1)) * skin.gloss * (1 + 0.25 * noise(rng, 3)), 0.02, 1).astype(
        np.float32
    )


def _paint_lips(albedo: np.ndarray, lips: np.ndarray, skin: Skin, base: np.ndarray, rng: np.random.Generator) -> None:
    pale, dark = np.array([0.92, 0.50, 0.52]), np.array([1.12, 0.66, 0.72])
    natural = base * (pale + (dark - pale) * skin.melanin) * (1 - 0.25 * (skin.lip_redness - 0.5) * np.array([0, 1, 1]))
    natural = natural * 0.94
    colour = natural if skin.lip_colour is None else 0.25 * natural + 0.75 * linear(skin.lip_colour)
    _, row = grid()
    lower = ramp(row, -3.2, -3.7) * np.ones((1, WIDTH), np.float32)
    shade = (0.94 + 0.10 * lower) * np.exp(0.05 * noise(rng, 2.5))
    target = np.multiply.outer(shade, colour).astype(np.float32)
    albedo += (lips * 0.92)[..., None] * (target - albedo)


def _cover(albedo: np.ndarray, gloss: np.ndarray, cover: np.ndarray, colour: np.ndarray) -> None:
    albedo += cover[..., None] * (colour.astype(np.float32) - albedo)
    gloss *= 1 - 0.8 * cover
