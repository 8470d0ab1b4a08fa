"""`vultus track --face`: one of the people in a video, through its cuts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import skimage.data

from vultus.animate import track
from vultus.cli import run
from vultus.core.errors import ControlError
from vultus.face.rig import load_performance

Frame = Callable[[int], np.ndarray]
SIDE, COUNT = 300, 12


def astronaut(i: int) -> np.ndarray:
    """She sways a little in the picture plane."""
    picture = skimage.data.astronaut()[:320, 60:380]
    matrix = cv2.getRotationMatrix2D((165, 120), 3 - 3 * np.cos(i / 3), 1)
    turned = cv2.warpAffine(picture, matrix, (320, 320), borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(turned, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def smaller_twin(i: int) -> np.ndarray:
    """A mirrored, smaller and greener one, who holds still."""
    picture = skimage.data.astronaut()[:380, 30:410][:, ::-1] * np.array([0.6, 1, 0.7])
    return cv2.resize(picture.astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def filmed(path: Path, *people: Frame, count: int = COUNT) -> Path:
    """A video of people side by side."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "8"})
        stream.width, stream.height, stream.pix_fmt = SIDE * len(people), SIDE, "yuv420p"
        for i in range(count):
            picture = np.ascontiguousarray(np.hstack([person(i) for person in people]))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filmed(tmp_path_factory.mktemp("alone") / "alone.mp4", astronaut)


def test_the_only_person_is_tracked_as_without_the_option(alone, tmp_path):
    steps: list[tuple[int, int | None]] = []
    first = track(alone, tmp_path / "p.npz", face=1, on_progress=lambda *step: steps.append(step))
    plain = track(alone)
    assert first.channels == plain.channels and first.reference == plain.reference == "camera"
    assert first.valid.all() and plain.valid.all() and first.fps == plain.fps
    for name, most in (("expression", 0.02), ("rotation", 0.2), ("gaze", 0.3), ("au45", 0.05), ("landmarks", 0.3)):
        assert np.abs(getattr(first, name) - getattr(plain, name)).max() < most, name
    np.testing.assert_array_equal(load_performance(tmp_path / "p.npz").expression, first.expression)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert {total for _, total in steps} == {COUNT}
    assert steps[-1] == (COUNT, COUNT)


def test_numbers_go_by_size(tmp_path):
    video = filmed(tmp_path / "two.mp4", smaller_twin, astronaut, count=8)
    performances = [track(video, face=face) for face in (1, 2)]
    middles = [performance.landmarks[..., 0].mean() for performance in performances]
    assert middles[0] > SIDE > middles[1]
    assert np.ptp(performances[0].rotation[:, 2]) > 4 > 2 > np.ptp(performances[1].rotation[:, 2])


@pytest.mark.parametrize(("face", "said"), [(2, "there is no face 2, only one face"), (0, "there is no face 0")])
def test_a_number_that_nobody_has_is_refused_in_a_sentence(alone, tmp_path, capsys, face, said):
    assert run(["track", str(alone), "-o", str(tmp_path / "p.csv"), "--face", str(face)]) == 2
    (line,) = (line for line in capsys.readouterr().err.splitlines() if "face" in line and "tracking" not in line)
    assert said in line and "alone.mp4" in line
    assert not list(tmp_path.iterdir())


def test_a_face_that_does_not_exist_at_all_is_refused_before_the_video_is_read(alone, monkeypatch):
    monkeypatch.setattr("vultus.face.people.follow_people", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(ControlError, match="faces count from 1"):
        track(alone, face=0)


class Stop(KeyboardInterrupt):
    """Ctrl-C on the way."""


@pytest.mark.parametrize("at", [2, COUNT - 2])
def test_an_interrupt_while_watching_or_fitting_leaves_nothing(alone, tmp_path, at):
    def stop(done: int, total: int | None) -> None:
        if done == at:
            raise Stop

    with pytest.raises(Stop):
        track(alone, tmp_path / "p.csv", face=1, on_progress=stop)
    assert not list(tmp_path.iterdir())
