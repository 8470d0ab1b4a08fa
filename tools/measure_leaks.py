"""Measure what tracking makes of every expression, on rendered people: `vultus/assets/expression_leaks.npz`.

    python tools/measure_leaks.py OUT.npz [CLIPS]

Rendered people speak with emotions; every weight is known. They are tracked without correction, and all frames give, by
ridge regression drawn towards no change, the linear map from what is seen to what was done. `benchmarks.tracking` shows
other people.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from vultus.data.synthetic.clips import rendered_clip
from vultus.face.leaks import MOVEMENTS, features, movements
from vultus.face.track import performance_of, track_stream

FIRST_SEED, CLIPS, SECONDS, SIZE = 100, 16, 5.0, 256
RIDGE = 5.0
"""In squared weights summed over frames: how much evidence it takes to move the map away from no change."""

Observed = tuple[np.ndarray, np.ndarray]
"""Features (T, M + 3) seen of one clip, and the movements (T, M) that were made, from their median."""


def observe(seed: int) -> Observed:
    """One clip, rendered and tracked again."""
    clip = rendered_clip(seed, seconds=SECONDS, size=SIZE)
    seen = performance_of(track_stream(clip.frames), clip.frames.fps, unmix=False)
    assert seen.expression is not None and seen.rotation is not None and clip.truth.expression is not None
    made = movements(clip.truth.expression)
    return features(seen.expression, seen.rotation, seen.valid)[seen.valid], (made - np.median(made, 0))[seen.valid]


def unmixing(observed: list[Observed]) -> np.ndarray:
    """The map (M + 3, M) that best leads features to movements, by ridge regression towards no change."""
    seen, made = (np.concatenate(parts) for parts in zip(*observed, strict=True))
    identity = np.eye(seen.shape[1], made.shape[1])
    return np.linalg.solve(seen.T @ seen + RIDGE * np.eye(seen.shape[1]), seen.T @ made + RIDGE * identity)


def main() -> None:
    target = Path(sys.argv[1])
    clips = int(sys.argv[2]) if len(sys.argv) > 2 else CLIPS
    observed = []
    for seed in range(FIRST_SEED, FIRST_SEED + clips):
        observed.append(observe(seed))
        print(f"clip {len(observed)} of {clips}: {len(observed[-1][0])} frames", flush=True)
    np.savez_compressed(target, unmixing=unmixing(observed).astype(np.float32), movements=np.array(MOVEMENTS))


if __name__ == "__main__":
    main()
