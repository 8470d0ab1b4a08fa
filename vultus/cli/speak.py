"""`vultus speak`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from vultus.cli.options import End, Face, Output, PortraitPath, Size, optional
from vultus.cli.progress import progress_bar
from vultus.core.controls import Controls
from vultus.core.errors import ControlError
from vultus.core.method import Crop
from vultus.core.types import DEFAULT_FPS
from vultus.methods import DEFAULT_METHOD

PoseText = Annotated[
    str,
    tyro.conf.arg(  # here, as tyro keeps the line breaks of a longer text in a docstring
        help="idle, still, a VIDEO whose head motion is taken over, or KEYS.csv with columns time_s, yaw, pitch, roll: "
        "seconds from the start of the output, and degrees from the pose of the picture, up to about 20: yaw + turns "
        "towards the right of the picture, pitch + up, roll + clockwise."
    ),
]
BlinkRate = Annotated[float | None, optional("FLOAT", "about 30")]
SpeakVoice = Annotated[Path | None, optional("PATH", "none; give it or --text")]
Text = Annotated[str | None, optional("STR", "none")]
VoiceName = Annotated[str | None, optional("STR", "en-us")]
TtsCommand = Annotated[str | None, optional("STR", "none: eSpeak NG or flite")]
SavedPath = Annotated[Path | None, optional("PATH", "not saved")]


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
        portrait: A picture of a person: a photo, a painting, a rendering. With --method blink_nerf: nora, who comes
            with vultus, or the folder that `vultus train blink_nerf` printed.
        output: What to write: .mp4, .webm (may be transparent), or a folder for PNG files.
        voice: An audio or video file.
        text: What to say instead, with a draft voice: clear, but no person's.
        voice_name: The draft voice: a language of eSpeak NG, perhaps with a timbre (en-us, fr, de+f3; en-us unless
            given), or one of flite (flite-slt).
        tts_command: A program that speaks the text instead; it reads it on its standard input and writes a sound file
            where the command says {output} ("piper -m voice.onnx -f {output}").
        emotion: neutral, angry, contempt, disgusted, fear, happy, sad or surprised; a mix (happy:0.5,surprised:0.5);
            a description ("barely hiding her anger"); or keys over time ("0:neutral 2.5:happy@3 6:sad"): seconds from
            the start of the output, @ sets the level.
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
