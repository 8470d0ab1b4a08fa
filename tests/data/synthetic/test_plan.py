"""Plans of synthetic sets, and where each layout puts their clips."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.core.controls import EMOTIONS
from vultus.core.errors import ControlError
from vultus.data.synthetic.layouts import LAYOUTS, fitted, layout_of, split_lists
from vultus.data.synthetic.plan import SynthesisOptions, parse_emotions, plan_clips


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("people", 0), ("people", 10**7), ("clips_per_person", 0), ("seconds", float("nan")), ("seconds", 0.01),
        ("size", 63), ("size", 129), ("size", 4096), ("fps", float("inf")), ("seed", -1), ("workers", -1),
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused_by_name(option, value):
    with pytest.raises(ControlError, match=option.replace("_", "-")):
        SynthesisOptions(**{option: value})


def test_emotions_are_read_as_people_write_them():
    assert parse_emotions("all") == EMOTIONS
    assert parse_emotions("HAP, sadness,happy") == ("happy", "sad")
    with pytest.raises(ControlError, match="joyful"):
        parse_emotions("joyful")


def test_every_emotion_and_level_comes_as_often():
    plans = plan_clips(SynthesisOptions(people=4, clips_per_person=22))
    assert set(Counter((p.emotion, p.level) for p in plans).values()) == {4}


def test_levels_that_are_not_wanted_are_left_out():
    plans = plan_clips(SynthesisOptions(people=2, clips_per_person=8, levels=(3,)))
    assert Counter(p.emotion for p in plans) == dict.fromkeys(EMOTIONS, 2)
    assert {p.level for p in plans if p.emotion != "neutral"} == {3}
    for levels in ((), (0,), (3, 4)):
        with pytest.raises(ControlError, match="--levels"):
            SynthesisOptions(levels=levels)


def test_a_seed_decides_about_the_plan():
    one, same, other = (plan_clips(SynthesisOptions(people=3, clips_per_person=5, seed=s)) for s in (1, 1, 2))
    assert one == same
    assert [p.seed for p in one] != [p.seed for p in other]


def test_more_people_or_clips_leave_the_first_ones_as_they_are():
    few = plan_clips(SynthesisOptions(people=2, clips_per_person=3))
    many = plan_clips(SynthesisOptions(people=5, clips_per_person=8))
    assert set(few) <= set(many)


def test_portraits_take_turns():
    pictures = (Path("a.png"), Path("b.png"))
    plans = plan_clips(SynthesisOptions(people=3, clips_per_person=1), pictures)
    assert [p.portrait for p in plans] == [pictures[0], pictures[1], pictures[0]]


@pytest.mark.parametrize("name", LAYOUTS)
@settings(max_examples=8, deadline=None)
@given(people=st.integers(1, 12), clips=st.integers(1, 60), seed=st.integers(0, 99))
def test_no_two_clips_share_a_place(name, people, clips, seed):
    layout = layout_of(name)
    options = SynthesisOptions(people, clips, seed=seed, layout=name, emotions=layout.emotions or EMOTIONS)
    places = [layout.places(plan) for plan in fitted(plan_clips(options), name)]
    for kind in ("labels", "video", "sound", "text", "curves"):
        used = [getattr(place, kind) for place in places if getattr(place, kind) is not None]
        assert len(set(used)) == len(used)
        assert all(not path.is_absolute() and ".." not in path.parts for path in used)


def test_a_layout_says_what_it_has_no_room_for():
    with pytest.raises(ControlError, match="at most 12"):
        fitted(plan_clips(SynthesisOptions(1, 200, emotions=("happy", "sad"))), "crema_d")
    with pytest.raises(ControlError, match="layout"):
        layout_of("imagenet")  # type: ignore[arg-type]


def test_lrs2_lists_name_every_clip_once_and_keep_speakers_apart():
    plans = plan_clips(SynthesisOptions(20, 3))
    lists = split_lists(plans, "lrs2")
    speakers = [{line.split("/")[0] for line in text.splitlines()} for text in lists.values()]
    assert sum(len(text.splitlines()) for text in lists.values()) == 60
    assert sum(map(len, speakers)) == 20
    assert all(speakers)
