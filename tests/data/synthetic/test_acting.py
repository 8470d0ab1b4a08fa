"""Performances of rendered people: from phones, emotion, blinks and gaze."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.core.bases import index_of
from vultus.core.types import SAMPLE_RATE, Phone, Speech
from vultus.data.synthetic.acting import LARGEST_TURN_DEG, Acting, act, cut_speech
from vultus.data.synthetic.people import is_feminine, random_person, retaken


def hum(duration_s: float = 3.0) -> Speech:
    """M, AA, M, AA, ... with a tone for a voice."""
    time_s = np.arange(round(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    ends = np.arange(0.25, duration_s + 1e-9, 0.25)
    phones = [Phone("M" if k % 2 == 0 else "AA", end - 0.25, end) for k, end in enumerate(ends)]
    return Speech((0.3 * np.sin(2 * np.pi * 150 * time_s)).astype(np.float32), tuple(phones))


def test_a_performance_has_every_channel_in_range():
    shown = act(hum(), Acting(emotion="happy", level=3, seed=4), 25.0)
    assert len(shown) == 75
    assert set(shown.channels) == {"expression", "rotation", "translation", "gaze", "au45"}
    assert shown.expression.min() >= 0 and shown.expression.max() <= 1
    assert (np.abs(shown.rotation) <= LARGEST_TURN_DEG).all()
    assert shown.reference == "camera"


def test_lips_shut_on_m_and_open_on_aa():
    shown = act(hum(), Acting(seed=1), 25.0)
    jaw, close = (shown.expression[:, index_of(name)] for name in ("jawOpen", "mouthClose"))
    gap = jaw - close
    at = (np.arange(len(shown)) + 0.5) / 25
    on_m = (at // 0.25).astype(int) % 2 == 0
    inside = (at % 0.25 > 0.1) & (at % 0.25 < 0.2) & (at > 0.5)
    assert gap[~on_m & inside].mean() > 0.1
    assert gap[on_m & inside].mean() < 0.3 * gap[~on_m & inside].mean()


def test_au45_says_how_far_blinks_have_shut_the_lids():
    shown = act(hum(30.0), Acting(seed=2), 25.0)
    lids = shown.expression[:, [index_of("eyeBlinkLeft"), index_of("eyeBlinkRight")]].mean(1)
    assert shown.au45.max() > 4
    assert np.abs(shown.au45 / 5 - lids).max() < 0.02  # a neutral face does nothing else with its lids


def test_lids_follow_the_eyes():
    shown = act(hum(), Acting(gaze_swing=3.0, seed=5), 25.0)
    down = shown.expression[:, index_of("eyeLookDownLeft")] - shown.expression[:, index_of("eyeLookUpLeft")]
    out, inner = (shown.expression[:, index_of(n)] for n in ("eyeLookOutLeft", "eyeLookOutRight"))
    seeing = shown.au45 < 0.1
    assert np.corrcoef(down[seeing], -shown.gaze[seeing, 1])[0, 1] > 0.99
    assert ((out > 0) <= (shown.gaze[:, 0] > 0)).all()
    assert ((inner > 0) <= (shown.gaze[:, 0] < 0)).all()


@pytest.mark.parametrize("emotion", ["happy", "sad", "surprised"])
def test_a_stronger_level_shows_more(emotion):
    sizes = [np.abs(act(hum(1.0), Acting(emotion, k, seed=3), 25.0).expression).sum() for k in (1, 3)]
    assert sizes[1] > 1.2 * sizes[0]


@given(st.floats(0.1, 6.0))
def test_a_cut_voice_has_its_length_and_gapless_phones(duration_s):
    cut = cut_speech(hum(2.0), duration_s)
    assert len(cut.waveform) == round(duration_s * SAMPLE_RATE)
    assert cut.phones[0].start_s == 0
    assert cut.phones[-1].end_s == pytest.approx(duration_s)
    for one, following in zip(cut.phones, cut.phones[1:], strict=False):
        assert one.end_s == following.start_s


def test_people_are_of_every_shade_and_the_same_again():
    shades = sorted(random_person(0, k).skin.melanin for k in range(20))
    assert shades[0] < 0.1 and shades[-1] > 0.9
    assert max(np.diff(shades)) < 0.12
    one, again = random_person(3, 7), random_person(3, 7)
    assert np.array_equal(one.identity, again.identity)
    assert (one.skin, one.hair, one.wear, one.seed) == (again.skin, again.hair, again.wear, again.seed)


def test_beards_grow_on_men_and_a_retake_changes_only_the_day():
    people = [random_person(0, k) for k in range(30)]
    assert all(p.hair.beard == "none" for k, p in enumerate(people) if is_feminine(0, k))
    assert any(p.hair.beard != "none" for p in people)
    later = retaken(people[0], 5)
    assert (later.skin, later.hair, later.seed) == (people[0].skin, people[0].hair, people[0].seed)
    assert later.light != people[0].light
