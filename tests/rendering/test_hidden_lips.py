"""Skin around the mouth that the picture hides: where its colour comes from, and what it hides in turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vultus.core.method import Look
from vultus.core.types import Portrait
from vultus.face.head import embedded_head, project
from vultus.methods.portrait.model import PhotoRenderer
from vultus.rendering.hidden_lips import inner_lips, texture_positions
from vultus.rendering.mouth import Mouth
from vultus.rendering.surface import MovedSurface, head_pose
from vultus.rendering.texture import Texture

HEAD = embedded_head()
FRONTAL = (HEAD.mean[:, :2] * [10, -10] + 200).astype(np.float32)


def hidden_where(hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions, brightness and borrowers of the whole head where a picture hides some of it."""
    index = np.arange(len(HEAD.mean))
    return texture_positions(HEAD, index, HEAD.mean, FRONTAL, ~hidden, np.zeros(52))


def test_the_far_cheek_of_a_turned_face_is_not_darkened():
    far = HEAD.mean[:, 0] < -1.5
    positions, brightness, borrows = hidden_where(far)
    outside = borrows & ~inner_lips(HEAD)
    assert outside.sum() > 30  # lips' red and cheek
    np.testing.assert_array_equal(brightness[outside], 1)
    near_edge = HEAD.mean[outside, 0] > -2.0
    assert near_edge.any() and (positions[outside][near_edge, 0] > FRONTAL[far, 0].max() - 1).all()


def test_the_inside_of_shut_lips_is_darker_the_deeper():
    inner = inner_lips(HEAD)
    _, brightness, borrows = hidden_where(inner)
    assert borrows[HEAD.mouth_rim].all()
    front = inner & (np.abs(HEAD.mean[:, 0]) < 1.0) & (HEAD.mean[:, 2] > np.median(HEAD.mean[inner, 2]))
    assert brightness[HEAD.mouth_rim].max() < brightness[front].max()
    assert brightness[HEAD.mouth_rim].mean() < 0.8 < brightness[front].max() < 1


def test_the_lips_red_is_not_their_inside():
    inner = inner_lips(HEAD)
    assert inner[HEAD.mouth_rim].all() and not inner[HEAD.landmark68[48:60]].any()


@pytest.mark.parametrize("yaw", [0, 20, -20])
def test_skin_that_the_backdrop_shows_still_hides_the_mouths_inside(portrait: Portrait, yaw: float):
    """Where a turned face's skin is not drawn, its mouth's rim must not become a hole."""
    renderer = PhotoRenderer(portrait, Look(crop="face", size=200)).renderer
    surface, fit = renderer.surface, renderer.fit
    mouth = Mouth(HEAD, replace(surface, skin=surface.skin[:0]), fit, renderer.canvas.texture)
    points = surface.moved(np.zeros(52)) + renderer.closing
    pose = head_pose(fit, np.array([yaw, 0.0, 0.0]), np.zeros(3))
    posed = pose.apply(points, surface.follow, surface.pivot)
    screen = project(posed, fit.rotation, fit.translation, fit.focal_px, fit.center_px).astype(np.float32)
    screen[:, :2] -= renderer.canvas.margin_px
    attributes = np.zeros((len(points), 4), np.float32)
    image = np.full((*renderer.canvas.stage[:1:-1], 3), 200, np.uint8)
    flow = np.zeros((*image.shape[:2], 2), np.float32)
    moved = MovedSurface(points, screen, attributes, pose)
    mouth.draw(moved, Texture(np.full_like(image, 200)), image, flow, renderer.canvas.margin_px, 0.0)
    assert image.min() > 150
