"""The main paths: a subject and a voice, or a performance, to a video; a video to a performance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np

from vultus.core.controls import Controls
from vultus.core.errors import ControlError, InputError
from vultus.core.files import spare
from vultus.core.method import Crop, Driver, Look
from vultus.core.types import SAMPLE_RATE, FaceTrack, Frames, Performance, Phone, Portrait
from vultus.methods import DEFAULT_METHOD, PERSONAL, get_method, method_for, renderer_for

OnProgress = Callable[[int, int | None], None]
"""Called with frames done and their total, None where unknown."""


class LookOptions(TypedDict, total=False):
    """Options of what the video looks like; see `core.method.Look`. `background` may also be a path to a picture."""

    fps: float
    crop: Crop
    size: int | None
    background: str | Path | np.ndarray


class SpeakOptions(LookOptions, total=False):
    """Options of `speak`; see `core.controls.Controls`, whose text forms are accepted."""

    emotion: str
    intensity: float
    pose: str
    blink: str
    blink_rate: float | None
    gaze: str
    lip_scale: float
    expression_scale: float
    seed: int


def open_portrait(picture: str | Path | np.ndarray, face: int | None = None) -> Portrait:
    """Read a picture (or take (H, W, 3) uint8 RGB), find the face (`face` counts from 1, largest first) and fit it.

    Raises InputError for a picture that cannot be read or shows no usable face.
    """
    from vultus.face.fit import fit_face
    from vultus.face.head import embedded_head
    from vultus.face.landmarks import select_face
    from vultus.video.read import read_image

    image, alpha = (picture, None) if isinstance(picture, np.ndarray) else read_image(picture)
    where = None if isinstance(picture, np.ndarray) else picture
    if alpha is not None:  # what lies under a transparent pixel is nobody's choice
        image = np.round(image * (alpha[..., None] / 255.0) + 255.0 * (1 - alpha[..., None] / 255.0)).astype(np.uint8)
    fit = fit_face(select_face(image, face, where), embedded_head())
    return Portrait(image, fit, alpha, "portrait" if isinstance(picture, np.ndarray) else Path(picture).name)


def speak(
    portrait: str | Path | np.ndarray | Portrait,
    voice: str | Path,
    output: str | Path,
    *,
    method: str = DEFAULT_METHOD,
    start_s: float = 0.0,
    end_s: float | None = None,
    face: int | None = None,
    phones: Sequence[Phone] | None = None,
    save_performance: str | Path | None = None,
    on_progress: OnProgress | None = None,
    **options: Unpack[SpeakOptions],
) -> Path:
    """Make a portrait speak with a voice; returns the path of the video written.

    Args:
        portrait: a picture, or one opened before by `open_portrait`, which has its face already; with a personal method
            (`methods.PERSONAL`) the folder of somebody's weights.
        voice: an audio or video file; `start_s` and `end_s` choose a part of it.
        output: .mp4, .webm, or a folder for PNG files.
        method: see `vultus methods`.
        face: which face of the picture, from 1, the largest first; ControlError if the portrait is opened already.
        phones: those of the whole voice, gapless, where they are known; heard otherwise.
        save_performance: also write the performance there (.csv or .npz).
        on_progress: called with frames done and their total.
        **options: `Controls` and `Look`.

    Raises VultusError, one sentence; then nothing has been written, unless it says that the performance could not be
    saved (no room on its disk): the video is whole by then and stays.
    """
    from vultus.audio.io import open_speech
    from vultus.face.rig import save_performance as write_performance
    from vultus.motion.lips import frame_count
    from vultus.video.write import write_video

    chosen = method_for(method, portrait)
    look, controls = _split(options)
    _check_supported(method, chosen.controls, controls)
    inputs = (portrait, voice, controls.pose.path, controls.blink.path, options.get("background"))
    _check_outputs(output, save_performance, inputs, look)
    speech = open_speech(voice, start_s, end_s)
    subject = None if method in PERSONAL else _opened(portrait, face)
    pose_source, blink_source = _sources(controls, voice, start_s)
    spoken = None if phones is None else _cut(phones, start_s, end_s)
    driver = chosen.driver(controls, look.fps, pose_source, blink_source, spoken)
    kept: list[Performance] | None = None if save_performance is None else []
    count = None if speech.duration_s is None else max(1, frame_count(round(speech.duration_s * SAMPLE_RATE), look.fps))
    frames = renderer_for(chosen, subject, look).play(_performances(driver, speech, kept), count)
    written = write_video(
        frames, output, Path(voice), audio_start_s=start_s, audio_end_s=end_s, on_progress=on_progress
    )
    if save_performance is not None and kept:
        write_performance(Performance.concatenate(kept), Path(save_performance))
    return written


def speak_text(
    portrait: str | Path | np.ndarray | Portrait,
    text: str,
    output: str | Path,
    *,
    voice_name: str | None = None,
    tts_command: str | None = None,
    **options: Any,
) -> Path:
    """Make a portrait say a text; returns the path of the video written.

    Args:
        text: what to say, in the voice's language.
        voice_name: a draft voice of `audio.tts.voices`; its exact phones drive the lips.
        tts_command: another program's voice instead, see `audio.tts.speech_of_command`.
        **options: those of `speak`.
    """
    from vultus.audio.io import voice_file
    from vultus.audio.tts import DEFAULT_VOICE, speech_of_command, synthesise

    if voice_name is not None and tts_command is not None:
        raise ControlError("a command brings its own voice", "--voice-name", "leave one of the two out")
    if tts_command is not None:
        speech = speech_of_command(text, tts_command)
    else:
        speech = synthesise(text, voice_name or DEFAULT_VOICE)
    with voice_file(speech) as voice:
        return speak(portrait, voice, output, phones=speech.phones, **options)


def render(
    portrait: str | Path | np.ndarray | Portrait,
    performance: str | Path | Performance,
    output: str | Path,
    *,
    voice: str | Path | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    method: str = DEFAULT_METHOD,
    face: int | None = None,
    on_progress: OnProgress | None = None,
    **options: Unpack[LookOptions],
) -> Path:
    """Play a performance on a portrait; returns the path of the video written.

    Args:
        performance: one in memory, or a file: ours, ARKit's, Live Link Face's. A tracked one (reference "camera") is
            retargeted: offsets from the actor's resting look and pose.
        voice: sound to go with it; `start_s` and `end_s` choose the part, as they did when the voice was spoken.
        face: as in `speak`.
        **options: `Look`; fps is the performance's own unless given.
    """
    from vultus.video.write import write_video

    if voice is None and (start_s != 0 or end_s is not None):
        raise ControlError("there is no voice to take a part of", "--start, --end", "give --voice too")
    acted = playable(performance)
    options.setdefault("fps", acted.fps)
    look, _ = _split(options)
    _check_outputs(output, None, (portrait, performance, voice, options.get("background")), look)
    acted = acted.resampled(look.fps)
    chosen = method_for(method, portrait)
    renderer = renderer_for(chosen, None if method in PERSONAL else _opened(portrait, face), look)
    frames = renderer.play([acted], len(acted))
    sound = None if voice is None else Path(voice)
    return write_video(frames, output, sound, audio_start_s=start_s, audio_end_s=end_s, on_progress=on_progress)


def playable(performance: str | Path | Performance) -> Performance:
    """A performance, in memory or a file, as offsets (reference "rest") in the arkit52 basis.

    Raises InputError for a file that holds none, and for values that are not finite.
    """
    from vultus.face.rig import convert, load_performance
    from vultus.motion.retarget import retarget

    acted = performance if isinstance(performance, Performance) else load_performance(Path(performance))
    if not all(np.isfinite(getattr(acted, name)).all() for name in acted.channels):
        raise InputError("the performance holds values that are not finite", _path_of(performance), "track it anew")
    return retarget(convert(acted, "arkit52"))


def perform(
    voice: str | Path,
    controls: Controls,
    fps: float,
    *,
    method: str = DEFAULT_METHOD,
    start_s: float = 0.0,
    end_s: float | None = None,
) -> tuple[Iterator[Performance], int | None]:
    """What a method's driver makes of a voice: pieces of performance as they come, and how many frames, if known.

    Raises VultusError, one sentence.
    """
    from vultus.audio.io import open_speech
    from vultus.motion.lips import frame_count

    chosen = get_method(method)
    _check_supported(method, chosen.controls, controls)
    speech = open_speech(voice, start_s, end_s)
    driver = chosen.driver(controls, fps, *_sources(controls, voice, start_s))
    count = None if speech.duration_s is None else max(1, frame_count(round(speech.duration_s * SAMPLE_RATE), fps))
    return _performances(driver, speech, None), count


def track(
    video: str | Path,
    output: str | Path | None = None,
    *,
    fps: float | None = None,
    face: int | None = None,
    on_progress: OnProgress | None = None,
) -> Performance:
    """The performance of one person in a video, and, with `output` (.csv or .npz), the file of it.

    The file tells the blinks as well: a .csv by its column `blink`, a .npz by rows `blinks` of start, apex and end
    frame and depth.
    """
    from vultus.face.blinks import blink_rows, blinks_of
    from vultus.face.rig import save_performance
    from vultus.face.track import track as track_frames
    from vultus.video.read import open_video

    if output is not None:
        _check_performance_target(Path(output))
        spare(Path(output), (video,))
    frames = open_video(video).frames(fps)
    if face is None:
        counted = replace(frames, images=_counted(frames.images, frames.count, on_progress))
        performance = track_frames(counted, where=video)
    else:
        performance = _person(frames, face, video, on_progress).performance
    if output is not None:
        save_performance(performance, Path(output), blinks=blink_rows(blinks_of(performance)))
    return performance


def _person(frames: Frames, face: int, where: object, on_progress: OnProgress | None) -> FaceTrack:
    """One of the people in a video, the largest being number 1; perception helps to tell who is who."""
    from vultus.face.people import MOST_PEOPLE, follow_people
    from vultus.perception.judges.identity import load_identity

    if face < 1:
        raise ControlError(f"there is no face {face}", where, "faces count from 1, the largest first")

    def show(steps: int, to_do: int | None) -> None:
        if on_progress is not None:  # a frame takes two steps: it is watched, and fitted
            on_progress(steps // 2, None if to_do is None else to_do // 2)

    most, embed = max(MOST_PEOPLE, face), load_identity().vector
    return follow_people(frames, most=most, embed=embed, where=where, on_progress=show).person(face, where)


def _opened(portrait: str | Path | np.ndarray | Portrait, face: int | None) -> Portrait:
    """The portrait itself if it is one, else that of a picture. Raises ControlError for a choice made too late."""
    if not isinstance(portrait, Portrait):
        return open_portrait(portrait, face)
    if face is not None:
        raise ControlError(
            "the face of this portrait was chosen when it was opened", "face", "give it to open_portrait"
        )
    return portrait


def _cut(phones: Sequence[Phone], start_s: float, end_s: float | None) -> list[Phone]:
    """The phones of the part of a voice from `start_s` to `end_s`, in the part's own time."""
    end_s = np.inf if end_s is None else end_s
    return [
        Phone(phone.symbol, max(0.0, phone.start_s - start_s), min(phone.end_s, end_s) - start_s)
        for phone in phones
        if phone.end_s > start_s and phone.start_s < end_s
    ]


def _path_of(given: object) -> object:
    """What names an input in errors; None for one in memory."""
    return given if isinstance(given, str | Path) else None


def _check_outputs(
    output: str | Path, save_performance: str | Path | None, inputs: Iterable[object], look: Look
) -> None:
    """Refuse, before any work, what could not be written or would cost one of the inputs."""
    from vultus.video.write import check_target

    given = tuple(inputs)
    spare(Path(output), given)
    check_target(output, alpha=isinstance(look.background, str) and look.background == "none")
    if save_performance is not None:
        _check_performance_target(Path(save_performance))
        spare(Path(save_performance), given)


def _check_performance_target(path: Path) -> None:
    from vultus.face.rig import check_target

    check_target(path)


def _performances(
    driver: Driver, speech: Iterable[np.ndarray], kept: list[Performance] | None
) -> Iterator[Performance]:
    """What a driver makes of a voice, as it comes; `kept` collects it."""

    def pieces() -> Iterator[Performance | None]:
        for samples in speech:
            yield driver.push(samples)
        yield driver.finish()

    for piece in pieces():
        if piece is not None:
            if kept is not None:
                kept.append(piece)
            yield piece


def _split(options: SpeakOptions | LookOptions) -> tuple[Look, Controls]:
    """Look and controls from options as a user gives them."""
    from vultus.video.read import read_image

    given: dict[str, Any] = dict(options)
    look = {name: given.pop(name) for name in LookOptions.__annotations__ if name in given}
    background = look.get("background")
    if isinstance(background, Path) or (isinstance(background, str) and _names_a_file(background)):
        look["background"] = read_image(background)[0]
    return Look(**look), controls_of(**given)


def controls_of(**options: Any) -> Controls:
    """`Controls.parse`, and emotions in words too, of which core knows nothing: "barely hiding her anger"."""
    if isinstance(options.get("emotion"), str):
        from vultus.perception.judges.emotion_text import parse_emotions

        options["emotion"] = parse_emotions(options["emotion"])
    return Controls.parse(**options)


def _names_a_file(background: str) -> bool:
    return background not in ("keep", "none") and not background.startswith("#")


def _check_supported(method: str, supported: frozenset[str], controls: Controls) -> None:
    """Refuse a control that is not at its default and that the method would ignore, naming the methods that do not."""
    from vultus.methods import METHODS

    default = Controls()
    for name in (f.name for f in fields(Controls)):
        if name in supported or getattr(controls, name) == getattr(default, name):
            continue
        able = [other for other in METHODS if name in get_method(other).controls]
        fix = f"choose {' or '.join(able)}" if able else "leave it out"
        raise ControlError(f"the method {method} has no control {name}", f"--{name.replace('_', '-')}", fix)


def _sources(controls: Controls, voice: str | Path, start_s: float) -> tuple[Performance | None, Performance | None]:
    """Tracked performances of the videos from which pose and blinks are to come; one video is tracked once.

    A video that is the voice as well stays in step with it: it starts at `start_s` too.
    """
    tracked: dict[Path, Performance] = {}
    found: list[Performance | None] = []
    for control in (controls.pose, controls.blink):
        path = control.path
        if control.kind != "video" or path is None:
            found.append(None)
            continue
        if path not in tracked:
            performance = track(path)
            skipped = round(start_s * performance.fps) if path.resolve() == Path(voice).resolve() else 0
            tracked[path] = performance[min(skipped, len(performance) - 1) :]
        found.append(tracked[path])
    return found[0], found[1]


def _counted(images: Iterable[np.ndarray], total: int | None, on_progress: OnProgress | None) -> Iterator[np.ndarray]:
    for done, image in enumerate(images, 1):
        yield image
        if on_progress is not None:
            on_progress(done, total)
