"""The command line: verbs, each a thin call of what `vultus` offers to Python."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from vultus.core.controls import Controls
from vultus.core.errors import ControlError, VultusError
from vultus.core.method import Crop
from vultus.core.types import DEFAULT_FPS
from vultus.learn import DEFAULT_PRESET
from vultus.methods import DEFAULT_METHOD
from vultus.training.loop import DEFAULT_LOOP, LoopConfig, leads

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
SpeakVoice = Annotated[Path | None, _optional("PATH", "none; give it or --text")]
Voice = Annotated[Path | None, _optional("PATH", "silent")]
Text = Annotated[str | None, _optional("STR", "none")]
VoiceName = Annotated[str | None, _optional("STR", "en-us")]
TtsCommand = Annotated[str | None, _optional("STR", "none: eSpeak NG or flite")]
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
    output: Output,
    voice: SpeakVoice = None,
    text: Text = None,
    voice_name: VoiceName = None,
    tts_command: TtsCommand = None,
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
    """Make a portrait speak with a voice, or say a text.

    Args:
        portrait: A picture of a person: a photo, a painting, a rendering.
        output: What to write: .mp4, .webm (may be transparent), or a folder for PNG files.
        voice: An audio or video file.
        text: What to say instead, with a draft voice: clear, but no person's.
        voice_name: The draft voice: a language of eSpeak NG, perhaps with a timbre (en-us, fr, de+f3; en-us unless
            given), or one of flite (flite-slt).
        tts_command: A program that speaks the text instead; it reads it on its standard input and writes a sound file
            where the command says {output} ("piper -m voice.onnx -f {output}").
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
    options = {k: v for k, v in locals().items() if k not in _WHO_SAYS_WHAT}
    options |= {"start_s": start, "end_s": end}
    if (voice is None) == (text is None):
        raise ControlError("it takes one of the two", "--voice, --text", "give a sound file, or a text to say")
    if voice is not None and (voice_name is not None or tts_command is not None):
        raise ControlError("a sound file is a voice already", "--voice", "these options go with --text")
    from vultus import animate

    with progress_bar("speaking") as on_progress:
        options["on_progress"] = on_progress
        if voice is not None:
            written = animate.speak(portrait, voice, output, **options)
        else:
            written = animate.speak_text(
                portrait, text or "", output, voice_name=voice_name, tts_command=tts_command, **options
            )
    print(written)


_WHO_SAYS_WHAT = ("portrait", "output", "voice", "text", "voice_name", "tts_command", "start", "end")


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


def train(
    method: tyro.conf.Positional[str],
    data: tyro.conf.Positional[Path],
    output: tyro.conf.Positional[Path],
    /,
    preset: str = DEFAULT_PRESET,
    config: Path | None = None,
    stage: str | None = None,
    resume: bool = False,
    loop: Annotated[LoopConfig, tyro.conf.arg(name="")] = DEFAULT_LOOP,
) -> int:
    """Train a method. A run that was stopped, or killed, goes on with --resume.

    Args:
        method: Which method; see `vultus methods`.
        data: Folder of training data.
        output: Folder of the run: configuration, figures, checkpoints, and in the end the weights with their card.
        preset: Which of the method's configurations.
        config: A YAML file of what differs from the preset.
        stage: Train this stage alone; those it needs must be finished in the folder of the run.
        resume: Go on where an earlier run stopped, or begin if there is none.
        loop: Seed, cadence and devices.
    """
    from vultus import learn

    with progress_bar("training", "steps") as show:

        def on_step(stage: str, done: int, total: int, losses: Mapping[str, float]) -> None:
            show(done, total, " ".join([stage, *(f"{name} {value:.3g}" for name, value in losses.items())]))

        try:
            written = learn.train(
                method, data, output, preset=preset, config=config, stage=stage, resume=resume, loop=loop,
                on_step=on_step,
            )  # fmt: skip
        except KeyboardInterrupt:
            print(f"vultus: stopped; --resume goes on from the last checkpoint in {output}.", file=sys.stderr)
            return INTERRUPTED
    if leads():
        print(written)
    return 0


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
    "train": train,
    "verify": verify,
    "methods": methods,
}
"""Name -> function; its docstring and signature are the verb's `--help`."""


@contextmanager
def progress_bar(label: str, unit: str = "frames") -> Iterator[Callable[..., None]]:
    """Show a bar with speed and time left on stderr.

    Yields the callback that `write_video` wants: done, total or None and, if it changes, another label.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeftColumn
    from rich.text import Text

    class SpeedColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.finished_speed or task.speed or 0:.0f} {unit}/s")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), SpeedColumn(), TimeLeftColumn())
    progress = Progress(*columns, console=Console(stderr=True))
    tasks: list[TaskID] = []

    def show(done: int, total: int | None, label: str = label) -> None:
        if not tasks:  # only now, so that a mistake in the options is answered by its sentence alone
            progress.start()
            tasks.append(progress.add_task(label, total=total))
        progress.update(tasks[0], completed=done, total=total, description=label)

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


if __name__ == "__main__":
    main()
