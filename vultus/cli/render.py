"""`vultus render`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import tyro

from vultus.cli.options import End, Face, Output, PortraitPath, Size, optional
from vultus.cli.progress import progress_bar
from vultus.compare.pairs import VIDEO_SUFFIXES
from vultus.core.errors import ControlError
from vultus.core.method import Crop
from vultus.methods import DEFAULT_METHOD

PerformancePath = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="PERFORMANCE")]]
Rate = Annotated[float | None, optional("FLOAT", "the performance's own")]
Voice = Annotated[Path | None, optional("PATH", "silent")]


def render(
    portrait: PortraitPath,
    performance: PerformancePath,
    /,
    output: Output,
    voice: Voice = None,
    start: float = 0.0,
    end: End = None,
    method: str = DEFAULT_METHOD,
    fps: Rate = None,
    size: Size = None,
    crop: Crop = "full",
    background: str = "keep",
    face: Face = None,
) -> None:
    """Play a performance (tracked, generated, edited; ours, ARKit's or Live Link Face's) on any portrait.

    On somebody in a video only the expressions are played: the head keeps its own motion, the video its own look.

    Args:
        portrait: A picture of a person, or a video.
        performance: A .csv or .npz file, from `vultus track`, `vultus speak --save-performance`, or an app.
        output: What to write: .mp4, .webm, or a folder for PNG files.
        voice: Sound to go with it.
        start: Second of the voice at which to start.
        end: Second of the voice at which to end.
        method: Which method shows it; see `vultus methods`.
        fps: Frames per second.
        size: Longer side of the video, or side of the square with --crop face, in pixels.
        crop: full keeps the whole picture; face is a square around the face.
        background: keep, none, a colour (#20a040), or a picture.
        face: Which face of the picture, counted from 1, the largest first.
    """
    if portrait.suffix.lower() in VIDEO_SUFFIXES:
        if not (fps is None and size is None and crop == "full" and background == "keep"):
            fix = "leave these options out"
            raise ControlError("a video keeps its own look", "--fps, --size, --crop, --background", fix)
        from vultus.dubbing import reenact

        with progress_bar("looking for people") as show:
            written = reenact(
                portrait, performance, output, voice=voice, start_s=start, end_s=end, method=method,
                face=1 if face is None else face, on_follow=show, on_progress=partial(show, label="rendering"),
            )  # fmt: skip
        print(written)
        return
    from vultus import animate

    options: dict[str, Any] = {} if fps is None else {"fps": fps}
    with progress_bar("rendering") as on_progress:
        written = animate.render(
            portrait, performance, output, voice=voice, start_s=start, end_s=end, method=method, face=face,
            on_progress=on_progress, size=size, crop=crop, background=background, **options,
        )  # fmt: skip
    print(written)
