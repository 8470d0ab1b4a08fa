"""From a prepared video to a person: all in the small picture's pixels, made once, and refused in a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.data.conftest import HERE
from tests.data.footage import panned, write_clip
from tests.methods.blink_nerf.people import toy_person
from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE
from vultus.data.manifest import prepared_clips
from vultus.data.prepare import prepare
from vultus.face.head import project
from vultus.methods.blink_nerf import data
from vultus.methods.blink_nerf.data import person_in, person_of
from vultus.methods.blink_nerf.person import BACKGROUND, EYES, HEAD, MOUTH, TORSO

SIZE = 64


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, astronaut) -> Path:
    folder = tmp_path_factory.mktemp("person")
    write_clip(folder / "me.mp4", panned(astronaut, 14, 320))
    prepare("person", folder / "me.mp4", folder / "out", HERE)
    return folder / "out"


@pytest.fixture
def short_will_do(monkeypatch) -> None:
    monkeypatch.setattr(data, "LEAST_S", 0.1)


def test_a_person_is_made_once_and_is_in_its_own_pixels(prepared, short_will_do):
    person = person_in(prepared, SIZE, "sounds")
    (kept,) = (prepared / "person/me").glob("blink_nerf-*")
    stamp = (kept / "frames.npy").stat().st_mtime_ns
    assert person_in(prepared, SIZE, "sounds").size == SIZE == person.size
    assert (kept / "frames.npy").stat().st_mtime_ns == stamp
    assert (len(person), person.held_out, person.fps, person.name) == (14, 1, 25.0, "me")
    assert len(person.waveform) == round(14 / 25 * SAMPLE_RATE) and not person.synthetic
    clip = prepared_clips(prepared)[0]
    lips = clip.boxes("mouth") * SIZE / clip.facts.width
    for k in (0, 6, 12):
        seen = project(
            person.landmarks3d[k], person.rotation[k], person.translation[k], person.focal_px,
            np.array(person.center_px, np.float32),
        )  # fmt: skip
        left, top, right, bottom = lips[k]
        mouth = seen[48:68]
        assert (mouth[:, 0] > left).all() and (mouth[:, 0] < right).all()
        assert (mouth[:, 1] > top).all() and (mouth[:, 1] < bottom).all()


def test_masks_say_what_is_where(prepared, short_will_do):
    masks = person_in(prepared, SIZE, "sounds").masks
    assert all((masks[0] == label).any() for label in (BACKGROUND, TORSO, HEAD, MOUTH, EYES))
    rows = {label: np.nonzero(masks[0] == label)[0].mean() for label in (TORSO, HEAD, MOUTH, EYES)}
    assert rows[EYES] < rows[MOUTH] < rows[TORSO] and rows[HEAD] < rows[TORSO]


def test_lips_and_voice_are_brought_in_step(prepared, short_will_do):
    clip = prepared_clips(prepared)[0]
    late = replace(clip, facts=replace(clip.facts, av_offset_ms=80, av_confidence=1.0))
    unsure = replace(clip, facts=replace(clip.facts, av_offset_ms=80, av_confidence=0.1))
    plain, moved, kept = (person_of(c, SIZE, "sounds").waveform for c in (clip, late, unsure))
    shift = round(0.08 * SAMPLE_RATE)
    if (clip.facts.av_confidence or 0) < 0.5:
        np.testing.assert_array_equal(kept, plain)
        np.testing.assert_array_equal(moved[shift:], plain[:-shift])
    assert not moved[:shift].any()


def test_what_cannot_be_a_person_is_refused(prepared, tmp_path):
    with pytest.raises(InputError, match="too short"):
        person_of(prepared_clips(prepared)[0], SIZE, "sounds")
    with pytest.raises(InputError, match="vultus prepare person"):
        person_in(tmp_path, SIZE, "sounds")
    folder = toy_person().save(tmp_path / "toy")
    assert person_in(folder, 16, "sounds").size == 16
    with pytest.raises(InputError, match="16 pixels"):
        person_in(folder, 32, "sounds")
