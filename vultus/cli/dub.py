"""`vultus dub`."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import tyro

from vultus.cli.options import End, Output, VideoPath, optional
from vultus.cli.progress import progress_bar
from vultus.core.controls import Controls
from vultus.core.errors import ControlError, InputError
from vultus.core.files import existing_file
from vultus.methods import DEFAULT_METHOD
from vultus.video.span import DEFAULT_EXTEND, Extend

Voice = Annotated[Path | None, optional("PATH", "none; give it or --voices")]
Voices = Annotated[Path | None, optional("CSV", "one voice")]
FaceNumber = Annotated[int | None, optional("INT", "the largest")]
ReportPath = Annotated[Path | None, optional("JSON", "printed only")]
PlotPath = Annotated[Path | None, optional("VIDEO", "none made")]


def dub(
    video: VideoPath,
    /,
    output: Output,
    voice: Voice = None,
    voices: Voices = None,
    face: FaceNumber = None,
    all_faces: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    emotion: str = "neutral",
    intensity: float = Controls.intensity,
    lip_scale: float = Controls.lip_scale,
    expression_scale: float = Controls.expression_scale,
    pad: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    extend: Extend = DEFAULT_EXTEND,
    keep_music: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    start: float = 0.0,
    end: End = None,
    method: str = DEFAULT_METHOD,
    seed: int = Controls.seed,
    check: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    report: ReportPath = None,
    plot: PlotPath = None,
) -> None:
    """Give somebody in a video another voice: lips, jaw and cheeks follow it, everything else stays.

    Args:
        video: A video with a face in it.
        output: What to write: .mp4, .webm, or a folder for PNG files.
        voice: An audio or video file. The dub ends with it.
        voices: Voices of several people: a CSV file with columns face, voice (a path, from the file's folder on).
        face: Whose mouth, counted from 1, the largest face first.
        all_faces: Everybody speaks with the voice.
        emotion: As of `vultus speak`; with one the whole face moves.
        intensity: Level 0-3 of emotions that set none themselves.
        lip_scale: Factor on the lips' movements.
        expression_scale: Factor on emotional expression.
        pad: Show the rest of the video after a shorter voice, with lips at rest.
        extend: Under a longer voice, bounce through the last seconds or hold the last picture.
        keep_music: Keep the video's own sound under the voice, its old voice taken down.
        start: Second of the voice at which to start.
        end: Second of the voice at which to end.
        method: Which method makes the lips; see `vultus methods`.
        seed: Another number, another liveliness of an emotion.
        check: Look at the result and tell how well the lips follow the voice.
        report: Also write the report to a file.
        plot: Also write a video of the original beside the dub.
    """
    options: dict[str, Any] = {k: v for k, v in locals().items() if k not in ("video", "output", "voice", "voices")}
    options |= {"start_s": options.pop("start"), "end_s": options.pop("end"), "face": 1 if face is None else face}
    if (voice is None) == (voices is None):
        raise ControlError("it takes one of the two", "--voice, --voices", "give a sound file, or a list of them")
    if face is not None and (all_faces or voices is not None):
        raise ControlError("the face is chosen already", "--face", "leave out --all-faces and --voices, or it")
    if all_faces and voices is not None:
        raise ControlError("the list says who speaks", "--all-faces", "leave one of the two out")
    from vultus import dubbing

    who: Any = read_voices(voices) if voices is not None else voice
    with progress_bar("looking for people") as show:
        on_progress = partial(show, label="dubbing")
        made = dubbing.dub(video, who, output, on_follow=show, on_progress=on_progress, **options)
    print(made.path)
    print(made.text())


def read_voices(path: Path) -> dict[int, Path]:
    """Face number -> voice from a CSV file with columns face and voice. Raises InputError for anything else."""
    path = existing_file(path)
    fix = "give lines like 1,anna.wav under a first line face,voice"
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError("this is no list of voices", path, fix) from error
    voices: dict[int, Path] = {}
    for number, row in enumerate(rows, 2):
        face, voice = (row.get("face") or "").strip(), (row.get("voice") or "").strip()
        if not (face.isdecimal() and int(face) >= 1 and voice):
            raise InputError(f"line {number} names no face and voice", path, fix)
        if int(face) in voices:
            raise InputError(f"line {number} gives face {face} a second voice", path, "one voice a face")
        voices[int(face)] = path.parent / voice
    if not voices:
        raise InputError("the list of voices is empty", path, fix)
    return voices
