"""A prepared person as tensors to train on: pictures, labels and signals of every frame, and where to look in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from vultus.core.errors import InputError
from vultus.methods.blink_nerf.conditioning import Condition, as_tensors
from vultus.methods.blink_nerf.config import LayerConfig, TrainConfig
from vultus.methods.blink_nerf.model import Signals, pixel_places, pose_numbers
from vultus.methods.blink_nerf.person import HEAD, Person
from vultus.methods.blink_nerf.torso import TorsoGuess, TorsoMotion, torso_motion

LOOKS = {"whole": 0.3, "head": 0.3, "mouth": 0.26, "eyes": 0.14}
"""Share of the rays that goes into each box of a frame."""
_MARGINS = {"head": (0.12, 0.22, 0.12, 0.05), "mouth": (0.03,) * 4, "eyes": (0.02,) * 4}
"""Left, top, right, bottom around the landmarks, in sides of the picture."""
LEAST_FRAMES = 16
LIDS_MOVE = 1.0
"""AU45 from which lids are on their way."""
_WIDE = 0.75
"""Mouths opened farther than this share of all are wide."""
_INNER_LIPS = ((61, 62, 63), (67, 66, 65))


@dataclass(frozen=True)
class Material:
    """T frames of a person at S pixels."""

    person: Person
    size: int
    pictures: Tensor
    """(T, S S, 3) uint8."""
    labels: Tensor
    """(T, S S) uint8 of `Person.masks`."""
    signals: Signals
    """Of all T frames."""
    boxes: np.ndarray
    """(T, 4, 4) left, top, right, bottom in pixels, in the order of `LOOKS`."""
    motion: TorsoMotion
    behind: np.ndarray
    """(S, S, 3) uint8: torso and background without the head, a guess where it was always in front of them."""
    train: np.ndarray
    """Frames to learn from, and of them only those in which a face was seen."""
    test: np.ndarray
    """Held-out frames, likewise."""
    blinking: np.ndarray
    """Those of `train` with AU45 >= `LIDS_MOVE`."""
    wide: np.ndarray
    """Those of `train` with the widest mouths."""

    def squares(self) -> Tensor:
        """Places (S S, 2) of all pixels."""
        return torch.from_numpy(pixel_places(self.size))


def material(person: Person, size: int, layer: LayerConfig) -> Material:
    """Resize a person's pictures and measure what they need. Raises InputError when too few frames are usable."""
    train, test = (np.arange(len(person))[part][person.valid[part]] for part in (person.train, person.test))
    if len(train) < LEAST_FRAMES or len(test) == 0:
        raise InputError(
            f"a face is seen in {len(train)} frames to learn from and {len(test)} to test on", person.name,
            f"prepare a clip that shows the face in {LEAST_FRAMES} frames or more",
        )  # fmt: skip
    pictures = _resized(person.frames, size, cv2.INTER_AREA)
    labels = _resized(person.masks, size, cv2.INTER_NEAREST)
    motion = torso_motion(person.frames, person.masks, person.train, layer.motions, layer.motion_grid)
    condition = Condition(person.landmarks3d, person.au45, person.audio)
    rotation, translation = (torch.from_numpy(np.array(a)) for a in (person.rotation, person.translation))
    signals = Signals(
        rotation, translation, *as_tensors(condition, torch.device("cpu")), torch.from_numpy(motion.signal)
    )
    upper, lower = (person.landmarks3d[train][:, lip, 1].mean(1) for lip in _INNER_LIPS)
    opening = upper - lower
    background = cv2.resize(np.asarray(person.background), (size, size), interpolation=cv2.INTER_AREA)
    return Material(
        person, size,
        torch.from_numpy(pictures).flatten(1, 2), torch.from_numpy(labels).flatten(1, 2),
        signals, _boxes(person, size), motion, _without_head(pictures[train], labels[train], background), train, test,
        train[person.au45[train] >= LIDS_MOVE], train[opening >= np.quantile(opening, _WIDE)],
    )  # fmt: skip


def fitted_guess(made: Material, pose: np.ndarray) -> TorsoGuess:
    """The torso's signal guessed from standardised poses (T, 6) of all frames, learned on those to learn from."""
    part = made.person.train
    return TorsoGuess.fit(pose[part], made.motion.signal[part], made.person.fps)


def draw_frames(made: Material, config: TrainConfig, rng: np.random.Generator) -> np.ndarray:
    """Frames (config.frames,) to learn from; shares of them are drawn among blinks and among wide mouths."""
    drawn, begin = rng.choice(made.train, config.frames), 0
    for share, among in ((config.blinking, made.blinking), (config.wide, made.wide)):
        if len(among):
            some = slice(begin, begin + round(share * config.frames))
            drawn[some] = rng.choice(among, len(drawn[some]))
            begin = some.stop
    return drawn


def draw_rays(made: Material, frames: np.ndarray, rays: int, rng: np.random.Generator) -> np.ndarray:
    """Pixel numbers (B, rays) in frames (B,), by the shares of `LOOKS`."""
    kind = rng.choice(len(LOOKS), (len(frames), rays), p=list(LOOKS.values()))
    box = made.boxes[frames[:, None], kind]  # (B, rays, 4)
    spot = box[..., :2] + rng.random((*kind.shape, 2)) * (box[..., 2:] - box[..., :2])
    x, y = np.moveaxis(np.clip(spot.astype(int), 0, made.size - 1), -1, 0)
    return y * made.size + x


def draw_patches(made: Material, frames: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Pixel numbers (B, side * side), row by row, of squares that hold the mouths' middles in frames (B,)."""
    box = made.boxes[frames, list(LOOKS).index("mouth")]
    middle = (box[:, :2] + box[:, 2:]) / 2 + rng.uniform(-0.25, 0.25, (len(frames), 2)) * side
    corner = np.clip(np.round(middle - side / 2), 0, made.size - side).astype(int)
    line = np.arange(side)
    rows, columns = corner[:, 1, None] + line, corner[:, 0, None] + line
    return (rows[:, :, None] * made.size + columns[:, None]).reshape(len(frames), -1)


def projected(person: Person, size: int) -> np.ndarray:
    """The 68 landmarks (T, 68, 2) in pixels of pictures of `size`."""
    points = np.einsum("tij,tnj->tni", person.rotation, person.landmarks3d) * (1, -1, -1)
    points = points + person.translation[:, None]
    pixels = np.asarray(person.center_px) + person.focal_px * points[..., :2] / points[..., 2:]
    return (pixels * size / person.size).astype(np.float32)


def standardised_pose(made: Signals, frames: Sequence[int] | np.ndarray) -> np.ndarray:
    """Poses (T, 6) of all frames in standard deviations of those of `frames`."""
    pose = pose_numbers(made.rotation, made.translation).numpy()
    return (pose - pose[frames].mean(0)) / np.maximum(pose[frames].std(0), 1e-4)


def _boxes(person: Person, size: int) -> np.ndarray:
    points = projected(person, size)
    groups = {"head": points, "mouth": points[:, 48:], "eyes": points[:, 36:48]}
    whole = np.tile(np.array([0, 0, size, size], np.float32), (len(points), 1))
    boxes = [whole]
    for name, group in groups.items():
        margin = np.array(_MARGINS[name], np.float32) * size
        box = np.concatenate([group.min(1) - margin[:2], group.max(1) + margin[2:]], 1)
        boxes.append(np.clip(box, 0, size))
    return np.stack(boxes, 1)


def _resized(pictures: np.ndarray, size: int, how: int) -> np.ndarray:
    if pictures.shape[1] == size:
        return np.array(pictures)
    return np.stack([cv2.resize(picture, (size, size), interpolation=how) for picture in pictures])


def _without_head(pictures: np.ndarray, labels: np.ndarray, background: np.ndarray) -> np.ndarray:
    """The median of what is not head, pixel by pixel; painted on from around where that never showed."""
    chosen = slice(None, None, max(1, len(pictures) // 100))
    shown = (labels[chosen] < HEAD) & (labels[chosen] >= 0)
    seen = np.where(shown[..., None], pictures[chosen].astype(np.float32), np.nan)
    never = ~shown.any(0)
    seen[:, never] = background[never]
    middle = np.nanmedian(seen, 0).astype(np.uint8)
    # The background is known behind the head, but behind its lower half is the neck: fill that from the torso.
    rows = np.flatnonzero((labels == 1).any((0, 2)))
    below = never & (np.arange(len(never))[:, None] >= (rows.min() if len(rows) else len(never)))
    return cv2.inpaint(middle, below.astype(np.uint8), 3, cv2.INPAINT_TELEA)
