"""One person's clip as blink_nerf learns from it: small pictures with pose, landmarks, blinks, voice and masks.

A person is a folder: an `.npy` file for every array, mapped into memory rather than read, and `person.json`.
Nothing here needs torch.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vultus.core.errors import InputError

FACTS_FILE = "person.json"
FORMAT = 2
BACKGROUND, TORSO, HEAD, MOUTH, EYES = range(5)
"""Labels of `Person.masks`: torso holds neck and clothes, head skin and hair."""

_ARRAYS: dict[str, tuple[str, tuple[int | str, ...]]] = {
    "frames": ("uint8", ("T", "S", "S", 3)),
    "masks": ("uint8", ("T", "S", "S")),
    "background": ("uint8", ("S", "S", 3)),
    "valid": ("bool", ("T",)),
    "shot": ("int32", ("T",)),
    "rotation": ("float32", ("T", 3, 3)),
    "translation": ("float32", ("T", 3)),
    "expression": ("float32", ("T", 52)),
    "landmarks3d": ("float32", ("T", 68, 3)),
    "au45": ("float32", ("T",)),
    "audio": ("float32", ("T", "A")),
    "waveform": ("float32", ("N",)),
    "identity": ("float32", (60,)),
}
"""Type and shape of every array on disk; a letter is a size that all arrays agree on."""


@dataclass(frozen=True)
class Person:
    """One person's prepared clip: T frames of a square head-and-shoulder crop of S pixels under one steady camera.

    A head point X of frame k lands on its pixels as `core.types.Fit` says, with `rotation[k]`, `translation[k]`,
    `focal_px` and `center_px`. Arrays may be mapped from files and are not to be written to.
    """

    frames: np.ndarray
    """(T, S, S, 3) uint8 RGB."""
    masks: np.ndarray
    """(T, S, S) uint8: what a pixel shows, `BACKGROUND` 0, `TORSO` 1, `HEAD` 2, `MOUTH` 3 or `EYES` 4."""
    background: np.ndarray
    """(S, S, 3) uint8 RGB: what is behind the person; guessed where it never showed."""
    valid: np.ndarray
    """(T,) bool; False where no face was seen and the other arrays are filled in."""
    shot: np.ndarray
    """(T,) int32 number of the shot between cuts; nothing is smooth across a cut."""
    rotation: np.ndarray
    """(T, 3, 3) float32 head-frame rotation; the identity is a frontal face."""
    translation: np.ndarray
    """(T, 3) float32 camera frame, head units."""
    expression: np.ndarray
    """(T, 52) float32 tracked ARKit weights 0-1."""
    landmarks3d: np.ndarray
    """(T, 68, 3) float32 head frame, head units: the face's expression is in them, its pose is not."""
    au45: np.ndarray
    """(T,) float32 blink intensity 0-5."""
    audio: np.ndarray
    """(T, A) float32 audio features of each frame (`methods.blink_nerf.hearing`)."""
    waveform: np.ndarray
    """(N,) float32 in [-1, 1], mono, 16 kHz; frame k is shown from k / fps to (k + 1) / fps on its clock."""
    identity: np.ndarray
    """(60,) float32 weights of the head model's identity basis."""
    fps: float
    focal_px: float
    center_px: tuple[float, float]
    held_out: int
    """So many frames at the end are for testing only."""
    ear: str = "sounds"
    """Which of `methods.blink_nerf.hearing`'s ears made `audio`."""
    name: str = "person"
    synthetic: bool = False
    """Whether the clip carries vultus's mark of synthetic media."""

    def __post_init__(self) -> None:
        """Raises ValueError unless types, shapes and sizes agree."""
        sizes: dict[str, int] = {}
        for name, (kind, shape) in _ARRAYS.items():
            _check_shape(name, getattr(self, name), kind, shape, sizes)
        if not 0 <= self.held_out < len(self):
            raise ValueError(f"{self.held_out} of {len(self)} frames cannot be held out")

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def size(self) -> int:
        """Side of the frames in pixels, S."""
        return int(self.frames.shape[1])

    @property
    def train(self) -> slice:
        """The frames that are learned from: all but the last `held_out`."""
        return slice(0, len(self) - self.held_out)

    @property
    def test(self) -> slice:
        """The frames at the end that are tested on."""
        return slice(len(self) - self.held_out, len(self))

    def save(self, folder: str | Path) -> Path:
        """Write the person into a new folder, whole or not at all. Raises InputError if there is something already."""
        target = Path(folder)
        if target.exists():
            raise InputError("there is something of this name already", target, "choose a new folder")
        partial = target.with_name(f"{target.name}.part.person")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir(parents=True)
            for name in _ARRAYS:
                np.save(partial / f"{name}.npy", np.ascontiguousarray(getattr(self, name)))
            facts = {"format": FORMAT} | {name: getattr(self, name) for name in _facts()}
            (partial / FACTS_FILE).write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            partial.rename(target)
        except OSError as error:
            raise InputError(f"the person cannot be written ({error.strerror})", target) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return target

    @classmethod
    def load(cls, folder: str | Path) -> Person:
        """A person that was saved. Raises InputError for anything else, or one that is damaged."""
        folder = Path(folder)
        facts = _read_facts(folder)
        fix = "prepare the person again"
        try:
            arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS}
            facts["center_px"] = tuple(facts["center_px"])
            return cls(**arrays, **facts)
        except OSError as error:
            raise InputError(f"a part of this person is missing ({error.filename})", folder, fix) from error
        except (ValueError, TypeError) as error:
            raise InputError(f"this person is damaged ({error})", folder, fix) from error


def open_person(folder: str | Path) -> Person:
    """The person in a folder, arrays mapped into memory. Raises InputError."""
    return Person.load(folder)


def _facts() -> tuple[str, ...]:
    """Names of the fields that are no arrays."""
    return tuple(f.name for f in dataclasses.fields(Person) if f.name not in _ARRAYS)


def _read_facts(folder: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            "there is no prepared person here", folder, f"give a folder that holds {FACTS_FILE}"
        ) from error
    except ValueError as error:
        raise InputError("the facts of this person are damaged", folder, "prepare the person again") from error
    if not isinstance(facts, dict) or facts.pop("format", None) != FORMAT:
        raise InputError("this person was prepared by another version", folder, "prepare the person again")
    return facts


def _check_shape(name: str, array: np.ndarray, kind: str, shape: tuple[int | str, ...], sizes: dict[str, int]) -> None:
    """Raise ValueError unless an array is of this type and shape; letters are looked up, or kept, in `sizes`."""
    wrong = array.dtype != np.dtype(kind) or array.ndim != len(shape)
    for wanted, there in zip(shape, array.shape, strict=False):
        wrong |= there != (sizes.setdefault(wanted, there) if isinstance(wanted, str) else wanted)
    if wrong:
        raise ValueError(f"{name} is {array.dtype} {array.shape}, not {kind} {shape} with {sizes}")
