"""Trained generators on disk, and one ready to make faces."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vultus.core.config import overlay
from vultus.core.errors import InputError, MissingPartError
from vultus.core.weights import load_weights
from vultus.methods.emogen.config import NetConfig

if TYPE_CHECKING:
    from vultus.methods.emogen.model import Generator

FOLDER_VARIABLE = "VULTUS_EMOGEN_WEIGHTS"
"""Names a folder of weights that `vultus train emogen` made; it goes before any in the package."""
ASSETS = Path(__file__).parents[2] / "assets"
PREFIX = "generator."
"""Of the generator's tensors; the experts that taught it lie beside them and are not played."""


class FaceMaker:
    """A generator in eval mode: pictures and voice in, faces out, any number at a time."""

    def __init__(self, generator: Generator) -> None:
        self.net = generator.eval().requires_grad_(False)
        self.side = generator.config.side

    def faces(self, references: np.ndarray, mels: np.ndarray, emotions: np.ndarray) -> np.ndarray:
        """New faces (T, S, S, 3) float32 in 0-255.

        Args:
            references: (T, S, S, 3) uint8 RGB: how the person looks.
            mels: (T, 80, 16), the voice around each frame.
            emotions: (T, 6) rows that sum to 1; the base model does not look at them.
        """
        import torch

        from vultus.methods.emogen.model import NOISE, looked_at

        pictures = torch.from_numpy(np.ascontiguousarray(references.transpose(0, 3, 1, 2)))[None].float() / 255
        felt = torch.from_numpy(np.asarray(emotions, np.float32))[None] if self.net.feeling else None
        still = torch.zeros(1, len(references), NOISE)  # noise would have to go on from piece to piece
        with torch.inference_mode():
            made = self.net(
                looked_at(pictures),
                torch.from_numpy(np.asarray(mels, np.float32))[None, :, None],
                felt,
                still,
            )[0]
        return made.permute(0, 2, 3, 1).mul(255).numpy()


def load_face_maker(folder: str | Path) -> FaceMaker:
    """A trained generator from a folder. Raises InputError for what is not EmoGen's, MissingPartError without torch."""
    tensors, card = load_weights(folder)
    if card.method != "emogen" or "net" not in card.config:
        raise InputError(f"these weights are of {card.method}, not of emogen", folder, "give a folder of its weights")
    from vultus.methods.emogen.model import Generator

    generator = Generator(overlay(NetConfig(), card.config["net"]))
    own = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items() if name.startswith(PREFIX)}
    try:
        generator.load_state_dict(own, strict=True)
    except RuntimeError as error:
        raise InputError("the weights do not fit their card", folder, "save or fetch them again") from error
    return FaceMaker(generator)


def chosen_face_maker() -> FaceMaker:
    """That of the folder in $VULTUS_EMOGEN_WEIGHTS, or else the one that ships.

    Raises MissingPartError where that was left out, else as the loader.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        return _loaded(folder)
    shipped = sorted(ASSETS.glob("emogen-*/"))
    if not shipped:
        fix = f"train some: vultus train emogen DATA OUT, and name their folder in ${FOLDER_VARIABLE}"
        raise MissingPartError("no weights of emogen are installed", "vultus/assets/emogen-*", fix)
    return _loaded(str(shipped[-1]))


@lru_cache(maxsize=1)
def _loaded(folder: str) -> FaceMaker:
    return load_face_maker(folder)
