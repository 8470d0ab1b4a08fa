"""The mouth of somebody in a film re-made: what is asked shows, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.film import COUNT, FACELESS, FPS, OPEN, SECOND, SHUT, THIRD, Film, far_from_face, gaps_seen, speech
from vultus.motion.rest import on_rest
from vultus.rendering.footage.renderer import FADE_S, TURN_FADE_DEG, FootageFaces, shown_share
from vultus.rendering.footage.warp import MOST_REACH

ORDER = np.arange(COUNT)
NOTHING_HIDDEN = np.zeros(COUNT, bool)


@pytest.fixture(scope="module")
def faces(film: Film) -> FootageFaces:
    return FootageFaces(film.footage)


def wanted(faces: FootageFaces, jaw: np.ndarray) -> np.ndarray:
    """Absolute expressions (T, 52) of an opening mouth on the person's own resting look."""
    asked = speech(jaw).expression
    assert asked is not None
    return np.stack([on_rest(r, a) for r, a in zip(faces.resting(ORDER), asked, strict=True)])


def spoken(faces: FootageFaces, film: Film, jaw: np.ndarray) -> list[np.ndarray]:
    return list(faces.frames(film.images, faces.plan(wanted(faces, jaw), ORDER)))


@pytest.fixture(scope="module")
def shut(faces: FootageFaces, film: Film) -> list[np.ndarray]:
    return spoken(faces, film, np.zeros(COUNT))


@pytest.fixture(scope="module")
def opened(faces: FootageFaces, film: Film) -> list[np.ndarray]:
    return spoken(faces, film, np.full(COUNT, 0.35))


def test_a_mouth_told_to_be_shut_is_shut_though_it_was_open(film, shut):
    assert np.nanmin(gaps_seen(film.images[OPEN])) > 0.12
    assert np.nanmax(gaps_seen(shut[OPEN])) < 0.05


def test_a_mouth_told_to_open_opens_though_it_was_shut(film, opened):
    assert np.nanmax(gaps_seen(film.images[SHUT])) < 0.05
    assert np.nanmin(gaps_seen(opened[SHUT])) > 0.1


def test_the_opening_follows_another_voice(faces, film):
    jaw = 0.3 * np.sin(np.arange(COUNT) / 2.5) ** 2
    seen = gaps_seen(spoken(faces, film, jaw))
    plain = np.abs(ORDER - FACELESS) > FADE_S * FPS
    assert np.corrcoef(seen[plain], jaw[plain])[0, 1] > 0.85


def test_every_pixel_away_from_the_face_stays(film, shut, opened):
    for t in (0, 16, 24, 30, 38):
        far = far_from_face(film.track, t, 1.05 * (1 + MOST_REACH))
        assert far.mean() > 0.2
        for made in (shut, opened):
            np.testing.assert_array_equal(made[t][far], film.images[t][far])


def test_frames_without_a_face_pass_as_they_are_and_none_is_written_on(film, shut):
    assert shut[FACELESS] is film.images[FACELESS]
    assert all(after.shape == before.shape and after.dtype == np.uint8
               for before, after in zip(film.images, shut, strict=True))  # fmt: skip
    assert not any(image.flags.writeable for image in film.images)  # writing on them would have raised


def test_the_persons_own_expressions_change_little(faces, film):
    own = film.track.performance.expression
    same = list(faces.frames(film.images, faces.plan(own, ORDER)))
    change = np.array([np.abs(a.astype(int) - b).mean() for a, b in zip(same, film.images, strict=True)])
    other = np.array([np.abs(a.astype(int) - b).mean() for a, b in
                      zip(spoken(faces, film, 0.35 - film.jaw.clip(0, 0.35)), film.images, strict=True)])  # fmt: skip
    assert change.mean() < 0.5 * other.mean() and change.max() < 1.0
    np.testing.assert_allclose(gaps_seen(same)[OPEN], gaps_seen(film.images)[OPEN], atol=0.09)


def test_the_new_mouth_fades_around_frames_without_a_face_and_not_at_cuts(film):
    share = shown_share(film.track, NOTHING_HIDDEN)
    steps = round(FADE_S * FPS)
    assert share[FACELESS] == 0
    np.testing.assert_allclose(share[FACELESS - steps : FACELESS], np.arange(steps, 0, -1) / steps, atol=1e-6)
    assert share[: FACELESS - steps].min() == 1 and share[SECOND:].min() == 1


def test_the_new_mouth_gives_way_from_the_side_and_where_it_is_hidden(film):
    acted = film.track.performance
    rotation = acted.rotation.copy()
    rotation[:] = 0
    rotation[10:16, 0] = TURN_FADE_DEG[1] + 5
    rotation[THIRD:, 0] = -np.mean(TURN_FADE_DEG)
    share = shown_share(replace(film.track, performance=replace(acted, rotation=rotation)), NOTHING_HIDDEN)
    assert not share[10:16].any() and 0 < share[9] < share[8] < 1 and share[4] == 1
    np.testing.assert_allclose(share[THIRD:], 0.5, atol=1e-6)
    assert np.abs(np.diff(share[:FACELESS])).max() <= 1 / (FADE_S * FPS) + 1e-6
    hidden = NOTHING_HIDDEN.copy()
    hidden[5] = True
    assert shown_share(film.track, hidden)[5] == 0


def test_nothing_is_blended_over_a_cut(faces, film):
    loud = np.where(np.arange(COUNT) < THIRD, 0.35, 0)
    quiet, made = (spoken(faces, film, jaw) for jaw in (0 * loud, loud))
    assert np.nanmin(gaps_seen(made[SECOND:THIRD])) > 0.1 and np.nanmax(gaps_seen(made[THIRD:])) < 0.05
    for t in range(THIRD, COUNT):  # at the most another of the person's shut mouths
        assert np.abs(made[t].astype(int) - quiet[t]).mean() < 0.05


def test_a_plan_stops_with_its_last_frame_and_keeps_its_order(faces, film):
    order = np.array([4, 4, 4, 17, SECOND, 30])
    resting = faces.resting(order)
    plan = faces.plan(resting, order)
    made = list(faces.frames((film.images[k] for k in (*order, 0, 1)), plan))
    assert len(made) == len(order)
    np.testing.assert_array_equal(made[0], made[1])
