"""Trained people for personal methods: two steps of every stage of the tiny preset."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.methods.blink_nerf.people import talking_person


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
