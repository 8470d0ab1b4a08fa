"""A short video of a drawn speaker with its voice, and changed copies of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from vultus.core.types import Frames, Portrait
from vultus.video.read import open_video
from vultus.video.write import write_video

SPEECH = Path(__file__).parents[2] / "vultus" / "assets" / "sample_speech.flac"
SPOKEN_S = 2.4


def changed(source: Path, target: Path, change: Callable[[np.ndarray], np.ndarray], voice: Path | None) -> Path:
    """A copy of a video with every frame changed."""
    video = open_video(source)
    images = [change(image) for image in video.frames()]
    height, width = images[0].shape[:2]
    return write_video(Frames(iter(images), video.fps, width, height, len(images)), target, voice)


def blurred(image: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), 2)


def mirrored(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[:, ::-1])


@pytest.fixture(scope="session")
def spoken(portrait: Portrait, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The astronaut speaks for some seconds, 256 px, 25 fps."""
    from vultus.animate import speak

    target = tmp_path_factory.mktemp("spoken") / "a.mp4"
    return speak(portrait, SPEECH, target, end_s=SPOKEN_S, size=256, crop="face", seed=1)


@pytest.fixture(scope="session")
def versions(spoken: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of methods: `blurred/a.mp4`, `mirrored/a.mp4`."""
    folder = tmp_path_factory.mktemp("versions")
    for change in (blurred, mirrored):
        (folder / change.__name__).mkdir()
        changed(spoken, folder / change.__name__ / "a.mp4", change, spoken)
    return folder
