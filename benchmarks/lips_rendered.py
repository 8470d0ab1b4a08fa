"""Do the lips survive being drawn? Five real voices spoken by the astronaut, whose mouth is then tracked again.

    python -m benchmarks.lips_rendered [--phones] [--data FOLDER]

Aperture and width of three mouths, by Pearson's r at lag 0: of the performance, of the rendered video, and of the
person whose voice it is. What is lost between "performance ~ person" and "video ~ person" is lost in drawing and
tracking. The lips that ship learned from these very clips: the figures of lips that never heard a speaker are those
of `benchmarks.lips --cross-validate`. With --phones the lips are those of recognised phones, which learned from nobody.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from skimage.data import astronaut

from benchmarks.av_offset import seen_mouth
from benchmarks.material import SHARED
from vultus.animate import open_portrait, render
from vultus.core.types import SAMPLE_RATE, Performance, Portrait
from vultus.face.mouth import performed_mouth
from vultus.methods.portrait.data import TalkClip, talk_clips
from vultus.methods.portrait.lessons import measured_mouth
from vultus.metrics.lips import RATE_HZ, correlation, on_grid
from vultus.motion.learned_lips import default_lips
from vultus.motion.lips import LipMotion, PhoneLips
from vultus.video.read import open_video

CLIPS = ("talk/Obama_clip2", "talk/andrew_clip_1", "talk/feifeili_clip1", "person/anchor_71s", "voxceleb2/00015")
"""Five people."""
FPS, LONGEST_S = 25.0, 20.0
PAIRS = ("performance ~ person", "video ~ performance", "video ~ person")


def acted(lips: LipMotion, waveform: np.ndarray) -> Performance:
    """A head that holds still and only speaks."""
    expression = np.concatenate([lips.push(waveform), lips.finish()])
    still = Performance.neutral(len(expression), lips.fps)
    return Performance(lips.fps, still.valid, expression, rotation=still.rotation, translation=still.translation)


def row_of(portrait: Portrait, clip: TalkClip, make: Callable[[float], LipMotion]) -> np.ndarray:
    """Correlations (3, 2) of `PAIRS` in aperture and width; last, the spread of the drawn mouth over the performed."""
    waveform = clip.waveform[: round(LONGEST_S * SAMPLE_RATE)]
    performance = acted(make(FPS), waveform)
    with tempfile.TemporaryDirectory(prefix="vultus-lips-") as folder:
        video = render(portrait, performance, Path(folder) / "out.mp4", crop="face", size=512)
        drawn = seen_mouth(open_video(video).frames())
    count = int(min(len(waveform) / SAMPLE_RATE, clip.duration_s) * RATE_HZ)
    measured, seen = measured_mouth(clip, count)
    assert performance.expression is not None and drawn.valid is not None
    mouths = {"person": measured[seen]}
    for name, values in (("performance", performed_mouth(performance.expression)), ("video", drawn.mouth)):
        mouths[name] = on_grid(values, FPS, count, 0.5 / FPS)[seen]
    table = [[correlation(*(mouths[m][:, k] for m in pair.split(" ~ "))) for k in range(2)] for pair in PAIRS]
    return np.array([*table, mouths["video"].std(0) / mouths["performance"].std(0)])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--phones", action="store_true")
    given = parser.parse_args()
    portrait = open_portrait(astronaut())
    columns = (*PAIRS, "spread video / perf.")
    print(f"{'aperture / width':24s}" + "".join(f"{column:>24s}" for column in columns))
    rows = {}
    for clip in talk_clips(given.data):
        if clip.name in CLIPS:
            rows[clip.name] = row_of(portrait, clip, PhoneLips if given.phones else default_lips)
            print(f"{clip.name:24s}" + "".join(f"{f'{a:.2f} / {w:.2f}':>24s}" for a, w in rows[clip.name]), flush=True)
    mean = np.mean(list(rows.values()), 0)
    print(f"{'mean':24s}" + "".join(f"{f'{a:.2f} / {w:.2f}':>24s}" for a, w in mean))


if __name__ == "__main__":
    main()
