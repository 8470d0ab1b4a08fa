"""Emotion from text, on sentences written before anything was built."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.perception.judges.paraphrases import COMPOUNDS, HELD_OUT, LEVELS, NEGATED, UNRELATED
from vultus.core.controls import EMOTIONS, Emotion
from vultus.core.controls import parse_emotions as parse_named
from vultus.core.errors import ControlError
from vultus.perception.judges import ROLES, Role
from vultus.perception.judges.emotion_space import place
from vultus.perception.judges.emotion_text import emotion_of_text, load_emotion_text, parse_emotions
from vultus.perception.judges.emotion_words import read_words
from vultus.training.judges.emotion_sentences import Sentences


@pytest.fixture(scope="module", params=ROLES)
def role(request: pytest.FixtureRequest) -> Role:
    return request.param


def test_held_out_paraphrases_are_understood(role: Role):
    assert set(HELD_OUT) == set(EMOTIONS) and all(len(texts) == 20 for texts in HELD_OUT.values())
    encoder = load_emotion_text(role)
    right = [encoder.probabilities(texts).argmax(1) == EMOTIONS.index(name) for name, texts in HELD_OUT.items()]
    assert np.mean(right) >= 0.85
    assert min(np.mean(emotion) for emotion in right) >= 0.7


def test_what_says_nothing_about_emotion_is_neutral(role: Role):
    assert np.mean(load_emotion_text(role).probabilities(UNRELATED)[:, 0] > 0.5) >= 0.9


def test_compounds_lie_between_their_parents(role: Role):
    encoder = load_emotion_text(role)
    for text, parents in COMPOUNDS.items():
        of = [EMOTIONS.index(name) for name in parents]
        assert set(np.argsort(-encoder.probabilities(text))[:2]) == set(of), text
        nearness = (encoder.embed(text) @ place(np.eye(len(EMOTIONS))).T)[0]
        assert set(np.argsort(-nearness)[:2]) == set(of), text
        middle = place(np.eye(len(EMOTIONS))[of].mean(0))
        assert encoder.embed(text)[0] @ middle > max(nearness[of]), text


def test_stronger_words_show_more():
    for weak, strong in LEVELS:
        levels = [emotion_of_text(text).level for text in (weak, strong)]
        assert levels[0] is not None and levels[1] is not None and levels[0] < levels[1], (weak, strong, levels)


def test_what_is_denied_does_not_come_first():
    for text, emotion in NEGATED:
        assert EMOTIONS[load_emotion_text().probabilities(text).argmax()] != emotion, text


def test_embeddings_are_unit_vectors_one_a_text():
    found = load_emotion_text().embed(["glad", "sorry", "xyzzy"])
    assert found.shape == (3, 32)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_roles_are_different_networks():
    a, b = (load_emotion_text(role).embed("he kicked the door in") for role in ROLES)
    assert not np.allclose(a, b)


def test_words_are_found_in_other_forms_and_longest_first():
    hits = read_words("He was tearfully smiling, over the moon; not happy").hits
    assert [(hit.start, hit.stop, hit.denied) for hit in hits if hit.level] == [
        (2, 3, False), (3, 4, False), (4, 7, False), (9, 10, True),
    ]  # fmt: skip


def test_a_denial_ends_with_its_clause():
    assert not read_words("not rich, but happy").hits[-1].denied
    assert read_words("he does not look happy").hits[-1].denied


@pytest.mark.parametrize("text", ["happy", "0:neutral 2.5:happy@2", "happy:0.5,sad:0.5@1", "ANG"])
def test_names_are_read_as_before(text: str):
    assert parse_emotions(text) == parse_named(text)


def test_free_text_may_be_a_timeline():
    timeline = parse_emotions("0:neutral 2:she bursts into tears@3 5.5:relieved")
    assert [time_s for time_s, _ in timeline.keys] == [0, 2, 5.5]
    assert [emotion.mix[0][0] for _, emotion in timeline.keys] == ["neutral", "sad", "happy"]
    assert timeline.keys[1][1].level == 3


@pytest.mark.parametrize("text", ["hapy", "hapy,sad", "hapy:0.5,sad:0.5"])
def test_a_misspelt_name_is_an_error_with_a_suggestion(text: str):
    with pytest.raises(ControlError, match="happy"):
        parse_emotions(text)


@pytest.mark.parametrize("text", ["", "a red bicycle leaning on a wall", "0:happy 0:so sad", "happy@7", "qwertz"])
def test_what_is_no_emotion_is_an_error(text: str):
    with pytest.raises(ControlError):
        parse_emotions(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str):
    try:
        found = emotion_of_text(text)
    except ControlError:
        return
    assert isinstance(found, Emotion)
    assert np.isclose(sum(share for _, share in found.mix), 1)
    assert {name for name, _ in found.mix} <= set(EMOTIONS)
    assert found.level is None or 0 <= found.level <= 3


def test_no_held_out_sentence_is_taught():
    rng = np.random.default_rng(0)
    sentences = Sentences(0)
    taught = {sentences.draw(rng)[0].lower().strip(".!?") for _ in range(3000)}
    assert not taught & {text.lower().strip(".!?") for texts in HELD_OUT.values() for text in texts}
