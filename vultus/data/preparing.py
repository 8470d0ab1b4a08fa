"""One raw clip becomes one prepared folder: watched once for the face, then cropped, masked and written.

Two passes over the file rather than one over its pictures in memory: a clip may be hours long.
"""

from __future__ import annotations

import math
import shutil
import wave
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vultus.audio.io import read_speech
from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE, Fit, Frames, Performance
from vultus.data import clips
from vultus.data.clips import ClipFacts, RawClip
from vultus.data.crops import Crop, FaceTrail, crop_of, moved
from vultus.data.heads import steady_head
from vultus.data.masks import box_around, outlines
from vultus.data.recipe import Recipe
from vultus.data.scenery import write_pictures
from vultus.face.metahuman_files import read_curves
from vultus.face.mouth import mouth
from vultus.face.rig import load_performance, save_performance
from vultus.face.smooth import fill_gaps
from vultus.face.track import TrackedFrame, performance_of, track_stream
from vultus.motion.av_offset import AvOffset, MouthSeries, av_offset
from vultus.video.provenance import is_marked
from vultus.video.read import Video, open_video

MIN_SEEN = 0.5
"""A clip whose face is seen in fewer of its frames is refused."""
SILENT_PEAK = 1e-3
"""A sound that never exceeds this (-60 dB) is silence."""

LEAST_SIDE_PX = 200
"""Videos with a shorter side are looked at enlarged: the face finder refuses faces as small as theirs."""

_CUT_FACES = 0.5
_CUT_GROWTH = (0.75, 1.33)
"""A face that moves so far, in its own height, or grows so much between two frames is that of another shot."""
_STRAY = 0.05
"""An OpenFace table may have so many rows, of its clip's frames, more or less than the clip."""


def prepare_clip(
    raw: RawClip, folder: Path, recipe: Recipe, sources: Mapping[str, Any], openface: Path | None = None
) -> None:
    """Fill the empty `folder`. `sources` go into the facts; `openface` is a table whose AU45 is taken.

    Raises InputError for a clip that is corrupt, silent or shows no face.
    """
    if raw.video is None:
        facts = _prepare_rig(raw, folder, recipe, sources)
    else:
        facts = _prepare_video(raw, folder, recipe, sources, openface)
    (folder / clips.FACTS_FILE).write_text(facts.to_json() + "\n", encoding="utf-8")


def _prepare_video(
    raw: RawClip, folder: Path, recipe: Recipe, sources: Mapping[str, Any], openface: Path | None
) -> ClipFacts:
    assert raw.video is not None
    video = open_video(raw.video)
    voice = _voice(raw, video.has_audio, recipe.keep_silent)
    face = _watch(video, recipe.fps, with_points=recipe.crop == "person")
    count = len(face.performance)
    crop = crop_of(recipe.crop, face.trail, recipe.size)
    synthetic = is_marked(raw.video)
    background = write_pictures(folder, video.frames(recipe.fps), crop, synthetic)
    if voice is not None:
        voice = _write_sound(folder / clips.SOUND_FILE, voice, round(count / recipe.fps * SAMPLE_RATE))
    performance = face.performance
    if openface is not None:
        performance = _with_openface(performance, openface)
    _save_track(folder / clips.TRACK_FILE, performance, face, crop)
    if face.points is not None:
        pictures = partial(video.frames, recipe.fps)
        head = steady_head(face.points, performance.valid, face.trail.shot, pictures, crop)
        head.save(folder / clips.HEAD_FILE)
    if raw.labels is not None:
        shutil.copyfile(raw.labels, folder / clips.LABELS_FILE)
    offset = None if voice is None else _offset(voice, face, recipe.fps)
    return _facts(
        raw,
        recipe,
        count,
        sources,
        width=crop.width,
        height=crop.height,
        crop=recipe.crop,
        source_width=video.width,
        source_height=video.height,
        background_from_source=background,
        seen=round(float(performance.valid.mean()), 4),
        sound=voice is not None,
        av_offset_ms=None if offset is None else offset.offset_ms,
        av_confidence=None if offset is None else round(offset.confidence, 3),
        au45_from="tracking" if openface is None else "openface",
        synthetic=synthetic,
    )


def _prepare_rig(raw: RawClip, folder: Path, recipe: Recipe, sources: Mapping[str, Any]) -> ClipFacts:
    """A voice with rig curves; what one has more of than the other is cut off."""
    assert raw.curves is not None
    curves = read_curves(raw.curves)
    voice = _voice(raw, False, keep_silent=False)
    assert voice is not None
    count = min(len(curves), int(len(voice) / SAMPLE_RATE * recipe.fps))
    if count == 0:
        raise InputError("the voice is shorter than a frame", raw.audio, "record it again")
    _write_sound(folder / clips.SOUND_FILE, voice, round(count / recipe.fps * SAMPLE_RATE))
    performance = Performance(recipe.fps, np.ones(count, bool), controls=curves[:count])
    save_performance(performance, folder / clips.TRACK_FILE)
    return _facts(
        raw, recipe, count, sources, width=0, height=0, crop=None, source_width=0, source_height=0,
        background_from_source=None, seen=1.0, sound=True, av_offset_ms=None, av_confidence=None, au45_from=None,
        synthetic=False,
    )  # fmt: skip


def _facts(raw: RawClip, recipe: Recipe, count: int, sources: Mapping[str, Any], **seen: Any) -> ClipFacts:
    return ClipFacts(
        dataset=raw.dataset,
        name=raw.name,
        speaker=raw.speaker,
        split=raw.split,
        held_out_frames=round(raw.held_out * count),
        emotion=raw.emotion,
        level=raw.level,
        view=raw.view,
        text=raw.text,
        fps=recipe.fps,
        frames=count,
        duration_s=round(count / recipe.fps, 3),
        sources=dict(sources),
        **seen,
    )


def _voice(raw: RawClip, video_has_sound: bool, keep_silent: bool) -> np.ndarray | None:
    """The clip's voice (n,), None for a silent one that is kept. Raises InputError."""
    source = raw.audio or (raw.video if video_has_sound else None)
    waveform = np.zeros(0, np.float32) if source is None else read_speech(source).waveform
    if len(waveform) and np.abs(waveform).max() >= SILENT_PEAK:
        return waveform
    if keep_silent:
        return None
    what = "the clip has no sound" if source is None else "the clip's sound is silence"
    raise InputError(what, raw.source, "keep such clips with --keep-silent")


def _write_sound(path: Path, waveform: np.ndarray, count: int) -> np.ndarray:
    """Write `count` samples, 16-bit, and return them; silence stands for what is missing."""
    exact = np.zeros(count, np.float32)
    exact[: min(count, len(waveform))] = waveform[:count]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(np.clip(np.round(exact * 32768), -32768, 32767).astype("<i2").tobytes())
    return exact


@dataclass(frozen=True)
class _WatchedFace:
    """What the first pass sees, in source pixels."""

    performance: Performance
    trail: FaceTrail
    mouth: np.ndarray
    """(T, 2) as `face.mouth` has it."""
    mouth_outline: np.ndarray
    eye_outlines: np.ndarray
    fit: Fit
    """One of the fits: identity and camera are the same in all."""
    points: np.ndarray | None
    """(V, 478, 3) FaceMesh's points of the frames with a face, where they were asked for."""


def _watch(video: Video, fps: float, with_points: bool) -> _WatchedFace:
    """Track the face. Raises InputError if there is none, or only in few frames."""
    zoom = math.ceil(LEAST_SIDE_PX / min(video.width, video.height))
    rows: list[tuple[np.ndarray, ...]] = []
    fits: list[Fit] = []
    points: list[np.ndarray] = []

    def noting() -> Iterator[TrackedFrame | None]:
        for tracked in track_stream(_enlarged(video.frames(fps), zoom), where=video.path):
            if tracked is not None:
                skin = tracked.fit.landmarks[:468, :2]
                box = np.concatenate([skin.min(0), skin.max(0)])
                lips, eyes = outlines(tracked.fit.landmarks)
                rows.append((mouth(tracked.fit.landmarks), box / zoom, lips / zoom, eyes / zoom))
                fits[:] = [tracked.fit]
                if with_points:
                    points.append(tracked.fit.landmarks / np.float32(zoom))
            yield tracked

    performance = performance_of(noting(), fps)
    valid = performance.valid
    if not valid.mean() >= MIN_SEEN:
        what = f"a face is seen in only {valid.mean():.0%} of the frames"
        raise InputError(what, video.path, f"at least {MIN_SEEN:.0%} are needed")
    mouths, box, lips, eyes = (_filled(np.asarray(column, np.float32), valid) for column in zip(*rows, strict=True))
    assert performance.landmarks is not None
    marks = performance.landmarks / np.float32(zoom)
    performance = replace(performance, landmarks=marks)
    fit = replace(fits[0], focal_px=fits[0].focal_px / zoom, center_px=fits[0].center_px / zoom)
    trail = FaceTrail(marks[:, :, :2], box, _shots(box, valid), fps, video.width, video.height)
    return _WatchedFace(performance, trail, mouths, lips, eyes, fit, np.stack(points) if with_points else None)


def _enlarged(frames: Frames, zoom: int) -> Iterator[np.ndarray]:
    size = (zoom * frames.width, zoom * frames.height)
    for image in frames:
        yield image if zoom == 1 else cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)


def _filled(rows: np.ndarray, valid: np.ndarray) -> np.ndarray:
    values = np.zeros((len(valid), *rows.shape[1:]), np.float32)
    values[valid] = rows
    return fill_gaps(values, valid)


def _shots(box: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Number (T,) of the shot each frame belongs to, from face boxes (T, 4)."""
    center, height = (box[:, :2] + box[:, 2:]) / 2, box[:, 3] - box[:, 1]
    shot = np.zeros(len(box), int)
    seen = np.nonzero(valid)[0]
    for before, after in pairwise(seen):
        far = np.linalg.norm(center[after] - center[before]) > _CUT_FACES * height[before]
        if far or not _CUT_GROWTH[0] < height[after] / height[before] < _CUT_GROWTH[1]:
            shot[after:] += 1
    return shot


def _with_openface(performance: Performance, path: Path) -> Performance:
    """The performance with the AU45 of an OpenFace table of the same clip."""
    table = load_performance(path).resampled(performance.fps)
    if table.au45 is None:
        raise InputError('the column "AU45_r" is missing', path, "run OpenFace with -aus")
    count = len(performance)
    if abs(len(table) - count) > max(2, _STRAY * count):
        raise InputError(f"the table has {len(table)} frames and its clip {count}", path, "check which clip it is of")
    return replace(performance, au45=np.pad(table.au45, (0, max(0, count - len(table))), "edge")[:count])


def _save_track(path: Path, performance: Performance, face: _WatchedFace, crop: Crop) -> None:
    """The performance, its landmarks in pixels of the crop, and beside it what the masks and the way back need."""
    assert performance.landmarks is not None
    landmarks = performance.landmarks.copy()
    landmarks[:, :, :2] = moved(landmarks[:, :, :2], crop.crop_from_source)
    landmarks[:, :, 2] *= np.sqrt(np.abs(np.linalg.det(crop.crop_from_source[:, :, :2])))[:, None]
    lips, eyes = (moved(points, crop.crop_from_source) for points in (face.mouth_outline, face.eye_outlines))
    beside = {
        "crop_from_source": crop.crop_from_source,
        "mouth": face.mouth,
        "mouth_outline": lips,
        "eye_outlines": eyes,
        "mouth_box": box_around(lips),
        "right_eye_box": box_around(eyes[:, 0]),
        "left_eye_box": box_around(eyes[:, 1]),
        "identity": face.fit.identity,
        "focal_px": np.float32(face.fit.focal_px),
        "center_px": face.fit.center_px,
    }
    source = {"pixels": "of the crop", "camera": "of the source"}
    arrays = {name: np.asarray(value, np.float32) for name, value in beside.items()}
    save_performance(replace(performance, landmarks=landmarks, source=source), path, **arrays)


def _offset(waveform: np.ndarray, face: _WatchedFace, fps: float) -> AvOffset:
    return av_offset(waveform, MouthSeries(face.mouth, fps, face.performance.valid))
