"""Emotion from faces: faces laid straight, their contrasts and points, and what the encoder gives back."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.controls import EMOTIONS, parse_emotion
from vultus.core.types import Portrait
from vultus.data.synthetic.people import random_person
from vultus.face.landmarks import select_face
from vultus.motion.emotion import expression_of
from vultus.perception.judges import ROLES
from vultus.perception.judges.emotion_image import aligned, load_emotion_image, mirrored_points, straight
from vultus.perception.judges.emotion_space import EmotionReader
from vultus.perception.judges.face_reader import CROP_PX, ENCODER, POINTS, FaceReader, contrasts
from vultus.rendering.person.renderer import PersonRenderer


def test_a_turned_and_smaller_picture_gives_the_same_face(portrait: Portrait):
    import cv2

    points, image = np.asarray(portrait.fit.landmarks)[:, :2], portrait.image
    turn = cv2.getRotationMatrix2D((image.shape[1] / 2, image.shape[0] / 2), 12, 0.8)
    turned = cv2.warpAffine(image, turn, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    here = aligned(image, points).astype(float)
    there = aligned(turned, points @ turn[:, :2].T + turn[:, 2]).astype(float)
    assert here.shape == CROP_PX[::-1]
    assert np.corrcoef(here.ravel(), there.ravel())[0, 1] > 0.98


def test_the_margin_lies_around_the_face(portrait: Portrait):
    points = portrait.fit.landmarks
    wide = aligned(portrait.image, points, margin_px=8)
    inner = wide[8:-8, 8:-8].astype(float)  # OpenCV rounds places to 1/32 pixel
    assert np.abs(inner - aligned(portrait.image, points)).mean() < 1


def test_contrasts_do_not_change_with_brightness(portrait: Portrait):
    face = aligned(portrait.image, portrait.fit.landmarks)
    here, darker = contrasts(face).ravel(), contrasts(face // 2).ravel()
    assert here.dtype == np.int8 and here.shape == (CROP_PX[0] * CROP_PX[1],)
    assert np.corrcoef(here, darker)[0, 1] > 0.9 > np.corrcoef(here, contrasts(face[::-1].copy()).ravel())[0, 1]
    assert not contrasts(np.full_like(face, 90)).any()


def test_points_lie_where_the_straight_face_has_them(portrait: Portrait):
    points = straight(np.asarray(portrait.fit.landmarks))
    assert points.shape == (POINTS, 2)
    right_eye, left_eye, tip = points[33], points[263], points[1]
    assert right_eye[0] < tip[0] < left_eye[0] and tip[1] > max(right_eye[1], left_eye[1])
    assert (points.min(0) > -20).all() and (points.max(0) < np.array(CROP_PX) + 20).all()


def test_a_mirror_image_of_a_mirror_image_is_the_point_itself():
    twins = mirrored_points()
    assert (twins[twins] == np.arange(POINTS)).all()
    assert twins[33] == 263 and twins[61] == 291 and twins[1] == 1


def test_numpy_sees_what_torch_learned():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from vultus.perception.judges.face_net import FaceNet, FaceNetConfig

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    net = FaceNet(FaceNetConfig(channels=(4, 6, 8), flat=12, axes=5, places=7, hidden=9))
    points = rng.uniform(0, 60, (40, POINTS, 2)).astype(np.float32)
    faces = rng.integers(-127, 128, (40, *CROP_PX[::-1]), np.int8)
    net.expect(points)
    net((torch.from_numpy(faces), torch.from_numpy(points)))  # moves the means of the batch norms
    embedding, logits, features = (
        part.detach().numpy() for part in net.eval()(tuple(map(torch.from_numpy, (faces, points))))
    )
    arrays = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    np.testing.assert_allclose(FaceReader(arrays).features(faces, points), features, atol=1e-5)
    reader = EmotionReader({name.removeprefix(ENCODER): array for name, array in arrays.items()})
    np.testing.assert_allclose(reader.embed(features), embedding, atol=1e-5)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(reader.read(embedding), shares, atol=1e-5)


@pytest.mark.parametrize("role", ROLES)
def test_the_encoder_gives_probabilities_and_unit_vectors(role, portrait: Portrait):
    encoder = load_emotion_image(role)
    pictures, points = [portrait.image] * 2, np.stack([portrait.fit.landmarks] * 2)
    shares = encoder.probabilities(pictures, points)
    assert shares.shape == (2, 8) and np.allclose(shares.sum(1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(encoder.embed(pictures, points), axis=1), 1, atol=1e-5)


def test_the_judge_reads_a_stranger_even_where_little_is_shown():
    """A person of a set that taught nobody, small; each of eight emotions at level 1 and 2, mouth at rest."""
    actor, still = PersonRenderer(random_person(9419, 0), 160), np.zeros(3, np.float32)
    judge, right = load_emotion_image("judge"), []
    for emotion in EMOTIONS:
        for level in (1, 2):
            weights = expression_of(parse_emotion(emotion), level).astype(np.float32)
            picture = actor.frame(weights, still, still, np.zeros(2, np.float32))
            shares = judge.probabilities(picture[None], select_face(picture)[None])[0]
            right.append(EMOTIONS[shares.argmax()] == emotion)
    assert sum(right) >= 12, right
