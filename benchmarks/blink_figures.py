"""Figures 4 and 5 of EmoFace, drawn from measurements (`benchmarks.blink_science --plot`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from vultus.compare.charts import Series, chart, stacked
from vultus.face.ear_blinks import EAR_FPS, EAR_THRESHOLD, embedded_svm, runs, shut_by_threshold
from vultus.metrics.blink import fit_log_normal
from vultus.motion.blink import MAX_RATE

BAR_RATE = 5.0
"""Width in blinks per minute of a bar of figure 5."""


def draw_figures(folder: Path, ear: np.ndarray, labels: np.ndarray, rates: np.ndarray) -> list[Path]:
    """Write figure 4 (EAR (T,), frames (T,) of counted blinks) and figure 5 (rates (N,)); returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {"figure_4_detectors.png": detectors(ear, labels), "figure_5_rates.png": law(rates)}
    for name, picture in drawn.items():
        Image.fromarray(picture).save(folder / name)
    return [folder / name for name in drawn]


def detectors(ear: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """EAR over time above what eye, machine and threshold say of each frame."""
    at_s = np.arange(len(ear)) / EAR_FPS
    svm, threshold = embedded_svm().shut(ear), shut_by_threshold(ear)
    limit = Series(f"threshold {EAR_THRESHOLD}", at_s, np.full(len(ear), EAR_THRESHOLD), width_px=1)
    top = chart([Series("EAR", at_s, ear), limit], "eye aspect ratio", "seconds", (0.0, 0.45))
    rows = [top]
    for name, shut in (("counted by eye", labels), ("SVM", svm), ("threshold", threshold)):
        title = f"{name}: {len(runs(shut))} blinks"
        rows.append(chart([Series(name, at_s, shut.astype(float), "bars")], title, "seconds", (0.0, 1.0), (960, 130)))
    return stacked(rows)


def law(rates: np.ndarray) -> np.ndarray:
    """Rates up to 100 a minute and the log-normal law that fits them."""
    fitted = fit_log_normal(rates)
    edges = np.arange(0, MAX_RATE + BAR_RATE, BAR_RATE)
    counts, _ = np.histogram(rates[rates <= MAX_RATE], edges)
    middle = (edges[:-1] + edges[1:]) / 2
    x = np.linspace(0.5, MAX_RATE, 400)
    return chart(
        [
            Series(f"{fitted.kept} intervals", middle, counts / counts.sum() / BAR_RATE, "bars"),
            Series(f"log-normal, ln mean {fitted.mean:.3f}, sd {fitted.sd:.3f}", x, fitted.density(x)),
        ],
        "density",
        "blinks per minute",
        size=(960, 400),
    )
