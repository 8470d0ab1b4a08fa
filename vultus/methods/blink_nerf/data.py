"""From a prepared video of one person to what blink_nerf learns from: `Person`, made once for each size and kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE
from vultus.data.clips import PreparedClip
from vultus.data.heads import Head
from vultus.data.manifest import MANIFEST_FILE, prepared_clips
from vultus.data.masks import Masks
from vultus.face.head import project
from vultus.methods.blink_nerf.hearing import EarName, features_of
from vultus.methods.blink_nerf.person import (
    BACKGROUND,
    EYES,
    FACTS_FILE,
    FORMAT,
    HEAD,
    MOUTH,
    TORSO,
    Person,
    open_person,
)  # fmt: skip

LEAST_S = 10.0
"""Shorter clips are refused: a tenth of one is no test, and the rest no lesson."""
FOLDER = f"blink_nerf-{FORMAT}-{{size}}-{{ear}}"
"""Where a person is kept, beside the prepared clip."""

_SEEN = 0.5
"""Probability of a person from which a pixel is one."""
_SURE_OFFSET = 0.5
"""Confidence from which the clip's lag between lips and voice is taken out (`motion.av_offset`)."""
_JAW = slice(0, 17)
_NECK_ROOM = 0.0
"""The head reaches so far below the jaw line, in distances of the eyes' outer corners."""


def person_in(data: Path, size: int, ear: EarName) -> Person:
    """The person in a folder: one that `Person.save` wrote, or the OUT of `vultus prepare person VIDEO OUT`.

    Made at `size` pixels at first use and kept beside the clip. Raises InputError unless there is exactly one.
    """
    if (data / FACTS_FILE).is_file():
        return _fitting(open_person(data), size, ear, data)
    if not (data / MANIFEST_FILE).is_file():
        raise InputError("there is no person here", data, "run: vultus prepare person VIDEO OUT, and give OUT")
    parts = [part for part in prepared_clips(data) if part.facts.crop == "person"]
    names = {part.name for part in parts}
    if len(names) != 1:
        fix = "prepare one person's video: vultus prepare person VIDEO OUT"
        raise InputError(f"there are {len(names)} clips with the crop person here, not one", data, fix)
    kept = parts[0].folder / FOLDER.format(size=size, ear=ear)
    if not kept.is_dir():
        made = person_of(parts[0], size, ear)
        made.save(kept)
    return open_person(kept)


def person_of(clip: PreparedClip, size: int, ear: EarName) -> Person:
    """The person of a prepared clip with the crop "person", all frames, at `size` pixels.

    Raises InputError for a clip without sound, or one shorter than `LEAST_S`.
    """
    facts = clip.facts
    if facts.duration_s < LEAST_S:
        raise InputError(f"{facts.duration_s:.0f} s are too short to learn a person from", clip.name, "3 to 5 min do")
    whole = replace(clip, first=0, stop=facts.frames)
    head, scale = whole.head(), size / facts.width
    waveform = _in_step(whole)
    track = whole.track()
    assert track.au45 is not None and track.expression is not None
    frames = np.stack([_reduced(image, size) for image in whole.frames()])
    head = replace(head, focal_px=head.focal_px * scale, center_px=head.center_px * np.float32(scale))
    return Person(
        frames=frames,
        masks=np.stack([_labels(m, head, k, size) for k, m in enumerate(whole.masks())]),
        background=_reduced(whole.background(), size),
        valid=track.valid,
        shot=head.shot,
        rotation=head.rotation,
        translation=head.translation,
        expression=track.expression,
        landmarks3d=head.landmarks3d,
        au45=track.au45,
        audio=features_of(waveform, ear, whole.fps, len(whole)),
        waveform=waveform,
        identity=head.identity,
        fps=whole.fps,
        focal_px=head.focal_px,
        center_px=(float(head.center_px[0]), float(head.center_px[1])),
        held_out=facts.held_out_frames,
        ear=ear,
        name=facts.name,
        synthetic=facts.synthetic,
    )


def _fitting(person: Person, size: int, ear: EarName, where: Path) -> Person:
    if (person.size, person.ear) != (size, ear):
        there = f"{person.size} pixels and the ear {person.ear}, not {size} and {ear}"
        raise InputError(f"this person was prepared for {there}", where, "give the OUT of vultus prepare person")
    return person


def _reduced(image: np.ndarray, size: int) -> np.ndarray:
    """A square picture at `size` pixels, (size, size, 3) uint8."""
    flags = cv2.INTER_AREA if size <= image.shape[0] else cv2.INTER_CUBIC
    return image if image.shape[0] == size else cv2.resize(image, (size, size), interpolation=flags)


def _in_step(clip: PreparedClip) -> np.ndarray:
    """The clip's voice (n,), shifted so that lips and voice are in step where they are not and that is sure."""
    facts, waveform = clip.facts, clip.waveform
    if facts.av_offset_ms is None or (facts.av_confidence or 0) < _SURE_OFFSET:
        return waveform
    late = round(facts.av_offset_ms / 1000 * SAMPLE_RATE)  # samples by which the picture lags
    shifted = np.zeros_like(waveform)
    count = max(0, len(waveform) - abs(late))
    shifted[max(0, late) : max(0, late) + count] = waveform[max(0, -late) : max(0, -late) + count]
    return shifted


def _labels(masks: Masks, head: Head, frame: int, size: int) -> np.ndarray:
    """What every pixel of a frame shows, (size, size) uint8, as `Person.masks`."""
    jaw = project(
        head.landmarks3d[frame, _JAW], head.rotation[frame], head.translation[frame], head.focal_px, head.center_px
    )[:, :2]
    person = cv2.resize(masks.person, (size, size), interpolation=cv2.INTER_AREA) > _SEEN
    labels = np.where(person, TORSO, BACKGROUND).astype(np.uint8)
    labels[person & _above_the_jaw(jaw, size)] = HEAD
    for mask, label in ((masks.mouth, MOUTH), (masks.eyes, EYES)):
        share = cv2.resize(mask.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
        labels[share > _SEEN] = label
    return labels


def _above_the_jaw(jaw: np.ndarray, size: int) -> np.ndarray:
    """(size, size) bool: what is above the jaw line (17, 2), from ear to ear, or beside it."""
    ears = jaw[-1] - jaw[0]
    down = np.array([-ears[1], ears[0]]) / max(float(np.linalg.norm(ears)), 1e-6)
    line = jaw + _NECK_ROOM * np.linalg.norm(ears) * down
    corner = 3 * size * ears / max(float(np.linalg.norm(ears)), 1e-6)
    lowest = len(line) // 4  # beside the face the head ends where the jaw turns upwards
    left, right = line[lowest] - corner, line[-1 - lowest] + corner
    outline = [left - 3 * size * down, left, *line[lowest : len(line) - lowest], right, right - 3 * size * down]
    canvas = np.zeros((size, size), np.uint8)
    cv2.fillPoly(canvas, [np.round((np.array(outline) - 0.5) * 16).astype(np.int32)], (1,), shift=4)
    return canvas.astype(bool)
