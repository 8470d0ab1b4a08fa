"""One person's video, minutes long, for a method that learns one person (blink_nerf): its last tenth is held out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vultus.data.clips import RawClip
from vultus.data.readers.folder import is_video

LAYOUT = "one video file, or a folder with nothing but one"
HELD_OUT = 0.1
"""Share of the video, at its end, that is tested on (AD-NeRF and its successors split so; the paper does not say)."""

_EXPECTED = (
    (30.0, "too short to learn a person from: 3 to 5 minutes do, 30 seconds are the least"),
    (90.0, "enough to try: the face will be like, but sounds and poses that were not shown will be guesses"),
    (180.0, "usable: lips and blinks follow; 3 to 5 minutes make rarer sounds and poses better"),
)
"""Seconds below which a video of a person is what, for a method that learns one person."""


def expectation(duration_s: float) -> str:
    """What can be learned from so long a video, in a clause."""
    fits = (text for limit_s, text in _EXPECTED if duration_s < limit_s)
    return next(fits, "as long as the paper's" if duration_s < 360 else "longer than the paper's 3 to 5 minutes")


def clips(root: Path, seed: int) -> Iterator[RawClip]:
    """The video, whole: its parts share camera, background and tracking. The seed changes nothing."""
    videos = [root] if root.is_file() else [path for path in sorted(root.glob("*")) if is_video(path)]
    if len(videos) == 1 and is_video(videos[0]):
        yield RawClip("person", videos[0].stem, videos[0].stem, "train", videos[0], held_out=HELD_OUT)
