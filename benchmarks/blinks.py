"""Ten simulated hours of blinks, found again in the lids' motion: are they as frequent as EmoFace measured?

python -m benchmarks.blinks [HOURS [SEED ...]]
"""

from __future__ import annotations

import sys

import numpy as np

from vultus.motion.blink import LN_MEAN, LN_SD, MAX_RATE, NaturalBlinks, published_rate

FPS = 25.0
CHUNK_S = 360
CLOSING = 0.3
"""Closure that begins a blink."""


def onsets_s(hours: float, seed: int) -> np.ndarray:
    """Seconds at which the mean of both lids passes `CLOSING` downwards."""
    blinks = NaturalBlinks(FPS, seed)
    lids = np.concatenate([blinks.frames(round(FPS * CHUNK_S)).mean(1) for _ in range(round(hours * 3600 / CHUNK_S))])
    return np.flatnonzero((lids[1:] >= CLOSING) & (lids[:-1] < CLOSING)) / FPS


def main() -> None:
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    seeds = [int(argument) for argument in sys.argv[2:]] or [0, 1, 2]
    print(f"{'seed':<6}{'blinks':>8}{'a minute':>10}{'ln mean':>10}{'off':>8}{'ln sd':>8}{'off':>8}")
    for seed in seeds:
        began_s = onsets_s(hours, seed)
        rates = 60 / np.diff(began_s)
        logs = np.log(rates[rates <= MAX_RATE])  # EmoFace section 3.2: higher values are excluded
        mean, sd = logs.mean(), logs.std()
        offs = f"{mean:10.3f}{mean / LN_MEAN - 1:8.2%}{sd:8.3f}{sd / LN_SD - 1:8.2%}"
        print(f"{seed:<6}{len(began_s):8d}{(len(logs) + 1) / (60 * hours):10.1f}{offs}")
    print(f"{'set':<6}{'':8}{published_rate():10.1f}{LN_MEAN:10.3f}{'':8}{LN_SD:8.3f}")


if __name__ == "__main__":
    main()
