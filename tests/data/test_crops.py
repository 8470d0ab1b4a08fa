"""Crops: each paper's places for eyes and mouth, steadiness, and shots kept apart."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.data.crops import PCAVS_TEMPLATE, FaceTrail, crop_of, cut, moved

BASE = np.zeros((68, 2))
BASE[36:42] += (-20, 0)
BASE[42:48] += (20, 0)
BASE[48:68] += (0, 48)
BASE[48], BASE[54] = (-15, 48), (15, 48)


def trail(count: int = 50, roll_deg: float = 0.0, noise: float = 0.0, jump: float = 0.0) -> FaceTrail:
    """A face in a 640 x 480 video that drifts right by a pixel a frame and, halfway, jumps."""
    angle = np.radians(roll_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    center = np.array([250.0, 200.0]) + np.arange(count)[:, None] * (1, 0)
    shot = np.zeros(count, int)
    if jump:
        shot[count // 2 :] = 1
        center[count // 2 :] += jump
    rng = np.random.default_rng(1)
    points = BASE @ turn.T + center[:, None] + noise * rng.standard_normal((count, 1, 2))
    box = np.concatenate([center - (40, 45), center + (40, 75)], 1)
    return FaceTrail(points, box, shot, 25, 640, 480)


def test_pcavs_puts_eyes_and_mouth_of_the_mean_face_in_their_places():
    face = trail(roll_deg=20)
    crop = crop_of("pcavs", face)
    assert (crop.width, crop.height) == (224, 224)
    points = moved(face.landmarks, crop.crop_from_source)
    for part, place in zip((slice(36, 42), slice(42, 48), slice(60, 68)), PCAVS_TEMPLATE, strict=True):
        assert np.abs(points[25:, part].mean(1) - place).max() < 3.5
    assert np.abs(points[:, 60:68].mean(1) - PCAVS_TEMPLATE[2]).max() < 1e-6 + 1.0


def test_pcavs_begins_anew_in_every_shot():
    points = moved(trail(jump=150).landmarks, crop_of("pcavs", trail(jump=150)).crop_from_source)
    assert np.abs(points[:, 60:68].mean(1) - PCAVS_TEMPLATE[2]).max() < 1


@pytest.mark.parametrize("roll_deg", [0, -25, 40])
def test_ffhq_stands_upright_with_the_published_size(roll_deg):
    face = trail(roll_deg=roll_deg)
    points = moved(face.landmarks, crop_of("ffhq", face).crop_from_source)[25]
    right, left, mouth = points[36:42].mean(0), points[42:48].mean(0), (points[48] + points[54]) / 2
    assert left[1] == pytest.approx(right[1], abs=0.2)
    half = max(2.0 * 40, 1.8 * 48)  # eyes 40 apart, mouth 48 below
    assert left[0] - right[0] == pytest.approx(40 * 128 / half, rel=1e-3)
    np.testing.assert_allclose((right + left) / 2 + 0.1 * (mouth - (right + left) / 2), (128, 128), atol=1)


def test_ffhq_is_steady_but_does_not_smooth_across_a_cut():
    shaky, size = trail(noise=2.0), 256
    offsets = crop_of("ffhq", shaky, size).crop_from_source[:, 0, 2]
    scale = crop_of("ffhq", shaky, size).crop_from_source[0, 0, 0]
    assert np.std(np.diff(offsets)) < 0.3 * np.std(np.diff(shaky.landmarks[:, 0, 0])) * scale
    points = moved(trail(jump=150).landmarks, crop_of("ffhq", trail(jump=150)).crop_from_source)
    assert np.abs(points[20:30, 36:48].mean(1)[:, 0] - 128).max() < 15  # at the cut, smoothing is one-sided


def test_wav2lip_stretches_the_box():
    face = trail()
    crop = crop_of("wav2lip", face)
    corners = np.stack([face.box[:, :2], face.box[:, 2:]], 1)
    inside = moved(corners, crop.crop_from_source)[5:-5]
    assert (crop.width, crop.height) == (96, 96)
    np.testing.assert_allclose(inside, np.broadcast_to([[0, 0], [96, 96]], inside.shape), atol=1e-6)


def test_person_is_one_square_inside_the_picture():
    crop = crop_of("person", trail())
    assert np.ptp(crop.crop_from_source, axis=0).max() == 0
    corners = (np.array([[0, 0], [512, 512]]) - crop.crop_from_source[0][:, 2]) / crop.crop_from_source[0][0, 0]
    assert (corners >= 0).all() and (corners <= (640, 480)).all()
    assert corners[1, 0] - corners[0, 0] == pytest.approx(2.3 * 120)


def test_full_keeps_the_picture_with_even_sides():
    face = trail(3)
    crop = crop_of("full", FaceTrail(face.landmarks, face.box, face.shot, 25, 641, 479))
    assert (crop.width, crop.height) == (640, 478) and (crop.crop_from_source[0, :, :2] == np.eye(2)).all()
    half = crop_of("full", face, 320)
    assert (half.width, half.height) == (320, 240)


def test_cut_puts_pixels_where_the_map_says():
    image = np.zeros((60, 80, 3), np.uint8)
    image[20:30, 40:50] = 255
    same = cut(image, np.array([[1, 0, 0], [0, 1, 0]]), 80, 60)
    assert (same == image).all()
    twice = cut(image, np.array([[2, 0, -60], [0, 2, -20]]), 60, 60)
    assert twice[30, 30].min() == 255 and twice[10, 10].max() == 0 and twice[22:38, 22:38].min() == 255
    small = cut(image, np.array([[0.25, 0, 0], [0, 0.25, 0]]), 20, 15)
    assert small.astype(float).sum() == pytest.approx(image.astype(float).sum() / 16, rel=0.1)
    ys, xs = np.nonzero(small[:, :, 0] > 60)
    assert (xs.mean() + 0.5, ys.mean() + 0.5) == pytest.approx((45 / 4, 25 / 4), abs=0.35)
