"""Does the head follow a video? Rotation of the rendered head, tracked again, against the source's.

    python -m benchmarks.pose_transfer [VIDEO [PORTRAIT]]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import vultus
from benchmarks.material import SHARED, portraits
from vultus.animate import open_portrait, track
from vultus.core.types import DEFAULT_FPS

SOURCE = SHARED / "hdtf" / "WDA_KatieHill_000.mp4"
AXES = ("yaw", "pitch", "roll")


def main() -> None:
    video = Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE
    picture = sys.argv[2] if len(sys.argv) > 2 else next(iter(portraits(()).values()))
    source = track(video)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.mp4"
        vultus.speak(open_portrait(picture), voice=video, output=output, pose=str(video), crop="face")
        result = track(output)
    followed = source.resampled(DEFAULT_FPS)
    count = min(len(followed), len(result))
    led, seen = (p.rotation[:count] - np.median(p.rotation[:count], axis=0) for p in (followed, result))
    print(f"{'axis':<8}{'r':>8}{'source sd':>11}{'seen sd':>9}{'source range':>16}{'mean error':>12}{'best lag':>10}")
    for k, axis in enumerate(AXES):
        r = np.corrcoef(led[:, k], seen[:, k])[0, 1]
        lags = {lag: np.corrcoef(led[5 + lag : count - 5 + lag, k], seen[5 : count - 5, k])[0, 1] for lag in range(-4, 5)}
        best = max(lags, key=lags.__getitem__)
        error = np.abs(led[:, k] - seen[:, k]).mean()
        span = f"{led[:, k].min():.1f} .. {led[:, k].max():.1f}"
        print(f"{axis:<8}{r:8.3f}{led[:, k].std():11.2f}{seen[:, k].std():9.2f}{span:>16}{error:12.2f}{best:10d}")
    print(f"{count} frames; a face in {result.valid[:count].mean():.0%} of them; degrees about the median, lag in frames")


if __name__ == "__main__":
    main()
