"""Emotion from faces: faces laid straight, their gradients, and what the encoder gives back."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.types import Portrait
from vultus.perception.judges import ROLES
from vultus.perception.judges.emotion_image import CROP_PX, INPUTS, aligned, gradients, load_emotion_image


def test_a_turned_and_smaller_picture_gives_the_same_face(portrait: Portrait):
    import cv2

    points, image = np.asarray(portrait.fit.landmarks)[:, :2], portrait.image
    turn = cv2.getRotationMatrix2D((image.shape[1] / 2, image.shape[0] / 2), 12, 0.8)
    turned = cv2.warpAffine(image, turn, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    here = aligned(image, points).astype(float)
    there = aligned(turned, points @ turn[:, :2].T + turn[:, 2]).astype(float)
    assert here.shape == CROP_PX[::-1]
    assert np.corrcoef(here.ravel(), there.ravel())[0, 1] > 0.98


def test_the_margin_lies_around_the_face(portrait: Portrait):
    points = portrait.fit.landmarks
    wide = aligned(portrait.image, points, margin_px=8)
    inner = wide[8:-8, 8:-8].astype(float)  # OpenCV rounds places to 1/32 pixel
    assert np.abs(inner - aligned(portrait.image, points)).mean() < 1


def test_gradients_do_not_change_with_brightness(portrait: Portrait):
    face = aligned(portrait.image, portrait.fit.landmarks)
    here, darker = gradients(face), gradients(face // 2)
    assert here.shape == (INPUTS,)
    assert np.corrcoef(here, darker)[0, 1] > 0.9 > np.corrcoef(here, gradients(face[::-1].copy()))[0, 1]


@pytest.mark.parametrize("role", ROLES)
def test_the_encoder_gives_probabilities_and_unit_vectors(role, portrait: Portrait):
    encoder = load_emotion_image(role)
    pictures, points = [portrait.image] * 2, np.stack([portrait.fit.landmarks] * 2)
    shares = encoder.probabilities(pictures, points)
    assert shares.shape == (2, 8) and np.allclose(shares.sum(1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(encoder.embed(pictures, points), axis=1), 1, atol=1e-5)
