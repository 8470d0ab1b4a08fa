"""Does each measure see what it is meant to see? Real clips, changed in ways that are known, ranked by every measure.

    python -m benchmarks.measures [--data FOLDER] [--seconds S] [--every N] [--text] [CLIP ...]

Each clip is compared with itself: unchanged, with the voice of another clip, with the sound 200 ms late and early,
blurred, frozen at its first frame, and mirrored. A change passes if the measure meant to see it ranks the changed clip
below the unchanged one. Changed clips are written anew like the unchanged one, so that encoding is no difference.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from benchmarks.material import SHARED
from vultus.audio.io import read_speech, voice_file
from vultus.compare import evaluate
from vultus.compare.measures import BY_NAME
from vultus.compare.report import Report
from vultus.core.types import SAMPLE_RATE, Frames, Speech
from vultus.video.read import open_video
from vultus.video.write import write_video

CLIPS = ("talk/andrew_clip_1.mp4", "talk/feifeili_clip1.mp4", "voxceleb2/00086.mp4")
OTHER_VOICE = "talk/Obama_clip2.mp4"
SHIFT_MS = 200
BLUR_PX = 2.0

MEANT: dict[str, tuple[str, ...]] = {
    "another voice": ("av_confidence", "sync_vultus", "lse_c", "lse_d"),
    "sound 200 ms late": ("av_offset", "sync_vultus_offset", "sync_vultus_in_step"),
    "sound 200 ms early": ("av_offset", "sync_vultus_offset", "sync_vultus_in_step"),
    "blurred": ("psnr", "ssim", "lpips", "fid", "perceptual_vultus", "mouth_sharpness"),
    "frozen": (
        "flicker",
        "lmd_mouth",
        "aperture_r",
        "width_r",
        "closures_found",
        "au45_error",
        "blink_rate",
        "av_confidence",
        "sync_vultus",
    ),
    "mirrored": ("psnr", "ssim", "lmd_all", "pose_error", "perceptual_vultus"),
}
"""Change -> measures that should rank it below the unchanged clip."""

Change = Callable[[np.ndarray], np.ndarray]


def versions(clip: Path, other: Path, folder: Path, seconds: float) -> dict[str, Path]:
    """The clip written anew, unchanged and in every changed version: name -> file."""
    speech = read_speech(clip, end_s=seconds).waveform
    shift = np.zeros(SHIFT_MS * SAMPLE_RATE // 1000, np.float32)
    strange = np.resize(read_speech(other, end_s=seconds).waveform, len(speech))
    still = next(iter(open_video(clip).frames()))
    made: dict[str, tuple[Change, np.ndarray]] = {
        "unchanged": (lambda image: image, speech),
        "another voice": (lambda image: image, strange),
        "sound 200 ms late": (lambda image: image, np.concatenate([shift, speech])[: len(speech)]),
        "sound 200 ms early": (lambda image: image, np.concatenate([speech[len(shift) :], shift])),
        "blurred": (lambda image: cv2.GaussianBlur(image, (0, 0), BLUR_PX), speech),
        "frozen": (lambda image: still, speech),
        "mirrored": (lambda image: np.ascontiguousarray(image[:, ::-1]), speech),
    }
    return {name: _written(clip, folder / f"{name}.mp4", seconds, *change) for name, change in made.items()}


def _written(clip: Path, target: Path, seconds: float, change: Change, voice: np.ndarray) -> Path:
    video = open_video(clip)
    count = round(seconds * video.fps)
    width, height = video.width // 2 * 2, video.height // 2 * 2

    def images() -> Iterator[np.ndarray]:
        for image in islice(video.frames(), count):
            yield change(image)[:height, :width]

    with voice_file(Speech(voice)) as sound:
        return write_video(Frames(images(), video.fps, width, height, count), target, sound)


def passes(report: Report, measure: str, change: str) -> bool | None:
    """Whether the change is ranked below the unchanged clip; None where the measure told nothing."""
    row = report.table.get(measure, {})
    if not {change, "unchanged"} <= row.keys() or np.isnan(row["unchanged"].mean):
        return None
    best, found = row["unchanged"].mean, row[change].mean
    if np.isnan(found):  # an offset that cannot be told any more
        return True
    better = BY_NAME[measure].better
    if better == "as reference":
        aim = row["copied reference"].mean
        return abs(found - aim) > abs(best - aim)
    return found < best if better == "higher" else found > best


def show(reports: dict[str, Report]) -> None:
    """One line for every change and measure: figures of the last clip's mean over clips, and in how many it passes."""
    print(f"{'change':22s}{'measure':22s}{'unchanged':>11s}{'changed':>11s}{'seen in':>12s}")
    for change, measures in MEANT.items():
        for measure in measures:
            told = [(r, passes(r, measure, change)) for r in reports.values()]
            known = [(r, verdict) for r, verdict in told if verdict is not None]
            if not known:
                why = next(iter(reports.values())).unavailable.get(measure, "no clip told")
                print(f"{change:22s}{measure:22s}{'-':>11s}{'-':>11s}   {why}")
                continue
            means = (_mean(r.table[measure][name].mean for r, _ in known) for name in ("unchanged", change))
            cells = "".join(f"{value:11.{BY_NAME[measure].decimals}f}" for value in means)
            print(f"{change:22s}{measure:22s}{cells}{sum(v for _, v in known):6d} of {len(known)}", flush=True)


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", default=CLIPS)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--text", action="store_true", help="print the full report of every clip, too")
    given = parser.parse_args()
    reports = {}
    for name in given.clips:
        with tempfile.TemporaryDirectory(prefix="vultus-measures-") as temporary:
            made = versions(given.data / name, given.data / OTHER_VOICE, Path(temporary), given.seconds)
            reports[name] = evaluate(temporary, made["unchanged"], every=given.every)
        print(f"{name} measured", file=sys.stderr, flush=True)
        if given.text:
            print(f"\n{name}\n{reports[name].text()}")
    show(reports)


if __name__ == "__main__":
    main()
