"""Emotion from faces: what the network is given, mirrored and turned; and what the encoder gives back."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.types import Portrait
from vultus.face.head import embedded_head
from vultus.perception.judges import ROLES
from vultus.perception.judges.emotion_image import (
    INPUTS,
    POINT_INPUTS,
    face_inputs,
    gradients_of,
    load_emotion_image,
    mirrored_columns,
    pose_free,
)


def rotation(yaw_deg: float, roll_deg: float) -> np.ndarray:
    yaw, roll = np.radians([yaw_deg, roll_deg])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return about_z @ about_y


def test_pose_and_size_are_taken_out():
    head = embedded_head()
    points = np.asarray(head.landmarks478(head.mean + head.expression_basis[17] * 0.5), np.float64)
    picture = points * (1, -1, -1)
    posed = 7.3 * (points @ rotation(25, -12).T) * (1, -1, -1) + (200, 180, 30)
    assert np.allclose(pose_free(picture[None]), pose_free(posed[None]), atol=1e-3)


def test_mirroring_twice_changes_nothing():
    columns, signs = mirrored_columns()
    assert np.array_equal(columns[columns], np.arange(INPUTS))
    assert np.array_equal(signs * signs[columns], np.ones(INPUTS))


def test_gradients_of_a_mirrored_picture_are_the_mirrored_gradients(portrait: Portrait):
    points = portrait.fit.landmarks
    mirrored = points * (-1, 1, 1) + (portrait.image.shape[1], 0, 0)
    swapped = mirrored.copy()
    right, left = [33, 133, 127, 234, 162], [263, 362, 356, 454, 389]
    swapped[right], swapped[left] = mirrored[left], mirrored[right]
    here = gradients_of(portrait.image, points)
    there = gradients_of(portrait.image[:, ::-1], swapped)
    columns = mirrored_columns()[0][POINT_INPUTS:] - POINT_INPUTS
    assert np.abs(here[columns] - there).mean() < 0.4 * np.abs(here - there).mean()


@pytest.mark.parametrize("role", ROLES)
def test_the_encoder_gives_probabilities_and_unit_vectors(role, portrait: Portrait):
    encoder = load_emotion_image(role)
    pictures, points = [portrait.image] * 2, np.stack([portrait.fit.landmarks] * 2)
    shares = encoder.probabilities(pictures, points)
    assert shares.shape == (2, 8) and np.allclose(shares.sum(1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(encoder.embed(pictures, points), axis=1), 1, atol=1e-5)
    assert face_inputs(pictures, points).shape == (2, INPUTS)
