"""Performances on a photo and on a video: the resting look, limits, and footage that stays itself."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import cv2
import numpy as np
import pytest

from vultus.core.bases import ARKIT52, index_of
from vultus.core.errors import ControlError
from vultus.core.method import Look
from vultus.core.types import Performance, Portrait
from vultus.methods.portrait.model import (
    PROFILE_LIMIT_DEG,
    TURN_FREE_DEG,
    TURN_LIMIT_DEG,
    PhotoRenderer,
)

SMALL = Look(size=128)


def weights(**named: float) -> np.ndarray:
    expression = np.zeros(len(ARKIT52), np.float32)
    for name, weight in named.items():
        expression[index_of(name)] = weight
    return expression


@pytest.fixture(scope="module")
def photo(portrait: Portrait) -> PhotoRenderer:
    return PhotoRenderer(portrait, SMALL)


def test_at_rest_the_driver_shows_the_resting_look(photo):
    expression, rotation, translation, gaze = photo.state(Performance.neutral(1, 25), 0)
    np.testing.assert_array_equal(expression, photo.rest)
    assert not rotation.any() and not translation.any() and not gaze.any()


def test_what_a_camera_saw_is_absolute(photo, portrait):
    fit = portrait.fit
    seen = replace(
        Performance.neutral(1, 25),
        expression=fit.expression[None].astype(np.float32),
        rotation=photo.own_deg[None].astype(np.float32) + np.float32([[5, -3, 2]]),
        gaze=fit.gaze_deg[None].astype(np.float32),
        translation=np.ones((1, 3), np.float32),
        reference="camera",
    )
    expression, rotation, translation, gaze = photo.state(seen, 0)
    np.testing.assert_allclose(expression, fit.expression)
    np.testing.assert_allclose(rotation, [5, -3, 2], atol=1e-4)
    np.testing.assert_allclose(gaze, 0, atol=1e-5)
    assert not translation.any()


def test_turns_are_free_then_bend_and_never_pass_the_limit(photo):
    np.testing.assert_allclose(photo._limited(np.array([TURN_FREE_DEG, -10, 5])), [TURN_FREE_DEG, -10, 5])
    limited = photo._limited(np.array([90.0, -90, 30]))
    assert (np.abs(limited) <= TURN_LIMIT_DEG).all() and (np.abs(limited) > TURN_FREE_DEG).all()
    assert (np.sign(limited) == [1, -1, 1]).all()


@pytest.mark.parametrize("own_yaw", [30.0, -30.0])
def test_a_profile_does_not_turn_its_hidden_cheek_forward(photo, own_yaw):
    side = copy(photo)
    side.own_deg = np.array([own_yaw, 0, 0])
    towards, away = -15 * np.sign(own_yaw), 15 * np.sign(own_yaw)
    assert abs(side._limited(np.array([towards, 0, 0]))[0]) <= PROFILE_LIMIT_DEG
    assert side._limited(np.array([away, 0, 0]))[0] == away


def test_frames_say_what_they_are(portrait):
    for background, alpha in (("keep", False), ("none", True), ("#102030", False)):
        look = replace(SMALL, background=background)
        frames = PhotoRenderer(portrait, look).play([Performance.neutral(2, 25)], 2)
        shown = [frame.copy() for frame in frames]
        assert (frames.width, frames.height, frames.fps, frames.count, frames.alpha) == (128, 128, 25, 2, alpha)
        assert [frame.shape for frame in shown] == [(128, 128, 3 + alpha)] * 2


def test_pieces_of_a_performance_play_as_the_whole(photo):
    rng = np.random.default_rng(0)
    whole = replace(Performance.neutral(6, 25), expression=rng.random((6, 52)).astype(np.float32) * 0.5)
    together = [f.copy() for f in photo.play([whole])]
    apart = [f.copy() for f in photo.play([whole[:1], whole[1:5], whole[5:]])]
    np.testing.assert_array_equal(together, apart)


def test_threads_are_given_back(photo):
    before = cv2.getNumThreads()
    for _ in photo.play([Performance.neutral(2, 25)]):
        pass
    frames = iter(photo.play([Performance.neutral(2, 25)]))
    next(frames)
    frames.close()
    assert cv2.getNumThreads() == before


def test_missing_channels_stand_still_and_a_missing_expression_is_refused(photo):
    bare = replace(Performance.neutral(1, 25), rotation=None, translation=None, gaze=None)
    np.testing.assert_array_equal(next(iter(photo.play([bare]))), next(iter(photo.play([Performance.neutral(1, 25)]))))
    with pytest.raises(ControlError, match="arkit52"):
        next(iter(photo.play([replace(bare, expression=None)])))


def test_an_alpha_channel_is_taken_at_its_word(portrait):
    alpha = np.full(portrait.image.shape[:2], 255, np.uint8)
    alpha[:, :100] = 0
    cut = PhotoRenderer(replace(portrait, alpha=alpha), replace(SMALL, background="none"))
    shown = next(iter(cut.play([Performance.neutral(1, 25)])))
    assert not shown[:, :15, 3].any() and shown[100:, 120:, 3].min() == 255  # far from the face as given
