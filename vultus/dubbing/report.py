"""What a dub did, in a few lines or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vultus.core.files import whole_file


@dataclass(frozen=True)
class LipCheck:
    """The lips of a finished dub, tracked anew."""

    aperture_r: float | None
    """Correlation of the lips' opening with the voice's lips; None where either does not move."""
    width_r: float | None
    """The same of the mouth's width."""
    in_sync: float | None
    """`sync_vultus` (`perception.judges.sync.SyncCurve.in_sync`); None where torch is missing or the face is seen for
    less than a second."""


@dataclass(frozen=True)
class DubbedFace:
    """What became of one face."""

    face: int
    """Its number, from 1, the largest first."""
    voice: str
    changed: int
    """Frames in which it performs, wholly or, while it turns away or comes back, in part."""
    passed: int
    """Frames left as they were: no face, one turned away, or something in front of the mouth."""
    lips: LipCheck | None = None

    def line(self) -> str:
        """One line for people."""
        text = f"face {self.face}: {self.voice}, {self.changed} frames changed, {self.passed} passed through"
        if self.lips is None:
            return text
        lips = self.lips
        figures = {"aperture r": lips.aperture_r, "width r": lips.width_r, "sync_vultus": lips.in_sync}
        told = [f"{name} {'-' if value is None else format(value, '.2f')}" for name, value in figures.items()]
        return f"{text}; {', '.join(told)}"


@dataclass(frozen=True)
class DubReport:
    """What a dub did."""

    path: Path
    frames: int
    fps: float
    shots: int
    people: int
    """In the video."""
    faces: tuple[DubbedFace, ...]
    notes: tuple[str, ...]
    """What of the original could not be kept, and how its length was fitted to the voice's, a line each."""

    def text(self) -> str:
        """A few lines for people."""
        people = "one person" if self.people == 1 else f"{self.people} people"
        shots = "one shot" if self.shots == 1 else f"{self.shots} shots"
        lines = [f"{self.frames} frames at {self.fps:.6g} a second, {people} in {shots}"]
        lines += [face.line() for face in self.faces]
        return "\n".join(lines + [f"note: {note}" for note in self.notes])

    def to_json(self) -> dict[str, Any]:
        """Plain values, as the fields are named."""
        return asdict(self) | {"path": str(self.path)}

    def save(self, path: Path) -> None:
        """Write it as JSON. Raises InputError for a place that cannot be written."""
        with whole_file(path) as file:
            file.write((json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n").encode())
