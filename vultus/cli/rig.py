"""`vultus rig`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from vultus.cli.exits import NOTHING_PREPARED
from vultus.cli.options import End, Output, optional
from vultus.cli.progress import progress_bar
from vultus.cli.speak import BlinkRate, PoseText
from vultus.core.controls import Controls
from vultus.core.errors import ControlError
from vultus.face.exports import Format
from vultus.methods import DEFAULT_RIG_METHOD

RigVoice = Annotated[Path | None, optional("PATH", "none; give it or --performance")]
RigPerformance = Annotated[Path | None, optional("PATH", "none")]
RigRate = Annotated[float | None, optional("FLOAT", "60; a performance's own")]
PreviewPath = Annotated[Path | None, optional("PATH", "none")]

_SHOWN = 10
"""So many failures are named; the report lists all."""


def rig(
    output: Output,
    voice: RigVoice = None,
    performance: RigPerformance = None,
    format: Format = "metahuman",
    fps: RigRate = None,
    emotion: str = "neutral",
    intensity: float = Controls.intensity,
    pose: PoseText = "idle",
    blink: str = "natural",
    blink_rate: BlinkRate = Controls.blink_rate,
    gaze: str = "natural",
    lip_scale: float = Controls.lip_scale,
    expression_scale: float = Controls.expression_scale,
    method: str = DEFAULT_RIG_METHOD,
    start: float = 0.0,
    end: End = None,
    seed: int = Controls.seed,
    preview: PreviewPath = None,
) -> int | None:
    """Make animation curves for a game engine or a 3-D program from a voice, or from every voice in a folder.

    Args:
        output: What to write: .csv (metahuman, arkit, livelink), .json (metahuman) or .glb (gltf); a folder if the
            voice is one.
        voice: An audio or video file, or a folder of them.
        performance: Curves that exist already, to convert or to look at: .csv, .npz, or EmoFace's .txt; the voice may
            come along as the preview's sound.
        format: metahuman: 174 controls of the face board; arkit: 52 weights; livelink: what the app Live Link Face
            records; gltf: a head that plays the curves.
        fps: Frames per second.
        emotion: As of `vultus speak`.
        intensity: Level 0-3 of emotions that set none themselves.
        blink: natural, none, a VIDEO, or times in seconds (1.0,2.5).
        blink_rate: Mean number of natural blinks a minute.
        gaze: natural, still, or X,Y in degrees (right and up in the picture); also as keys over time.
        lip_scale: Factor on the lips' movements.
        expression_scale: Factor on emotional expression.
        method: Which method makes the curves; see `vultus methods`.
        start: Second of the voice at which to start.
        end: Second of the voice at which to end.
        seed: Another number, another natural motion; the same number, the same curves.
        preview: Also show the curves on a head, shaded: .mp4, .webm; a folder if the voice is one.
    """
    controls = {name: value for name, value in locals().items() if name in _CONTROLS and value != _CONTROLS[name]}
    options: dict[str, Any] = {"format": format, "fps": fps, "start_s": start, "end_s": end, "preview": preview}
    from vultus import rigging

    if voice is not None and voice.is_dir():
        if performance is not None:
            raise ControlError("a folder of voices makes its own curves", "--performance", "leave it out")
        with progress_bar("rigging", "voices") as on_voice:
            report = rigging.rig_folder(voice, output, method=method, on_voice=on_voice, **options, **controls)
        for row in report.failed[:_SHOWN]:
            print(f"{row.voice}: {row.error}")
        print(f"{output}: curves of {len(report.rows) - len(report.failed)} of {len(report.rows)} voices")
        return NOTHING_PREPARED if len(report.failed) == len(report.rows) else None
    with progress_bar("rigging") as on_progress:
        written = rigging.rig(
            voice, output, performance=performance, method=method, on_progress=on_progress, **options, **controls
        )  # fmt: skip
    print(written)
    return None


_CONTROLS: dict[str, Any] = {
    "emotion": "neutral", "intensity": Controls.intensity, "pose": "idle", "blink": "natural",
    "blink_rate": Controls.blink_rate, "gaze": "natural", "lip_scale": Controls.lip_scale,
    "expression_scale": Controls.expression_scale, "seed": Controls.seed,
}  # fmt: skip
"""What a user may set about a performance, and what it is otherwise."""
