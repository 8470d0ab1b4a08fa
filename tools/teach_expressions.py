"""Teach the tracker what points and lips say about expressions: `vultus/assets/expression_reader.npz` and its card.

    python tools/teach_expressions.py FOLDER OUT.npz [--acting 30] [--photos 104] [--lips 65] [--speaking 15]
                                      [PORTRAIT ...]

Rendered people act every movement, and photos of others do too; the mouths of still others act, or they speak; and
portraits, if any are given, act as well. All weights are known. What tracking makes of every clip is kept in FOLDER,
where the next run finds it; a clip kept without the colours of its lips teaches points alone. From that a small network
learns the map of `vultus.face.leaks`, mirrored copies included; several of them, from different seeds, are joined into
one with as many more hidden units. Needs torch. `benchmarks.tracking` shows other faces.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from acting_clips import acting_lips, acting_person, acting_photo, acting_portrait, speaking_person

from vultus.core.bases import ARKIT52
from vultus.core.types import DEFAULT_FPS, Frames, Performance
from vultus.face.fit import Fitter
from vultus.face.head import embedded_head
from vultus.face.leaks import (
    COORDINATE_JITTER,
    MOVEMENTS,
    WEIGHT_UNIT,
    Reader,
    features,
    lip_coordinates,
    movements,
)
from vultus.face.lip_colours import SAMPLES, mirrored_lips
from vultus.face.smooth import bilateral
from vultus.face.stream import FaceStream
from vultus.face.track import SMOOTHING_S, performance_of, track_seen

SHIFTS, LIPS = 64, 20
"""Coordinates of the points, and of the lips' lightness and of their redness."""
HIDDEN, SEEDS, EPOCHS, BATCH = 96, (0, 1, 2), 30, 512
RATE, DECAY, NOISE, DROPOUT = 3e-3, 3e-3, 0.3, 0.2
CONTRAST, UNSEEN = 0.3, 0.25
"""Spread of the logarithm by which the colours of lips stand out more or less, each kind by itself, and the share of
examples in which they are not seen: a camera's contrast is not known, and there are points without a picture."""
LEAST_SPREAD = 0.02
"""Added to a movement's standard deviation, by which its error is weighed: what hardly moves need not be read."""


@dataclass(frozen=True)
class Lesson:
    """A clip's departures (T, 936), colours of the lips (T, 2, SAMPLES), fitted weights (T, 52) and turns (T, 3), and
    the movements made (T, M). Colours are zero where they were not kept."""

    departures: np.ndarray
    lips: np.ndarray
    fitted: np.ndarray
    rotation: np.ndarray
    made: np.ndarray


def lesson(path: Path, play: Callable[[], tuple[Frames, Performance]]) -> Lesson:
    """A clip drawn and tracked without correction, or found in `path`."""
    if not path.is_file():
        frames, truth = play()
        with FaceStream() as stream:
            tracked = list(track_seen(map(stream.see, frames)))
        seen = performance_of(tracked, DEFAULT_FPS, unmix=False)
        assert truth.expression is not None and seen.expression is not None and seen.rotation is not None
        departures = np.stack([frame.departure.reshape(-1) for frame in tracked if frame is not None])
        lips = np.stack([frame.lips for frame in tracked if frame is not None and frame.lips is not None])
        made = movements(truth.expression)[seen.valid]
        parts = (departures, lips, seen.expression[seen.valid], seen.rotation[seen.valid], made)
        np.savez(path, **dict(zip(Lesson.__dataclass_fields__, parts, strict=True)))
        print(f"{path.stem}: {len(departures)} frames", flush=True)
    with np.load(path) as data:
        unseen = np.zeros((len(data["made"]), 2, SAMPLES))
        parts = (data.get(name, unseen).astype(np.float32) for name in Lesson.__dataclass_fields__)
        return Lesson(*parts)


def lessons(folder: Path, acting: int, photos: int, lips: int, speaking: int, portraits: list[Path]) -> list[Lesson]:
    """All clips, drawn or found in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    plays: dict[str, Callable[[], tuple[Frames, Performance]]] = {}
    plays |= {f"act_{number}": partial(acting_person, number) for number in range(acting)}
    plays |= {f"lips_{number}": partial(acting_lips, number) for number in range(lips)}
    plays |= {f"speak_{number}": partial(speaking_person, number) for number in range(speaking)}
    plays |= {f"photo_{number}": partial(acting_photo, number) for number in range(photos)}
    plays |= {f"portrait_{picture.stem}": partial(acting_portrait, picture, n) for n, picture in enumerate(portraits)}
    return [lesson(folder / f"{name}.npz", play) for name, play in plays.items()]


def mirrored(seen: Lesson) -> Lesson:
    """The clip as a mirror shows it."""
    twins, swapped = _twins()
    departures = seen.departures.reshape(len(seen.departures), -1, 2)[:, twins] * np.float32([-1, 1])
    sides = [name.replace("Left", "@").replace("Right", "Left").replace("@", "Right") for name in ARKIT52]
    fitted = seen.fitted[:, [ARKIT52.index(name) for name in sides]]
    turned = seen.rotation * np.float32([-1, 1, -1])
    return Lesson(
        departures.reshape(seen.departures.shape), mirrored_lips(seen.lips), fitted, turned, seen.made[:, swapped]
    )


@lru_cache(maxsize=1)
def _twins() -> tuple[np.ndarray, list[int]]:
    """Of every skin point and every movement, the one on the other side."""
    points = Fitter(embedded_head()).mean
    apart = np.linalg.norm(points[:, None] * (-1, 1, 1) - points, axis=2)
    sides = [name.replace("Left", "@").replace("Right", "Left").replace("@", "Right") for name in MOVEMENTS]
    return apart.argmin(1), [MOVEMENTS.index(name) for name in sides]


def modes(clips: list[np.ndarray], count: int) -> np.ndarray:
    """(D, count): principal directions of clips (T, D) about the median of each, over their spread."""
    about = np.concatenate([clip - np.median(clip, 0) for clip in clips])
    spread, directions = np.linalg.eigh(about.T @ about / len(about))
    return (directions / np.sqrt(np.maximum(spread, 1e-12)))[:, ::-1][:, :count].astype(np.float32)


def lip_modes(seen: list[Lesson]) -> np.ndarray:
    """(2, SAMPLES, LIPS): those of lightness and of redness."""
    coloured = [clip.lips for clip in seen if clip.lips.any()]
    return np.stack([modes([lips[:, kind] for lips in coloured], LIPS) for kind in range(2)])


def examples(clip: Lesson, shifts: np.ndarray, lips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features (T, F) as the tracker sees them, and what is to be added to the movements (T, M) it fitted."""
    count = len(clip.departures)
    one_shot = np.zeros(count, int)
    coordinates = np.concatenate([clip.departures @ shifts, lip_coordinates(clip.lips, lips).reshape(count, -1)], 1)
    shown = bilateral(coordinates, one_shot, SMOOTHING_S * DEFAULT_FPS, COORDINATE_JITTER)
    fitted = movements(clip.fitted)
    wanted = clip.made - np.median(clip.made, 0) - (fitted - np.median(fitted, 0))
    return features(shown, clip.fitted, clip.rotation, np.ones(count, bool)), wanted


def taught(seen: np.ndarray, wanted: np.ndarray, spread: np.ndarray, seed: int) -> list[np.ndarray]:
    """A network's layers, in the order of `Reader`: features (N, F) to corrections (N, M), errors over spread (M,)."""
    torch.manual_seed(seed)
    into, out = torch.nn.Linear(seen.shape[1], HIDDEN), torch.nn.Linear(HIDDEN, wanted.shape[1], bias=False)
    direct = torch.nn.Linear(seen.shape[1], wanted.shape[1], bias=False)
    for layer in (out, direct):
        torch.nn.init.zeros_(layer.weight)
    dropout = torch.nn.Dropout(DROPOUT)
    parameters = [p for layer in (into, out, direct) for p in layer.parameters()]
    optimizer = torch.optim.AdamW(parameters, RATE, weight_decay=DECAY)
    steps = EPOCHS * (len(seen) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    inputs, targets, weights = (torch.from_numpy(a.astype(np.float32)) for a in (seen, wanted, 1 / spread))
    for _ in range(EPOCHS):
        order = torch.randperm(len(inputs))
        for rows in order[: len(order) // BATCH * BATCH].view(-1, BATCH):
            given = relit(inputs[rows]) + NOISE * torch.randn(BATCH, inputs.shape[1])
            change = out(dropout(torch.nn.functional.silu(into(given)))) + direct(given)
            loss = (((WEIGHT_UNIT * change - targets[rows]) * weights) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    tensors = (into.weight.T, into.bias, out.weight.T, direct.weight.T)
    return [tensor.detach().numpy() for tensor in tensors]


def relit(given: torch.Tensor) -> torch.Tensor:
    """Features (N, F) under cameras of other contrast and colour, some without a picture."""
    stands_out = torch.exp(CONTRAST * torch.randn(len(given), 2)) * (torch.rand(len(given), 1) > UNSEEN)
    lips = slice(SHIFTS, SHIFTS + 2 * LIPS)
    result = given.clone()
    result[:, lips] *= stands_out.repeat_interleave(LIPS, 1)
    return result


def joined(networks: list[list[np.ndarray]], shifts: np.ndarray, lips: np.ndarray) -> Reader:
    """The mean of several networks as one: their hidden units side by side."""
    into, bias, out, direct = zip(*networks, strict=True)
    count = len(networks)
    units = np.concatenate(into, 1), np.concatenate(bias), np.concatenate(out) / count
    return Reader(shifts, lips, *units, np.mean(direct, axis=0))


def learn(seen: list[Lesson]) -> Reader:
    """The network of all clips and their mirror images."""
    both = seen + [mirrored(clip) for clip in seen]
    shifts, lips = modes([clip.departures for clip in both], SHIFTS), lip_modes(both)
    inputs, targets = (np.concatenate(parts) for parts in zip(*(examples(c, shifts, lips) for c in both), strict=True))
    spread = np.concatenate([clip.made - np.median(clip.made, 0) for clip in both]).std(0) + LEAST_SPREAD
    return joined([taught(inputs, targets, spread, seed) for seed in SEEDS], shifts, lips)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("out", type=Path)
    options.add_argument("portraits", nargs="*", type=Path)
    options.add_argument("--acting", type=int, default=30)
    options.add_argument("--photos", type=int, default=104)
    options.add_argument("--lips", type=int, default=65)
    options.add_argument("--speaking", type=int, default=15)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    seen = lessons(chosen.folder, chosen.acting, chosen.photos, chosen.lips, chosen.speaking, chosen.portraits)
    layers = {name: value.astype(np.float16) for name, value in vars(learn(seen)).items()}
    np.savez_compressed(chosen.out, movements=np.array(MOVEMENTS), **layers)
    coloured = sum(int((clip.lips != np.median(clip.lips, 0)).any((1, 2)).sum()) for clip in seen)
    card = {
        "name": "expression_reader",
        "sha256": hashlib.sha256(chosen.out.read_bytes()).hexdigest(),
        "made_by": "tools/teach_expressions.py",
        "training_data": f"{chosen.acting} rendered people who act, photos of {chosen.photos} more that act, "
        f"{chosen.lips} whose mouths act, "
        f"{chosen.speaking} who speak, {len(chosen.portraits)} portraits that act; {sum(len(c.made) for c in seen)} "
        f"frames, of which only FaceMesh's points, the weights that were drawn and, in {coloured}, the colours of the "
        "lips were used",
        "hidden_units": HIDDEN * len(SEEDS),
        "licence": "Apache-2.0",
        "measured": "docs/tracking.md",
    }
    chosen.out.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")


if __name__ == "__main__":
    main()
