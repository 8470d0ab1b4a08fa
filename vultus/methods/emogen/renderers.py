"""New faces in the frames of a video, or in a photo shown again and again (sections 3 and 9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from vultus.core.errors import ControlError
from vultus.core.method import Look
from vultus.core.types import Footage, Frames, Performance, Playback, Portrait
from vultus.data.crops import cut
from vultus.methods.emogen.infer import unpacked
from vultus.methods.emogen.paste import crops_of_boxes, crops_of_track, paste
from vultus.methods.emogen.weights import FaceMaker
from vultus.rendering.canvas import lay_canvas
from vultus.rendering.footage.renderer import shown_share

TURN_FADE_DEG = (12.0, 20.0)
"""Turns to the side between which the new face gives way: beyond, mouths slide towards one cheek."""
AT_ONCE = 8
"""Frames that go through the generator together."""


@dataclass(frozen=True)
class _Shot:
    """What becomes of one frame."""

    image: np.ndarray
    crop_from_source: np.ndarray
    mel: np.ndarray
    emotion: np.ndarray
    share: float


class FootageRenderer:
    """Re-generates the face in each frame of a video, from that frame as the reference; everything else stays.

    Frames without the face pass. From the side, and near such frames, the new face fades.
    """

    needs = ("voice",)

    def __init__(self, footage: Footage, look: Look, maker: FaceMaker) -> None:
        if look.crop != "full" or not _keeps(look.background):
            raise ControlError("a video keeps its own frame and background", "--crop, --background", "leave them out")
        if look.size is not None:
            raise ControlError("a video keeps its own size", "--size", "leave it out")
        self.footage, self.maker = footage, maker
        self.shown = np.zeros(0)

    def play(
        self, performances: Iterable[Performance], count: int | None = None, onto: Playback | None = None
    ) -> Frames:
        """See `core.method.FootageRenderer`; ends with the shorter of frames and performance."""
        track = self.footage.track
        onto = onto or Playback(self.footage.open(), np.arange(len(track)))
        mels, emotions = _heard(Performance.concatenate(performances))
        length = min(len(mels), len(onto.order))
        order = onto.order[:length]
        frames = onto.frames
        crops = crops_of_track(track, self.maker.side, frames.width, frames.height)[order]
        shown = track.take(order)
        self.shown = shown_share(shown, np.zeros(length, bool), TURN_FADE_DEG)
        shots = (
            _Shot(image, crops[t], mels[t], emotions[t], float(self.shown[t]))
            for t, image in enumerate(islice(frames.images, length))
        )
        return replace(frames, images=_made(shots, self.maker), count=length)


class PhotoRenderer:
    """Re-generates the face of one photo in every frame: the head stays still (section 9)."""

    needs = ("voice",)

    def __init__(self, portrait: Portrait, look: Look, maker: FaceMaker) -> None:
        if not _keeps(look.background):
            raise ControlError("emogen keeps the background of a photo", "--background", "leave it out")
        self.look, self.maker = look, maker
        canvas = lay_canvas(portrait, look.crop, look.size)
        self.picture = canvas.picture
        skin = portrait.fit.landmarks[:468, :2] * canvas.scale - np.asarray(canvas.origin)
        box = np.concatenate([skin.min(0), skin.max(0)])[None]
        height, width = self.picture.shape[:2]
        self.crop_from_source = crops_of_boxes(box, np.zeros(1, int), maker.side, (width, height), look.fps)[0]

    def play(self, performances: Iterable[Performance], count: int | None = None) -> Frames:
        """See `core.method.Renderer`."""

        def shots() -> Iterator[_Shot]:
            for performance in performances:
                for mel, emotion in zip(*_heard(performance), strict=True):
                    yield _Shot(self.picture, self.crop_from_source, mel, emotion, 1.0)

        height, width = self.picture.shape[:2]
        return Frames(_made(shots(), self.maker), self.look.fps, width, height, count)


def _keeps(background: object) -> bool:
    return isinstance(background, str) and background == "keep"


def _heard(performance: Performance) -> tuple[np.ndarray, np.ndarray]:
    """Mel pictures and emotions of every frame. Raises ControlError for a performance that was not heard."""
    if performance.voice is None:
        fix = "give a voice: vultus speak or dub --method emogen"
        raise ControlError("emogen makes faces from a voice, not from expressions", "--method emogen", fix)
    return unpacked(performance.voice)


def _made(shots: Iterator[_Shot], maker: FaceMaker) -> Iterator[np.ndarray]:
    """The frames with their new faces, `AT_ONCE` at a time."""
    while some := [replace(shot, image=shot.image.copy()) for shot in islice(shots, AT_ONCE)]:
        seen = [shot for shot in some if shot.share > 0]
        pairs: Iterator[tuple[np.ndarray, np.ndarray]] = iter(())
        if seen:
            given = np.stack([cut(s.image, s.crop_from_source, maker.side, maker.side) for s in seen])
            faces = maker.faces(given, np.stack([s.mel for s in seen]), np.stack([s.emotion for s in seen]))
            pairs = zip(faces, given, strict=True)
        for shot in some:
            if shot.share > 0:
                yield paste(shot.image, *next(pairs), shot.crop_from_source, shot.share)
            else:
                yield shot.image
