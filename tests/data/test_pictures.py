"""Videos of prepared clips: every picture in its place, from any start."""

from __future__ import annotations

import numpy as np
import pytest

from vultus.core.errors import InputError
from vultus.data.pictures import PictureWriter, read_pictures
from vultus.video.provenance import is_marked
from vultus.video.read import open_video


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "video.mp4"
    with PictureWriter(path, 25, 64, 48) as writer:
        for level in range(120):
            writer.add(np.full((48, 64, 3), 2 * level, np.uint8))
    return path


@pytest.mark.parametrize(("start", "stop"), [(0, 120), (0, 1), (24, 27), (119, 120), (60, 60), (110, 500)])
def test_any_part_is_read_exactly(video, start, stop):
    levels = [image.mean() for image in read_pictures(video, start, stop)]
    assert len(levels) == min(stop, 120) - start
    assert np.abs(np.array(levels) - 2 * np.arange(start, min(stop, 120))).max(initial=0) < 1.5


def test_it_is_an_ordinary_video_without_the_mark_unless_its_source_has_it(video, tmp_path):
    assert open_video(video).fps == 25 and open_video(video).count == 120 and not is_marked(video)
    with PictureWriter(tmp_path / "made.mp4", 25, 64, 48, synthetic=True) as writer:
        writer.add(np.zeros((48, 64, 3), np.uint8))
    assert is_marked(tmp_path / "made.mp4")


def test_missing_and_damaged_videos(tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no")
    for name in ("bad.mp4", "none.mp4"):
        with pytest.raises(InputError, match="missing or damaged"):
            next(read_pictures(tmp_path / name, 0, 1))
