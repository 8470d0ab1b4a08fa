"""Is tracking to be trusted? Measured where everything is known, and on real clips.

    python -m benchmarks.tracking [--keep FOLDER]

Prints errors and correlations on four kinds of synthetic truth, and faces found, re-projection and blinks on the real
clips at hand. Drawing and finding faces takes most of the time: with --keep, what is seen of them is kept in a folder
and found there the next time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.hand_counts import BLINKS, DOUBTFUL, Spans
from benchmarks.material import FRONTAL, SHARED, portraits
from benchmarks.tracking_truth import (
    FPS,
    GROUPS,
    PERSON_TURN_S,
    TURN_S,
    VISIBLE,
    Clip,
    columns,
    motion,
    of_acting_person,
    of_model,
    of_person,
    of_portrait,
    seen,
)
from vultus.core.bases import ARKIT52
from vultus.core.types import Performance
from vultus.face.blinks import SeenBlink, blinks_of
from vultus.face.colours import Colours
from vultus.face.fit import Fitter
from vultus.face.head import embedded_head, project
from vultus.face.points import LANDMARK68_FROM_478, interocular_px
from vultus.face.stream import FaceSeen
from vultus.face.track import TrackedFrame, performance_of, track_seen
from vultus.video.read import open_video

MODEL_SEEDS, PORTRAIT_SEED = (1, 2), 10
SPEAKING_SEEDS, ACTING_SEEDS = tuple(range(300, 308)), (400,)
"""Of people on whom nothing was set."""
REAL = ("person", "talk", "hdtf", "voxceleb2", "mead")
ERRORS = ("yaw", "pitch", "roll", "jawOpen", "blink", "AU45", "gaze x", "gaze y", "gain x", "gain y")
READ = 0.7
"""Correlation from which a movement counts as read."""
NEAR = 2
"""Frames by which an apex may lie outside the frames counted by eye."""

BLINK = columns("eyeBlink")


def tracked(clip: Clip) -> tuple[list[TrackedFrame | None], Performance]:
    """Every frame's fit, and the performance, of a clip."""
    shown = [None] * len(clip.points) if clip.colours is None else map(Colours, *clip.colours)
    faces = (
        FaceSeen(points, colours) if np.isfinite(points).all() else None
        for points, colours in zip(clip.points, shown, strict=True)
    )
    frames = list(track_seen(faces))
    return frames, performance_of(frames, clip.truth.fps)


def group_time(group: int, turn_s: float | None) -> slice:
    """The frames in which a group of movements has its turns; all frames of a clip without turns."""
    length = None if turn_s is None else round(turn_s * FPS) * len(GROUPS[0])
    return slice(None) if length is None else slice(group * length, (group + 1) * length)


def errors(clip: Clip, got: Performance, turn_s: float | None) -> list[float]:
    """What `ERRORS` names: mean absolute, degrees for angles; angles count from their median over the clip.

    The jaw is judged while its group has its turn: at rest it is easy.
    """
    truth = clip.truth
    turned = got.rotation - truth.rotation
    looked = np.asarray(truth.au45) < 1.5  # no gaze behind lids
    gaze, asked = got.gaze[looked], truth.gaze[looked]
    off = gaze - asked
    jaw = (got.expression - truth.expression)[group_time(0, turn_s), columns("jawOpen")]
    return [
        *np.abs(turned - np.median(turned, 0)).mean(0),
        np.abs(jaw).mean(),
        np.abs(got.expression[:, BLINK].mean(1) - truth.au45 / 5).mean(),
        np.abs(got.au45 - truth.au45).mean(),
        *np.abs(off - np.median(off, 0)).mean(0),
        *(np.polyfit(asked[:, k], gaze[:, k], 1)[0] for k in (0, 1)),
    ]


def correlations(clip: Clip, got: Performance, turn_s: float | None) -> dict[str, float]:
    """r of every movement that is visible (`motion`), over the time of its group or else over the clip."""
    found: dict[str, float] = {}
    for group, names in enumerate(GROUPS):
        made, saw = (p.expression[group_time(group, turn_s)] for p in (clip.truth, got))
        for name in names:
            if motion(name, made) >= VISIBLE:
                true, read = (weights[:, columns(name)].mean(1) for weights in (made, saw))
                found[name] = float(np.corrcoef(true, read)[0, 1]) if read.std() > 0 else 0.0
    return found


def reprojection(frames: list[TrackedFrame | None]) -> tuple[float, float]:
    """Mean distance of the model's 68 points to FaceMesh's in percent of the inter-ocular distance, as fitted and
    without what is kept of the person's build beside the model."""
    fitter, rows = Fitter(embedded_head()), list(LANDMARK68_FROM_478)
    distances = []
    for frame in filter(None, frames[:: max(1, len(frames) // 200)]):
        fit = frame.fit
        pose = fit.rotation, fit.translation, fit.focal_px, fit.center_px
        bare = fitter.points(fit.identity, fit.expression)[rows]
        eyes = float(interocular_px(fit.landmarks))
        both = [project(points, *pose)[:, :2] - fit.landmarks[rows, :2] for points in (bare + frame.offset[rows], bare)]
        distances.append([100 * np.linalg.norm(off, axis=1).mean() / eyes for off in both])
    fitted, alone = np.mean(distances, 0)
    return float(fitted), float(alone)


def blink_score(blinks: list[SeenBlink], counted: Spans, doubtful: Spans) -> tuple[int, int, int, float]:
    """Found, missed and invented blinks against those counted by eye, and F1; an apex matches one span."""
    waiting, invented = list(counted), 0
    for blink in blinks:
        at = next((span for span in waiting if span[0] - NEAR <= blink.apex <= span[1] + NEAR), None)
        if at is not None:
            waiting.remove(at)
        elif not any(first - NEAR <= blink.apex <= last + NEAR for first, last in doubtful):
            invented += 1
    found = len(counted) - len(waiting)
    return found, len(waiting), invented, 2 * found / max(2 * found + len(waiting) + invented, 1)


def kept(folder: Path | None, name: str, make: Callable[[], Clip]) -> Clip:
    """A clip from the folder, or made and, if there is a folder, kept."""
    path = None if folder is None else folder / f"{name}.npz"
    if path is not None and path.is_file():
        with np.load(path) as data:
            channels = {key: data[key] for key in Performance.CHANNELS if key in data}
            truth = Performance(float(data["fps"]), np.ones(len(data["points"]), bool), **channels)
            coloured = all(part in data for part in Colours._fields)
            colours = Colours(*(data[part] for part in Colours._fields)) if coloured else None
            return Clip(data["points"], truth, colours)
    clip = make()
    if path is not None:
        channels = {key: getattr(clip.truth, key) for key in clip.truth.channels}
        pictures = {} if clip.colours is None else clip.colours._asdict()
        np.savez(path, points=clip.points, fps=clip.truth.fps, **pictures, **channels)
    return clip


def measure_truth(title: str, clips: dict[str, Callable[[], Clip]], turn_s: float | None, folder: Path | None) -> None:
    """Print one kind of truth: errors clip by clip, then the correlations of all clips."""
    print(f"\n{title}\n{'clip':<12}" + "".join(f"{name:>9}" for name in ERRORS))
    rows, related = [], []
    for name, make in clips.items():
        clip = kept(folder, name.replace(" ", "_"), make)
        _, got = tracked(clip)
        rows.append(errors(clip, got, turn_s))
        related.append(correlations(clip, got, turn_s))
        print(f"{name:<12}" + "".join(f"{value:9.3f}" for value in rows[-1]), flush=True)
    print(f"{'mean':<12}" + "".join(f"{value:9.3f}" for value in np.mean(rows, 0)))
    print("r, mean (least; number) over the clips where it is visible:")
    read, visible = 0, 0
    for group in GROUPS:
        cells = []
        for name in group:
            values = [row[name] for row in related if name in row]
            shown = f"{np.mean(values):5.2f} ({min(values):5.2f}; {len(values)})" if values else "  -"
            cells.append(f"{name:<16}{shown}")
            visible += bool(values) and name != "jawOpen"
            read += bool(values) and name != "jawOpen" and float(np.mean(values)) >= READ
        print("  " + "".join(f"{cell:<36}" for cell in cells).rstrip())
    print(f"  r >= {READ}: {read} of the {visible} visible beside jawOpen", flush=True)


def measure_real(folder: Path | None) -> None:
    """Print what can be said of real clips: faces found, re-projection, and blinks where they were counted."""
    print("\nReal clips: faces found; re-projection in % of the inter-ocular distance, and without `offset`; blinks")
    print(
        f"{'clip':<32}{'found':>8}{'error':>8}{'bare':>8}{'counted':>9}{'found':>7}{'missed':>8}{'extra':>7}{'F1':>7}"
    )
    for path in (path for part in REAL for path in sorted((SHARED / part).glob("*.mp4"))):
        name = f"{path.parent.name}/{path.name}"
        clip = kept(folder, name.replace("/", "_"), lambda path=path: _unknown(path))
        frames, got = tracked(clip)
        row = f"{name:<32}{got.valid.mean():8.1%}" + "".join(f"{value:8.2f}" for value in reprojection(frames))
        if name in BLINKS:
            found, missed, extra, f1 = blink_score(blinks_of(got), BLINKS[name], DOUBTFUL.get(name, ()))
            row += f"{len(BLINKS[name]):9d}{found:7d}{missed:8d}{extra:7d}{f1:7.3f}"
        print(row, flush=True)


def _unknown(path: Path) -> Clip:
    frames = open_video(path).frames()
    points, colours = seen(frames)
    return Clip(points, Performance(frames.fps, np.ones(len(points), bool)), colours)


def main() -> None:
    folder = Path(sys.argv[sys.argv.index("--keep") + 1]) if "--keep" in sys.argv else None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    print(f"Errors: mean absolute; degrees, weights 0-1, AU45 0-5. {len(ARKIT52)} weights are tracked.")
    models = {f"model {seed}": (lambda seed=seed: of_model(seed)) for seed in MODEL_SEEDS}
    measure_truth("Head model's own points, no picture", models, TURN_S, folder)
    pictures = portraits(FRONTAL).items()
    photos = {
        name: (lambda picture=picture, seed=seed: of_portrait(picture, seed))
        for seed, (name, picture) in enumerate(pictures, PORTRAIT_SEED)
    }
    measure_truth("Photos played by the portrait renderer", photos, TURN_S, folder)
    speaking = {f"person {seed}": (lambda seed=seed: of_person(seed)) for seed in SPEAKING_SEEDS}
    measure_truth("Rendered people who speak", speaking, None, folder)
    acting = {f"person {seed}": (lambda seed=seed: of_acting_person(seed)) for seed in ACTING_SEEDS}
    measure_truth("Rendered people who act", acting, PERSON_TURN_S, folder)
    measure_real(folder)


if __name__ == "__main__":
    main()
