"""A trained person as a method: a voice drives them, and performances of any origin play on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from vultus.core.bases import index_of
from vultus.core.controls import Controls
from vultus.core.errors import ControlError, InputError
from vultus.core.method import Driver, Look, Renderer
from vultus.core.types import Footage, Frames, Performance, Phone, Portrait
from vultus.core.weights import CARD_FILE, load_weights
from vultus.data.manifest import MANIFEST_FILE
from vultus.methods.blink_nerf import shipped_people
from vultus.methods.blink_nerf.conditioning import Condition
from vultus.methods.blink_nerf.driver.expression import landmarks_of
from vultus.methods.blink_nerf.driver.infer import BlinkNerfDriver, load_motion
from vultus.methods.blink_nerf.driver.model import MotionNet
from vultus.methods.blink_nerf.infer import HeadPoses, TrainedPerson
from vultus.methods.blink_nerf.numerics import best_device
from vultus.methods.blink_nerf.person import FACTS_FILE
from vultus.methods.blink_nerf.torso import TorsoGuess
from vultus.motion.blink import FULL

ENLARGED = 2
"""Pictures are rendered at the size they were learned at and shown so many times as large, unless a size is asked for:
lids of a few pixels do not survive a video's compression."""
MEMORY_S = 9.0
"""So far back the pose goes that tells how the torso sits."""
_LIDS = [index_of("eyeBlinkLeft"), index_of("eyeBlinkRight")]
_UP_AND_BACK = np.array([1.0, -1.0, -1.0], np.float32)
"""From head axes to the camera's."""


class SpeakingPerson:
    """One person (`core.method.Method`); made of a folder of weights that `vultus train blink_nerf` wrote.

    Raises InputError for a folder that holds anything else.
    """

    controls = frozenset({"pose", "blink", "blink_rate", "lip_scale", "seed"})

    def __init__(self, folder: Path, name: str, paper: str) -> None:
        self.name, self.paper = name, paper
        _check_trained(folder)
        self._shown = TrainedPerson.load(folder, best_device())
        tensors, card = load_weights(folder)
        mine = {key.removeprefix("motion."): t for key, t in tensors.items() if key.startswith("motion.")}
        if not mine:
            raise InputError("these weights have no driver", folder, "train them anew: vultus train blink_nerf")
        self._motion, self._ear = load_motion(mine, card.config["driver"]), card.config["ear"]

    def driver(
        self,
        controls: Controls,
        fps: float,
        pose_source: Performance | None,
        blink_source: Performance | None,
        phones: Sequence[Phone] | None = None,
    ) -> Driver:
        """See `core.method.Method`; known phones are not used."""
        return BlinkNerfDriver(self._motion, self._ear, controls, fps, pose_source, blink_source)

    def renderer(self, subject: Portrait | Footage | None, look: Look) -> Renderer:
        """A renderer of this person, for the subject None; anybody else is shown by the default method."""
        if subject is None:
            return PersonRenderer(self._shown, self._motion, look)
        from vultus.methods import DEFAULT_METHOD, get_method

        return get_method(DEFAULT_METHOD).renderer(subject, look)


def _check_trained(folder: Path) -> None:
    """Raise InputError for what is not, or not yet, a person's weights, saying what to do."""
    if not folder.is_dir():
        known = "".join(f"{name}, who comes with vultus, or " for name in shipped_people())
        fix = f"give {known}the folder of weights that vultus train blink_nerf printed"
        raise InputError("this is nobody whom blink_nerf has learned", folder, fix)
    if (folder / CARD_FILE).is_file():
        return
    if (folder / FACTS_FILE).is_file() or (folder / MANIFEST_FILE).is_file():
        fix = f"run: vultus train blink_nerf {folder} RUN, and give the folder that it prints"
        raise InputError("this person has been prepared, but not learned", folder, fix)
    raise InputError("there are no weights of a person here", folder, "run: vultus train blink_nerf PERSON RUN")


class PersonRenderer:
    """Plays performances on a trained person (`core.method.Renderer`), square pictures before their own background.

    A performance of their own driver brings landmarks; any other's expression moves the landmarks by the head model.
    """

    needs = ("expression",)

    def __init__(self, shown: TrainedPerson, motion: MotionNet, look: Look) -> None:
        """Raises ControlError for a background other than their own."""
        if not (isinstance(look.background, str) and look.background == "keep"):
            fix = "leave it out: the person was learned before it"
            raise ControlError("blink_nerf keeps the person's own background", "--background", fix)
        self._shown, self._look = shown, look
        self._neutral, self._resting = motion.neutral.numpy(), motion.resting.numpy()
        self._rendered = look.size or shown.net.config.size
        self._size = look.size or ENLARGED * self._rendered

    def play(self, performances: Iterable[Performance], count: int | None = None) -> Frames:
        """See `core.method.Renderer`."""
        return Frames(self._pictures(performances), self._look.fps, self._size, self._size, count)

    def _pictures(self, performances: Iterable[Performance]) -> Iterator[np.ndarray]:
        torso = _TorsoStream(self._shown, self._look.fps)
        for piece in performances:
            condition, poses = self._condition(piece), self._poses(piece)
            frames = self._shown.frames(condition, poses, self._look.fps, torso(condition, poses), self._rendered)
            for picture in frames:
                yield picture if self._size == self._rendered else _enlarged(picture, self._size)

    def _condition(self, piece: Performance) -> Condition:
        count, expression = len(piece), piece.expression
        if expression is None:
            raise ValueError("a performance without expression cannot be shown")
        landmarks = piece.landmarks
        if landmarks is None:
            landmarks = landmarks_of(np.clip(expression + self._resting, 0, 1), self._neutral)
        au45 = FULL * expression[:, _LIDS].mean(1) if piece.au45 is None else piece.au45
        voice = piece.voice
        if voice is None:
            voice = np.tile(self._shown.net.conditioner.voice.mean.cpu().numpy(), (count, 1))
        return Condition(*(np.asarray(part, np.float32) for part in (landmarks, au45, voice)))

    def _poses(self, piece: Performance) -> HeadPoses:
        still = np.zeros((len(piece), 3), np.float32)
        turned = self._shown.turned(still if piece.rotation is None else piece.rotation)
        shift = still if piece.translation is None else piece.translation * _UP_AND_BACK
        return HeadPoses(turned.rotation, (turned.translation + shift).astype(np.float32))


def _enlarged(picture: np.ndarray, size: int) -> np.ndarray:
    """A square picture (S, S, 3) uint8 at a larger size."""
    large: np.ndarray = cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC)
    return large


class _TorsoStream:
    """The torso's motion of frame after frame, from the poses up to it."""

    def __init__(self, shown: TrainedPerson, fps: float) -> None:
        self._shown = shown
        self._guess = TorsoGuess(shown.net.torso_guess.cpu().numpy(), fps)
        self._past: np.ndarray | None = None
        self._memory = round(MEMORY_S * fps)

    def __call__(self, condition: Condition, poses: HeadPoses) -> np.ndarray:
        """(n, K) of the next n frames."""
        unknown = np.zeros((len(condition), self._guess.weights.shape[1]), np.float32)
        with torch.no_grad():
            rows = self._shown.net.backdrop_pose(self._shown.signals(condition, poses, self._guess.fps, unknown))
        moves = [unknown[:0]]
        for row in rows.cpu().numpy():
            self._past = row[None] if self._past is None else np.concatenate([self._past, row[None]])[-self._memory :]
            moves.append(self._guess(self._past)[-1:])
        return np.concatenate(moves)
