"""Emotions: distinct, ordered by level, mixed and blended smoothly, alive, and polite to speech."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from vultus.core.bases import ARKIT52, index_of
from vultus.core.controls import EMOTIONS, parse_emotion, parse_emotions
from vultus.core.types import Phone
from vultus.face.fit import Fitter
from vultus.face.head import embedded_head
from vultus.motion.compose import SpeechBlend, add_blinks, add_emphasis, closure
from vultus.motion.emotion import EmotionTrack, expression_of
from vultus.motion.visemes import arkit_weights, articulation

FELT = [name for name in EMOTIONS if name != "neutral"]


def at_level(name: str, level: float) -> np.ndarray:
    return expression_of(parse_emotion(f"{name}@{level}"), 0)


@pytest.mark.parametrize("name", FELT)
def test_levels_are_clearly_ordered(name: str) -> None:
    sizes = [np.linalg.norm(at_level(name, level)) for level in (0, 1, 2, 3)]
    assert sizes[0] == 0
    assert sizes[1] > 0.3
    assert sizes[2] > 1.3 * sizes[1] and sizes[3] > 1.2 * sizes[2]
    assert (np.diff([at_level(name, level) for level in np.linspace(0, 3, 13)], axis=0) >= 0).all()


def test_neutral_is_neutral_and_intensity_fills_in() -> None:
    assert not at_level("neutral", 3).any()
    np.testing.assert_array_equal(expression_of(parse_emotion("sad"), 3), at_level("sad", 3))
    np.testing.assert_array_equal(expression_of(parse_emotion("sad@1"), 3), at_level("sad", 1))


@pytest.mark.parametrize("name", FELT)
def test_even_the_weakest_level_moves_a_face_visibly(name: str) -> None:
    """Some point of the mean face goes 4 % of the distance of the outer eye corners: 1.5 pixels in a small clip."""
    fitter = Fitter(embedded_head())
    moved = (fitter.expression_modes @ at_level(name, 1))[:, :2]
    apart = np.linalg.norm(fitter.mean[33] - fitter.mean[263])
    assert np.linalg.norm(moved, axis=1).max() > 0.04 * apart


@pytest.mark.parametrize(("one", "other"), list(combinations(FELT, 2)))
def test_emotions_differ_from_each_other(one: str, other: str) -> None:
    a, b = at_level(one, 2), at_level(other, 2)
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) < 0.7


def test_shapes_are_what_facs_says() -> None:
    def weight(emotion: str, name: str) -> float:
        return at_level(emotion, 3)[index_of(name)]

    assert weight("happy", "mouthSmileLeft") > 0.6 and weight("happy", "cheekSquintRight") > 0.4
    assert weight("sad", "browInnerUp") > 0.6 and weight("sad", "mouthFrownLeft") > 0.5
    assert weight("angry", "browDownLeft") > 0.8
    assert weight("disgusted", "noseSneerLeft") > 0.7
    assert weight("surprised", "browOuterUpLeft") > 0.7 and weight("surprised", "jawOpen") > 0.2
    assert weight("fear", "eyeWideLeft") > 0.7 and weight("fear", "mouthStretchLeft") > 0.4
    assert weight("contempt", "mouthSmileLeft") > 0.4 and weight("contempt", "mouthSmileRight") == 0


def test_mixes_are_weighted_means() -> None:
    mix = expression_of(parse_emotion("happy:1,surprised:3@2"), 0)
    np.testing.assert_allclose(mix, 0.25 * at_level("happy", 2) + 0.75 * at_level("surprised", 2))


def test_a_timeline_is_blended_smoothly() -> None:
    weights = EmotionTrack(parse_emotions("0:neutral 2:happy@3"), 2, 50, 0).frames(200)
    smile = weights[:, index_of("mouthSmileLeft")]
    assert not smile[:89].any()
    assert 0.2 < smile[100] < 0.6
    assert smile[112] > 0.6
    assert np.abs(np.diff(smile)).max() < 0.08


def test_a_held_emotion_lives_without_losing_itself() -> None:
    weights = EmotionTrack(parse_emotions("happy@2"), 0, 25, 1).frames(2500)
    smile = weights[:, index_of("mouthSmileLeft")]
    assert 0.02 < smile.std() / smile.mean() < 0.15
    assert smile.min() > 0.6 * smile.mean()
    np.testing.assert_allclose(weights[:, index_of("mouthSmileRight")], smile)


def test_chunks_make_no_difference_and_seeds_do() -> None:
    timeline = parse_emotions("0:sad 1:angry")
    whole, parts = EmotionTrack(timeline, 2, 25, 0), EmotionTrack(timeline, 2, 25, 0)
    np.testing.assert_allclose(whole.frames(60), np.concatenate([parts.frames(n) for n in (1, 0, 24, 35)]), atol=1e-12)
    assert not np.allclose(EmotionTrack(timeline, 2, 25, 1).frames(60), EmotionTrack(timeline, 2, 25, 0).frames(60))


@pytest.mark.parametrize("name", FELT)
def test_closures_stay_closed_and_vowels_stay_open_in_every_emotion(name: str) -> None:
    """In "AA M AA", what opens the lips is no more than a hair at the M, and the vowel opens as without emotion."""
    phones = [Phone("AA", 0.0, 0.3), Phone("M", 0.3, 0.4), Phone("AA", 0.4, 0.7)]
    lips = arkit_weights(articulation(phones, np.arange(70) / 100))
    face = SpeechBlend(100)(lips, np.tile(at_level(name, 3), (70, 1)), 1.0)
    shut = face[35]
    gap = shut[index_of("jawOpen")] - shut[index_of("mouthClose")]
    lifted = shut[index_of("mouthLowerDownLeft")] + shut[index_of("mouthUpperUpLeft")]
    assert abs(gap) < 0.01 and lifted < 0.01
    assert face[60, index_of("jawOpen")] >= lips[60, index_of("jawOpen")] > 0.2


def test_a_tuck_meets_the_teeth_even_in_surprise() -> None:
    lips = arkit_weights(
        articulation([Phone("AA", 0, 0.3), Phone("F", 0.3, 0.4), Phone("AA", 0.4, 0.7)], np.arange(70) / 100)
    )
    face = SpeechBlend(100)(lips, np.tile(at_level("surprised", 3), (70, 1)), 1.0)
    assert face[35, index_of("jawOpen")] < lips[35, index_of("jawOpen")] + 0.02
    assert face[35, index_of("mouthRollLower")] > 0.4


def test_emotion_returns_to_the_mouth_when_speech_stops() -> None:
    lips = np.zeros((200, len(ARKIT52)), np.float32)
    lips[:100, index_of("jawOpen")] = 0.2
    face = SpeechBlend(25)(lips, np.tile(at_level("surprised", 3), (200, 1)), 1.0)
    jaw = at_level("surprised", 3)[index_of("jawOpen")]
    assert face[99, index_of("jawOpen")] - 0.2 < 0.4 * jaw
    assert face[-1, index_of("jawOpen")] == pytest.approx(jaw)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 3.0])
def test_lip_scale_scales_openings_and_keeps_closures(scale: float) -> None:
    phones = [Phone("AA", 0.0, 0.3), Phone("B", 0.3, 0.4), Phone("AA", 0.4, 0.7)]
    lips = arkit_weights(articulation(phones, np.arange(70) / 100))
    face = SpeechBlend(100)(lips, np.zeros((70, len(ARKIT52))), scale)
    jaw = face[:, index_of("jawOpen")]
    assert jaw[55] == pytest.approx(min(0.6, scale * lips[55, index_of("jawOpen")]), rel=1e-5)
    assert closure(face).max() == 1


def test_blinks_close_fully_and_silence_squint_and_stare() -> None:
    face = np.tile(at_level("fear", 3) + at_level("happy", 3), (3, 1))
    add_blinks(face, np.array([[0, 0], [0.5, 0.5], [1, 1]]))
    lid, wide = face[:, index_of("eyeBlinkLeft")], face[:, index_of("eyeWideLeft")]
    assert lid[2] == 1 and wide[2] == 0
    assert lid[0] < lid[1] < lid[2] and wide[0] > wide[1] > wide[2]


def test_emphasis_raises_the_brows_within_bounds() -> None:
    face = np.zeros((2, len(ARKIT52)))
    face[1] = 1
    add_emphasis(face, np.array([1.0, 1.0]), 0.2)
    assert face[0, index_of("browInnerUp")] == pytest.approx(0.2)
    assert face.max() == 1
