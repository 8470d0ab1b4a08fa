"""Old lips and new side by side: one portrait, one voice, and twelve consecutive mouths magnified.

    python -m benchmarks.side_by_side [VOICE] [-o FILE] [--portrait FILE] [--old LIPS] [--new LIPS] [--at SECONDS]

VOICE is the shipped sample unless given. LIPS are "phones" (recognised phones and a table, the old default), "learned"
(what ships), or a folder of weights. If VOICE is a video in which somebody talks, it plays in the middle, moved by the
offset that is found between its lips and its sound. Beside the video a PNG file of the same name shows the mouths of
the twelve frames from --at on, three times as large, in rows old, person, new, each column with the sound recognised
at that moment. What shows people of shared data, or their voices, is not to be committed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage.data import astronaut

from benchmarks.voices import SAMPLE
from vultus.animate import open_portrait
from vultus.audio.io import read_speech
from vultus.audio.phones import phones_of
from vultus.core.controls import Controls
from vultus.core.errors import InputError
from vultus.core.method import Look
from vultus.core.types import DEFAULT_FPS, Frames, Performance, Phone, Portrait
from vultus.face.mouth import mouth
from vultus.face.points import face_box
from vultus.face.stream import FaceStream
from vultus.methods.portrait.infer import PortraitDriver
from vultus.methods.portrait.model import PhotoRenderer
from vultus.motion.av_offset import MouthSeries, av_offset
from vultus.motion.learned_lips import LearnedLips, default_lips, load_lips
from vultus.motion.lips import LipMotion, PhoneLips
from vultus.video.read import open_video
from vultus.video.write import write_video

SIZE_PX, FRAMES, MAGNIFIED = 512, 12, 3
CELL_PX = (432, 384)
"""Width and height of a magnified mouth."""
CAPTION_PX = 36
COLUMNS = 6
MOUTH_FACES = (0.62, 0.55)
"""Width and height of what is magnified, in widths of the face."""
INNER_LIPS = (13, 14)


def lips_called(name: str, fps: float) -> LipMotion:
    """Lips by name: "phones", "learned" or a folder of weights."""
    if name == "phones":
        return PhoneLips(fps)
    return default_lips(fps) if name == "learned" else LearnedLips(fps, load_lips(name))


@dataclass
class Player:
    """One of the faces: its pictures in order, and the magnified mouths of the frames that are wanted."""

    title: str
    images: Iterator[np.ndarray]
    boxes: list[tuple[np.ndarray, float]]
    """Middle of the mouth and width of the face, in pixels, of every frame; the last one holds on."""
    mouths: list[np.ndarray] = field(default_factory=list)

    def next(self, index: int, wanted: bool) -> np.ndarray:
        """The picture of one frame; its mouth is kept if wanted."""
        image = next(self.images)
        if wanted:
            self.mouths.append(_magnified(image, *self.boxes[min(index, len(self.boxes) - 1)]))
        scale = SIZE_PX / image.shape[0]
        return image if scale == 1 else cv2.resize(image, (round(image.shape[1] * scale), SIZE_PX))


def _magnified(image: np.ndarray, middle: np.ndarray, face_px: float) -> np.ndarray:
    half = np.array(MOUTH_FACES) * face_px / 2
    size = tuple(round(2 * float(side)) for side in half)
    piece = cv2.getRectSubPix(image, size, tuple(float(v) for v in middle))
    return cv2.resize(piece, CELL_PX, interpolation=cv2.INTER_CUBIC)


def rendered(portrait: Portrait, waveform: np.ndarray, name: str, title: str) -> tuple[Player, int]:
    """The portrait speaking with some lips, and the number of its frames."""
    driver = PortraitDriver(Controls.parse(), DEFAULT_FPS, lips=lips_called(name, DEFAULT_FPS))
    pieces = [piece for piece in (driver.push(waveform), driver.finish()) if piece is not None]
    performance = Performance.concatenate(pieces)
    photo = PhotoRenderer(portrait, Look(crop="face", size=SIZE_PX))
    canvas = photo.renderer.canvas
    marks = photo.renderer.fit.landmarks[:, :2] - canvas.margin_px
    _, face_px = face_box(photo.renderer.fit.landmarks)
    # the cell is the mouth at rest, magnified; the frame's own pixels, so that it shows what a viewer sees
    face_px = min(face_px, CELL_PX[0] / MAGNIFIED / MOUTH_FACES[0])
    boxes = [(marks[list(INNER_LIPS)].mean(0), float(face_px))]
    return Player(title, iter(photo.play([performance])), boxes), len(performance)


def filmed(path: Path, waveform: np.ndarray) -> Player | None:
    """The person in the voice's own video, in step with the sound; None where there are no pictures or no face."""
    try:
        video = open_video(path)
    except InputError:  # a sound file
        return None
    with FaceStream() as stream:
        points = [stream.next(image) for image in video.frames(DEFAULT_FPS)]
    seen = [p for p in points if p is not None]
    if not seen:
        return None
    rows = np.array([mouth(p) if p is not None else (np.nan, np.nan) for p in points])
    offset = av_offset(waveform, MouthSeries(rows, DEFAULT_FPS, ~np.isnan(rows[:, 0])))
    late = round(offset.offset_s * DEFAULT_FPS) if offset.in_sync else 0
    print(f"{path.name}: lips {offset.offset_ms} ms after the sound, confidence {offset.confidence:.2f}")
    boxes, last = [], seen[0]
    for p in points:
        last = last if p is None else p
        boxes.append((last[list(INNER_LIPS), :2].mean(0), face_box(last)[1]))
    first = boxes[0]
    boxes = boxes[late:] if late >= 0 else [first] * -late + boxes
    return Player("person", _moved(video.frames(DEFAULT_FPS), late), boxes)


def _moved(frames: Frames, late: int) -> Iterator[np.ndarray]:
    """The pictures without the first `late`, or with the first one held longer; the last one holds on."""
    image: np.ndarray | None = None
    for index, image in enumerate(frames):
        for _ in range(1 - late if index == 0 and late < 0 else int(index >= late)):
            yield image
    while image is not None:
        yield image


def sheet(players: list[Player], first: int, phones: tuple[Phone, ...]) -> np.ndarray:
    """Magnified mouths, a column a frame, `COLUMNS` in a band; a cell says who, which frame, when and which sound."""
    bands = []
    for start in range(0, FRAMES, COLUMNS):
        for player in players:
            row = []
            for k in range(start, min(start + COLUMNS, len(player.mouths))):
                at_s = (first + k + 0.5) / DEFAULT_FPS
                sound = next((p.symbol for p in phones if p.start_s <= at_s < p.end_s), "")
                row.append(_captioned(player.mouths[k], f"{player.title}  {first + k}  {at_s:.2f} s  {sound}"))
            bands.append(np.hstack(row))
    return np.vstack(bands)


def _captioned(cell: np.ndarray, text: str) -> np.ndarray:
    strip = np.full((CAPTION_PX, cell.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, text, (8, CAPTION_PX - 11), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2, cv2.LINE_AA)
    return np.pad(np.vstack([strip, cell]), ((2, 2), (2, 2), (0, 0)), constant_values=255)


def main() -> None:
    """Write the video and the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("voice", nargs="?", type=Path, default=SAMPLE)
    parser.add_argument("-o", "--output", type=Path, default=Path("out/side_by_side.mp4"))
    parser.add_argument("--portrait", type=Path)
    parser.add_argument("--old", default="phones")
    parser.add_argument("--new", default="learned")
    parser.add_argument("--at", type=float, default=6.28, help="seconds at which the magnified frames begin")
    given = parser.parse_args()
    given.output.parent.mkdir(parents=True, exist_ok=True)
    waveform = read_speech(given.voice).waveform
    portrait = open_portrait(given.portrait or astronaut())
    left, count = rendered(portrait, waveform, given.old, "old")
    right, _ = rendered(portrait, waveform, given.new, "new")
    person = filmed(given.voice, waveform)
    players = [left, right] if person is None else [left, person, right]
    first = min(round(given.at * DEFAULT_FPS), max(0, count - FRAMES))
    sizes = [player.next(0, first == 0) for player in players]

    def joined() -> Iterator[np.ndarray]:
        yield np.hstack(sizes)
        for k in range(1, count):
            yield np.hstack([player.next(k, first <= k < first + FRAMES) for player in players])

    frames = Frames(joined(), DEFAULT_FPS, sum(image.shape[1] for image in sizes), SIZE_PX, count)
    print(write_video(frames, given.output, given.voice))
    picture = given.output.with_suffix(".png")
    Image.fromarray(sheet(players, first, phones_of(waveform))).save(picture)
    print(picture)


if __name__ == "__main__":
    main()
