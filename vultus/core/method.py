"""What every method offers, so that any driver can play on any renderer: small protocols, no base classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from vultus.core.controls import Controls
from vultus.core.errors import ControlError
from vultus.core.types import DEFAULT_FPS, Footage, Frames, Performance, Phone, Playback, Portrait

Crop = Literal["full", "face"]

MAX_SIZE_PX, MIN_SIZE_PX = 4096, 64
MAX_FPS = 120.0


@dataclass(frozen=True)
class Look:
    """What the video looks like, whatever the face in it does."""

    fps: float = DEFAULT_FPS
    crop: Crop = "full"
    """"full" keeps the whole picture; "face" is a square around the face."""
    size: int | None = None
    """Side of the square, or longer side of the whole picture, in pixels; None lets the renderer choose."""
    background: str | np.ndarray = "keep"
    """"keep", "none" (transparent), "#rrggbb", or a picture (H, W, 3) uint8 RGB."""

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= MAX_FPS:
            raise ControlError(f"{self.fps:g} frames per second is out of range", "--fps", f"choose 1 to {MAX_FPS:g}")
        if self.size is not None and not MIN_SIZE_PX <= self.size <= MAX_SIZE_PX:
            limits = f"choose {MIN_SIZE_PX} to {MAX_SIZE_PX} pixels"
            raise ControlError(f"a size of {self.size} is out of range", "--size", limits)
        if self.crop not in ("full", "face"):
            raise ControlError(f"{self.crop!r} is not a crop", "--crop", "choose full or face")


class Driver(Protocol):
    """Turns a voice into a performance as the voice arrives."""

    @property
    def lookahead_s(self) -> float:
        """How much of the voice past a frame's time must be there before the frame comes out."""
        ...

    def push(self, samples: np.ndarray) -> Performance | None:
        """Take (n,) float32 samples at 16 kHz; return the frames that became final, if any."""
        ...

    def finish(self) -> Performance | None:
        """The remaining frames, if any."""
        ...


class Renderer(Protocol):
    """Turns performances into frames of one subject."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Channels of `Performance` without which nothing can be shown."""
        ...

    def play(self, performances: Iterable[Performance], count: int | None = None) -> Frames:
        """Frames, pulled lazily, of consecutive pieces of a performance; `count` is their number where known."""
        ...


class FootageRenderer(Renderer, Protocol):
    """Turns performances into frames of one person in a video, whose other pixels stay."""

    shown: np.ndarray
    """(N,) 0-1: how much of the performance is seen in each frame of the last `play`."""

    def play(
        self, performances: Iterable[Performance], count: int | None = None, onto: Playback | None = None
    ) -> Frames:
        """As `Renderer.play`, frame by frame onto the footage or, if given, onto a playback of it."""
        ...


class Method(Protocol):
    """One way of making faces talk."""

    name: str
    paper: str
    controls: frozenset[str]
    """Names of `Controls` fields that this method honours."""

    def driver(
        self,
        controls: Controls,
        fps: float,
        pose_source: Performance | None,
        blink_source: Performance | None,
        phones: Sequence[Phone] | None = None,
    ) -> Driver:
        """A driver; the sources are tracked videos, given where the controls ask for them.

        `phones` are the voice's, gapless from its start to its end, where they are known; a method may ignore them.
        """
        ...

    def renderer(self, subject: Portrait | Footage, look: Look) -> Renderer:
        """A renderer of one subject; of footage a `FootageRenderer`."""
        ...


class Person(Method, Protocol):
    """A method that shows one person."""

    def renderer(self, subject: Portrait | Footage | None, look: Look) -> Renderer:
        """As `Method.renderer`; for the subject None, of the person themselves."""
        ...


class Personal(Protocol):
    """What learns one person and shows nobody else."""

    name: str
    paper: str

    @property
    def people(self) -> Mapping[str, Path]:
        """Who comes with vultus: the folders of their weights by name."""
        ...

    def person(self, folder: Path) -> Person:
        """The person whose weights are in a folder, or who has that name in `people`.

        Raises InputError for a folder that holds anything else.
        """
        ...


@runtime_checkable
class Trainable(Protocol):
    """What a method that can be trained offers beside `Method`."""

    presets: Mapping[str, Any]
    """Configurations by name: frozen dataclasses (`core.config`)."""

    def stages(self, config: Any, data: Path) -> Sequence[Any]:
        """The stages (`training.stage.Stage`), in order, of training on a folder of data."""
        ...
