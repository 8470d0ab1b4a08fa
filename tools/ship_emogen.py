"""From trained weights of emogen to those that ship: vultus/assets/emogen-*, the generator alone, in half precision.

    python tools/ship_emogen.py WEIGHTS MINUTES COMMAND [FIGURES.json ...]

WEIGHTS is the folder that `vultus train emogen` printed, MINUTES the processor time it took, COMMAND how the data were
made and what was run. FIGURES.json are what `python -m benchmarks.emogen ... --json FIGURES.json` wrote; they go into
the card under their file's name.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

import vultus
from vultus.core.weights import load_weights, save_weights
from vultus.methods.emogen.weights import PREFIX

ASSETS = Path(vultus.__file__).parent / "assets"


def main(weights: Path, minutes: float, command: str, figures: Sequence[Path]) -> None:
    """Write the generator, with its card, in place of the one that ships."""
    tensors, card = load_weights(weights)
    half = {
        name: tensor.half() if tensor.dtype == torch.float32 else tensor
        for name, tensor in tensors.items()
        if name.startswith(PREFIX)
    }
    results = dict(card.results) | {path.stem: json.loads(path.read_text("utf-8")) for path in figures}
    shipped = replace(
        card,
        version="1",
        training_data=f"rendered people, no recording of a person; {command}; {minutes:g} minutes of one core",
        licence="Apache-2.0",
        results=results,
        sha256="",
    )
    for old in ASSETS.glob("emogen-*"):
        shutil.rmtree(old)
    print(save_weights(ASSETS, half, shipped))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3], [Path(name) for name in sys.argv[4:]])
