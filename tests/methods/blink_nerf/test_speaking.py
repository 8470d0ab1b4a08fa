"""A trained person speaks: from the command's own path, whatever the performance's origin, refused in a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vultus
from tests.methods.blink_nerf.people import toy_person
from vultus import animate
from vultus.audio.io import read_speech
from vultus.core.bases import index_of
from vultus.core.controls import Controls
from vultus.core.errors import ControlError, InputError
from vultus.core.method import Look
from vultus.core.types import Performance
from vultus.face.rig import load_performance
from vultus.methods import get_personal
from vultus.methods.blink_nerf.hearing import feature_count
from vultus.video.read import open_video

VOICE = Path(vultus.__file__).parent / "assets" / "sample_speech.flac"
LOOK = Look(fps=10, size=64)


@pytest.fixture(scope="module")
def person(blink_nerf_weights):
    return get_personal("blink_nerf").person(blink_nerf_weights)


def pictures(person, *pieces: Performance) -> np.ndarray:
    return np.stack(list(person.renderer(None, LOOK).play(pieces))).astype(int)


def performed(person, **controls) -> Performance:
    driver = person.driver(Controls(seed=1, **controls), LOOK.fps, None, None)
    pieces = (driver.push(read_speech(VOICE, end_s=1.5).waveform), driver.finish())
    return Performance.concatenate(piece for piece in pieces if piece is not None)


def test_speak_and_render_write_videos(blink_nerf_weights, tmp_path):
    written = animate.speak(
        blink_nerf_weights, VOICE, tmp_path / "a.mp4", method="blink_nerf", end_s=1.0, fps=10,
        save_performance=tmp_path / "a.npz",
    )  # fmt: skip
    assert (open_video(written).width, open_video(written).has_audio) == (64, True)
    kept = load_performance(tmp_path / "a.npz")
    assert kept.landmarks.shape == (10, 68, 3) and kept.voice.shape == (10, feature_count("sounds"))
    again = animate.render(blink_nerf_weights, kept, tmp_path / "b.mp4", method="blink_nerf", fps=10)
    one, two = (np.stack(list(open_video(path).frames())) for path in (written, again))
    assert np.abs(one.astype(int) - two).mean() < 2


def test_pieces_change_nothing(person):
    whole = performed(person)
    np.testing.assert_array_equal(pictures(person, whole), pictures(person, whole[:4], whole[4:5], whole[5:]))


def test_expressions_of_others_move_the_landmarks(person):
    base = Performance.neutral(3, LOOK.fps)
    opened = base.expression.copy()
    opened[1:, index_of("jawOpen")] = 0.7
    renderer = person.renderer(None, LOOK)
    still, wide = (renderer._condition(replace(base, expression=e)).landmarks for e in (base.expression, opened))
    assert np.abs(wide[0] - still[0]).max() < 1e-5 and (still[1, 57, 1] - wide[1, 57, 1]) > 0.3
    shut = renderer._condition(replace(base, au45=np.full(3, 4.0, np.float32)))
    np.testing.assert_array_equal(shut.au45, 4)


def test_head_motion_is_about_the_persons_own(person):
    turned = replace(Performance.neutral(2, LOOK.fps), rotation=np.array([[0, 0, 0], [5, 0, 0]], np.float32))
    poses = person.renderer(None, LOOK)._poses(turned)
    angle = np.degrees(np.arccos((np.trace(poses.rotation[0].T @ poses.rotation[1]) - 1) / 2))
    assert angle == pytest.approx(5, abs=1e-3)


def test_the_driver_plays_on_anybody(person, portrait):
    frames = list(person.renderer(portrait, Look(fps=10, crop="face", size=128)).play([performed(person)]))
    assert len(frames) == 15 and np.abs(frames[0].astype(int) - frames[-1]).mean() > 0.1


def test_what_cannot_be_is_refused(person, tmp_path):
    with pytest.raises(ControlError, match="background"):
        person.renderer(None, replace(LOOK, background="#00ff00"))
    method = get_personal("blink_nerf")
    prepared = toy_person().save(tmp_path / "ann")
    for folder, said in ((prepared, "not learned"), (tmp_path, "no weights"), (VOICE, "nobody whom")):
        with pytest.raises(InputError, match=said):
            method.person(folder)
    with pytest.raises(ControlError, match="folder of their weights"):
        animate.speak(np.zeros((64, 64, 3), np.uint8), VOICE, tmp_path / "a.mp4", method="blink_nerf")
    with pytest.raises(InputError, match="not learned"):
        animate.speak(prepared, VOICE, tmp_path / "a.mp4", method="blink_nerf")
