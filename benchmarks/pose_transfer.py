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


def best_lag(led: np.ndarray, seen: np.ndarray, most: int = 4) -> int:
    """Frames by which what is seen (T,) comes after what led it (T,), where the two agree best."""
    middle = slice(most, len(seen) - most)
    scores = [np.corrcoef(np.roll(led, lag)[middle], seen[middle])[0, 1] for lag in range(-most, most + 1)]
    return int(np.argmax(scores)) - most


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
        best = best_lag(led[:, k], seen[:, k])
        error = np.abs(led[:, k] - seen[:, k]).mean()
        span = f"{led[:, k].min():.1f} .. {led[:, k].max():.1f}"
        print(f"{axis:<8}{r:8.3f}{led[:, k].std():11.2f}{seen[:, k].std():9.2f}{span:>16}{error:12.2f}{best:10d}")
    found = result.valid[:count].mean()
    print(f"{count} frames, a face in {found:.0%} of them; degrees about the median, lag in frames")


if __name__ == "__main__":
    main()
