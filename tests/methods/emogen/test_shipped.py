"""The weights that ship: small, the generator alone, and a face that stays the person's and follows what is asked."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

pytest.importorskip("torch", reason="torch is not installed")

from vultus.core.weights import TENSORS_FILE, load_weights
from vultus.methods.emogen.config import EMOTIONS, SMALL
from vultus.methods.emogen.mel import RANGE
from vultus.methods.emogen.weights import ASSETS, FOLDER_VARIABLE, PREFIX, FaceMaker, chosen_face_maker
from vultus.metrics.image import ssim

FACE = cv2.resize(astronaut()[40:185, 165:285], (96, 96), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def maker() -> FaceMaker:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(FOLDER_VARIABLE, raising=False)
        return chosen_face_maker()


def faces(maker: FaceMaker, mels: np.ndarray) -> np.ndarray:
    """One face for each of the six emotions."""
    return maker.faces(np.repeat(FACE[None], 6, 0), np.repeat(mels[None], 6, 0), np.eye(6, dtype=np.float32))


def test_they_are_small_and_say_what_they_are():
    (folder,) = ASSETS.glob("emogen-*/")
    tensors, card = load_weights(folder)
    assert (folder / TENSORS_FILE).stat().st_size <= 8e6
    assert all(name.startswith(PREFIX) for name in tensors)
    learned = [tensor for name, tensor in tensors.items() if name.endswith((".weight", ".bias"))]
    assert sum(tensor.numel() for tensor in learned) <= 5e6
    assert (card.method, card.preset) == ("emogen", "small") and "rendered people" in card.training_data
    assert card.config["net"]["side"] == SMALL.net.side and card.results


def test_the_face_stays_the_persons(maker):
    silence = np.full((80, 16), -RANGE, np.float32)
    for made in faces(maker, silence):
        assert ssim(np.clip(made, 0, 255).astype(np.uint8), FACE) > 0.6
    middle = faces(maker, silence)[:, 20:76, 20:76].mean((1, 2))
    assert np.abs(middle - FACE[20:76, 20:76].mean((0, 1))).max() < 25


def test_emotions_and_voices_change_it(maker):
    rng = np.random.default_rng(0)
    quiet = faces(maker, np.full((80, 16), -RANGE, np.float32))
    loud = faces(maker, rng.uniform(0, 2, (80, 16)).astype(np.float32))
    apart = [np.abs(a - b).max() for k, a in enumerate(quiet) for b in quiet[:k]]
    assert len(apart) == len(EMOTIONS) * 5 / 2 and min(apart) > 5
    assert np.abs(loud - quiet).max() > 5
