"""The inside of the mouth: what an open one shows, and how light fades in it."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.bases import index_of
from vultus.core.method import Look
from vultus.core.types import Portrait
from vultus.methods.portrait.model import PhotoRenderer
from vultus.rendering.mouth import Mouth
from vultus.rendering.texture import Texture


@pytest.fixture(scope="module")
def mouth(portrait: Portrait) -> Mouth:
    return PhotoRenderer(portrait, Look(crop="face", size=200)).renderer.mouth


def opened(mouth: Mouth, jaw: float) -> np.ndarray:
    """Points (A, 3) of a mouth opened by a weight of the jaw, the tongue lowered."""
    expression = np.zeros(52, np.float32)
    expression[index_of("jawOpen")] = jaw
    points = mouth.surface.moved(expression)
    mouth.lower_tongue(points, 0.0)
    return points


@pytest.mark.parametrize("jaw", [0.4, 0.7])
def test_an_open_mouth_shows_its_tongue(mouth: Mouth, jaw: float):
    points = opened(mouth, jaw)
    tongue = mouth.inner["tongue"]
    lower, upper = points[mouth.lower_lip, 1], points[mouth.upper_lip, 1]
    shown = tongue[(points[tongue, 1] > lower) & (np.abs(points[tongue, 0]) < 1)]
    assert 0.3 < (points[shown, 1].max() - lower) / (upper - lower) < 0.75  # a floor, not a plug
    brightness = mouth.lit(points)[mouth.place[shown]].mean(1)
    lip = mouth.darkness.mean() / 0.15
    assert np.percentile(brightness, 75) > 0.3 * lip


def test_light_reddens_as_it_fades(mouth: Mouth):
    share = mouth.lit(opened(mouth, 0.6)) / np.maximum(mouth.colours, 1e-3)
    red, blue = share[:, 0], share[:, 2]
    deep, front = red < np.percentile(red, 25), red > np.percentile(red, 90)
    assert (blue[deep] / red[deep]).mean() < 0.95 * (blue[front] / red[front]).mean()
    assert share.max() < 1.1 and (share >= 0).all()


def test_the_backs_of_teeth_lie_in_shadow(mouth: Mouth):
    teeth = mouth.inner["lower_teeth"]
    rest, colour = mouth.surface.rest[teeth], mouth.colours[mouth.place[teeth]].mean(1)
    front = np.abs(rest[:, 0]) < 1
    outer, inner = (rest[front, 2] > np.percentile(rest[front, 2], q) for q in (75, 25))
    assert colour[front][~inner].mean() < 0.75 * colour[front][outer].mean()


@pytest.mark.parametrize("pressed", [0.4, 0.8])
def test_the_line_where_shut_lips_meet_has_no_steps(portrait: Portrait, pressed: float):
    """On a picture that is white above the lips' middle and black below, the line's height is no whole number."""
    renderer = PhotoRenderer(portrait, Look(crop="face", size=300)).renderer
    lips = renderer.fit.landmarks[[78, 81, 13, 311, 308], :2], renderer.fit.landmarks[[78, 178, 14, 402, 308], :2]
    line = (lips[0] + lips[1]) / 2
    height, width = renderer.canvas.texture.shape[:2]
    split = np.interp(np.arange(width), line[:, 0], line[:, 1])
    white = np.arange(height)[:, None] < split
    renderer._texture = Texture(np.repeat(255 * white[..., None], 3, 2).astype(np.uint8))
    expression = np.zeros(52, np.float32)
    for name in ("mouthPressLeft", "mouthPressRight", "mouthRollLower", "mouthRollUpper"):
        expression[index_of(name)] = pressed
    frame = renderer.frame(expression, np.array([0.0, 0, -4]), np.zeros(3), np.zeros(2))
    x, y = np.round(line[2] - renderer.canvas.margin_px).astype(int)
    heights = frame[y - 12 : y + 12, x - 12 : x + 12].mean(2).sum(0) / 255
    assert heights.min() > 2 and np.abs(np.diff(heights, 2)).max() < 0.4
