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
from vultus.core.pose import degrees_from_matrix
from vultus.core.types import Fit, Footage, Frames, Performance, Portrait
from vultus.face.track import fits
from vultus.methods.portrait.model import (
    PROFILE_LIMIT_DEG,
    TURN_FREE_DEG,
    TURN_LIMIT_DEG,
    FootageRenderer,
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


CLIP_SIZE = 288


@pytest.fixture(scope="module")
def clip(astronaut: np.ndarray) -> tuple[list[np.ndarray], list[Fit | None]]:
    """Three frames of the astronaut as a camera with a drifting hand sees her, one of an empty room, and their fits."""
    moved = []
    for k in range(3):
        turn = cv2.getRotationMatrix2D((220, 120), 2.0 * k, 1.0 + 0.02 * k)
        turn[:, 2] += [3 * k - 80, 4 * k]
        moved.append(cv2.warpAffine(astronaut, turn, (CLIP_SIZE, CLIP_SIZE), flags=cv2.INTER_AREA))
    images = [*moved, np.full((CLIP_SIZE, CLIP_SIZE, 3), 90, np.uint8)]
    return images, list(fits(images))


def footage(clip: tuple[list[np.ndarray], list[Fit | None]]) -> Footage:
    images, found = clip
    return Footage(Frames(iter(images), 25.0, CLIP_SIZE, CLIP_SIZE, len(images)), iter(found))


def seen_by_camera(found: list[Fit | None]) -> Performance:
    rows = [weights() if fit is None else fit.expression for fit in found]
    turns = [np.zeros(3) if fit is None else degrees_from_matrix(fit.rotation) for fit in found]
    return replace(
        Performance.neutral(len(found), 25),
        expression=np.array(rows, np.float32),
        rotation=np.array(turns, np.float32),
        reference="camera",
    )


def play(clip, performance: Performance) -> list[np.ndarray]:
    return [frame.copy() for frame in FootageRenderer(footage(clip), Look()).play([performance])]


def test_footage_with_its_own_expressions_is_the_footage(clip):
    images, found = clip
    assert [fit is None for fit in found] == [False, False, False, True]
    shown = play(clip, seen_by_camera(found))
    assert len(shown) == 4
    for image, frame, fit in zip(images[:3], shown[:3], found[:3], strict=True):
        (x0, y0), (x1, y1) = (f(fit.landmarks[:468, :2], 0).astype(int) for f in (np.min, np.max))
        box = np.s_[max(y0, 0) : y1, max(x0, 0) : x1]
        assert np.abs(frame[box].astype(float) - image[box]).mean() < 0.6
    np.testing.assert_array_equal(shown[3], images[3])  # no face: it passes


def test_a_new_expression_changes_the_face_and_nothing_else(clip):
    images, found = clip
    performance = seen_by_camera(found)
    performance.expression[:, index_of("jawOpen")] = 0.7
    for image, frame, fit in zip(images[:3], play(clip, performance)[:3], found[:3], strict=True):
        changed = np.abs(frame.astype(int) - image).max(-1) > 20
        chin = fit.landmarks[152, :2].astype(int)
        assert changed.mean() > 0.005
        assert not changed[:, : chin[0] - 110].any() and changed[chin[1] - 25 : chin[1] + 25].any()


def test_offsets_play_on_footage_too(clip):
    rest = replace(Performance.neutral(4, 25), rotation=np.tile(np.float32([6, 0, 0]), (4, 1)))
    shown = play(clip, rest)
    assert len(shown) == 4 and (shown[0] != clip[0][0]).any()
    np.testing.assert_array_equal(shown[3], clip[0][3])


@pytest.mark.parametrize("count", [2, 9])
def test_the_shorter_of_footage_and_performance_ends_it(clip, count):
    assert len(play(clip, Performance.neutral(count, 25))) == min(count, 4)


def test_footage_is_not_touched(clip):
    before = [image.copy() for image in clip[0]]
    play(clip, replace(Performance.neutral(4, 25), expression=np.full((4, 52), 0.3, np.float32)))
    np.testing.assert_array_equal(clip[0], before)


@pytest.mark.parametrize("background", ["none", "#102030", np.zeros((9, 9, 3), np.uint8)])
def test_footage_keeps_its_background(clip, background):
    with pytest.raises(ControlError, match="keeps its own frame and background"):
        FootageRenderer(footage(clip), Look(background=background))


def test_footage_keeps_its_frame(clip):
    with pytest.raises(ControlError, match="keeps its own frame and background"):
        FootageRenderer(footage(clip), Look(crop="face"))


def test_footage_says_its_own_size_and_rate(clip):
    shown = FootageRenderer(footage(clip), Look(fps=50, size=64)).play([Performance.neutral(1, 25)])
    assert (shown.fps, shown.width, shown.height) == (25.0, CLIP_SIZE, CLIP_SIZE)
    assert next(iter(shown)).shape == (CLIP_SIZE, CLIP_SIZE, 3)
