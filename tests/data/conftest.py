"""A folder of prepared clips that several tests look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.data.footage import write_mixed_bag
from vultus.data.prepare import Report, prepare
from vultus.data.recipe import PrepareOptions

HERE = PrepareOptions(workers=0)


@pytest.fixture(scope="session")
def raw_folder(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """Videos good and bad; not to be written to."""
    root = tmp_path_factory.mktemp("raw")
    write_mixed_bag(root, astronaut)
    return root


@pytest.fixture(scope="session")
def report(raw_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What `prepare` made of them; not to be written to."""
    return prepare("video", raw_folder, tmp_path_factory.mktemp("prepared"), HERE)
