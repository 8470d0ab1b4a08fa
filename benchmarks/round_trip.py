"""Does a tracker see in the rendered video what was asked for? Commanded against re-tracked, portrait by portrait.

    python -m benchmarks.round_trip [--together] [PORTRAIT ...]

Jaw, smile and pucker are commanded in turn, as speech and emotion mostly do; with --together all at once, which asks
more of the tracker than of the renderer. Blinks and a head within +-15 degrees move all the time.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from benchmarks.material import FRONTAL, portraits
from vultus.animate import open_portrait
from vultus.core.bases import index_of
from vultus.core.controls import Controls
from vultus.core.method import Look
from vultus.core.types import Performance
from vultus.face.points import interocular_px
from vultus.face.track import track
from vultus.methods.portrait.model import PhotoRenderer
from vultus.motion.blink import lid_motion

FPS, SECONDS = 25.0, 16.0
JAW, SMILE, PUCKER, BLINK = (
    [index_of(n) for n in names]
    for names in (
        ["jawOpen"],
        ["mouthSmileLeft", "mouthSmileRight"],
        ["mouthPucker"],
        ["eyeBlinkLeft", "eyeBlinkRight"],
    )
)
COLUMNS = ("found", "jawOpen", "blink", "recall", "smile", "pucker", "yaw", "pitch", "roll", "jitter")


def commanded(seed: int, together: bool) -> Performance:
    """Speech-like jaw, smiles and puckers, blinks, and a head that wanders within +-15 degrees."""
    rng = np.random.default_rng(seed)
    count = round(FPS * SECONDS)
    base = Performance.neutral(count, FPS)

    def wander(sigma_s: float, channels: int = 1) -> np.ndarray:
        noise = gaussian_filter1d(rng.normal(size=(count, channels)), sigma_s * FPS, axis=0, mode="wrap")
        return noise / np.abs(noise).max(0)

    mood = wander(0.6)
    turn = np.arange(count) * 3 // count  # which of the three has its turn
    signals = (wander(0.07) + 0.2, mood if together else wander(0.3) + 0.3, -mood if together else wander(0.3) + 0.3)
    expression = base.expression.copy()
    for k, (columns, peak) in enumerate(((JAW, 0.45), (SMILE, 0.7), (PUCKER, 0.6))):
        signal = np.clip(signals[k], 0, 1) * (together | (turn == k))[:, None]
        expression[:, columns] = peak * signal / signal.max()
    expression[:, BLINK] = lid_motion(Controls().blink, FPS, seed, 25.0, None).frames(count)
    rotation = wander(0.5, 3) * [15, 12, 12]
    return replace(base, expression=expression.astype(np.float32), rotation=rotation.astype(np.float32))


def events(closure: np.ndarray, level: float = 0.5) -> np.ndarray:
    """Frames of the maxima of each run of (T,) at or above a level."""
    high = np.concatenate([[False], closure >= level, [False]])
    starts, ends = np.nonzero(high[1:] & ~high[:-1])[0], np.nonzero(~high[1:] & high[:-1])[0]
    return np.array([s + np.argmax(closure[s:e]) for s, e in zip(starts, ends, strict=True)], int)


def measure(picture: object, seed: int, together: bool) -> dict[str, float]:
    """One row of the table."""
    portrait = open_portrait(picture)
    renderer = PhotoRenderer(portrait, Look(crop="face", size=512))
    asked = commanded(seed, together)
    seen = track(renderer.play([asked], len(asked)))
    r = lambda a, b: float(np.corrcoef(a, b)[0, 1])  # noqa: E731
    mean = lambda p, k: p.expression[:, k].mean(1)  # noqa: E731
    row = {"found": float(seen.valid.mean())}
    for name, k in (("jawOpen", JAW), ("blink", BLINK), ("smile", SMILE), ("pucker", PUCKER)):
        row[name] = r(mean(asked, k), mean(seen, k))
    wanted, got = events(mean(asked, BLINK), 0.7), events(mean(seen, BLINK), 0.4)
    row["recall"] = float(np.mean([np.abs(got - w).min(initial=99) <= 2 for w in wanted])) if len(wanted) else np.nan
    turned = seen.rotation - renderer.own_deg
    for k, name in enumerate(("yaw", "pitch", "roll")):
        row[name] = float(np.abs(turned[:, k] - asked.rotation[:, k]).mean())
    still = Performance.neutral(12, FPS)
    points = track(renderer.play([still], 12)).landmarks[:, :, :2]
    eyes = float(interocular_px(portrait.fit.landmarks)) * renderer.renderer.canvas.scale
    row["jitter"] = float(np.linalg.norm(points - points.mean(0), axis=2).mean() / eyes)
    return row


def main() -> None:
    print(f"{'portrait':<12}" + "".join(f"{c:>9}" for c in COLUMNS))
    rows = []
    names = tuple(name for name in sys.argv[1:] if name != "--together") or FRONTAL
    for seed, (name, picture) in enumerate(portraits(names).items()):
        row = measure(picture, seed, "--together" in sys.argv)
        rows.append(row)
        print(f"{name:<12}" + "".join(f"{row[c]:>9.4f}" if c == "jitter" else f"{row[c]:>9.2f}" for c in COLUMNS))
    mean = {c: np.nanmean([row[c] for row in rows]) for c in COLUMNS}
    print(f"{'mean':<12}" + "".join(f"{mean[c]:>9.4f}" if c == "jitter" else f"{mean[c]:>9.2f}" for c in COLUMNS))


if __name__ == "__main__":
    main()
