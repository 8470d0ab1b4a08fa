"""Teach the tracker what points, lips and brows say about expressions: `vultus/assets/expression_reader.npz`, a card.

    python tools/teach_expressions.py FOLDER OUT.npz [--acting 30] [--photos 104] [--lips 65] [--brows 34]
                                      [--speaking 15] [PORTRAIT ...]

Rendered people act every movement, and photos of others do too; the mouths or brows of still others act, or they speak;
and portraits, if any are given, act as well. All weights are known. What tracking makes of every clip is kept in
FOLDER, where the next run finds it; a clip kept without the colours of lips or brows teaches what it has. From that a
small network learns the map of `vultus.face.leaks`, mirrored copies included; several of them, from different seeds,
are joined into one with as many more hidden units. Needs torch. `benchmarks.tracking` shows other faces.
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
from acting_clips import acting_brows, acting_lips, acting_person, acting_photo, acting_portrait, speaking_person

from vultus.core.bases import ARKIT52
from vultus.core.types import DEFAULT_FPS, Frames, Performance
from vultus.face.colours import BROWS, LIPS, Colours
from vultus.face.colours import mirrored as mirrored_colours
from vultus.face.fit import Fitter
from vultus.face.head import embedded_head
from vultus.face.leaks import (
    COORDINATE_JITTER,
    MOVEMENTS,
    WEIGHT_UNIT,
    Reader,
    colour_coordinates,
    features,
    movements,
)
from vultus.face.smooth import bilateral
from vultus.face.stream import FaceStream
from vultus.face.track import SMOOTHING_S, performance_of, track_seen

SHIFTS, TONES = 64, 20
"""Coordinates of the points, and of the lightness and of the redness of lips and of brows."""
HIDDEN, SEEDS, EPOCHS, BATCH = 96, (0, 1, 2), 30, 512
RATE, DECAY, NOISE, DROPOUT = 3e-3, 3e-3, 0.3, 0.2
CONTRAST, UNSEEN = 0.3, 0.25
"""Spread of the logarithm by which colours stand out more or less, each kind by itself, and the share of examples in
which those of lips, or of brows, are not seen: cameras differ in contrast, and there are points without a picture."""
LEAST_SPREAD = 0.02
"""Added to a movement's standard deviation, by which its error is weighed: what hardly moves need not be read."""


KINDS: dict[str, tuple[int, str, Callable[[int], tuple[Frames, Performance]]]] = {
    "acting": (30, "act", acting_person),
    "photos": (104, "photo", acting_photo),
    "lips": (65, "lips", acting_lips),
    "brows": (34, "brows", acting_brows),
    "speaking": (15, "speak", speaking_person),
}
"""Kinds of clips: how many, what their files are called, and who plays."""


@dataclass(frozen=True)
class Lesson:
    """A clip's departures (T, 936), colours of lips and brows, each (T, 2, samples), fitted weights (T, 52) and turns
    (T, 3), and the movements made (T, M). Colours are zero where they were not kept."""

    departures: np.ndarray
    lips: np.ndarray
    brows: np.ndarray
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
        coloured = [frame.colours for frame in tracked if frame is not None and frame.colours is not None]
        colours = Colours(*map(np.stack, zip(*coloured, strict=True)))
        made = movements(truth.expression)[seen.valid]
        parts = (departures, *colours, seen.expression[seen.valid], seen.rotation[seen.valid], made)
        np.savez(path, **dict(zip(Lesson.__dataclass_fields__, parts, strict=True)))
        print(f"{path.stem}: {len(departures)} frames", flush=True)
    with np.load(path) as data:
        count = len(data["made"])
        unseen = {"lips": np.zeros((count, 2, LIPS.samples)), "brows": np.zeros((count, 2, BROWS.samples))}
        parts = (data[name] if name in data else unseen[name] for name in Lesson.__dataclass_fields__)
        return Lesson(*(part.astype(np.float32) for part in parts))


def lessons(folder: Path, counts: dict[str, int], portraits: list[Path]) -> list[Lesson]:
    """All clips, `counts` of each kind of `KINDS`, drawn or found in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    plays: dict[str, Callable[[], tuple[Frames, Performance]]] = {}
    for kind, (_, name, play) in KINDS.items():
        plays |= {f"{name}_{number}": partial(play, number) for number in range(counts[kind])}
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
        departures.reshape(seen.departures.shape),
        mirrored_colours(seen.lips, LIPS),
        mirrored_colours(seen.brows, BROWS),
        fitted,
        turned,
        seen.made[:, swapped],
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


def tone_modes(clips: list[np.ndarray]) -> np.ndarray:
    """(2, samples, TONES): those of lightness and of redness in clips of colours (T, 2, samples), if they have any."""
    coloured = [clip for clip in clips if clip.any()]
    return np.stack([modes([clip[:, kind] for clip in coloured], TONES) for kind in range(2)])


def examples(clip: Lesson, shifts: np.ndarray, lips: np.ndarray, brows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features (T, F) as the tracker sees them, and what is to be added to the movements (T, M) it fitted."""
    count = len(clip.departures)
    one_shot = np.zeros(count, int)
    coloured = colour_coordinates(clip.lips, lips), colour_coordinates(clip.brows, brows)
    coordinates = np.concatenate([clip.departures @ shifts, *coloured], 1)
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
    seen = torch.rand(len(given), len(Colours._fields)) > UNSEEN
    stands_out = torch.exp(CONTRAST * torch.randn(len(given), 2 * seen.shape[1])) * seen.repeat_interleave(2, 1)
    result = given.clone()
    result[:, SHIFTS : SHIFTS + stands_out.shape[1] * TONES] *= stands_out.repeat_interleave(TONES, 1)
    return result


def joined(networks: list[list[np.ndarray]], seen: tuple[np.ndarray, ...]) -> Reader:
    """The mean of several networks as one, their hidden units side by side; `seen` are the modes of what they see."""
    into, bias, out, direct = zip(*networks, strict=True)
    count = len(networks)
    units = np.concatenate(into, 1), np.concatenate(bias), np.concatenate(out) / count
    return Reader(*seen, *units, np.mean(direct, axis=0))


def learn(seen: list[Lesson]) -> Reader:
    """The network of all clips and their mirror images."""
    both = seen + [mirrored(clip) for clip in seen]
    along = (
        modes([clip.departures for clip in both], SHIFTS),
        tone_modes([clip.lips for clip in both]),
        tone_modes([clip.brows for clip in both]),
    )
    inputs, targets = (np.concatenate(parts) for parts in zip(*(examples(c, *along) for c in both), strict=True))
    spread = np.concatenate([clip.made - np.median(clip.made, 0) for clip in both]).std(0) + LEAST_SPREAD
    return joined([taught(inputs, targets, spread, seed) for seed in SEEDS], along)


def _coloured(colours: np.ndarray) -> int:
    """Frames of a clip (T, 2, samples) whose colours were kept."""
    return int((colours != np.median(colours, 0)).any((1, 2)).sum())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("out", type=Path)
    options.add_argument("portraits", nargs="*", type=Path)
    for kind, (count, _, _) in KINDS.items():
        options.add_argument(f"--{kind}", type=int, default=count)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    seen = lessons(chosen.folder, {kind: getattr(chosen, kind) for kind in KINDS}, chosen.portraits)
    layers = {name: value.astype(np.float16) for name, value in vars(learn(seen)).items()}
    np.savez_compressed(chosen.out, movements=np.array(MOVEMENTS), **layers)
    lips, brows = (sum(_coloured(getattr(clip, part)) for clip in seen) for part in Colours._fields)
    card = {
        "name": "expression_reader",
        "sha256": hashlib.sha256(chosen.out.read_bytes()).hexdigest(),
        "made_by": "tools/teach_expressions.py",
        "training_data": f"{chosen.acting} rendered people who act, photos of {chosen.photos} more that act, "
        f"{chosen.lips} whose mouths act, {chosen.brows} whose brows act, "
        f"{chosen.speaking} who speak, {len(chosen.portraits)} portraits that act; {sum(len(c.made) for c in seen)} "
        f"frames, of which only FaceMesh's points, the weights that were drawn and, in {lips}, the colours of the "
        f"lips, in {brows} of the brows, were used",
        "hidden_units": HIDDEN * len(SEEDS),
        "licence": "Apache-2.0",
        "measured": "docs/tracking.md",
    }
    chosen.out.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")


if __name__ == "__main__":
    main()
