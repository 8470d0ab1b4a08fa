"""Train the blink detector that ships: a linear support vector machine on EAR windows, eight numbers.

python tools/fit_blink_svm.py [--data FOLDER]     -> vultus/assets/blink_svm.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from benchmarks.blink_science import BLOCKS, DETECTORS, SHIPPED, cross_validated, labelled_windows
from benchmarks.material import SHARED
from vultus.face.ear_blinks import ASSET, EAR_FPS, LEAST_OPEN, WINDOW, features
from vultus.training.svm import fit_svm

TARGET = Path(__file__).parents[1] / "vultus" / "assets" / ASSET


def main() -> None:
    """Train, judge by cross-validation, and write numbers and card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED)
    opened, shut = labelled_windows(parser.parse_args().data)
    windows = np.concatenate([opened, shut])
    labels = np.arange(len(windows)) >= len(opened)
    weights, bias = fit_svm(features(windows), labels).linear()
    results = {
        f"balanced_accuracy_{name}_{blocks}_blocks": round(cross_validated(DETECTORS[key], opened, shut, blocks), 4)
        for name, key in (("svm", SHIPPED), ("threshold", "threshold 0.2"))
        for blocks in BLOCKS
    }
    numbers = {
        "what": "linear support vector machine: is the eye shut in the middle frame of seven (EmoFace, section 3.2)",
        "weights": [round(float(w), 6) for w in weights],
        "bias": round(bias, 6),
        "window_frames": WINDOW,
        "fps": EAR_FPS,
        "features": "middle frame, then the other six in rising order, all over the widest (vultus.face.ear_blinks)",
        "least_open_ear": LEAST_OPEN,
        "training_data": f"{len(opened)} open and {len(shut)} shut EAR windows released with EmoFace (numbers only)",
        "licence": "Apache-2.0; holds no training sample",
        "results": results,
    }
    TARGET.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    print(TARGET.read_text("utf-8"))


if __name__ == "__main__":
    main()
