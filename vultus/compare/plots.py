"""Pictures for `--plot`: landmarks laid over both faces, curves of both performances, and the videos side by side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vultus.compare.charts import COLOURS, Series, chart, stacked
from vultus.compare.clip import COPY, Watched
from vultus.compare.movement import first_frames
from vultus.compare.pictures import Samples
from vultus.compare.watch import Seen
from vultus.core.types import Frames
from vultus.face.points import landmarks68
from vultus.video.read import open_video
from vultus.video.write import write_video

MOMENTS = 4
"""Moments of a clip that the overlay shows."""
CELL_PX = 320
"""Height of a picture in the overlay."""
SIDE_PX = 512
"""Height of the side-by-side video, at most."""
_CAPTION_PX = 24


def draw_plots(watched: Watched, folder: Path) -> list[Path]:
    """Write overlay.png, curves.png and side_by_side.mp4 of every method into `folder`/METHOD/CLIP; returns them."""
    written = []
    for name, seen in watched.versions.items():
        target = folder / name / watched.group.name
        target.mkdir(parents=True, exist_ok=True)
        pictures = {
            "overlay.png": overlay(watched.tallies.samples[COPY], watched.tallies.samples[name]),
            "curves.png": curves(watched.real, seen),
        }
        for file, picture in pictures.items():
            if picture is not None:
                Image.fromarray(picture).save(target / file)
                written.append(target / file)
        files = watched.group.generated[name], watched.group.reference
        heard = next((file for file in files if open_video(file).has_audio), None)
        video = side_by_side(watched.group.reference, watched.group.generated[name], watched.real.fps)
        written.append(write_video(video, target / "side_by_side.mp4", heard))
    return written


def overlay(real: Samples, made: Samples) -> np.ndarray | None:
    """Moments of both videos, the real one above, each with its 68 points; None where no moment shows both faces."""
    shared = sorted(set(real.index) & set(made.index))
    if not shared:
        return None
    chosen = [shared[k] for k in np.linspace(0, len(shared) - 1, min(MOMENTS, len(shared))).astype(int)]
    rows = []
    for samples, caption, colour in ((real, "real", COLOURS[0]), (made, "generated", COLOURS[1])):
        cells = [_marked(samples, samples.index.index(at), f"{caption}, frame {at}", colour) for at in chosen]
        rows.append(np.hstack(cells))
    width = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows])


def _marked(samples: Samples, place: int, caption: str, colour: tuple[int, int, int]) -> np.ndarray:
    image, points = samples.pictures[place], landmarks68(samples.points[place])
    scale = CELL_PX / image.shape[0]
    cell = cv2.resize(image, (round(image.shape[1] * scale), CELL_PX), interpolation=cv2.INTER_AREA)
    for x, y in points[:, :2] * scale:
        cv2.circle(cell, (round(float(x)), round(float(y))), 2, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(cell, (round(float(x)), round(float(y))), 1, colour, -1, cv2.LINE_AA)
    return _captioned(cell, caption)


def curves(real: Seen, made: Seen) -> np.ndarray:
    """Aperture, width, AU45, yaw, pitch and roll of both over time."""
    count = min(len(real), len(made))
    both = {"real": first_frames(real, count), "generated": first_frames(made, count)}
    at_s = (np.arange(count) + 0.5) / real.fps

    def one(title: str, rows: dict[str, np.ndarray], y_range: tuple[float, float] | None = None) -> np.ndarray:
        return chart([Series(name, at_s, row) for name, row in rows.items()], title, "seconds", y_range, (960, 170))

    mouths = {name: np.where(seen.valid[:, None], seen.mouth, np.nan) for name, seen in both.items()}
    charts = [
        one("gap between the lips, in distances of the eyes", {name: m[:, 0] for name, m in mouths.items()}),
        one("width of the mouth, in distances of the eyes", {name: m[:, 1] for name, m in mouths.items()}),
        one("AU45: lids shut", {name: _channel(seen, "au45") for name, seen in both.items()}, (0.0, 5.0)),
    ]
    for axis, title in enumerate(("yaw, degrees", "pitch, degrees", "roll, degrees")):
        charts.append(one(title, {name: _channel(seen, "rotation")[:, axis] for name, seen in both.items()}))
    return stacked(charts)


def _channel(seen: Seen, name: str) -> np.ndarray:
    """A channel of the performance with NaN where no face was seen."""
    values = np.asarray(getattr(seen.performance, name), np.float64)
    return np.where(seen.valid.reshape(-1, *[1] * (values.ndim - 1)), values, np.nan)


def side_by_side(real: Path, made: Path, fps: float, captions: tuple[str, str] = ("real", "generated")) -> Frames:
    """Both videos at one height, the real one left, as long as both last."""
    videos = [open_video(real), open_video(made)]
    height = min(SIDE_PX, *(video.height for video in videos)) // 2 * 2
    widths = [round(video.width * height / video.height / 2) * 2 for video in videos]

    def images() -> Iterator[np.ndarray]:
        for pair in zip(*(video.frames(fps) for video in videos), strict=False):
            cells = (
                _captioned(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), caption)
                for image, width, caption in zip(pair, widths, captions, strict=True)
            )
            yield np.hstack(list(cells))

    counts = [video.frames(fps).count for video in videos]
    known = [count for count in counts if count is not None]
    return Frames(images(), fps, sum(widths), height + _CAPTION_PX, min(known) if len(known) == len(counts) else None)


def _captioned(cell: np.ndarray, text: str) -> np.ndarray:
    strip = np.full((_CAPTION_PX, cell.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, text, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([strip, cell])
