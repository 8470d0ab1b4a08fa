"""EmoFace's science of blinks made anew (section 3.2): detectors on labelled windows, the log-normal law, two figures.

    python -m benchmarks.blink_science [--data FOLDER] [--plot FOLDER]

Windows of seven frames labelled open or closed (`emoface/ear7_*.txt`) are cut into contiguous blocks; a block is judged
by what was trained on the others, less every window that shares a frame with it. Settings are LIBSVM's defaults (C = 1,
gamma = 1 / 7) and were not searched; the features that ship were chosen among ten on these same blocks. `--plot` draws
figure 4 (detectors on a stretch of a clip, beside blinks counted by eye) and figure 5 (rates and their law); they show
measurements of real people and are not to be committed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.hand_counts import BLINKS
from benchmarks.material import SHARED
from vultus.face import ear_blinks
from vultus.face.ear_blinks import EAR_FPS, EAR_THRESHOLD, features, relative
from vultus.face.points import eye_aspect_ratio
from vultus.face.stream import FaceStream
from vultus.metrics.blink import balanced_accuracy, f1_score, fit_log_normal, rates_of_intervals
from vultus.training.svm import fit_svm, linear_kernel, rbf_kernel
from vultus.video.read import open_video

BLOCKS = (5, 10)
GAMMA = 1 / 7
FIGURE_4_CLIP, FIGURE_4_S = "talk/andrew_clip_1.mp4", (0.0, 14.0)
SHIPPED = "SVM, relative, sorted, linear"

Detector = Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], np.ndarray]]
"""Windows (N, 7) and labels (N,) -> a function that tells of windows whether they are shut."""


def labelled_windows(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """EAR windows of open (N, 7) and of shut eyes (M, 7), in the order in which they were filmed."""
    opened, shut = (
        np.array([json.loads(line) for line in (folder / "emoface" / f"ear7_{name}.txt").read_text().splitlines()])
        for name in ("open", "closed")
    )
    return opened, shut


def fixed_threshold(windows: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The usual threshold, whatever the data."""
    return lambda w: w[:, 3] < EAR_THRESHOLD


def best_threshold(windows: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The threshold on the middle frame that does best on the training windows."""
    at = max(np.unique(windows[:, 3]), key=lambda t: balanced_accuracy(windows[:, 3] < t, labels))
    return lambda w: w[:, 3] < at


def _machine(seen: Callable[[np.ndarray], np.ndarray], rbf: bool) -> Detector:
    def train(windows: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        svm = fit_svm(seen(windows), labels, rbf_kernel(GAMMA) if rbf else linear_kernel)
        return lambda w: svm.margin(seen(w)) > 0

    return train


DETECTORS: dict[str, Detector] = {
    f"threshold {EAR_THRESHOLD}": fixed_threshold,
    "best threshold": best_threshold,
    "SVM, EAR, linear": _machine(np.asarray, rbf=False),
    "SVM, EAR, RBF": _machine(np.asarray, rbf=True),
    "SVM, relative, linear": _machine(relative, rbf=False),
    "SVM, relative, RBF": _machine(relative, rbf=True),
    SHIPPED: _machine(features, rbf=False),
    "SVM, relative, sorted, RBF": _machine(features, rbf=True),
}


def folds(
    opened: np.ndarray, shut: np.ndarray, blocks: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Training windows and labels, tested windows and labels, for each contiguous block of either class."""
    windows = np.concatenate([opened, shut])
    labels = np.arange(len(windows)) >= len(opened)
    block = np.concatenate([np.arange(len(rows)) * blocks // len(rows) for rows in (opened, shut)])
    for held in range(blocks):
        test = block == held
        seen = np.isin(windows, windows[test]).any(1)  # any frame that a tested window holds, too
        yield windows[~seen], labels[~seen], windows[test], labels[test]


Score = Callable[[np.ndarray, np.ndarray], float]


def cross_validated(
    detector: Detector, opened: np.ndarray, shut: np.ndarray, blocks: int, score: Score = balanced_accuracy
) -> float:
    """Balanced accuracy, or another score of what was found against the truth, over all blocks."""
    found, truth = [], []
    for train, labels, test, wanted in folds(opened, shut, blocks):
        found.append(detector(train, labels)(test))
        truth.append(wanted)
    return score(np.concatenate(found), np.concatenate(truth))


def ear_of_video(path: Path) -> np.ndarray:
    """EAR (T,) at `EAR_FPS`, the mean of both eyes, from FaceMesh's points; gaps are filled."""
    video = open_video(path)
    with FaceStream() as stream:
        points = [stream.next(image) for image in video.frames()]
    ear = np.array([np.nan if p is None else eye_aspect_ratio(p).mean() for p in points])
    seen = ~np.isnan(ear)
    return ear_blinks.at_ear_rate(np.interp(np.arange(len(ear)), np.flatnonzero(seen), ear[seen]), video.fps)


def counted(folder: Path, name: str) -> np.ndarray:
    """First and last frame (N, 2) at `EAR_FPS` of the blinks that were counted by eye in a clip."""
    return np.array(BLINKS[name]) * EAR_FPS / open_video(folder / name).fps


def show_detectors(opened: np.ndarray, shut: np.ndarray) -> None:
    """Balanced accuracy of every detector."""
    print(f"{len(opened)} open and {len(shut)} shut windows; balanced accuracy, contiguous blocks held out")
    print(f"{'':32s}" + "".join(f"{f'{blocks} blocks':>12s}" for blocks in BLOCKS) + f"{'F1 of shut':>12s}")
    for name, detector in DETECTORS.items():
        row = [cross_validated(detector, opened, shut, blocks) for blocks in BLOCKS]
        row.append(cross_validated(detector, opened, shut, BLOCKS[0], f1_score))
        print(f"{name:32s}" + "".join(f"{value:12.3f}" for value in row), flush=True)


def show_law(folder: Path) -> None:
    """The log-normal law of the collected intervals, against the paper's."""
    rates = rates_of_intervals(np.load(folder / "emoface" / "blink_intervals.npy"), EAR_FPS)
    law = fit_log_normal(rates)
    print(f"\nln blinks per minute: mean {law.mean:.4f}, sd {law.sd:.4f}; {law.kept} of {len(rates)} kept")
    print("the paper's:          mean 3.518,  sd 0.532")


def show_videos(folder: Path) -> None:
    """Blinks in clips that were counted by eye, from FaceMesh's EAR, by the shipped machine and by a threshold."""
    print(f"\n{'found, missed, invented':32s}{'SVM':>16s}{'threshold':>16s}")
    for name in BLINKS:
        ear, truth = ear_of_video(folder / name), counted(folder, name)
        found = (ear_blinks.embedded_svm().shut(ear), ear_blinks.shut_by_threshold(ear))
        cells = [_matched(ear_blinks.runs(shut), truth) for shut in found]
        print(f"{name:32s}" + "".join(f"{cell:>16s}" for cell in cells), flush=True)


def _matched(blinks: np.ndarray, truth: np.ndarray) -> str:
    """Blinks (N, 2) that touch a true one (M, 2), true ones that none touches, and those that touch none."""
    touch = (blinks[:, None, 0] <= truth[None, :, 1] + 1) & (blinks[:, None, 1] >= truth[None, :, 0] - 1)
    return f"{touch.any(0).sum()}, {(~touch.any(0)).sum()}, {(~touch.any(1)).sum()}"


def main() -> None:
    """Print the tables and draw the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--videos", action="store_true", help="also count blinks in clips counted by eye (minutes)")
    given = parser.parse_args()
    opened, shut = labelled_windows(given.data)
    show_detectors(opened, shut)
    show_law(given.data)
    if given.videos:
        show_videos(given.data)
    if given.plot is not None:
        from benchmarks.blink_figures import draw_figures

        rates = rates_of_intervals(np.load(given.data / "emoface" / "blink_intervals.npy"), EAR_FPS)
        stretch = slice(*(round(at_s * EAR_FPS) for at_s in FIGURE_4_S))
        ear = ear_of_video(given.data / FIGURE_4_CLIP)
        truth = np.zeros(len(ear), bool)
        for first, last in counted(given.data, FIGURE_4_CLIP).round().astype(int):
            truth[first : last + 1] = True
        for path in draw_figures(given.plot, ear[stretch], truth[stretch], rates):
            print(path)


if __name__ == "__main__":
    main()
