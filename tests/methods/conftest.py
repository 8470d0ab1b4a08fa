"""Weights for methods that ship none: random ones, and trained people for personal methods."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.methods.blink_nerf.people import talking_person


@pytest.fixture(autouse=True, scope="session")
def tiny_emogen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """EmoGen plays with random weights, where there is torch to play them."""
    patch = pytest.MonkeyPatch()
    if find_spec("torch") is not None:
        from tests.methods.emogen.faces import save_tiny
        from vultus.methods.emogen.weights import FOLDER_VARIABLE

        patch.setenv(FOLDER_VARIABLE, str(save_tiny(tmp_path_factory.mktemp("emogen"))))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def blink_nerf_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights of a person who hardly knows how they look; not to be written to."""
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("lightning", reason="lightning is not installed")
    from vultus import learn
    from vultus.methods.blink_nerf.config import TINY
    from vultus.training.loop import LoopConfig

    folder = tmp_path_factory.mktemp("blink_nerf")
    data = talking_person(6, size=TINY.size, ear=TINY.ear).save(folder / "person")
    return learn.train("blink_nerf", data, folder / "run", preset="tiny", loop=LoopConfig(accelerator="cpu"))
