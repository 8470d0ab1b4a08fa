"""From a finished `vultus train blink_nerf` of Nora's clip to the weights that ship: vultus/assets/blink_nerf-nora-*.

    vultus synthesize RAW --people 1 --clips-per-person 1 --seconds 68 --size 256 --seed 81 --emotions neutral
    vultus prepare person RAW/p0000/000_neutral_1.mp4 CLIP
    vultus train blink_nerf CLIP RUN --config NORA.yaml                  # prints WEIGHTS
    python tools/ship_blink_nerf.py WEIGHTS MINUTES [FIGURES.json ...]

NORA.yaml says "ear: speech" and, as that ear moves her lips far enough, "driver: {net: {amplitude: 1.55}}".
MINUTES is what the training took on one core; FIGURES.json, which `python -m benchmarks.blink_nerf figures --json`
wrote, join the card.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import vultus
from vultus.core.weights import load_weights, save_weights

ASSETS = Path(vultus.__file__).parent / "assets"
NAME = "nora"
DATA = (
    "68 s of a rendered person who does not exist (vultus synthesize RAW --people 1 --clips-per-person 1 --seconds 68 "
    "--size 256 --seed 81 --emotions neutral; her voice is flite's slt), prepared by vultus prepare person; vultus "
    "train blink_nerf, preset {preset} with the ear {ear}, {minutes} minutes of one core; the last tenth was held out; "
    "no picture or sound of anybody real, but for those that the speech encoder which ships has learned from"
)


def main(weights: Path, minutes: str, figures: list[Path]) -> None:
    """Put a person's trained weights under her name, with a card that says where they come from, where they ship."""
    tensors, card = load_weights(weights)
    results = dict(card.results)
    for path in figures:
        results |= json.loads(path.read_text("utf-8"))
    data = DATA.format(preset=card.preset, ear=card.config["ear"], minutes=minutes)
    card = dataclasses.replace(
        card, preset=NAME, version="1", training_data=data, licence="Apache-2.0", results=results
    )
    for old in ASSETS.glob(f"blink_nerf-{NAME}-*"):
        shutil.rmtree(old)
    print(save_weights(ASSETS, tensors, card))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [Path(path) for path in sys.argv[3:]])
