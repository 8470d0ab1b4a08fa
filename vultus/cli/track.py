"""`vultus track`."""

from __future__ import annotations

from typing import Annotated

from vultus.cli.options import Face, Output, VideoPath, optional
from vultus.cli.progress import progress_bar

TrackingRate = Annotated[float | None, optional("FLOAT", "the video's own")]


def track(
    video: VideoPath,
    /,
    output: Output,
    fps: TrackingRate = None,
    face: Face = None,
) -> None:
    """Read the performance of a person in a video: head pose, 52 expressions, gaze, blinks, 68 landmarks.

    Args:
        video: Any video with a face.
        output: The file to write, .csv or .npz.
        fps: Frames per second to track at.
        face: Which face, counted from 1, the largest first.
    """
    from vultus import animate

    with progress_bar("tracking") as on_progress:
        performance = animate.track(video, output, fps=fps, face=face, on_progress=on_progress)
    print(f"{output}: {len(performance)} frames, a face in {performance.valid.mean():.0%} of them")
