"""The nouns of data: a `RawClip` is what a reader finds in a data set, a `PreparedClip` what methods are trained on."""

from __future__ import annotations

import dataclasses
import json
import wave
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vultus.core.controls import EMOTIONS
from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE, Frames, Performance, Speech
from vultus.data.masks import Masks, draw_masks

if TYPE_CHECKING:
    from vultus.data.heads import Head

Split = Literal["train", "val", "test"]
CropKind = Literal["wav2lip", "pcavs", "ffhq", "person", "full"]
"""Which part of a picture is kept, and how it is laid straight: `data.crops`."""

VIDEO_FILE, SOUND_FILE, TRACK_FILE, PERSON_FILE = "video.mp4", "audio.wav", "track.npz", "person.mp4"
BACKGROUND_FILE, LABELS_FILE, FACTS_FILE = "background.png", "labels.npz", "meta.json"
HEAD_FILE = "head.npz"
"""The exact pose of every frame; of clips with the crop "person" alone."""


@dataclass(frozen=True)
class RawClip:
    """One clip as a data set holds it. Raises ValueError for what no reader may yield."""

    dataset: str
    name: str
    """Unique in the data set; a relative path with forward slashes, such as M003/front/happy/level_1/001."""
    speaker: str
    split: Split
    video: Path | None = None
    audio: Path | None = None
    """The voice, if it is not the video's own sound."""
    curves: Path | None = None
    """Rig controls, a row a frame (EmoFace)."""
    labels: Path | None = None
    """Exact labels of a synthetic clip, kept as they are."""
    emotion: str | None = None
    """One of `core.controls.EMOTIONS`."""
    level: int | None = None
    """1-3, as MEAD's levels."""
    view: str | None = None
    text: str | None = None
    held_out: float = 0.0
    """Share of the clip, at its end, that is for testing whatever `split` says."""

    def __post_init__(self) -> None:
        parts = PurePosixPath(self.name).parts
        if not parts or self.name.startswith("/") or {".", ".."} & set(parts) or "\\" in self.name:
            raise ValueError(f"{self.name!r} is no safe name of a clip")
        if self.emotion not in (None, *EMOTIONS) or self.level not in (None, 1, 2, 3):
            raise ValueError(f"{self.name}: emotion {self.emotion!r}, level {self.level!r}")
        if self.video is None and (self.curves is None or self.audio is None):
            raise ValueError(f"{self.name} has neither a video nor curves with a voice")

    @property
    def source(self) -> Path:
        """The file that stands for the clip in messages."""
        found = self.video or self.curves
        assert found is not None
        return found


@dataclass(frozen=True)
class ClipFacts:
    """What is known of a prepared clip without opening its video; `meta.json`, and a line of the manifest."""

    dataset: str
    name: str
    speaker: str
    split: Split
    held_out_frames: int
    """So many frames at the end are for testing whatever `split` says."""
    emotion: str | None
    level: int | None
    view: str | None
    text: str | None
    fps: float
    frames: int
    duration_s: float
    width: int
    """Pixels of the prepared video, 0 for a clip without pictures; so below."""
    height: int
    crop: CropKind | None
    source_width: int
    source_height: int
    background_from_source: tuple[float, float, float] | None
    """Scale and shift in x and y: pixels of the background picture from those of the source."""
    seen: float
    """Share of the frames in which the face was found."""
    sound: bool
    av_offset_ms: int | None
    """Time of the picture's lips less that of the same lips in the sound (`motion.av_offset`); None without sound."""
    av_confidence: float | None
    """0-1; below .5, lips and voice do not seem to belong together."""
    au45_from: Literal["tracking", "openface"] | None
    synthetic: bool
    """Whether the source carries vultus's mark of synthetic media."""
    sources: Mapping[str, Any]
    """Files it was made from: role -> name and bytes."""

    @classmethod
    def from_json(cls, text: str, where: Path) -> ClipFacts:
        """Facts from a line of JSON. Raises InputError naming `where` it stood."""
        try:
            facts = cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise InputError("the facts of a prepared clip are damaged", where, "prepare the set again") from error
        if facts.background_from_source is None:
            return facts
        scale, x, y = facts.background_from_source  # JSON has lists only
        return dataclasses.replace(facts, background_from_source=(scale, x, y))

    def to_json(self) -> str:
        """One line of JSON, the same for the same facts."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)


@dataclass(frozen=True)
class PreparedClip:
    """A prepared clip, or the part of one that belongs to a split: frames `first` to `stop`, read when asked for.

    Frame k is shown from k / fps to (k + 1) / fps on the clock of `waveform`. Positions are pixels of the prepared
    video, pixel (0, 0)'s middle being at (0.5, 0.5).
    """

    folder: Path
    facts: ClipFacts
    split: Split
    first: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.first

    @property
    def name(self) -> str:
        """Data set and name, unique among all prepared clips but for its parts."""
        return f"{self.facts.dataset}/{self.facts.name}"

    @property
    def fps(self) -> float:
        """Frames per second: 25, or 60 for rig curves."""
        return self.facts.fps

    @property
    def has_pictures(self) -> bool:
        """Whether there is a video; EmoFace has none."""
        return self.facts.width > 0

    def frames(self, start: int = 0, stop: int | None = None) -> Frames:
        """Stream frames `start` to `stop` of this part, (height, width, 3) uint8 RGB.

        A start in the middle costs at most a second's decoding. Raises InputError for a clip without pictures.
        """
        from vultus.data.pictures import read_pictures

        if not self.has_pictures:
            raise InputError("this clip has no pictures", self.name, "choose a data set of videos")
        chosen = range(self.first, self.stop)[start:stop]
        images = read_pictures(self.folder / VIDEO_FILE, chosen.start, max(chosen.start, chosen.stop))
        return Frames(images, self.fps, self.facts.width, self.facts.height, len(chosen))

    @cached_property
    def waveform(self) -> np.ndarray:
        """The voice (n,) float32 in [-1, 1], mono, 16 kHz, as long as the frames. Raises InputError if silent."""
        path = self.folder / SOUND_FILE
        if not self.facts.sound:
            raise InputError("this clip has no sound", self.name, "filter by clip.facts.sound")
        begin, end = (round(frame / self.fps * SAMPLE_RATE) for frame in (self.first, self.stop))
        try:
            with wave.open(str(path)) as file:
                file.setpos(begin)
                samples = np.frombuffer(file.readframes(end - begin), "<i2")
        except (OSError, EOFError, wave.Error) as error:
            raise InputError("the sound of this prepared clip is damaged", path, "prepare the set again") from error
        return samples.astype(np.float32) / 32768

    @property
    def speech(self) -> Speech:
        """The voice as drivers take it."""
        return Speech(self.waveform)

    def track(self) -> Performance:
        """What the face does, frame by frame: tracked and absolute ("camera"), or rig controls (EmoFace)."""
        return self._performance[self.first : self.stop]

    @cached_property
    def mouth(self) -> np.ndarray:
        """Aperture and width of the mouth (T, 2) in distances of the outer eye corners (`face.mouth`)."""
        return self._arrays["mouth"][self.first : self.stop]

    @cached_property
    def crop_from_source(self) -> np.ndarray:
        """Affine maps (T, 2, 3): pixels of the source video to pixels of each prepared frame."""
        return self._arrays["crop_from_source"][self.first : self.stop]

    def boxes(self, part: Literal["mouth", "right_eye", "left_eye"]) -> np.ndarray:
        """Boxes (T, 4) around a part of the face, with some room: left, top, right, bottom in pixels."""
        return self._arrays[f"{part}_box"][self.first : self.stop]

    def to_source(self, points: np.ndarray, frame: int) -> np.ndarray:
        """Points (N, 2) of one prepared frame in pixels of the source video."""
        crop = self.crop_from_source[frame].astype(np.float64)
        return (np.asarray(points, np.float64) - crop[:, 2]) @ np.linalg.inv(crop[:, :2]).T

    def masks(self, start: int = 0, stop: int | None = None) -> Iterator[Masks]:
        """Mouth, eyes and person, a set of masks a frame."""
        from vultus.data.pictures import read_pictures

        chosen = range(self.first, self.stop)[start:stop]
        size = (self.facts.width, self.facts.height)
        people = read_pictures(self.folder / PERSON_FILE, chosen.start, chosen.stop)
        for frame, person in zip(chosen, people, strict=True):
            yield draw_masks(self._arrays["mouth_outline"][frame], self._arrays["eye_outlines"][frame], person, size)

    def background(self, frame: int = 0) -> np.ndarray:
        """What is behind the person in one frame, (height, width, 3) uint8 RGB; guessed where it never showed."""
        from vultus.data.crops import cut
        from vultus.video.read import read_image

        picture, _ = read_image(self.folder / BACKGROUND_FILE)
        assert self.facts.background_from_source is not None
        scale, x, y = self.facts.background_from_source
        crop = self.crop_from_source[frame].astype(np.float64)
        linear = crop[:, :2] / scale
        crop_from_background = np.column_stack([linear, crop[:, 2] - linear @ (x, y)])
        return cut(picture, crop_from_background, self.facts.width, self.facts.height)

    def head(self) -> Head:
        """The head's exact pose, and its points without pose, of a clip with the crop "person". Raises InputError."""
        from vultus.data.heads import Head

        return Head.load(self.folder / HEAD_FILE)[self.first : self.stop]

    def labels(self) -> dict[str, np.ndarray] | None:
        """Exact labels of a synthetic clip as it was made, whole and in pixels of its source; None for real clips."""
        path = self.folder / LABELS_FILE
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}

    @cached_property
    def _performance(self) -> Performance:
        from vultus.face.rig import load_performance

        return load_performance(self.folder / TRACK_FILE)

    @cached_property
    def _arrays(self) -> dict[str, np.ndarray]:
        """What stands beside the performance; empty for a clip without pictures."""
        channels = {*Performance.CHANNELS, "valid", "facts"}
        with np.load(self.folder / TRACK_FILE, allow_pickle=False) as data:
            return {name: data[name] for name in data.files if name not in channels}


def parts_of(folder: Path, facts: ClipFacts) -> Iterator[PreparedClip]:
    """A prepared clip as its splits see it: whole, or its beginning and the end that is held out."""
    kept = facts.frames - facts.held_out_frames
    yield PreparedClip(folder, facts, facts.split, 0, kept)
    if facts.held_out_frames:
        yield PreparedClip(folder, facts, "test", kept, facts.frames)
