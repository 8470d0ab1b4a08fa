"""Poses read off the skin: closer to a rendered person's true ones than where they began; cuts are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.face.test_bundle import error_deg
from vultus.core.pose import matrix_from_degrees
from vultus.data.synthetic.people import random_person
from vultus.face.align import align, cuts
from vultus.face.bundle import HeadTrail, rotations_from_vectors
from vultus.face.fit import Camera, Fitter
from vultus.face.head import embedded_head
from vultus.rendering.person.renderer import PersonRenderer

SIDE_PX, COUNT = 256, 24


@pytest.fixture(scope="module")
def shown() -> tuple[list[np.ndarray], HeadTrail]:
    """Pictures of a rendered person who turns about, and the true trail."""
    person = random_person(5, 0)
    renderer = PersonRenderer(person, SIDE_PX)
    degrees = np.stack([9 * np.sin(np.arange(COUNT) / 3), 5 * np.cos(np.arange(COUNT) / 5), np.arange(COUNT) / 8], 1)
    still, rest = np.zeros(3, np.float32), np.zeros(52, np.float32)
    pictures = [renderer.frame(rest, turn.astype(np.float32), still, np.zeros(2)) for turn in degrees]
    translation = np.stack([renderer.translation(turn.astype(np.float32), still) for turn in degrees])
    points = np.tile(Fitter(embedded_head()).points(person.identity, rest), (COUNT, 1, 1)).astype(np.float32)
    camera = Camera(person.camera.focal * SIDE_PX / 2.2, np.full(2, SIDE_PX / 2))
    depths = translation * (1, -1, -1) if translation[0, 2] < 0 else translation
    trail = HeadTrail(matrix_from_degrees(degrees), depths, points, np.zeros((COUNT, 52)), person.identity, camera, 0.0)
    return pictures, trail


def test_the_skin_tells_the_pose(shown):
    pictures, truth = shown
    rng = np.random.default_rng(1)
    off = rotations_from_vectors(np.radians(rng.normal(0, 1.2, (COUNT, 3))))
    started = replace(truth, rotation=off @ truth.rotation)
    found = align(pictures, started, np.arange(COUNT), 25.0, embedded_head())
    before, after = (np.sqrt((error_deg(t.rotation, truth.rotation) ** 2).mean()) for t in (started, found))
    assert before > 1.5 and after < 0.25 * before, (before, after)


def test_a_pose_that_loses_the_face_goes_back(shown):
    pictures, truth = shown
    noise = np.random.default_rng(2).integers(0, 256, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    found = align([*pictures[:-1], noise], truth, np.arange(COUNT), 25.0, embedded_head())
    assert error_deg(found.rotation[-1:], truth.rotation[-1:])[0] < 15.1


def test_cuts_are_found_and_movement_is_none(shown):
    pictures, _ = shown
    other = [np.roll(picture, 60, axis=1) for picture in pictures]
    assert np.flatnonzero(cuts([*pictures, *other])).tolist() == [COUNT]
    assert not cuts(pictures[:1]).any() and not cuts([]).any()
