"""Several people in a video: rendered ones and the astronaut are moved about on a stage; who is who must come out."""

from collections.abc import Callable
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


def staged(moves: dict[str, Walk], count: int, width: int = 600, wall: int = 110) -> list[np.ndarray]:
    """Pictures in which people stand with their left edge where their path says; later ones before earlier ones."""
    grain = np.random.default_rng(wall).normal(wall, 12, (8, 12, 3)).astype(np.float32)
    pictures = []
    for i in range(count):
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


def test_two_people_and_a_cut_to_one_of_them():
    both = staged({"astronaut": lambda i: 20, "bearded": lambda i: 340}, 12)
    alone = staged({"bearded": lambda i: 120}, 10, wall=90)
    crowd = followed(both + alone)
    assert crowd.shot.tolist() == [0] * 12 + [1] * 10
    assert seen(crowd) == [22, 12]  # the bearded face is the larger one
    np.testing.assert_allclose(middles(crowd, 0), [450] * 12 + [230] * 10, atol=15)
    np.testing.assert_allclose(middles(crowd, 1)[:12], 130, atol=15)


def test_people_who_change_places_over_a_cut_keep_their_numbers():
    before = staged({"astronaut": lambda i: 20, "bearded": lambda i: 340}, 8)
    after = staged({"astronaut": lambda i: 340, "bearded": lambda i: 20}, 8, wall=95)
    crowd = followed(before + after)
    assert seen(crowd) == [16, 16]
    assert (np.diff(np.round(middles(crowd, 0), -2)) < 0).sum() == 1
    assert (np.diff(np.round(middles(crowd, 1), -2)) > 0).sum() == 1


def test_somebody_comes_in_and_leaves():
    def visit(i: int) -> int | None:
        return 620 - 20 * min(i, 14) + max(0, i - 40) * 25

    crowd = followed(staged({"astronaut": lambda i: 20, "bearded": visit}, 55))
    assert len(crowd.tracks) == 2
    there, coming = sorted((track.performance.valid for track in crowd.tracks), key=lambda valid: -valid.sum())
    assert there.all()
    first, last = np.flatnonzero(coming)[[0, -1]]
    assert 5 <= first <= 26  # at the next look round
    assert 40 <= last <= 50
    assert coming[first : last + 1].all()
    assert crowd.shot.max() == 0


def test_a_face_hidden_for_ten_frames_is_the_same_afterwards():
    def hiding(i: int) -> int | None:
        return None if 12 <= i < 22 else 340

    crowd = followed(staged({"astronaut": lambda i: 20, "bearded": hiding}, 40))
    assert len(crowd.tracks) == 2
    valid = crowd.tracks[0].performance.valid
    assert valid[:12].all()
    assert not valid[13:22].any()
    assert valid[28:].all()


def test_faces_that_cross_are_not_exchanged():
    crowd = followed(staged({"astronaut": lambda i: 190, "bearded": lambda i: -100 + 16 * i}, 42))
    still, passing = sorted((0, 1), key=lambda person: np.nanstd(middles(crowd, person)))
    assert len(crowd.tracks) == 2
    np.testing.assert_allclose(middles(crowd, still)[~np.isnan(middles(crowd, still))], 300, atol=25)
    path = middles(crowd, passing)
    np.testing.assert_allclose(path, [10 + 16 * i for i in range(42)], atol=25)
    assert not np.isnan(middles(crowd, still))[[0, 1, 2, -3, -2, -1]].any()


def test_a_flash_parts_nobody():
    pictures = staged({"astronaut": lambda i: 20, "bearded": lambda i: 340}, 16)
    pictures[8] = np.full_like(pictures[8], 255)
    crowd = followed(pictures)
    assert crowd.shot.max() == 0
    assert seen(crowd) == [15, 15]


def test_the_largest_are_kept_and_one_person_is_followed_as_ever():
    crowd = followed(staged({"astronaut": lambda i: 20, "bearded": lambda i: 340}, 6), most=1)
    assert len(crowd.tracks) == 1
    np.testing.assert_allclose(middles(crowd, 0), 450, atol=15)


def test_who_is_who_may_be_told_by_the_caller():
    pictures = staged({"veiled": lambda i: 150}, 6) + staged({"veiled": lambda i: 100}, 6, wall=200)
    asked = []

    def strangers(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
        asked.append((picture.shape, points.shape))
        return np.eye(2)[int(picture.mean() > 140)]

    assert len(followed(pictures).tracks) == 1
    assert len(followed(pictures, embed=strangers).tracks) == 2
    assert set(asked) == {(pictures[0].shape, (478, 3))}


def test_progress_ends_at_the_end():
    steps: list[tuple[int, int | None]] = []
    followed(staged({"bearded": lambda i: 150}, 3), on_progress=lambda *step: steps.append(step))
    assert steps[-1] == (6, 6)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_videos_without_people_are_refused():
    with pytest.raises(InputError, match=r"wall\.mp4: no face found"):
        followed(staged({}, 3), where="wall.mp4")
    with pytest.raises(InputError, match="the video has no frames"):
        follow_people(Frames(iter(()), 25.0, 64, 64))
    small = [cv2.resize(picture, None, fx=0.3, fy=0.3) for picture in staged({"bearded": lambda i: 150}, 2)]
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
            frames = [frame for frame, _ in zip(container.decode(video=0), range(40), strict=False)]
        return [cv2.resize(f.to_ndarray(format="rgb24"), (320, 320), interpolation=cv2.INTER_AREA) for f in frames]

    one, other = decoded("face_3.mp4"), decoded("face_2.mp4")
    both = [np.hstack(pair) for pair in zip(one[:20], other[:20], strict=True)]
    swapped = [np.hstack(pair) for pair in zip(other[20:], one[20:], strict=True)]
    crowd = followed(both + swapped)
    assert crowd.shot.tolist() == [0] * 20 + [1] * 20
    assert seen(crowd) == [40, 40]
    assert [bool(np.diff(middles(crowd, person))[19] > 0) for person in (0, 1)] == [True, False]
