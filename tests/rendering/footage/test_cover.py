"""Something in front of the mouth is noticed, and a mouth that merely opens is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.film import FACELESS, Film
from vultus.face.points import FOOTAGE_POINTS
from vultus.rendering.footage.cover import CoverWatch

COVERED = range(8, 18)
_MOUTH, _CHIN = FOOTAGE_POINTS.index(13), FOOTAGE_POINTS.index(152)


def hidden(film: Film, images: list[np.ndarray]) -> np.ndarray:
    watch = CoverWatch(film.track)
    for shown, image in zip(watch.watched(images), images, strict=True):
        assert shown is image
    return watch.hidden()


def test_a_free_mouth_is_not_hidden_however_it_opens(film):
    assert not hidden(film, list(film.images)).any()


def test_a_hand_before_the_mouth_is_seen_while_it_is_there(film):
    images = []
    for t, image in enumerate(film.images):
        image = image.copy()
        if t in COVERED:
            mouth, chin = film.track.points[t, [_MOUTH, _CHIN]]
            radius = int(0.9 * np.linalg.norm(chin - mouth))
            cv2.circle(image, tuple(np.round(mouth).astype(int).tolist()), radius, (60, 90, 70), -1)
        images.append(image)
    found = hidden(film, images)
    inside = np.zeros(len(found), bool)
    inside[COVERED.start + 1 : COVERED.stop - 1] = True
    assert found[inside].all() and not found[FACELESS]
    assert not found[np.r_[: COVERED.start - 2, COVERED.stop + 2 : len(found)]].any()


@pytest.mark.parametrize("at", [0, 10, -1])
def test_one_strange_frame_hides_nothing_at_an_end_either(film, monkeypatch, at):
    strange = np.zeros(len(film.track))
    strange[at] = 1
    monkeypatch.setattr(CoverWatch, "strange_share", lambda _: strange)
    assert not CoverWatch(film.track).hidden().any()
