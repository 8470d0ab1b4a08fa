"""blink_nerf's renderer in figures, driven by what was tracked in the person's held-out frames.

    vultus train blink_nerf DATA RUN                                   minutes on one core; prints WEIGHTS
    python -m benchmarks.blink_nerf figures DATA WEIGHTS [--json FILE]  errors by region, movements tracked again, nulls
    python -m benchmarks.blink_nerf signals DATA WEIGHTS               what each signal is worth; AU45 swept; the torso
    python -m benchmarks.blink_nerf speed DATA WEIGHTS                 ms a frame at 96, 128, 256 pixels
    python -m benchmarks.blink_nerf sheet DATA WEIGHTS --out FOLDER    truth, picture, depth; turned; swept
    python -m benchmarks.blink_nerf turntable DATA WEIGHTS --out FOLDER
    python -m benchmarks.blink_nerf table3 DATA OUT [--steps N] [--row K]   trains a row, or all four, and measures them

DATA is what `vultus train blink_nerf` was given. Set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from benchmarks.held_person import (
    REGIONS,
    Change,
    Held,
    aperture,
    bottom_share,
    decibels,
    eye,
    pooled_decibels,
    track,
)
from vultus.core.config import save_config
from vultus.core.pose import degrees_from_matrix
from vultus.learn import train
from vultus.methods.blink_nerf.config import ABLATIONS, SMALL, ablated
from vultus.methods.blink_nerf.infer import Painter, depth_picture
from vultus.methods.blink_nerf.model import Signals
from vultus.methods.blink_nerf.torso import TorsoGuess
from vultus.metrics.lips import correlation
from vultus.training.loop import LoopConfig
from vultus.video.write import write_video

PAPER_TABLE_3 = {
    "w/o D w/o E": (35.438, 0.0347, 2.721, 6.231),
    "w/o E w D": (36.194, 0.0274, 2.731, 6.685),
    "w E w D": (35.891, 0.0259, 2.729, 6.704),
    "w Tri-Hash w E w D": (35.907, 0.0256, 2.691, 6.742),
}
"""PSNR, LPIPS, LMD, Sync of another person at 512 pixels."""
AU45_SWEEP = tuple(np.arange(0, 5.01, 0.5))
TURNS = (-6, -3, 0, 3, 6)
CELL_PX = 224
Figures = dict[str, float]


def figures(held: Held, nulls: bool = True) -> Figures:
    """PSNR by region, beside nulls; what FaceMesh sees move; where the error lies."""
    made = held.pictures()
    found: Figures = {}
    for name, pictures in {"field": made, **(held.nulls() if nulls else {})}.items():
        errors = held.errors(pictures)
        found |= {f"{name} {region} dB": decibels(errors[region]) for region in REGIONS}
    found["field bottom third's share of error"] = bottom_share(made, held)
    found |= movement(made, held)
    return found


def movement(pictures: np.ndarray, held: Held) -> Figures:
    """Lips' and lids' opening tracked in the pictures against those tracked in the truth at the same size."""
    mine, true = track(pictures), track(held.truth[held.frames])
    both = ~np.isnan(mine[:, 0, 0]) & ~np.isnan(true[:, 0, 0])
    found: Figures = {"faces found": float(both.mean())}
    for name, measure in (("aperture", aperture), ("eye", eye)):
        a, b = measure(mine[both]), measure(true[both])
        found |= {f"{name} r": correlation(a, b), f"{name} amplitude": float(a.std() / b.std())}
    moved = np.linalg.norm(mine[both][:, :468, :2] - true[both][:, :468, :2], axis=2)
    return found | {"LMD px at 512": float(moved.mean())}


def signals(held: Held) -> Figures:
    """What the picture loses with each signal, and AU45 swept."""
    whole = held.errors(held.pictures())
    found: Figures = {}
    for name, (region, change) in stilled(held).items():
        errors = held.errors(held.pictures(change))
        for how, measure in (("", decibels), (", pooled", pooled_decibels)):
            found[f"without {name}: {region} loses dB{how}"] = measure(whole[region]) - measure(errors[region])
    return found | torso(held) | sweep(held)


def stilled(held: Held) -> dict[str, tuple[str, Change]]:
    """Signals put to their mean, which codes take for zero, and the region that should suffer."""
    rest = held.shown.at_rest(1)
    face, voice = torch.from_numpy(rest.landmarks), torch.from_numpy(rest.audio)

    def blink(s: Signals) -> Signals:
        open_eyes = torch.cat([s.landmarks[:, :36], face[:, 36:48], s.landmarks[:, 48:]], 1)
        return s._replace(au45=0 * s.au45, landmarks=open_eyes)

    def mouth(s: Signals) -> Signals:
        return s._replace(landmarks=torch.cat([face[:, :36], s.landmarks[:, 36:48], face[:, 48:]], 1))

    return {
        "landmarks": ("mouth", mouth),
        "blink": ("eyes", blink),
        "voice": ("mouth", lambda s: s._replace(audio=voice)),
    }


def torso(held: Held) -> Figures:
    """The torso tracked, guessed from the head's pose, and still."""
    pose = held.shown.net.backdrop_pose(held.made.signals).numpy()
    guess = TorsoGuess(held.shown.net.torso_guess.numpy(), held.person.fps)(pose)
    moves = {"tracked": held.made.motion.signal, "guessed from the head": guess, "still": 0 * guess}
    found: Figures = {}
    for name, move in moves.items():
        order = iter(held.frames)

        def change(s: Signals, move: np.ndarray = move, order: Iterator[int] = order) -> Signals:
            return s._replace(torso=torch.from_numpy(move[next(order)][None]))

        pictures = held.pictures(change)
        found[f"torso {name}: whole dB"] = decibels(held.errors(pictures)["whole"])
        found[f"torso {name}: bottom third's share of error"] = bottom_share(pictures, held)
    return found


def sweep(held: Held) -> Figures:
    """AU45 from 0 to 5, nothing else changed, on five frames with open eyes and unlike mouths."""
    awake = [k for k in held.frames if held.person.au45[k] < 0.1]
    wide = np.argsort([held.person.landmarks3d[k, 62, 1] - held.person.landmarks3d[k, 66, 1] for k in awake])
    chosen = [awake[wide[round(q * (len(awake) - 1))]] for q in (0.05, 0.3, 0.5, 0.7, 0.95)]
    painter, ranks, lips, range_, levels = Painter(held.shown.net, held.size), [], [], [], []
    for k in chosen:
        one = held.made.signals.at(slice(int(k), int(k) + 1))
        pictures = [painter.picture(one._replace(au45=torch.tensor([a], dtype=torch.float32))) for a in AU45_SWEEP]
        shown = np.clip(255 * np.stack(pictures), 0, 255).astype(np.uint8)
        mouth = shown[:, held.regions(k)["mouth"]].astype(int)
        levels.append(np.abs(mouth - mouth[0]).max())
        points = track(shown)
        ears, gaps = eye(points), aperture(points)
        ranks.append(float(_spearman(np.array(AU45_SWEEP), ears)))
        lips.append(float(np.nanmax(np.abs(gaps - gaps[0]))))
        range_.append(float(ears[-1] / ears[0]))
    return {
        "AU45 swept: rho with EAR (worst of 5)": max(ranks),
        "AU45 swept: EAR at 5 over EAR at 0": float(np.mean(range_)),
        "AU45 swept: mouth moves, inter-ocular (worst)": max(lips),
        "AU45 swept: mouth moves, inter-ocular (mean of 5)": float(np.mean(lips)),
        "AU45 swept: mouth's pixels change, grey levels (worst)": float(max(levels)),
    }


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(a, b, nan_policy="omit").statistic)


def speed(held: Held) -> Figures:
    """Milliseconds of CPU a frame."""
    found = {}
    one = held.made.signals.at(slice(int(held.frames[0]), int(held.frames[0]) + 1))
    for size in (96, 128, 256):
        painter = Painter(held.shown.net, size)
        painter.picture(one)
        began = time.process_time()
        for _ in range(5):
            painter.picture(one)
        found[f"ms a frame at {size}"] = (time.process_time() - began) / 5 * 1e3
    return found


def sheet(held: Held, out: Path) -> None:
    """Rows of pictures to look at. They show the person: not to be committed."""
    out.mkdir(parents=True, exist_ok=True)
    painter, shown = Painter(held.shown.net, held.size), held.shown
    chosen = held.frames[np.linspace(0, len(held.frames) - 1, 6).astype(int)]
    near, far = shown.depth_range()
    rows = []
    for k in chosen:
        one = held.made.signals.at(slice(int(k), int(k) + 1))
        cells = [held.truth[k], _bytes(painter.picture(one)), depth_picture(painter.depth(one), near, far)]
        rows.append(np.vstack([_cell(c) for c in cells]))
    _save(out / "truth_field_depth.png", np.hstack(rows))
    grid = [[(yaw, pitch, 0) for yaw in TURNS] for pitch in (-6, 0, 6)]
    pictures = []
    for line in grid:
        poses, rest = shown.turned(_beyond(held, np.array(line, float))), shown.at_rest(len(line))
        still = np.zeros((len(line), shown.net.config.layer.motions), np.float32)
        pictures.append(np.hstack([_cell(p) for p in shown.frames(rest, poses, held.person.fps, still)]))
    _save(out / "turned.png", np.vstack(pictures))
    one = held.made.signals.at(slice(int(chosen[0]), int(chosen[0]) + 1))
    swept = [_cell(_bytes(painter.picture(one._replace(au45=torch.tensor([float(a)]))))) for a in range(6)]
    _save(out / "au45.png", np.hstack(swept))


def _beyond(held: Held, degrees: np.ndarray) -> np.ndarray:
    """Turns about the mean pose by as much more as training went, so that +-6 lies 6 degrees outside of it."""
    seen = degrees_from_matrix(held.person.rotation[held.made.train])
    seen = seen - seen.mean(0)
    low, high = np.percentile(seen, (2, 98), axis=0)
    return degrees + np.where(degrees > 0, high, np.where(degrees < 0, low, 0)) * (np.abs(degrees) == max(TURNS))


def _bytes(picture: np.ndarray) -> np.ndarray:
    return np.clip(255 * picture, 0, 255).astype(np.uint8)


def _cell(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, (CELL_PX, CELL_PX), interpolation=cv2.INTER_CUBIC)


def _save(path: Path, picture: np.ndarray) -> None:
    cv2.imwrite(str(path), picture[:, :, ::-1])
    print(path)


def table3(data: Path, out: Path, steps: int, row: int | None, every: int) -> Figures:
    """Train rows of table III and measure each; the paper's PSNR of its row stands beside."""
    found: Figures = {}
    for number, name in enumerate(ABLATIONS):
        if row not in (None, number):
            continue
        fine = max(1, steps // 18)
        unused = replace(
            SMALL.driver, train=replace(SMALL.driver.train, steps=1)
        )  # rows are driven by what was tracked
        learning = replace(SMALL.train, coarse_steps=steps, fine_steps=fine)
        config = ablated(replace(SMALL, driver=unused, train=learning), name)
        out.mkdir(parents=True, exist_ok=True)
        save_config(config, out / f"row{number}.yaml")
        loop = LoopConfig(accelerator="cpu", validate_every=10**6)
        weights = train(
            "blink_nerf", data, out / f"row{number}", config=out / f"row{number}.yaml", loop=loop, resume=True
        )
        measured = figures(Held(data, weights, every), nulls=False)
        found |= {f"{name}: {key}": value for key, value in measured.items()}
        found[f"{name}: the paper's PSNR"] = PAPER_TABLE_3[name][0]
    return found


def turntable(held: Held, out: Path) -> None:
    """Videos of the person at rest, turned, and of the depth. They show the person: not to be committed."""
    poses = held.shown.turntable(held.person.fps)
    rest = held.shown.at_rest(len(poses))
    for name, show in (("turntable", held.shown.frames), ("depth", held.shown.depths)):
        print(write_video(show(rest, poses, held.person.fps), out / f"{name}.mp4"))


COMMANDS: dict[str, Callable[[Held], Figures]] = {"figures": figures, "signals": signals, "speed": speed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=[*COMMANDS, "sheet", "turntable", "table3"])
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path, help="folder of weights; of table3: where to train")
    parser.add_argument("--out", type=Path, default=Path("out/blink_nerf"))
    parser.add_argument("--every", type=int, default=1, help="measure every so many held-out frames")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--row", type=int, choices=range(len(ABLATIONS)))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.command == "table3":
        found: dict[str, Any] = table3(given.data, given.weights, given.steps, given.row, given.every)
    elif given.command == "sheet":
        found = {}
        sheet(Held(given.data, given.weights), given.out)
    elif given.command == "turntable":
        found = {}
        given.out.mkdir(parents=True, exist_ok=True)
        turntable(Held(given.data, given.weights), given.out)
    else:
        found = COMMANDS[given.command](Held(given.data, given.weights, given.every))
    for name, value in found.items():
        print(f"{name:<58} {value:8.3f}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
