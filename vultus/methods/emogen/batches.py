"""Windows as batches of tensors, and the parts of them that a stage looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from vultus.core.errors import InputError
from vultus.methods.emogen.config import FPS, WINDOW, EmoGenConfig
from vultus.methods.emogen.data import FAR_S, Shelf, Window
from vultus.methods.emogen.mel import RANGE
from vultus.training.stage import Run

Batch = dict[str, Tensor]
TURN_RAD, SCALE, SHIFT = 0.12, 0.1, 0.1
"""How far, at most, a jittered face is turned, scaled (a share) and shifted (a share of half the picture)."""


STRETCH = 16
"""Frames of a clip that the speech encoder, taught alone, hears at a time."""


def side_by_side(windows: Sequence[Window]) -> Batch:
    """Samples as a batch: `faces`, `references` (B, 5, 3, S, S), `mels` (B, 5, 1, 80, 16), `wrong`, `emotion`,
    `start`."""
    return {
        "faces": _channels_first(np.stack([w.faces for w in windows])),
        "references": _channels_first(np.stack([w.references for w in windows])),
        "mels": torch.from_numpy(np.stack([w.mels for w in windows]))[:, :, None],
        "wrong": torch.from_numpy(np.stack([w.wrong_mel for w in windows]))[:, None],
        "emotion": torch.tensor([w.emotion for w in windows]),
        "start": torch.tensor([w.start for w in windows]),
    }


def own_voice(batch: Batch) -> Tensor:
    """(B, 1, 80, 16): the voice of each window, which is that around its middle frame."""
    return batch["mels"][:, WINDOW // 2]


def paired(batch: Batch, together: Tensor) -> Tensor:
    """(B, 1, 80, 16): each window's own voice where `together` (B,) is 1, another where it is 0."""
    return torch.where(together.bool()[:, None, None, None], own_voice(batch), batch["wrong"])


def spoken(shelf: Shelf, clips: np.ndarray, rng: np.random.Generator, gain: float) -> Batch:
    """`mels` (B, 1, 80, 16) and `mouth` (B, 40), NaN where it is not seen, of a stretch of each of some clips.

    Each clip is made louder or softer by `gain` at most, in units of the mel.
    """
    mels, mouths = [], []
    for number in clips.tolist():
        face, mouth = shelf[number], shelf.stance(number).mouth
        start = int(rng.integers(max(1, len(mouth) - STRETCH)))
        count = min(STRETCH, len(mouth) - start)
        heard = face.voices(start, count)
        mels.append(np.where(heard > -RANGE, heard + np.float32(rng.uniform(-gain, gain)), heard))
        mouths.append(mouth[start : start + count])
    return {
        "mels": torch.from_numpy(np.concatenate(mels))[:, None],
        "mouth": torch.from_numpy(np.concatenate(mouths).astype(np.float32)),
    }


def far_apart(batch: Batch, group: int) -> Tensor:
    """(B / group, group, group) bool: which windows of a clip are so far apart that their voices are wrong ones."""
    starts = batch["start"].unflatten(0, (-1, group))
    return (starts[:, :, None] - starts[:, None]).abs() >= FAR_S * FPS


def some_frames(batch: Batch, frames: Tensor) -> Batch:
    """The batch with these frames (n,) of each window alone, with the voice around each."""
    return {name: tensor[:, frames] if name in ("faces", "references", "mels") else tensor
            for name, tensor in batch.items()}  # fmt: skip


def cut(batch: Batch, windows: slice) -> Batch:
    """Some windows of the batch."""
    return {name: tensor[windows] for name, tensor in batch.items()}


def jittered(faces: Tensor) -> Tensor:
    """Faces (B, T, 3, S, S), each window mirrored every other time, turned, scaled and shifted a little."""
    count = len(faces)

    def between(most: float) -> Tensor:
        return (2 * torch.rand(count) - 1) * most

    turn, scale, mirror = between(TURN_RAD), 1 + between(SCALE), torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    cos, sin = scale * turn.cos(), scale * turn.sin()
    rows = (mirror * cos, -sin, between(SHIFT), mirror * sin, cos, between(SHIFT))
    maps = torch.stack(rows, 1).unflatten(1, (2, 3)).to(faces)
    grid = functional.affine_grid(maps, [count, *faces.shape[2:]], align_corners=False)
    grid = grid.repeat_interleave(faces.shape[1], 0)
    moved = functional.grid_sample(faces.flatten(0, 1), grid, padding_mode="border", align_corners=False)
    return moved.unflatten(0, faces.shape[:2])


def fixed(shelf: Shelf, config: EmoGenConfig, run: Run) -> Iterator[Batch]:
    """`val_windows` windows, spread over the shelf's clips, in batches."""
    if not len(shelf):
        raise InputError("there is nothing to validate on", "emogen", "prepare more clips")
    wanted, size = config.data.val_windows, config.train.batch
    numbers = np.linspace(0, len(shelf) - 1, wanted).round().astype(int)
    for first in range(0, wanted, size):
        some = [
            shelf.window(int(number), np.random.default_rng((config.data.seed, place)), config.data, augment=False)
            for place, number in enumerate(numbers[first : first + size], first)
        ]
        yield {name: run.fabric.to_device(tensor) for name, tensor in side_by_side(some).items()}


def _channels_first(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 1, 4, 2, 3)))
