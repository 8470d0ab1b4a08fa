"""The inside of the mouth: what an open one shows, and how light fades in it."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.bases import index_of
from vultus.core.method import Look
from vultus.core.types import Portrait
from vultus.methods.portrait.model import PhotoRenderer
from vultus.rendering.mouth import Mouth


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
