"""The portrait method on a video: pieces, lengths, orders, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.film import COUNT, FACELESS, FPS, Film, MadeVideo, gaps_seen, speech
from vultus.core.errors import ControlError
from vultus.core.method import Look
from vultus.core.types import Playback
from vultus.methods import get_method
from vultus.methods.portrait.model import FootageRenderer

LOOK = Look(fps=FPS)


@pytest.fixture(scope="module")
def renderer(film: Film) -> FootageRenderer:
    return FootageRenderer(film.footage, LOOK)


def test_the_method_plays_on_footage(film):
    found = get_method("portrait").renderer(film.footage, LOOK)
    assert isinstance(found, FootageRenderer) and found.needs == ("expression",)


@pytest.mark.parametrize("length", [1, 20, COUNT, COUNT + 9])
def test_the_shorter_one_ends_it(renderer, film, length):
    frames = renderer.play([speech(np.zeros(length))])
    assert (frames.count, frames.fps, frames.width, frames.height) == (min(length, COUNT), FPS, 256, 256)
    assert sum(1 for _ in frames) == min(length, COUNT)


def test_pieces_of_a_performance_play_as_the_whole(renderer):
    whole = speech(0.3 * np.sin(np.arange(20) / 3) ** 2)
    together = list(renderer.play([whole]))
    apart = list(renderer.play(iter([whole[:1], whole[1:13], whole[13:]])))
    np.testing.assert_array_equal(together, apart)


def test_frames_are_shown_in_the_order_that_is_asked(renderer, film):
    order = np.array([5, 5, 17, 18, 17, 16, FACELESS, 38, 38, 38])
    onto = Playback(MadeVideo(tuple(film.images[k] for k in order)).frames(), order)
    made = list(renderer.play([speech(np.full(len(order), 0.3))], onto=onto))
    assert len(made) == len(order)
    np.testing.assert_array_equal(made[6], film.images[FACELESS])
    far = (slice(0, 40), slice(0, 256))
    for k, image in zip(order, made, strict=True):
        np.testing.assert_array_equal(image[far], film.images[k][far])


def test_it_plays_onto_frames_that_were_changed_already(renderer, film):
    marked = [image.copy() for image in film.images[:6]]
    for image in marked:
        image[:20, :20] = (255, 0, 0)
    made = list(renderer.play([speech(np.zeros(6))], onto=Playback(MadeVideo(tuple(marked)).frames(), np.arange(6))))
    assert all((image[:20, :20] == (255, 0, 0)).all() for image in made)


def test_a_tracked_performance_given_back_keeps_the_lips(renderer, film):
    own = film.track.performance
    assert own.reference == "camera"
    seen, before = gaps_seen(renderer.play([own])), gaps_seen(film.images)
    plain = np.abs(np.arange(COUNT) - FACELESS) > 4
    assert np.corrcoef(seen[plain], before[plain])[0, 1] > 0.9


def test_channels_that_a_video_has_itself_are_not_needed(renderer):
    bare = replace(speech([0.1, 0.2]), rotation=None, translation=None, gaze=None)
    np.testing.assert_array_equal(list(renderer.play([bare])), list(renderer.play([speech([0.1, 0.2])])))


@pytest.mark.parametrize(
    "look",
    [Look(fps=FPS, crop="face"), Look(fps=FPS, size=512), Look(fps=FPS, background="none"),
     Look(fps=FPS, background="#102030"), Look(fps=FPS, background=np.zeros((4, 4, 3), np.uint8))],
)  # fmt: skip
def test_a_video_keeps_its_size_and_its_background(film, look):
    with pytest.raises(ControlError, match="keeps its own"):
        FootageRenderer(film.footage, look)


def test_lips_without_expressions_are_refused(renderer):
    with pytest.raises(ControlError, match="arkit52"):
        renderer.play([replace(speech([0.1]), expression=None)])
    with pytest.raises(ControlError, match="arkit52"):
        renderer.play([replace(speech([0.1]), expression=np.zeros((1, 64), np.float32), basis="bfm64")])
