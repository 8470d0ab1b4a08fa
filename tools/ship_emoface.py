"""From a finished `vultus train emoface` run to the weights that ship: vultus/assets/emoface-*.

    python tools/ship_emoface.py RUN [FIGURES.json]

FIGURES.json is what `python -m benchmarks.emoface held-out clips speed --json FIGURES.json` writes; it goes into the
card. Run it without first: the benchmark measures what is shipped.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import vultus
from vultus.core.config import resolved
from vultus.core.weights import Card, save_weights
from vultus.methods.emoface.config import SMALL
from vultus.methods.emoface.data import shipped_ear
from vultus.training.loop import finished_weights

ASSETS = Path(vultus.__file__).parent / "assets"


def main(run: Path, figures: Path | None) -> None:
    """Write the network of a run, with its card, in place of the one that ships."""
    tensors = finished_weights(run / "curves")
    heard_by = bytes(tensors["net.heard_by"].tolist()).decode("ascii")
    if heard_by != shipped_ear().card.sha256[:8]:
        sys.exit(f"this run listened through {heard_by}, which is not the encoder that ships: train anew")
    card = Card(
        method="emoface",
        preset="small",
        version="1",
        config={**resolved(SMALL), "speech_encoder": shipped_ear().card.name},
        training_data=(
            "synthetic speech of eSpeak NG and flite, acted on the MetaHuman board: lips by the learned lips that ship "
            "and the viseme table, seven emotions by action units; no recording of a person but through those lips"
        ),
        licence="Apache-2.0",
        results=json.loads(figures.read_text("utf-8")) if figures is not None else {},
    )
    for old in ASSETS.glob("emoface-*"):
        shutil.rmtree(old)
    print(save_weights(ASSETS, tensors, card))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
