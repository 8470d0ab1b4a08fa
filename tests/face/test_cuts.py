"""Cuts: edits assembled here, of drawn scenes and of real clips; what only looks like a cut is none."""

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.face.cuts import CutDetector

REAL = Path(__file__).parents[3] / "shared" / "data" / "real"
needs_clips = pytest.mark.skipif(not REAL.exists(), reason="the shared clips are not beside the repository")


def scene(seed: int, count: int = 40) -> np.ndarray:
    """Pictures (count, 72, 128, 3) of a blotchy wall before which something sways."""
    rng = np.random.default_rng(seed)
    wall = cv2.resize(rng.integers(0, 256, (5, 8, 3)).astype(np.float32), (128, 72), interpolation=cv2.INTER_CUBIC)
    colour = rng.integers(0, 256, 3).tolist()
    pictures = np.repeat(wall[None].clip(0, 255), count, 0)
    for i, picture in enumerate(pictures):
        cv2.ellipse(picture, (int(64 + 6 * np.sin(i / 4 + seed)), 40), (14, 20), 0, 0, 360, colour, -1)
    return np.clip(pictures + rng.normal(0, 2, pictures.shape), 0, 255).astype(np.uint8)


def cuts_in(pictures: np.ndarray) -> list[int]:
    """First frames of shots, but for the first."""
    detector = CutDetector()
    for picture in pictures:
        detector.next(picture)
    shots = detector.shots()
    assert len(shots) == len(pictures)
    return (np.flatnonzero(np.diff(shots)) + 1).tolist()


def mixed(first: np.ndarray, second: np.ndarray, start: int, length: int) -> np.ndarray:
    """One scene turning into another from frame `start` on, over `length` frames."""
    share = np.clip((np.arange(len(first)) - start) / length, 0, 1)[:, None, None, None]
    return (first * (1 - share) + second * share).astype(np.uint8)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.lists(st.integers(6, 30), min_size=1, max_size=4))
def test_every_hard_cut_is_found_where_it_is(seed, lengths):
    shots = [scene(10 * seed + i, length) for i, length in enumerate(lengths)]
    pictures = np.concatenate(shots)
    assert cuts_in(pictures) == np.cumsum(lengths)[:-1].tolist()
    detector = CutDetector()
    suspected = [i for i, picture in enumerate(pictures) if detector.next(picture)]
    assert set(np.cumsum(lengths)[:-1]) <= set(suspected)


def test_a_jump_within_a_setting_is_a_cut():
    quiet = scene(3, 60)
    jumped = np.concatenate([quiet[:30], np.roll(quiet[30:], 9, 2)])
    assert cuts_in(jumped) == [30]


@pytest.mark.parametrize("length", [2, 3, 8, 12, 25, 40])
def test_a_dissolve_is_one_cut_in_its_middle(length):
    found = cuts_in(mixed(scene(1, 100), scene(2, 100), 40, length))
    assert len(found) == 1
    assert 40 - 2 <= found[0] <= 40 + length + 2


def test_a_fade_through_black_leaves_the_shot():
    share = np.abs(np.clip((np.arange(80) - 40) / 12, -1, 1))[:, None, None, None]
    found = cuts_in((np.concatenate([scene(1), scene(2)]) * share).astype(np.uint8))
    assert found
    assert all(28 <= frame <= 52 for frame in found)


@pytest.mark.parametrize("change", [lambda p: p * 0 + 255, lambda p: p * 1.4 + 60, lambda p: p * 0])
@pytest.mark.parametrize("length", [1, 3])
def test_a_flash_is_no_cut(change: Callable[[np.ndarray], np.ndarray], length):
    pictures = scene(5, 60)
    pictures[30 : 30 + length] = np.clip(change(pictures[30 : 30 + length].astype(float)), 0, 255)
    assert cuts_in(pictures) == []


@pytest.mark.parametrize("speed_px", [2, 6, 15])
def test_a_pan_is_no_cut(speed_px):
    rng = np.random.default_rng(4)
    wall = cv2.resize(rng.integers(0, 256, (6, 80, 3)).astype(np.float32), (1280, 72), interpolation=cv2.INTER_CUBIC)
    at = np.clip(np.arange(60) - 15, 0, 30) * speed_px
    assert cuts_in(np.stack([wall[:, x : x + 128] for x in at]).clip(0, 255).astype(np.uint8)) == []


def test_nothing_and_one_picture_have_shots_too():
    detector = CutDetector()
    assert detector.shots().tolist() == []
    assert not detector.next(scene(0, 1)[0])
    assert detector.shots().tolist() == [0]


def decoded(name: str, start: int, stop: int) -> np.ndarray:
    with av.open(str(REAL / name)) as container:
        frames = (f for i, f in zip(range(stop), container.decode(video=0), strict=False) if i >= start)
        return np.stack(
            [cv2.resize(f.to_ndarray(format="rgb24"), (128, 128), interpolation=cv2.INTER_AREA) for f in frames]
        )


@needs_clips
def test_jump_cuts_of_a_news_clip_are_found_and_nothing_else():
    assert cuts_in(decoded("person/anchor_71s.mp4", 100, 260)) == [176 - 100]


@needs_clips
@pytest.mark.parametrize("name", ["voxceleb2/00015.mp4", "talk/face_3.mp4", "hdtf/WDA_KatieHill_000.mp4"])
def test_lively_talkers_make_no_cuts_but_joined_ones_do(name):
    lively = decoded(name, 0, 100)
    assert cuts_in(lively) == []
    assert cuts_in(np.concatenate([lively, decoded("mead/fear.mp4", 0, 40)])) == [100]
