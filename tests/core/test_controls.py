"""Controls: what parses, what comes back unchanged, and what is refused in one sentence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.core.controls import (
    EMOTION_ALIASES,
    EMOTIONS,
    Blink,
    Controls,
    Emotion,
    Gaze,
    Pose,
    parse_blink,
    parse_emotion,
    parse_emotions,
    parse_gaze,
    parse_gazes,
    parse_pose,
)
from vultus.core.errors import ControlError
from vultus.core.timeline import Timeline

levels = st.none() | st.floats(0, 3)
mixes = st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0.01, 100), min_size=1, max_size=4)
times = st.floats(0, 1e5)


@st.composite
def emotions(draw: st.DrawFn) -> Emotion:
    shares = draw(mixes)
    total = sum(shares.values())
    return Emotion(tuple((name, share / total) for name, share in shares.items()), draw(levels))


@st.composite
def timelines(draw: st.DrawFn) -> Timeline[Emotion]:
    keys = draw(st.dictionaries(times, emotions(), min_size=1, max_size=6))
    return Timeline(tuple(sorted(keys.items(), key=lambda key: key[0])))


@given(timelines())
def test_emotion_timeline_round_trip(timeline: Timeline[Emotion]) -> None:
    again = parse_emotions(timeline.format(str))
    assert [t for t, _ in again.keys] == [t for t, _ in timeline.keys]
    for (_, mine), (_, theirs) in zip(again.keys, timeline.keys, strict=True):
        assert mine.level == theirs.level
        assert dict(mine.mix) == pytest.approx(dict(theirs.mix))


@given(st.lists(times, min_size=1, max_size=6, unique=True))
def test_keys_are_sorted_whatever_their_order(key_times: list[float]) -> None:
    text = " ".join(f"{t!r}:happy@1" for t in key_times)
    assert [t for t, _ in parse_emotions(text).keys] == sorted(key_times)


@given(timelines(), st.floats(-1, 1e5), st.floats(0.01, 5))
def test_blending_weights_sum_to_one(timeline: Timeline[Emotion], time_s: float, ease_s: float) -> None:
    weights = timeline.weights(np.array([time_s, time_s + ease_s]), ease_s)
    assert weights.shape == (2, len(timeline.keys))
    np.testing.assert_allclose(weights.sum(1), 1)
    assert weights.min() >= 0


@given(st.text(max_size=30))
def test_any_text_parses_or_is_refused_in_one_sentence(text: str) -> None:
    for parse in (parse_emotions, parse_gazes, parse_blink, parse_pose):
        try:
            parse(text)
        except ControlError as error:
            assert str(error).endswith(".")


def test_blend_reaches_half_at_the_key_and_holds_after_it() -> None:
    timeline = parse_emotions("0:neutral 2:happy 4:sad")
    weights = timeline.weights(np.array([0.0, 2.0, 3.0, 4.0, 9.0]), 0.4)
    np.testing.assert_allclose(weights, [[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 0.5, 0.5], [0, 0, 1]], atol=1e-12)
    assert timeline.at(2.0) == timeline.keys[1][1]
    assert timeline.at(1.9) == timeline.at(-1) == timeline.keys[0][1]


def test_examples_of_the_documentation() -> None:
    timeline = parse_emotions("0:neutral 2.5:happy@2 6:sad")
    assert timeline.keys == ((0, Emotion()), (2.5, Emotion((("happy", 1.0),), 2.0)), (6, Emotion((("sad", 1.0),))))
    assert parse_emotion("happy:0.5,surprised:0.5") == Emotion((("happy", 0.5), ("surprised", 0.5)))
    assert parse_emotions("1:happy:3,sad:1@1.5").keys[0][1] == Emotion((("happy", 0.75), ("sad", 0.25)), 1.5)
    assert parse_gazes("natural") == Timeline.constant(Gaze())
    assert parse_gazes("0:still 2:-10,5").at(3) == Gaze("fixed", (-10.0, 5.0))
    assert parse_blink("2.5,1.0") == Blink("times", times_s=(1.0, 2.5))


@pytest.mark.parametrize("spelling", [*EMOTION_ALIASES, "ANG", "DIS", "FEA", "HAP", "NEU", "SAD", "Happy", "fearful"])
def test_other_spellings_mean_meads_emotions(spelling: str) -> None:
    assert parse_emotion(spelling).mix[0][0] in EMOTIONS


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "merry",
        "happy@4",
        "happy@-1",
        "happy@nan",
        "happy@",
        "happy:0,sad:1",
        "happy:x",
        "happy:nan",
        "happy,happy",
        "0:happy 0:sad",
        "-1:happy",
        "0:happy sad",
        "1e999:sad",
        "0:",
    ],
)
def test_malformed_emotions_are_refused(text: str) -> None:
    with pytest.raises(ControlError, match="--emotion"):
        parse_emotions(text)


@pytest.mark.parametrize("text", ["", "left", "1", "1,2,3", "91,0", "0,-21", "nan,0", "x,y"])
def test_malformed_gaze_is_refused(text: str) -> None:
    with pytest.raises(ControlError, match="--gaze"):
        parse_gaze(text) if text else parse_gazes(text)


@pytest.mark.parametrize("text", ["", "sometimes", "1,-2", "inf", "nan", "missing.mp4", "x" * 5000, "a\0b"])
def test_malformed_blink_is_refused(text: str) -> None:
    with pytest.raises(ControlError, match="--blink"):
        parse_blink(text)


def test_pose_is_a_word_or_a_file_that_exists(tmp_path) -> None:
    keys, video = tmp_path / "nod.CSV", tmp_path / "head.mp4"
    keys.touch()
    video.touch()
    assert parse_pose("still") == Pose("still")
    assert parse_pose(str(keys)) == Pose("keys", keys)
    assert parse_pose(str(video)) == Pose("video", video)
    assert parse_pose(str(Pose("video", video))) == Pose("video", video)
    with pytest.raises(ControlError, match="idle, still, a video, or a CSV"):
        parse_pose("idel")


def test_controls_from_options() -> None:
    controls = Controls.parse(emotion="ANG@3", gaze="0,0", blink="none", pose="still", lip_scale=1.5, seed=7)
    assert controls.emotion.at(0) == Emotion((("angry", 1.0),), 3.0)
    assert (controls.blink.kind, controls.pose.kind, controls.lip_scale, controls.seed) == ("none", "still", 1.5, 7)
    assert Controls() == Controls.parse()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("intensity", 3.1),
        ("intensity", math.nan),
        ("lip_scale", -1),
        ("seed", -1),
        ("expression_scale", 99),
        ("blink_rate", 61),
        ("lip_scale", "big"),
        ("mood", 1),
    ],
)
def test_out_of_range_controls_are_refused(name: str, value: object) -> None:
    with pytest.raises(ControlError):
        Controls.parse(**{name: value})


@pytest.mark.parametrize("blink", ["none", "1.0,2.5"])
def test_only_natural_blinks_have_a_rate(blink: str) -> None:
    assert Controls.parse(blink="natural", blink_rate=20).blink_rate == 20
    with pytest.raises(ControlError, match="--blink-rate: only natural blinks have a rate"):
        Controls.parse(blink=blink, blink_rate=20)
