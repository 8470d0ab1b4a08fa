"""Faces in pictures: found at any size and angle, chosen, refused when they are not people's."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from vultus.core.errors import ControlError, InputError
from vultus.face import mediapipe_graphs
from vultus.face.crops import cut_square
from vultus.face.landmarks import Sighting, choose, detect_faces, eye_line_deg, plausibility, select_face
from vultus.face.points import (
    LANDMARK68_FROM_478,
    LEFT_EYE,
    LEFT_IRIS,
    LIPS_INNER,
    LIPS_OUTER,
    OVAL,
    RIGHT_EYE,
    RIGHT_IRIS,
    eye_aspect_ratio,
    face_box,
    interocular_px,
    landmarks68,
)
from vultus.face.segment import person_mask

PORTRAITS = Path(__file__).parents[3] / "shared" / "data" / "real" / "portraits"
ANIMALS = ("s25.jpg", "s39.jpg")


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def face(astronaut) -> np.ndarray:
    return select_face(astronaut)


def test_points_lie_where_the_astronauts_face_is(face):
    assert face.shape == (478, 3)
    assert face.dtype == np.float32
    for eye, iris, expected in ((RIGHT_EYE, RIGHT_IRIS, (203.7, 100.8)), (LEFT_EYE, LEFT_IRIS, (246.9, 103.0))):
        np.testing.assert_allclose(face[iris[0], :2], expected, atol=1.5)  # the pupils, by eye
        x, y = face[eye, 0], face[eye, 1]
        assert x.min() < face[iris[0], 0] < x.max()
        assert y.min() - 2 < face[iris[0], 1] < y.max() + 2
    assert face[list(LIPS_INNER), 1].mean() == pytest.approx(face[list(LIPS_OUTER), 1].mean(), abs=4)
    assert face[1, 2] < face[list(OVAL), 2].mean()  # the nose tip is nearest


def test_index_sets_are_mirror_images_and_the_68_are_distinct(face):
    middle = face[[10, 152], 0].mean()
    np.testing.assert_allclose(face[RIGHT_EYE, 0] - middle, middle - face[LEFT_EYE, 0], atol=8)
    assert len(set(LANDMARK68_FROM_478)) == 68
    chosen = landmarks68(face)
    assert chosen.shape == (68, 3)
    assert chosen[36, 0] < chosen[39, 0] < chosen[42, 0] < chosen[45, 0]  # eye corners, image left to right
    assert chosen[8, 1] > chosen[57, 1] > chosen[33, 1] > chosen[27, 1]  # chin, lower lip, nose, bridge


def test_eye_aspect_ratio_is_equation_3():
    points = np.zeros((478, 3))
    for eye in ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380)):
        points[list(eye), :2] = [(0, 0), (1, 1), (3, 1), (4, 0), (3, -1), (1, -0.5)]
    points[362, 0] = -4  # the left eye is twice as wide
    np.testing.assert_allclose(eye_aspect_ratio(points), [(1.5 + 2) / 8, (1.5 + 2) / 16])


def test_a_small_face_in_a_large_picture_is_found_as_precisely(astronaut, face):
    large = np.full((1600, 2400, 3), 128, np.uint8)
    large[1000:1512, 1700:2212] = astronaut
    moved = select_face(large)
    difference = moved[:, :2] - (1700, 1000) - face[:, :2]
    assert np.abs(difference).max() < 0.05 * interocular_px(face)


def test_a_turned_head_is_found(astronaut, face):
    matrix = cv2.getRotationMatrix2D((225, 130), -35, 1)
    turned = select_face(cv2.warpAffine(astronaut, matrix, (512, 512)))
    assert eye_line_deg(turned) - eye_line_deg(face) == pytest.approx(35, abs=3)


def test_faces_are_counted_from_the_largest(astronaut):
    half = cv2.resize(astronaut, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    both = np.full((512, 896, 3), 90, np.uint8)
    both[:384, :384], both[:, 384:] = half, astronaut
    faces = detect_faces(both)
    assert len(faces) == 2
    assert face_box(faces[0])[1] > face_box(faces[1])[1]
    assert select_face(both)[:, 0].min() > 384
    assert select_face(both, face=2)[:, 0].max() < 384
    with pytest.raises(ControlError, match="no face 3, only 2 faces"):
        select_face(both, face=3)


def test_no_face_small_faces_and_bad_pictures_are_refused(astronaut):
    with pytest.raises(InputError, match=r"coffee\.png: no face found"):
        select_face(skimage.data.coffee(), where="coffee.png")
    with pytest.raises(InputError, match=r"too small: 3\d pixels"):
        select_face(cv2.resize(astronaut, None, fx=0.55, fy=0.55, interpolation=cv2.INTER_AREA))
    with pytest.raises(InputError, match="cannot be searched"):
        select_face(astronaut[..., 0])
    with pytest.raises(InputError):
        select_face(skimage.data.chelsea()[..., :3])  # a cat


def test_an_implausible_face_is_named_as_such(face):
    animal = Sighting(face, score=0.76, spread=0.012)
    assert animal.plausibility < 0.5
    with pytest.raises(InputError, match="does not look human"):
        choose([animal])
    person = Sighting(face, score=0.93, spread=0.003)
    assert choose([animal, person]) is person  # a person beside a larger dog


def test_the_astronaut_is_plausible_in_every_light_and_a_face_of_noise_is_not(astronaut, face):
    grey = np.repeat(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    for picture in (astronaut, grey, (astronaut * 0.5).astype(np.uint8)):
        assert plausibility(picture, face) > 0.95
    noise = np.random.default_rng(0).integers(0, 255, astronaut.shape, np.uint8)
    assert plausibility(noise, face) == 0


@pytest.mark.skipif(not PORTRAITS.exists(), reason="the shared portraits are not beside the repository")
def test_all_people_and_no_animals_among_the_shared_portraits():
    for path in sorted(PORTRAITS.iterdir()):
        picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        if path.name in ANIMALS:
            with pytest.raises(InputError):
                select_face(picture)
        else:
            assert interocular_px(select_face(picture, where=path.name)) > 40


def test_the_crop_leads_back_to_the_picture():
    picture = np.zeros((300, 400, 3), np.uint8)
    cv2.circle(picture, (150, 200), 3, (255, 255, 255), -1)
    crop = cut_square(picture, np.array([160.0, 190.0]), 100.0, 200, roll_deg=20)
    y, x = np.nonzero(crop.pixels[..., 0] > 128)
    back = crop.to_picture(np.array([[x.mean() + 0.5, y.mean() + 0.5, 10.0]]))
    np.testing.assert_allclose(back[0], [150.5, 200.5, 5.0], atol=0.3)


def test_the_person_is_told_from_the_background(astronaut):
    mask = person_mask(astronaut)
    assert mask.shape == (512, 512)
    assert mask.dtype == np.float32
    assert mask[80:500, 180:280].mean() > 0.9  # face and suit
    assert mask[20:120, 20:100].mean() < 0.2


def test_loading_is_lean_and_silent():
    code = (
        "import sys; from vultus.face.landmarks import detect_faces; assert 'mediapipe' not in sys.modules\n"
        "import skimage.data; n = len(detect_faces(skimage.data.astronaut()))\n"
        "print(n, [m for m in ('jax', 'matplotlib', 'sounddevice') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1 []"
    assert done.stderr == ""


def test_a_missing_mediapipe_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(mediapipe_graphs.importlib.util, "find_spec", lambda name: None)
    for name in [name for name in sys.modules if name.split(".")[0] == "mediapipe"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(mediapipe_graphs.MissingPartError, match=r"pip install --no-deps mediapipe==0\.10\.21"):
        mediapipe_graphs.person_segmenter()
