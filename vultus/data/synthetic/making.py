"""Making a synthetic set: clip by clip, each written whole or not at all, so that a second run goes on."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from vultus.audio.io import voice_file
from vultus.core.errors import ControlError, InputError
from vultus.core.types import Performance, Speech
from vultus.data.readers.splits import split_by_share
from vultus.data.readers.synthetic import SHARES
from vultus.data.synthetic.acting import act
from vultus.data.synthetic.clips import RenderedClip, play, random_acting
from vultus.data.synthetic.layouts import Places, fitted, layout_of, split_lists, under
from vultus.data.synthetic.people import random_person, retaken
from vultus.data.synthetic.plan import ClipPlan, SynthesisOptions, plan_clips
from vultus.data.synthetic.portraits import PortraitActor, portraits_in
from vultus.data.synthetic.sound_files import write_sound
from vultus.data.synthetic.voices import Voice, say, voice_of
from vultus.data.workers import run_here, run_in_processes
from vultus.face.rig_map import controls_of
from vultus.rendering.person.renderer import PersonRenderer

PLAN_FILE = "synthesis.json"
LABEL_FORMAT = 1
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Report:
    """What a run did: clips made now, clips that were there already, and what failed, by clip."""

    made: int
    kept: int
    failed: tuple[tuple[str, str], ...]
    seconds: float
    """Length of all clips that are there now."""


@dataclass(frozen=True)
class Job:
    """One clip and where it goes; what a worker process gets."""

    root: Path
    plan: ClipPlan
    places: Places
    options: SynthesisOptions
    split: str


def synthesize(out: str | Path, options: SynthesisOptions, on_progress: Progress | None = None) -> Report:
    """Make a set of clips in the folder `out`; one that was begun with the same options is continued.

    Raises ControlError for options that a layout cannot hold, InputError for a folder that holds something else,
    MissingPartError where eSpeak NG is not installed.
    """
    root = Path(out)
    layout = layout_of(options.layout)
    options = _within(options, layout.emotions, layout.fps)
    voice_of(options.seed, 0, False)  # a missing voice should show before the work, not after
    pictures = () if options.portraits is None else portraits_in(options.portraits)
    plans = fitted(plan_clips(options, pictures), options.layout)
    _claim(root, options)
    for left in root.rglob("*.part*"):  # of a run that was killed: data sets' readers would take it for a clip
        left.unlink()
    for name, text in split_lists(plans, options.layout).items():
        (root / name).write_text(text, encoding="utf-8")
    places = [layout.places(plan) for plan in plans]
    split_of = split_by_share((place.speaker for place in places), "synthetic", 0, SHARES)
    jobs = [Job(root, p, w, options, split_of[w.speaker]) for p, w in zip(plans, places, strict=True)]
    missing = [job for job in jobs if not under(root, job.places.labels).with_suffix(".json").is_file()]
    kept = len(jobs) - len(missing)
    failed = []
    workers = options.workers if options.workers is not None else _cores()
    outcomes = run_here(make_clip, missing) if workers == 0 else run_in_processes(make_clip, missing, workers)
    for done, (job, error) in enumerate(outcomes, 1):
        if error is not None:
            failed.append((str(job.places.labels), str(error)))
        if on_progress:
            on_progress(kept + done, len(jobs))
    made = len(missing) - len(failed)
    return Report(made, kept, tuple(sorted(failed)), (made + kept) * options.seconds)


def make_clip(job: Job) -> None:
    """Draw and write one clip; its .json comes last and says that it is whole."""
    plan, options = job.plan, job.options
    voice, speech, text, performance = performed(options, plan)
    if job.places.video is None:
        clip = None
        truth = performance
    else:
        clip = play(actor_of(options, plan), performance, speech, text)
        truth = clip.truth
    _write_media(job, clip, truth, speech, text)
    labels = under(job.root, job.places.labels)
    with _partial(labels.with_suffix(".npz")) as partial:
        partial.write_bytes(label_bytes(truth, speech))
    with _partial(labels.with_suffix(".json")) as partial:
        partial.write_text(json.dumps(_facts(job, voice, text), indent=1, ensure_ascii=False) + "\n", "utf-8")


def performed(options: SynthesisOptions, plan: ClipPlan) -> tuple[Voice, Speech, str, Performance]:
    """Whose voice a clip has, what it says, the text of it, and what the face does (`acting.act`)."""
    rng = np.random.default_rng([options.seed, plan.person, plan.take, 0xAC7])
    voice = _voice(options, plan)
    speech, text = say(voice, options.seconds, rng, plan.text)
    acted = np.random.default_rng([options.seed, plan.person, 0xA11]) if options.alike else rng
    acting = replace(random_acting(acted, plan.emotion, plan.level), stirred=not options.alike)
    return voice, speech, text, act(speech, acting, options.fps)


def actor_of(options: SynthesisOptions, plan: ClipPlan) -> PersonRenderer | PortraitActor:
    """Who is seen in a clip."""
    if plan.portrait is not None:
        return PortraitActor(plan.portrait, options.size)
    if options.alike or layout_of(options.layout).one_session:
        return _in_session(options.seed, plan.person, options.size)
    return PersonRenderer(retaken(random_person(options.seed, plan.person), plan.take), options.size)


def _in_session(seed: int, number: int, size: int) -> PersonRenderer:
    """A person in the one session of all clips; grain starts anew, so that a clip does not depend on those before."""
    actor = _built(seed, number, size)
    actor.take(actor.person.light, actor.person.camera, actor.person.backdrop)
    return actor


@lru_cache(maxsize=1)
def _built(seed: int, number: int, size: int) -> PersonRenderer:
    return PersonRenderer(random_person(seed, number), size)


def label_bytes(truth: Performance, speech: Speech) -> bytes:
    """The .npz of exact labels; the same labels, the same bytes."""
    arrays = {name: np.asarray(getattr(truth, name)) for name in truth.channels}
    arrays["expression"] = arrays["expression"].astype(np.float16)
    if "landmarks" in arrays:
        arrays["landmarks"] = arrays["landmarks"][..., :2].astype(np.float32)
    phones = speech.phones or ()
    arrays["phones"] = np.array([phone.symbol for phone in phones], dtype="U4")
    arrays["phone_times_s"] = np.array([(p.start_s, p.end_s) for p in phones], np.float32).reshape(-1, 2)
    arrays["fps"] = np.array(truth.fps, np.float32)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _voice(options: SynthesisOptions, plan: ClipPlan) -> Voice:
    voice = voice_of(options.seed, plan.person, plan.feminine)
    if layout_of(options.layout).english and voice.language not in ("en-us", "en-gb-x-rp"):
        return replace(voice, name="en-us+" + voice.name.partition("+")[2])
    return voice


def _write_media(job: Job, clip: RenderedClip | None, truth: Performance, speech: Speech, text: str) -> None:
    from vultus.video.write import write_video

    places, root = job.places, job.root
    with voice_file(speech) as voice:
        if places.sound is not None:
            with _partial(under(root, places.sound)) as partial:
                write_sound(partial, speech)
        if clip is not None and places.video is not None:
            write_video(clip.frames, under(root, places.video), None if places.silent else voice)
    if places.text is not None:
        with _partial(under(root, places.text)) as partial:
            partial.write_text(f"Text:  {text.upper()}\nConf:  5\n", "utf-8")
    if places.curves is not None:
        assert truth.expression is not None and truth.gaze is not None
        rows = controls_of(truth.expression, truth.gaze)
        with _partial(under(root, places.curves)) as partial:
            partial.write_text("".join(",".join(f"{v:.6g}" for v in row) + "\n" for row in rows), "utf-8")


def _facts(job: Job, voice: Voice, text: str) -> dict[str, Any]:
    plan, options = job.plan, job.options
    source = "our rendered person" if plan.portrait is None else f"portrait {plan.portrait.name}"
    return {
        "format": LABEL_FORMAT, "speaker": job.places.speaker, "split": job.split, "emotion": plan.emotion,
        "level": plan.level, "text": text, "view": "front", "fps": options.fps, "size": options.size,
        "duration_s": options.seconds, "seed": options.seed, "person": plan.person, "take": plan.take,
        "sources": {"picture": source, "voice": voice.name, "voice_rate": voice.rate, "voice_pitch": voice.pitch},
    }  # fmt: skip


def _within(options: SynthesisOptions, emotions: tuple[str, ...] | None, fps: float | None) -> SynthesisOptions:
    """The options as far as a layout can hold them. Raises ControlError if nothing is left."""
    if emotions is not None:
        kept = tuple(name for name in options.emotions if name in emotions)
        if not kept:
            raise ControlError(f"{options.layout} has none of these", "--emotions", f"it has {', '.join(emotions)}")
        options = replace(options, emotions=kept)
    return options if fps is None else replace(options, fps=fps)


def _claim(root: Path, options: SynthesisOptions) -> None:
    """Make the folder ours, or see that it holds a set of the same options. Raises InputError."""
    wanted = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(options).items() if k != "workers"}
    wanted |= {"emotions": list(options.emotions), "levels": list(options.levels)}
    plan = root / PLAN_FILE
    if plan.is_file():
        try:
            found = json.loads(plan.read_text("utf-8"))
        except ValueError as error:
            raise InputError("the plan of this set is damaged", plan, "choose a new folder") from error
        if found != json.loads(json.dumps(wanted)):
            raise InputError("this folder holds a set made with other options", root, "choose a new folder")
    elif root.is_dir() and any(root.iterdir()):
        raise InputError("the folder holds other files", root, "choose a new or empty folder")
    elif root.exists() and not root.is_dir():
        raise InputError("there is a file of this name", root, "choose a folder")
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _partial(plan) as partial:
            partial.write_text(json.dumps(wanted, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise InputError("the folder cannot be written to", root, "choose another place") from error


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, which takes its place when all is written."""
    partial = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _cores() -> int:
    return os.cpu_count() or 1
