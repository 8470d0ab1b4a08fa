"""The nouns of the house: what drivers make, renderers show and files hold. Everything is frozen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np

from vultus.core.bases import ARKIT52, BASES
from vultus.core.shelf import taken

SAMPLE_RATE = 16_000
"""Sample rate in Hz of every `Speech`."""

DEFAULT_FPS = 25.0
"""Frame rate of a video made from a photo, unless asked otherwise."""


@dataclass(frozen=True)
class Phone:
    """One speech sound. `symbol` is an upper-case ARPAbet phone without stress, or "SIL"."""

    symbol: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Speech:
    """A voice: `waveform` (N,) float32 in [-1, 1], mono, 16 kHz; `phones` in time order where they are known."""

    waveform: np.ndarray
    phones: tuple[Phone, ...] | None = None

    @property
    def duration_s(self) -> float:
        return len(self.waveform) / SAMPLE_RATE


@dataclass(frozen=True)
class Fit:
    """The head model laid onto one picture.

    A head point X (head frame, see `core.pose`; 1 unit is about 1 cm) lands on the picture at
    center_px + focal_px * (x, y) / z, where (x, y, z) = diag(1, -1, -1) @ rotation @ X + translation is the OpenCV
    camera frame (x right, y down, z away). Pixel (0, 0)'s middle is at (0.5, 0.5).
    """

    rotation: np.ndarray
    """(3, 3) head-frame rotation; the identity is a frontal face."""
    translation: np.ndarray
    """(3,) camera frame, head units."""
    focal_px: float
    center_px: np.ndarray
    """(2,) principal point."""
    identity: np.ndarray
    """(60,) weights of the head model's identity basis, in standard deviations."""
    expression: np.ndarray
    """(52,) ARKit weights 0-1."""
    landmarks: np.ndarray
    """(478, 3) FaceMesh points in pixels (z in pixels too, smaller is nearer)."""
    gaze_deg: np.ndarray
    """(2,) eye direction relative to the head: x towards image right, y up."""
    rms_px: float
    """Weighted root mean square distance between landmarks and model, in pixels of a face crop scaled to 512."""


@dataclass(frozen=True)
class Portrait:
    """One person's picture: `image` (H, W, 3) uint8 RGB, `alpha` (H, W) uint8 or None, and the head fitted to it."""

    image: np.ndarray
    fit: Fit
    alpha: np.ndarray | None = None
    name: str = "portrait"


@dataclass(frozen=True)
class Frames:
    """A lazy stream of pictures, (height, width, 3) uint8 RGB or, with `alpha`, (height, width, 4); read once."""

    images: Iterable[np.ndarray]
    fps: float
    width: int
    height: int
    count: int | None = None
    alpha: bool = False
    times_s: np.ndarray | None = None
    """(count,) float64 rising presentation times where they are irregular; None: frame i is shown from i / fps on."""
    end_s: float | None = None
    """When the last frame ceases; None: 1 / fps after its time."""

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self.images)


Reference = Literal["rest", "camera"]


@dataclass(frozen=True)
class Performance:
    """What an actor's face does, frame by frame; channels that are None were not recorded.

    `reference` says what zero means for expression, rotation, translation and gaze. "rest": they are offsets from the
    subject's own resting look and pose (what a driver makes from a voice). "camera": they are absolute values as seen
    by a camera (what tracking makes).
    """

    fps: float
    valid: np.ndarray
    """(T,) bool; False where no face was seen and the channels are filled in."""
    expression: np.ndarray | None = None
    """(T, K) float32 weights of `basis`."""
    basis: str = "arkit52"
    rotation: np.ndarray | None = None
    """(T, 3) float32 yaw, pitch, roll in degrees (signs: `core.pose`)."""
    translation: np.ndarray | None = None
    """(T, 3) float32 head units, head frame axes (x image right, y up, z towards the camera)."""
    gaze: np.ndarray | None = None
    """(T, 2) float32 degrees relative to the head: x towards image right, y up."""
    au45: np.ndarray | None = None
    """(T,) float32 blink intensity 0-5 (OpenFace's AU45_r scale)."""
    landmarks: np.ndarray | None = None
    """(T, 68, 3) float32 pixels of the tracked video; from a driver ("rest") head units, head frame, pose left out."""
    controls: np.ndarray | None = None
    """(T, 174) float32 MetaHuman rig controls."""
    voice: np.ndarray | None = None
    """(T, A) float32 what was heard, in the features of the method that made it."""
    reference: Reference = "rest"
    source: dict[str, Any] = field(default_factory=dict)
    """Where it came from: free, JSON-able facts (method, seed, file name)."""

    CHANNELS = ("expression", "rotation", "translation", "gaze", "au45", "landmarks", "controls", "voice")

    def __post_init__(self) -> None:
        if not (math.isfinite(self.fps) and self.fps > 0):
            raise ValueError(f"fps must be positive and finite, not {self.fps}")
        for name in self.channels:
            length = len(getattr(self, name))
            if length != len(self):
                raise ValueError(f"channel {name} has {length} frames, validity has {len(self)}")
        if self.expression is not None and self.expression.shape[1:] != (len(BASES[self.basis]),):
            raise ValueError(f"expression {self.expression.shape} does not fit the basis {self.basis}")

    def __len__(self) -> int:
        return len(self.valid)

    @property
    def duration_s(self) -> float:
        return len(self) / self.fps

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels that are there."""
        return tuple(name for name in self.CHANNELS if getattr(self, name) is not None)

    def __getitem__(self, frames: slice) -> Performance:
        """The performance of a slice of frames; channels are views."""
        cut = {name: getattr(self, name)[frames] for name in self.channels}
        return replace(self, valid=self.valid[frames], **cut)

    def resampled(self, fps: float) -> Performance:
        """The same performance at another frame rate, by linear interpolation (validity: nearest frame)."""
        if fps == self.fps or len(self) == 0:
            return replace(self, fps=fps)
        count = max(1, round(self.duration_s * fps))
        return self._at((np.arange(count) + 0.5) * self.fps / fps - 0.5, fps)

    def sampled(self, times_s: np.ndarray) -> Performance:
        """What is performed in frames that are shown from times (N,) on; the nominal rate stays."""
        return self._at(np.asarray(times_s, float) * self.fps, self.fps)

    def _at(self, position: np.ndarray, fps: float) -> Performance:
        """At positions (N,) in frames: linear in between, held at the ends; validity of the nearest frame."""
        position = np.clip(position, 0, len(self) - 1)
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, len(self) - 1)
        weight = (position - low).astype(np.float32)
        mixed: dict[str, Any] = {}
        for name in self.channels:
            channel = getattr(self, name)
            w = weight.reshape((-1,) + (1,) * (channel.ndim - 1))
            mixed[name] = (channel[low] * (1 - w) + channel[high] * w).astype(np.float32)
        return replace(self, fps=fps, valid=self.valid[np.round(position).astype(int)], **mixed)

    @staticmethod
    def concatenate(parts: Iterable[Performance]) -> Performance:
        """Join performances that share fps, basis, reference and channels, in order."""
        parts = list(parts)
        first = parts[0]
        joined: dict[str, Any] = {
            f.name: np.concatenate([getattr(part, f.name) for part in parts])
            for f in fields(first)
            if f.name == "valid" or f.name in first.channels
        }
        return replace(first, **joined)

    @staticmethod
    def neutral(count: int, fps: float) -> Performance:
        """`count` frames at rest: no expression, no rotation, gaze ahead."""
        return Performance(
            fps=fps,
            valid=np.ones(count, bool),
            expression=np.zeros((count, len(ARKIT52)), np.float32),
            rotation=np.zeros((count, 3), np.float32),
            translation=np.zeros((count, 3), np.float32),
            gaze=np.zeros((count, 2), np.float32),
        )


@dataclass(frozen=True)
class FaceTrack:
    """One face through the T frames of a video, in the numbers that re-making it takes; no pictures.

    The P points are `face.points.FOOTAGE_POINTS` of FaceMesh's, the first M of them those of the mouth. Where no face
    was seen (`performance.valid`) channels are filled in.
    """

    performance: Performance
    """Of T frames, reference "camera"."""
    points: np.ndarray
    """(T, P, 2) float32 pixels of the video."""
    departure: np.ndarray
    """(T, M, 2) float32 head units, head frame: from the mouth at rest, as this person's is built, to the points."""
    units_px: np.ndarray
    """(T,) float32 pixels a head unit at the face's distance."""
    shot: np.ndarray
    """(T,) int: which shot of the video a frame belongs to."""

    def __len__(self) -> int:
        return len(self.shot)

    def take(self, frames: np.ndarray) -> FaceTrack:
        """The track of a video that shows these frames (N,) of this one, in this order."""
        if np.array_equal(frames, np.arange(len(self))):
            return self
        parts = {name: taken(getattr(self, name), frames) for name in ("points", "departure", "units_px", "shot")}
        acted = self.performance
        channels: dict[str, Any] = {name: taken(getattr(acted, name), frames) for name in acted.channels}
        return replace(self, performance=replace(acted, valid=acted.valid[frames], **channels), **parts)


@dataclass(frozen=True)
class Footage:
    """One person in a video whose every frame is a texture."""

    open: Callable[[], Frames]
    """Gives the frames from the first one on, each time it is called; as many as the track has."""
    track: FaceTrack
    name: str = "footage"


@dataclass(frozen=True)
class Playback:
    """A footage's frames in some order, perhaps with other people in them changed already."""

    frames: Frames
    order: np.ndarray
    """(N,) int: which frame of the footage each of them is."""
