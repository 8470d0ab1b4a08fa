"""A rendered person: what the labels say is what the pixels show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vultus.core.bases import ARKIT52, index_of
from vultus.data.synthetic.people import random_person
from vultus.rendering.person.appearance import Appearance, Backdrop, Hair, Skin, Wear
from vultus.rendering.person.lids import lid_edges
from vultus.rendering.person.renderer import PersonRenderer

ZERO = np.zeros(3, np.float32)
AHEAD = np.zeros(2, np.float32)
SIZE = 128


def weights(**shapes: float) -> np.ndarray:
    result = np.zeros(len(ARKIT52), np.float32)
    for name, value in shapes.items():
        for one in (name,) if name in ARKIT52 else (name + "Left", name + "Right"):
            result[index_of(one)] = value
    return result


@pytest.fixture(scope="module")
def renderer() -> PersonRenderer:
    return PersonRenderer(Appearance(backdrop=Backdrop("plain", (150, 150, 150))), SIZE)


def box_of(image: np.ndarray, points: np.ndarray, margin: int = 0) -> np.ndarray:
    low, high = np.floor(points[:, :2].min(0)).astype(int) - margin, np.ceil(points[:, :2].max(0)).astype(int) + margin
    return image[low[1] : high[1], low[0] : high[0]].astype(float)


def test_the_same_person_gives_the_same_frames(renderer):
    first, again = (PersonRenderer(renderer.person, 64) for _ in range(2))
    for _ in range(2):
        one, other = (r.frame(weights(jawOpen=0.2), ZERO, ZERO, AHEAD) for r in (first, again))
        assert one.shape == (64, 64, 3) and one.dtype == np.uint8
        assert np.array_equal(one, other)


def test_an_open_mouth_is_dark_between_the_lips(renderer):
    opened = weights(jawOpen=0.5, mouthLowerDown=0.2)
    marks = renderer.landmarks68(opened, ZERO, ZERO)[60:68]
    shut, wide = (renderer.frame(e, ZERO, ZERO, AHEAD) for e in (weights(), opened))
    assert box_of(wide, marks).min() < box_of(shut, marks).min() - 15
    assert box_of(wide, marks).mean() < box_of(shut, marks).mean() - 15


def test_teeth_show_in_a_smile(renderer):
    grin = weights(mouthSmile=0.8, mouthUpperUp=0.6, mouthLowerDown=0.5, jawOpen=0.08)
    marks = renderer.landmarks68(grin, ZERO, ZERO)[60:68]
    inside = box_of(renderer.frame(grin, ZERO, ZERO, AHEAD), marks).reshape(-1, 3)
    grey = inside.max(1) - inside.min(1) < 45
    assert (grey & (inside.mean(1) > 95)).sum() > 5  # lips are red, teeth are not


def test_shut_eyes_show_neither_white_nor_iris(renderer):
    for eye in (slice(36, 42), slice(42, 48)):
        marks = renderer.landmarks68(weights(), ZERO, ZERO)[eye]
        opened, shut = (
            box_of(renderer.frame(weights(eyeBlink=blink), ZERO, ZERO, AHEAD), marks) for blink in (0.0, 1.0)
        )
        assert opened.min() < shut.min() - 10 or opened.std() > 1.5 * shut.std()
        redness = shut[..., 0] - shut[..., 2]
        assert (redness > 15).mean() > 0.8  # skin all over


@pytest.mark.parametrize(
    ("axis", "gaze_deg", "sign"), [(0, (20, 0), 1), (0, (-20, 0), -1), (1, (0, 14), -1), (1, (0, -14), 1)]
)
def test_irises_go_where_the_gaze_goes(renderer, axis, gaze_deg, sign):
    eye = renderer.landmarks68(weights(), ZERO, ZERO)[36:42]

    def middle(gaze) -> np.ndarray:
        patch = box_of(renderer.frame(weights(eyeWide=0.8), ZERO, ZERO, np.float32(gaze)), eye, 1).mean(-1)
        dark = np.clip(95 - patch, 0, None)
        rows, columns = np.mgrid[: patch.shape[0], : patch.shape[1]]
        return np.array([(columns * dark).sum(), (rows * dark).sum()]) / dark.sum()

    assert sign * (middle(gaze_deg) - middle((0, 0)))[axis] > 0.4


def test_turning_the_head_moves_the_nose_as_labelled(renderer):
    straight = renderer.landmarks68(weights(), ZERO, ZERO)
    for turn, axis, sign in (((20, 0, 0), 0, 1), ((0, 12, 0), 1, -1)):
        turned = renderer.landmarks68(weights(), np.float32(turn), ZERO)
        assert sign * (turned[30] - straight[30])[axis] > 4
    rolled = renderer.landmarks68(weights(), np.float32((0, 0, 15)), ZERO)
    eyes = rolled[45] - rolled[36]
    assert np.degrees(np.arctan2(eyes[1], eyes[0])) == pytest.approx(15, abs=2)


def test_translation_is_that_of_the_heads_origin(renderer):
    there = renderer.translation(ZERO, ZERO)
    assert there[2] == pytest.approx(-renderer.base[2], abs=1e-3)
    nearer = renderer.translation(ZERO, np.float32((0, 0, 2)))
    assert nearer - there == pytest.approx([0, 0, 2], abs=1e-4)


def test_labels_lie_where_facemesh_finds_the_face():
    from vultus.face.landmarks import FaceMesh
    from vultus.face.points import landmarks68

    off = []
    with FaceMesh() as mesh:
        for number in range(2):
            person = PersonRenderer(random_person(4, number), 192)
            expression, turn = weights(jawOpen=0.15, mouthSmile=0.2), np.float32((12 * number - 6, 3, 0))
            found = mesh.find(person.frame(expression, turn, ZERO, AHEAD), thorough=False)
            assert found, f"person {number}"
            truth = person.landmarks68(expression, turn, ZERO)
            wide = np.linalg.norm(truth[36, :2] - truth[45, :2])
            gap = np.linalg.norm(landmarks68(found[0].landmarks)[17:, :2] - truth[17:, :2], axis=1) / wide
            off.append(gap)
    assert np.median(off) < 0.05
    assert np.mean(off) < 0.07


@pytest.mark.parametrize("number", range(6))
def test_a_full_blink_shuts_everybodys_eyes(number):
    from vultus.rendering.person.body import build_body

    body = build_body(random_person(11, number))
    for eye, side in enumerate(("Left", "Right")):
        upper, lower = lid_edges(body, body.moved(weights(**{f"eyeBlink{side}": 1.0})), eye)
        assert (upper[2:7, 1] - lower[2:7, 1]).max() < 0.08
        rest_upper, rest_lower = lid_edges(body, body.moved(weights()), eye)
        assert (rest_upper[4] - rest_lower[4])[1] > 0.4


def test_skin_is_the_darker_the_more_melanin():
    def cheek(melanin: float) -> float:
        person = Appearance(skin=Skin(melanin=melanin), hair=Hair(style="bald"))
        drawn = PersonRenderer(person, 96)
        marks = drawn.landmarks68(weights(), ZERO, ZERO)
        x, y = (marks[2, :2] * 0.4 + marks[31, :2] * 0.6).astype(int)
        return float(drawn.frame(weights(), ZERO, ZERO, AHEAD)[y - 2 : y + 3, x - 2 : x + 3].mean())

    pale, brown, dark = (cheek(m) for m in (0.05, 0.5, 0.95))
    assert pale > brown + 15 > dark + 30


@pytest.mark.parametrize("style", ["long", "afro", "bun"])
def test_hair_covers_the_scalp_and_leaves_the_face(renderer, style):
    backdrop = Backdrop("plain", (150, 150, 150))
    person = Appearance(hair=Hair(style=style, colour=(15, 12, 10), parting=0.2), backdrop=backdrop)
    bald = replace(person, hair=replace(person.hair, style="bald"))
    haired, without = (PersonRenderer(p, 96).frame(weights(), ZERO, ZERO, AHEAD).astype(float) for p in (person, bald))
    darker = without.mean(-1) - haired.mean(-1) > 30
    assert darker.mean() > 0.015
    nose = renderer.landmarks68(weights(), ZERO, ZERO)[[30, 33, 51, 57], :2] * 96 / SIZE
    for x, y in nose.astype(int):
        assert not darker[y, x]


def test_what_is_worn_is_seen(renderer):
    plain = renderer.frame(weights(), ZERO, ZERO, AHEAD).astype(float)
    for wear in (Wear(glasses=(0, 0, 0), garment="hoodie"), Wear(headwear="headscarf"), Wear(headwear="beanie")):
        worn = PersonRenderer(replace(renderer.person, wear=wear), SIZE).frame(weights(), ZERO, ZERO, AHEAD)
        assert (np.abs(worn - plain).max(-1) > 30).mean() > 0.008, wear
