"""The command line: verbs, each a thin call of what `vultus` offers to Python."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from vultus.core.controls import Controls
from vultus.core.errors import VultusError
from vultus.core.method import Crop
from vultus.core.types import DEFAULT_FPS
from vultus.methods import DEFAULT_METHOD

if TYPE_CHECKING:
    from vultus.video.provenance import Verification

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells have it."""
NOT_VERIFIED = 1
"""Exit code of `verify` for a file without a valid signature."""

DESCRIPTION = "A voice and one photo in, a talking video out. VERB --help explains a verb; --version tells the version."

PortraitPath = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="PORTRAIT")]]
PerformancePath = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="PERFORMANCE")]]
VideoPath = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="VIDEO")]]
MarkedPath = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="FILE")]]
Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]
AsJson = Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff]


def _optional(metavar: str, otherwise: str) -> Any:
    """How `--help` shows an option that may be left out; `otherwise` says what happens then."""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint=f"(default: {otherwise})")


PoseText = Annotated[
    str,
    tyro.conf.arg(  # here, as tyro keeps the line breaks of a longer text in a docstring
        help="idle, still, a VIDEO whose head motion is taken over, or KEYS.csv with columns time_s, yaw, pitch, roll: "
        "seconds from the start of the output, and degrees from the pose of the picture, up to about 20: yaw + turns "
        "towards the right of the picture, pitch + up, roll + clockwise."
    ),
]
Rate = Annotated[float | None, _optional("FLOAT", "the performance's own")]
TrackingRate = Annotated[float | None, _optional("FLOAT", "the video's own")]
BlinkRate = Annotated[float | None, _optional("FLOAT", "about 30")]
Size = Annotated[int | None, _optional("INT", "the picture's own, at most 1280; 512 with --crop face")]
End = Annotated[float | None, _optional("FLOAT", "its end")]
Face = Annotated[int | None, _optional("INT", "the largest")]
Voice = Annotated[Path | None, _optional("PATH", "silent")]
SavedPath = Annotated[Path | None, _optional("PATH", "not saved")]


def verify(file: MarkedPath, /, as_json: AsJson = False) -> int:
    """Tell whether a video, PNG or folder of PNG files is marked as synthetic, signed, and unchanged since.

    Exits with 0 only if a valid signature covers exactly these bytes.

    Args:
        file: What to look at.
        as_json: Print one JSON object instead of sentences.
    """
    from vultus.video import provenance

    result = provenance.verify(file)
    if as_json:
        print(json.dumps(dataclasses.asdict(result), default=str))
    else:
        print("\n".join(_sentences(result)))
    return 0 if result.valid else NOT_VERIFIED


def _sentences(result: Verification) -> Iterator[str]:
    origin = f"made by {result.tool or 'an unnamed tool'}" + (f" at {result.made_at}" if result.made_at else "")
    yield f"{result.path}: {'marked as synthetic' if result.marked else 'not marked as synthetic'}."
    if result.valid:
        signer = "with this installation's key" if result.trusted else f"by {result.signer!r}, which proves nothing"
        yield f"Unchanged since it was {origin} and signed {signer}."
    elif result.tampered:
        yield "NOT what was signed: it has been changed since, or its manifest has."
    elif result.signed:
        yield "Its signature cannot be relied on."
    yield from (f"- {reason}" for reason in result.reasons)


def speak(
    portrait: PortraitPath,
    /,
    voice: Path,
    output: Output,
    emotion: str = "neutral",
    intensity: float = Controls.intensity,
    pose: PoseText = "idle",
    blink: str = "natural",
    blink_rate: BlinkRate = Controls.blink_rate,
    gaze: str = "natural",
    lip_scale: float = Controls.lip_scale,
    expression_scale: float = Controls.expression_scale,
    method: str = DEFAULT_METHOD,
    fps: float = DEFAULT_FPS,
    size: Size = None,
    crop: Crop = "full",
    background: str = "keep",
    start: float = 0.0,
    end: End = None,
    face: Face = None,
    seed: int = Controls.seed,
    save_performance: SavedPath = None,
) -> None:
    """Make a portrait speak with a voice.

    Args:
        portrait: A picture of a person: a photo, a painting, a rendering.
        voice: An audio or video file.
        output: What to write: .mp4, .webm (may be transparent), or a folder for PNG files.
        emotion: neutral, angry, contempt, disgusted, fear, happy, sad or surprised; a mix (happy:0.5,surprised:0.5);
            or keys over time ("0:neutral 2.5:happy@3 6:sad"): seconds from the start of the output, @ sets the level.
        intensity: Level 0-3 of emotions that set none themselves.
        blink: natural, none, a VIDEO, or times in seconds (1.0,2.5) from the start of the output.
        blink_rate: Mean number of natural blinks a minute.
        gaze: natural, still, or X,Y in degrees (right and up in the picture); also as keys over time, as of emotion.
        lip_scale: Factor on the lips' movements.
        expression_scale: Factor on emotional expression.
        method: Which method makes the face talk; see `vultus methods`.
        fps: Frames per second.
        size: Longer side of the video, or side of the square with --crop face, in pixels.
        crop: full keeps the whole picture; face is a square around the face.
        background: keep, none (transparent .webm or PNG), a colour (#20a040), or a picture.
        start: Second of the voice at which to start.
        end: Second of the voice at which to end.
        face: Which face of the picture, counted from 1, the largest first.
        seed: Another number, another natural motion; the same number, the same video.
        save_performance: Also write the performance (.csv or .npz), to edit and `vultus render` again.
    """
    options = {k: v for k, v in locals().items() if k not in ("portrait", "voice", "output", "start", "end")}
    from vultus import animate

    with progress_bar("speaking") as on_progress:
        written = animate.speak(portrait, voice, output, start_s=start, end_s=end, on_progress=on_progress, **options)
    print(written)


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

    Args:
        portrait: A picture of a person.
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
    from vultus import animate

    options: dict[str, Any] = {} if fps is None else {"fps": fps}
    with progress_bar("rendering") as on_progress:
        written = animate.render(
            portrait, performance, output, voice=voice, start_s=start, end_s=end, method=method, face=face,
            on_progress=on_progress, size=size, crop=crop, background=background, **options,
        )  # fmt: skip
    print(written)


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


def methods() -> int:
    """List the methods that can make a face talk."""
    from vultus.methods import METHODS

    for name, module in METHODS.items():
        print(f"{name:<14} {(importlib.import_module(module).__doc__ or '').strip().splitlines()[0]}")
    return 0


VERBS: dict[str, Callable[..., int | None]] = {
    "speak": speak,
    "render": render,
    "track": track,
    "verify": verify,
    "methods": methods,
}
"""Name -> function; its docstring and signature are the verb's `--help`."""


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar with frames per second and time left on stderr; yields the callback that `write_video` wants."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeftColumn
    from rich.text import Text

    class SpeedColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.finished_speed or task.speed or 0:.0f} frames/s")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), SpeedColumn(), TimeLeftColumn())
    progress = Progress(*columns, console=Console(stderr=True))
    tasks: list[TaskID] = []

    def show(done: int, total: int | None) -> None:
        if not tasks:  # only now, so that a mistake in the options is answered by its sentence alone
            progress.start()
            tasks.append(progress.add_task(label, total=total))
        progress.update(tasks[0], completed=done, total=total)

    try:
        yield show
    finally:
        if tasks:
            progress.stop()


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code. A user's mistake is one sentence on stderr, a bug keeps its traceback."""
    if list(arguments) == ["--version"]:
        from importlib.metadata import version

        print(f"vultus {version('vultus')}")
        return 0
    try:
        verb = tyro.extras.subcommand_cli_from_dict(VERBS, prog="vultus", description=DESCRIPTION, args=arguments)
    except VultusError as error:
        print(f"vultus: {' '.join(str(error).splitlines())}", file=sys.stderr)  # one line, whatever a file is called
        return error.exit_code
    except KeyboardInterrupt:
        print("vultus: stopped; nothing was written.", file=sys.stderr)
        return INTERRUPTED
    return verb or 0


def main() -> None:
    """Entry point of the `vultus` command."""
    sys.exit(run(sys.argv[1:]))
