"""Several people in a video: rendered ones and the astronaut are moved about on a stage; who is who must come out."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import skimage.data

from vultus.core.errors import InputError
from vultus.core.types import Frames
from vultus.data.synthetic.people import random_person
from vultus.face.people import Crowd, follow_people
from vultus.face.points import face_box
from vultus.face.stretches import Stretch, look_of
from vultus.rendering.person.renderer import PersonRenderer

REAL = Path(__file__).parents[3] / "shared" / "data" / "real"
needs_clips = pytest.mark.skipif(not REAL.exists(), reason="the shared clips are not beside the repository")
SIDE = 220
Walk = Callable[[int], int | None]


@cache
def face_of(name: str) -> np.ndarray:
    """Somebody's picture, (SIDE, SIDE, 3)."""
    if name == "astronaut":
        picture = skimage.data.astronaut()[:240, 105:345]
    else:
        renderer = PersonRenderer(random_person(7, {"bearded": 1, "veiled": 2}[name]), 256)
        picture = renderer.frame(np.zeros(52), np.zeros(3), np.zeros(3), np.zeros(2))
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def staged(moves: dict[str, Walk], frames: Iterable[int], width: int = 600, wall: int = 110) -> list[np.ndarray]:
    """Pictures in which people stand with their left edge where their path says; later ones before earlier ones."""
    grain = np.random.default_rng(wall).normal(wall, 12, (8, 12, 3)).astype(np.float32)
    pictures = []
    for i in frames:
        picture = cv2.resize(grain, (width, SIDE + 20), interpolation=cv2.INTER_CUBIC)
        for name, path in moves.items():
            x = path(i)
            if x is not None and -SIDE < x < width:
                left, right = max(x, 0), min(x + SIDE, width)
                picture[10 : 10 + SIDE, left:right] = face_of(name)[:, left - x : max(right - x, 0)]
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
    return pictures


def followed(pictures: list[np.ndarray], **options) -> Crowd:
    height, width = pictures[0].shape[:2]
    crowd = follow_people(Frames(iter(pictures), 25.0, width, height, len(pictures)), **options)
    assert crowd.frames == len(crowd.shot) == len(pictures)
    for track in crowd.tracks:
        assert len(track) == len(pictures)
        np.testing.assert_array_equal(track.shot, crowd.shot)
        assert np.isfinite(track.points).all()
    return crowd


def middles(crowd: Crowd, person: int) -> np.ndarray:
    """Where a face is (T,), NaN where it is not seen."""
    track = crowd.tracks[person]
    return np.where(track.performance.valid, track.points[..., 0].mean(1), np.nan)


def seen(crowd: Crowd) -> list[int]:
    return [int(track.performance.valid.sum()) for track in crowd.tracks]


@pytest.fixture(autouse=True, scope="module")
def brief_calibration() -> Iterator[None]:
    """A build is taken from 4 frames, not 24: half of the time goes there, and who is who does not hang on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vultus.face.fit._IDENTITY_FRAMES", 2)
        yield


FLASH, HIDDEN, SWAPPED, ALONE, END = 7, range(14, 24), 34, 42, 50


@pytest.fixture(scope="module")
def play() -> Crowd:
    """Two people; a flash; one is hidden for ten frames; a cut, and they have changed places; a cut to one of them."""

    def bearded(i: int) -> int:
        return 20 if SWAPPED <= i < ALONE else 340 if i < SWAPPED else 120

    def astronaut(i: int) -> int | None:
        return None if i >= ALONE else 340 if i >= SWAPPED else 20

    walls = np.repeat([110, 95, 80], [SWAPPED, ALONE - SWAPPED, END - ALONE])
    pictures = [staged({"astronaut": astronaut, "bearded": bearded}, [i], wall=wall)[0] for i, wall in enumerate(walls)]
    pictures[FLASH] = np.full_like(pictures[FLASH], 255)
    for i in range(HIDDEN[0] - 4, HIDDEN[-1] + 4):  # a board is raised and let down
        pictures[i][max(0, 50 * (HIDDEN[0] - i), 50 * (i - HIDDEN[-1])) :, 370:540] = 60
    return followed(pictures)


def test_everybody_has_one_track_and_all_have_the_same_shots(play):
    assert len(play.tracks) == 2  # the bearded face is the larger one
    assert play.shot.tolist() == [0] * SWAPPED + [1] * (ALONE - SWAPPED) + [2] * (END - ALONE)


def test_a_flash_parts_nobody(play):
    for person, at in ((0, 450), (1, 130)):
        around = middles(play, person)[: FLASH + 3]
        assert np.flatnonzero(np.isnan(around)).tolist() == [FLASH]
        np.testing.assert_allclose(np.delete(around, FLASH), at, atol=15)


def test_a_face_hidden_for_ten_frames_is_the_same_afterwards(play):
    hidden, other = (track.performance.valid[FLASH + 1 : SWAPPED] for track in play.tracks)
    gone = np.flatnonzero(~hidden) + FLASH + 1
    assert set(gone) >= set(HIDDEN)
    assert gone.min() >= HIDDEN[0] - 4
    assert gone.max() <= HIDDEN[-1] + 7  # found again when people are next looked for
    assert other.all()


def test_people_who_change_places_over_a_cut_keep_their_numbers(play):
    for person, before, after in ((0, 450, 130), (1, 130, 450)):
        path = middles(play, person)
        np.testing.assert_allclose(path[SWAPPED - 1], before, atol=15)
        np.testing.assert_allclose(path[SWAPPED:ALONE], after, atol=15)


def test_the_one_who_is_left_after_a_cut_is_the_same_and_the_other_is_gone(play):
    np.testing.assert_allclose(middles(play, 0)[ALONE:], 230, atol=15)
    assert np.isnan(middles(play, 1)[ALONE:]).all()


def test_somebody_comes_in_and_leaves():
    def visit(i: int) -> int:
        return 580 - 40 * min(i, 6) + max(0, i - 32) * 50

    crowd = followed(staged({"astronaut": lambda i: 20, "bearded": visit}, range(40)))
    assert len(crowd.tracks) == 2
    there, coming = sorted((track.performance.valid for track in crowd.tracks), key=lambda valid: -valid.sum())
    assert there.all()
    first, last = np.flatnonzero(coming)[[0, -1]]
    assert 3 <= first <= 25  # at the next look round, one a second
    assert 32 <= last <= 37
    assert coming[first : last + 1].all()
    assert crowd.shot.max() == 0


@pytest.mark.parametrize("walker", ["bearded", "astronaut"])
def test_faces_that_cross_are_not_exchanged(walker):
    still = {"bearded": "astronaut", "astronaut": "bearded"}[walker]
    crowd = followed(staged({still: lambda i: 190, walker: lambda i: -60 + 16 * i}, range(32)))
    assert len(crowd.tracks) == 2
    hidden, passing = sorted((0, 1), key=lambda person: np.nanstd(middles(crowd, person)))
    np.testing.assert_allclose(middles(crowd, passing), 50 + 16 * np.arange(32), atol=15)
    standing = middles(crowd, hidden)
    covered = np.flatnonzero(np.isnan(standing))
    assert covered.min() >= 9 and covered.max() <= 28  # the pictures meet in frame 2 and part in 30
    np.testing.assert_allclose(standing[~np.isnan(standing)], 300, atol=15)


def test_people_who_pass_each_other_are_not_exchanged():
    moves: dict[str, Walk] = {"astronaut": lambda i: 360 - 14 * i, "bearded": lambda i: 20 + 14 * i}
    crowd = followed(staged(moves, range(26)))
    assert len(crowd.tracks) == 2
    np.testing.assert_allclose(middles(crowd, 0), 130 + 14 * np.arange(26), atol=15)  # the one in front
    behind, true = middles(crowd, 1), 470 - 14 * np.arange(26)
    seen_now = ~np.isnan(behind)
    np.testing.assert_allclose(behind[seen_now], true[seen_now], atol=15)
    assert seen_now[:8].all() and seen_now[-2:].all()


def test_the_largest_are_kept_and_one_person_is_followed_as_ever():
    crowd = followed(staged({"astronaut": lambda i: 20, "bearded": lambda i: 340}, range(6)), most=1)
    assert len(crowd.tracks) == 1
    np.testing.assert_allclose(middles(crowd, 0), 450, atol=15)


def test_who_is_who_may_be_told_by_the_caller():
    pictures = staged({"veiled": lambda i: 150}, range(6)) + staged({"veiled": lambda i: 100}, range(6), wall=200)
    asked = []

    def strangers(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
        asked.append((picture.shape, points.shape))
        return np.eye(2)[int(picture.mean() > 140)]

    assert len(followed(pictures).tracks) == 1
    assert len(followed(pictures, embed=strangers).tracks) == 2
    assert set(asked) == {(pictures[0].shape, (478, 3))}


def test_progress_goes_on_while_people_are_fitted_and_ends_at_the_end():
    steps: list[tuple[int, int | None]] = []
    pictures = staged({"astronaut": lambda i: 20, "bearded": lambda i: 340}, range(6))
    followed(pictures, on_progress=lambda *step: steps.append(step))
    assert [done for done, _ in steps] == [1, 2, 3, 4, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12]
    assert {to_do for _, to_do in steps} == {12}


def test_videos_without_people_are_refused():
    with pytest.raises(InputError, match=r"wall\.mp4: no face found"):
        followed(staged({}, range(3)), where="wall.mp4")
    with pytest.raises(InputError, match="the video has no frames"):
        follow_people(Frames(iter(()), 25.0, 64, 64))
    small = [cv2.resize(picture, None, fx=0.3, fy=0.3) for picture in staged({"bearded": lambda i: 150}, range(2))]
    with pytest.raises(InputError, match="too small"):
        followed(small)


def test_points_are_kept_exactly_and_parted_with_their_looks():
    rng = np.random.default_rng(0)
    faces = rng.uniform(300, 700, (4, 478, 3)).astype(np.float32) * (1, 1, 0.2)
    stretch = Stretch(5)
    for points in faces:
        stretch.append(points)
    stretch.looks.append((5, look_of(face_of("astronaut"), faces[0] / 4)))
    for part in stretch.split(7):
        assert (part.end - part.start, len(part.looks)) == (2, 1)
        for frame in range(part.start, part.end):
            np.testing.assert_allclose(part.points(frame), faces[frame - 5], atol=face_box(faces[0])[1] / 16000)


@needs_clips
def test_two_real_talkers_side_by_side_and_cut_apart():
    def decoded(name: str) -> list[np.ndarray]:
        with av.open(str(REAL / "talk" / name)) as container:
            frames = [frame for frame, _ in zip(container.decode(video=0), range(24), strict=False)]
        return [cv2.resize(f.to_ndarray(format="rgb24"), (320, 320), interpolation=cv2.INTER_AREA) for f in frames]

    one, other = decoded("face_3.mp4"), decoded("face_2.mp4")
    both = [np.hstack(pair) for pair in zip(one[:12], other[:12], strict=True)]
    swapped = [np.hstack(pair) for pair in zip(other[12:], one[12:], strict=True)]
    crowd = followed(both + swapped)
    assert crowd.shot.tolist() == [0] * 12 + [1] * 12
    assert seen(crowd) == [24, 24]
    assert [bool(np.diff(middles(crowd, person))[11] > 0) for person in (0, 1)] == [True, False]
