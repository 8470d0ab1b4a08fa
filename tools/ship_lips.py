"""From a finished `vultus train portrait` run to the weights that ship: vultus/assets/lips-*.

    python tools/ship_lips.py RUN [FIGURES.json]

FIGURES.json is what `python -m benchmarks.lips --cross-validate RUN --json` writes; it goes into the card.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import vultus
from vultus.core.config import resolved
from vultus.core.weights import Card, save_weights
from vultus.methods.portrait.config import TRAINING
from vultus.methods.portrait.train import trained_net
from vultus.motion.components import COMPONENTS
from vultus.motion.visemes import SYMBOLS

ASSETS = Path(vultus.__file__).parent / "assets"


def main(run: Path, figures: Path | None) -> None:
    """Write the finetuned network of a run, with its card, in place of the lips that ship."""
    config = TRAINING["small"]
    net = trained_net(config, run / "finetune")
    card = Card(
        method="lips",
        preset="small",
        version="1",
        config={**resolved(config.net), "names_of_symbols": list(SYMBOLS), "names_of_components": list(COMPONENTS)},
        training_data=(
            "synthetic speech of eSpeak NG and flite with the fitted viseme table, then lip apertures and widths "
            "(numbers, no pictures or sounds) measured in public research clips of sixteen people talking; the phone "
            "Gaussians beside the network are merged from pocketsphinx's acoustic model"
        ),
        licence="Apache-2.0",
        results=json.loads(figures.read_text("utf-8")) if figures is not None else {},
    )
    for old in ASSETS.glob("lips-*"):
        shutil.rmtree(old)
    print(save_weights(ASSETS, net.exported(), card))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
